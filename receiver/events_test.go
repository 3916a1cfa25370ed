package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listed is a feed of what it is told, which notes how it was asked.
type listed struct {
	mu     sync.Mutex
	events []Event
	lost   string
	err    error
	asked  []string
	added  chan struct{}
}

func newListed() *listed { return &listed{added: make(chan struct{}, 1)} }

func (l *listed) add(n int) {
	p := publisher{}
	l.mu.Lock()
	l.events = append(l.events, p.event(n))
	l.mu.Unlock()
	select {
	case l.added <- struct{}{}:
	default:
	}
}

func (l *listed) After(ctx context.Context, after string, wait time.Duration) (Page, error) {
	page, err := l.now(after)
	if err != nil || len(page.Events) > 0 || wait == 0 {
		return page, err
	}
	select {
	case <-l.added:
	case <-time.After(wait):
	case <-ctx.Done():
		return Page{}, ctx.Err()
	}
	return l.now(after)
}

func (l *listed) now(after string) (Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, after)
	from := 1 + slices.IndexFunc(l.events, func(e Event) bool { return e.Position == after })
	page := Page{Lost: l.lost}
	if page.Events = slices.Clone(l.events[from:]); len(page.Events) > 3 {
		page.Events, page.More = page.Events[:3], true
	}
	if page.Next = after; len(page.Events) > 0 {
		page.Next = page.Events[len(page.Events)-1].Position
	}
	return page, l.err
}

// deliver sends event n to a handler, as orderhook does.
func deliver(t *testing.T, e *Events, n int) int {
	t.Helper()
	w := &status{header: http.Header{}}
	p := publisher{}
	e.ServeHTTP(w, p.request(n).WithContext(t.Context()))
	return w.code
}

func TestAGapIsFetchedAtOnce(t *testing.T) {
	feed := newListed()
	for n := 1; n <= 9; n++ {
		feed.add(n)
	}
	var got []string
	e := newReceiver(t, t.Output()).Events("e", feed, func(_ context.Context, e *Event) error { got = append(got, e.Key); return nil })
	for _, c := range []struct{ n, handled, asked int }{
		{1, 1, 0}, // the first has none before it
		{2, 2, 0}, // it follows the last: nothing is asked
		{2, 2, 0}, // a repeat
		{8, 9, 3}, // 3 to 7 are missing; the feed has 9, too
		{5, 9, 3}, // late
		{9, 9, 3},
	} {
		if code := deliver(t, e, c.n); code != 204 || len(got) != c.handled || len(feed.asked) != c.asked {
			t.Errorf("after %d: %d, %v, asked %v", c.n, code, got, feed.asked)
		}
	}
	if want := "[evt_1 evt_2 evt_3 evt_4 evt_5 evt_6 evt_7 evt_8 evt_9]"; fmt.Sprint(got) != want {
		t.Errorf("handled %v", got)
	}
}

// TestARepeatMovesNoPosition: the headers with the positions are not signed, so whoever has seen
// a request could send it again with others, and all later events would be waited for in vain.
func TestARepeatMovesNoPosition(t *testing.T) {
	for name, again := range map[string]int{"the last one": 2, "an earlier one": 1} {
		feed := newListed()
		for n := 1; n <= 3; n++ {
			feed.add(n)
		}
		got := 0
		e := newReceiver(t, t.Output()).Events("e", feed, func(context.Context, *Event) error { got++; return nil })
		deliver(t, e, 1)
		deliver(t, e, 2)
		p := publisher{}
		forged := p.request(again).WithContext(t.Context())
		forged.Header.Set(previousHeader, position(2))
		forged.Header.Set(positionHeader, "9999999999999999")
		w := &status{header: http.Header{}}
		e.ServeHTTP(w, forged)
		if code := deliver(t, e, 3); w.code != 204 || code != 204 || got != 3 {
			t.Errorf("%s: %d for the repeat, %d for the next, %d handled", name, w.code, code, got)
		}
	}
}

// TestAnEventThatFailsHoldsUpTheNext: nothing overtakes it, and nothing is lost.
func TestAnEventThatFailsHoldsUpTheNext(t *testing.T) {
	feed, fails := newListed(), true
	for n := 1; n <= 3; n++ {
		feed.add(n)
	}
	var got []string
	e := newReceiver(t, io.Discard).Events("e", feed, func(_ context.Context, e *Event) error {
		if e.Key == "evt_2" && fails {
			return errFault
		}
		got = append(got, e.Key)
		return nil
	})
	if a, b, c := deliver(t, e, 1), deliver(t, e, 3), deliver(t, e, 2); a != 204 || b != 500 || c != 500 || len(got) != 1 {
		t.Errorf("%d, %d, %d; handled %v", a, b, c, got)
	}
	fails = false
	if code := deliver(t, e, 3); code != 204 || fmt.Sprint(got) != "[evt_1 evt_2 evt_3]" {
		t.Errorf("%d; handled %v", code, got)
	}
}

// sparse is a feed whose pages are empty now and then, and end behind their last event.
type sparse struct {
	*listed
	pages []Page
}

func (s *sparse) After(_ context.Context, after string, _ time.Duration) (Page, error) {
	s.asked = append(s.asked, after)
	page := s.pages[0]
	s.pages = s.pages[1:]
	return page, nil
}

func TestAPageMayBeEmpty(t *testing.T) {
	p := publisher{}
	feed := &sparse{newListed(), []Page{
		{Next: "10", More: true},
		{Events: []Event{p.event(1)}, Next: "20", More: true},
		{Next: "30", More: true},
		{Events: []Event{p.event(2)}, Next: "40"},
	}}
	got := 0
	e := newReceiver(t, t.Output()).Events("e", feed, func(context.Context, *Event) error { got++; return nil })
	n, err := e.CatchUp(t.Context())
	if n != 2 || got != 2 || err != nil || fmt.Sprint(feed.asked) != "[ 10 20 30]" {
		t.Errorf("%d, %v, %d handled, asked %q", n, err, got, feed.asked)
	}
	if at, _ := e.position(t.Context()); at != position(2) {
		t.Errorf("the position is %s", at)
	}
}

// TestAnEventThatTheFeedHasNotYetComesAgain: it is not taken for an old one.
func TestAnEventThatTheFeedHasNotYetComesAgain(t *testing.T) {
	feed, got := newListed(), 0
	feed.add(1)
	e := newReceiver(t, io.Discard).Events("e", feed, func(context.Context, *Event) error { got++; return nil })
	if code := deliver(t, e, 3); code != 503 || got != 1 {
		t.Errorf("%d, %d handled", code, got)
	}
	feed.add(2)
	feed.add(3)
	if code := deliver(t, e, 3); code != 204 || got != 3 {
		t.Errorf("%d, %d handled", code, got)
	}
	feed.err = errFault
	if code := deliver(t, e, 5); code != 500 || got != 3 {
		t.Errorf("without the feed: %d, %d handled", code, got)
	}
}

// TestWhatIsLostIsSaid: a gap that nothing can fill is never passed over in silence.
func TestWhatIsLostIsSaid(t *testing.T) {
	feed, got, said := newListed(), 0, ""
	feed.add(5)
	feed.lost = "4 events"
	e := newReceiver(t, io.Discard).Events("e", feed, func(context.Context, *Event) error { got++; return nil })
	e.Lost = func(_ context.Context, what string) error { said = what; return errFault }
	if code := deliver(t, e, 5); code != 500 || got != 0 || said != "4 events" {
		t.Errorf("%d, %d handled, said %q", code, got, said)
	}
	e.Lost = nil
	if code := deliver(t, e, 5); code != 204 || got != 1 {
		t.Errorf("%d, %d handled", code, got)
	}
}

// TestWhatIsGoneIsPassed: an event whose order was erased is said to be gone, and holds up
// nothing.
func TestWhatIsGoneIsPassed(t *testing.T) {
	feed, got, said := newListed(), "", ""
	for n := 1; n <= 3; n++ {
		feed.add(n)
	}
	feed.events[1].Gone, feed.events[1].Body = "erased", nil
	e := newReceiver(t, t.Output()).Events("e", feed, func(_ context.Context, e *Event) error { got += e.Key; return nil })
	e.Lost = func(_ context.Context, what string) error { said += what; return nil }
	if code := deliver(t, e, 3); code != 204 || got != "evt_1evt_3" || said != "the event at the position "+position(2)+", which is erased" {
		t.Errorf("%d, handled %s, said %q", code, got, said)
	}
}

func TestManyDeliveriesAtOnceAreHandledInOrder(t *testing.T) {
	feed := newListed()
	for n := 1; n <= 200; n++ {
		feed.add(n)
	}
	var got []string
	e := newReceiver(t, t.Output()).Events("e", feed, func(_ context.Context, e *Event) error { got = append(got, e.Key); return nil })
	var all sync.WaitGroup
	for n := 200; n > 0; n-- {
		all.Go(func() {
			if code := deliver(t, e, n); code != 204 {
				t.Errorf("%d: %d", n, code)
			}
		})
	}
	all.Wait()
	for i, key := range got {
		if key != fmt.Sprintf("evt_%d", i+1) {
			t.Fatalf("at place %d is %s", i+1, key)
		}
	}
	if len(got) != 200 {
		t.Errorf("%d handled", len(got))
	}
}

func TestAFeedIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newListed()
		feed.add(1)
		got := make(chan string, 10)
		fails := 1
		e := newReceiver(t, io.Discard).Events("e", feed, func(_ context.Context, e *Event) error {
			if fails--; fails >= 0 {
				return errFault
			}
			got <- e.Key
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		began := time.Now()
		go func() { ended <- e.Follow(ctx) }()
		if key := <-got; key != "evt_1" || time.Since(began) != time.Second {
			t.Errorf("%s after %s", key, time.Since(began))
		}
		time.Sleep(time.Minute) // of the bubble's clock; nothing happens
		feed.add(2)
		if key := <-got; key != "evt_2" {
			t.Errorf("then %s", key)
		}
		synctest.Wait()
		if code := deliver(t, e, 2); code != 204 { // while the feed is waited for
			t.Errorf("a repeat: %d", code)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		if len(got) > 0 {
			t.Errorf("more was handled: %s", <-got)
		}
	})
}
