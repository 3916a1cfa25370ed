package intercept

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
)

const acme = "acme"

var (
	all     = Filter{Steps: []string{"Check"}, AllOrders: true}
	subject = Subject{Step: "WebhookWorkflowStep", DisplayName: "check", Connector: "Webhook", ConnectorID: "w", Status: "New", OrderID: "O1"}
)

func TestWhichCallsAFilterPicks(t *testing.T) {
	for name, c := range map[string]struct {
		filter Filter
		picks  bool
	}{
		"displayName":       {Filter{Steps: []string{"other", "CHECK"}, AllOrders: true}, true},
		"name":              {Filter{Steps: []string{"webhookworkflowstep"}, AllOrders: true}, true},
		"another step":      {Filter{Steps: []string{"other"}, AllOrders: true}, false},
		"connector":         {Filter{Connectors: []string{"webhook"}, AllOrders: true}, true},
		"connectorId":       {Filter{Connectors: []string{"W"}, AllOrders: true}, true},
		"another connector": {Filter{Connectors: []string{"x"}, AllOrders: true}, false},
		"status":            {Filter{Statuses: []string{"new"}, AllOrders: true}, true},
		"one of two":        {Filter{Steps: []string{"check"}, Statuses: []string{"Paid"}, AllOrders: true}, false},
		"an order":          {Filter{Steps: []string{"check"}, Orders: []string{"O2", "O1"}}, true},
		"another order":     {Filter{Steps: []string{"check"}, Orders: []string{"o1"}}, false}, // ids have a case
		"no order":          {Filter{Steps: []string{"check"}}, false},
	} {
		if c.filter.picks(&subject) != c.picks {
			t.Errorf("%s: it does not", name)
		}
	}
}

// begin begins an interception of a board that is closed in the end.
func begin(t *testing.T, lease time.Duration, f Filter) (*Board, State) {
	t.Helper()
	b := New(lease)
	t.Cleanup(b.Close)
	s, err := b.Begin(acme, NewID(), attempt.Listener{KeyID: "key_1"}, f)
	if err != nil {
		t.Fatal(err)
	}
	return b, s
}

// send makes the request of a call, and returns the status, or the error as a text.
func send(ctx context.Context, c *Call, body string) string {
	defer c.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://endpoint.example", bytes.NewReader([]byte(body)))
	if err != nil {
		return err.Error()
	}
	req.Header["idempotency-key"] = []string{"call_1"}
	resp, err := c.RoundTrip(req)
	if err != nil {
		return err.Error()
	}
	text, _ := io.ReadAll(resp.Body)
	return resp.Header.Get("X") + string(text)
}

func TestACallIsHandedOutOnceAndAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := begin(t, 0, all)
		came := make(chan string, 1)
		go func() {
			c, err := b.Match(acme, &subject).Offer(t.Context(), subject)
			if err != nil {
				came <- err.Error()
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			came <- send(ctx, c, "asked")
		}()
		r, err := b.Take(t.Context(), nil, acme, s.ID)
		if err != nil || string(r.Body) != "asked" || r.Header.Get("Idempotency-Key") != "call_1" || r.Timeout != 10*time.Second || r.Subject != subject {
			t.Fatalf("%+v, %v", r, err)
		}
		// Nobody else gets it.
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if again, err := b.Take(t.Context(), short.Done(), acme, s.ID); again != nil || err != nil {
			t.Errorf("%v, %v", again, err)
		}
		if err := b.BringAnswer(t.Context(), "other", s.ID, r.ID, Answer{Status: 200}); apierr.KindOf(err) != apierr.NotFound {
			t.Error(err)
		}
		if err := b.BringAnswer(t.Context(), acme, s.ID, r.ID, Answer{Status: 200, Header: http.Header{"x": {"y"}}, Body: []byte("answered")}); err != nil {
			t.Error(err)
		}
		if got := <-came; got != "yanswered" {
			t.Error(got)
		}
		if err := b.BringAnswer(t.Context(), acme, s.ID, r.ID, Answer{Status: 200}); apierr.KindOf(err) != apierr.Conflict {
			t.Error(err)
		}
		if s, _ = b.StateOf(acme, s.ID); s.Handed != 1 || s.Answered != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// An answer that comes as the time of the attempt ends is not told to have arrived.
func TestALateAnswerIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := begin(t, time.Hour, all)
		came := make(chan string, 1)
		go func() {
			c, _ := b.Match(acme, &subject).Offer(t.Context(), subject)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			came <- send(ctx, c, "")
		}()
		r, _ := b.Take(t.Context(), nil, acme, s.ID)
		if got := <-came; got != context.DeadlineExceeded.Error() {
			t.Error(got)
		}
		if err := b.BringAnswer(t.Context(), acme, s.ID, r.ID, Answer{Status: 200}); apierr.KindOf(err) != apierr.Conflict {
			t.Error(err)
		}
	})
}

// A poll that ends between the taking of a call and its request leaves it to the next one.
func TestACallThatAPollLeftGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := begin(t, time.Hour, all)
		offered := make(chan *Call, 1)
		go func() { c, _ := b.Match(acme, &subject).Offer(t.Context(), subject); offered <- c }()
		first, leave := context.WithCancel(t.Context())
		left := make(chan *Request)
		go func() { r, _ := b.Take(first, nil, acme, s.ID); left <- r }()
		c := <-offered
		leave()
		if r := <-left; r != nil {
			t.Fatal("it was handed out")
		}
		go send(t.Context(), c, "asked")
		r, err := b.Take(t.Context(), nil, acme, s.ID)
		if err != nil || string(r.Body) != "asked" {
			t.Fatal(err)
		}
		if err := b.BringAnswer(t.Context(), acme, s.ID, r.ID, Answer{Error: "refused"}); err != nil {
			t.Error(err)
		}
		// One whose request is never made is nobody's.
		go func() { c, _ := b.Match(acme, &subject).Offer(t.Context(), subject); c.Close(); c.Close() }()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r, err := b.Take(t.Context(), short.Done(), acme, s.ID); r != nil || err != nil {
			t.Errorf("%v, %v", r, err)
		}
	})
}

// The lease ends when nobody polls, and not while somebody does.
func TestALeaseEndsWithItsListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := begin(t, 30*time.Second, all)
		var lost []State
		b.WhenLost(func(tenant string, s State) { lost = append(lost, s) })
		poll := func(wait time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			_, err := b.Take(t.Context(), ctx.Done(), acme, s.ID)
			return err
		}
		time.Sleep(29 * time.Second)
		for range 3 {
			if err := poll(time.Minute); err != nil {
				t.Fatal(err)
			}
			time.Sleep(29 * time.Second)
		}
		over := make(chan error, 1)
		go func() { _, err := b.Match(acme, &subject).Offer(t.Context(), subject); over <- err }()
		time.Sleep(2 * time.Second)
		if err := <-over; !errors.Is(err, ErrEnded) || len(lost) != 1 || lost[0].ID != s.ID {
			t.Errorf("%v; lost are %v", err, lost)
		}
		if err := poll(time.Second); apierr.KindOf(err) != apierr.Conflict || !strings.Contains(err.Error(), "silent for too long") {
			t.Error(err)
		}
		if i := b.Match(acme, &subject); i != nil {
			t.Error("it still picks calls")
		}
		b.Missed(acme, &subject)
		b.Missed(acme, &Subject{Step: "other"})
		b.Missed("other", &subject)
		if s, _ = b.StateOf(acme, s.ID); s.Missed != 1 {
			t.Errorf("%d calls were missed", s.Missed)
		}
		if b.End(acme, s.ID) {
			t.Error("it ended twice")
		}
		time.Sleep(time.Hour)
		if list := b.List(acme); len(list) != 0 || b.known.Load() != 0 {
			t.Errorf("%v is remembered", list)
		}
	})
}

func TestTheEndFailsWhatWasHandedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := begin(t, 0, all)
		came := make(chan string, 1)
		go func() { c, _ := b.Match(acme, &subject).Offer(t.Context(), subject); came <- send(t.Context(), c, "") }()
		r, _ := b.Take(t.Context(), nil, acme, s.ID)
		waits := make(chan error, 1)
		go func() { _, err := b.Take(t.Context(), nil, acme, s.ID); waits <- err }()
		synctest.Wait()
		if !b.End(acme, s.ID) {
			t.Error("it has not ended")
		}
		if got := <-came; got != errEnded.Error() {
			t.Error(got)
		}
		if err := <-waits; apierr.KindOf(err) != apierr.Conflict {
			t.Error(err)
		}
		if err := b.BringAnswer(t.Context(), acme, s.ID, r.ID, Answer{Status: 200}); apierr.KindOf(err) != apierr.Conflict {
			t.Error(err)
		}
	})
}

func TestHowManyThereMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := begin(t, 0, all)
		i := b.Match(acme, &subject)
		ctx, cancel := context.WithCancel(t.Context())
		for range MostCalls {
			go i.Offer(ctx, subject)
		}
		synctest.Wait()
		if _, err := i.Offer(ctx, subject); !errors.Is(err, ErrFull) {
			t.Error(err)
		}
		cancel()
		synctest.Wait()
		if len(i.calls)+len(i.waiting) != 0 {
			t.Error("what nobody offers any more waits")
		}
		for n := 1; n < MostPerTenant; n++ {
			if _, err := b.Begin(acme, NewID(), attempt.Listener{}, all); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Begin(acme, NewID(), attempt.Listener{}, all); apierr.KindOf(err) != apierr.TooMany {
			t.Error(err)
		}
		b.End(acme, s.ID)
		if _, err := b.Begin(acme, NewID(), attempt.Listener{}, all); err != nil {
			t.Error(err)
		}
		for n := range Most - MostPerTenant {
			if _, err := b.Begin(string(rune('A'+n/MostPerTenant)), NewID(), attempt.Listener{}, all); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Begin("more", NewID(), attempt.Listener{}, all); apierr.KindOf(err) != apierr.TooMany {
			t.Error(err)
		}
		b.Close()
		if _, err := b.Begin("late", NewID(), attempt.Listener{}, all); apierr.KindOf(err) != apierr.Unavailable {
			t.Error(err)
		}
	})
}

func TestLongHeadersFail(t *testing.T) {
	a := Answer{Status: 200, Header: http.Header{"X": {strings.Repeat("x", mostHeaderBytes)}}}
	if _, err := a.response(nil); err != errHeaders {
		t.Error(err)
	}
	a.Header = http.Header{"X": {strings.Repeat("x", mostHeaderBytes-1)}}
	if _, err := a.response(nil); err != nil {
		t.Error(err)
	}
}

// handedOut has a call handed out whose run is still on its way to look for the answer: what comes
// now is decided before it looks.
func handedOut(t *testing.T, b *Board, id string) (*Call, *Request) {
	t.Helper()
	offered := make(chan *Call, 1)
	go func() { c, _ := b.Match(acme, &subject).Offer(t.Context(), subject); offered <- c }()
	got := make(chan *Request, 1)
	go func() { r, _ := b.Take(t.Context(), nil, acme, id); got <- r }()
	c := <-offered
	c.request = Request{ID: c.id}
	close(c.ready) // as RoundTrip does before it waits
	return c, <-got
}

// A call takes one answer, also while the first is not applied yet.
func TestASecondAnswerIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := begin(t, time.Hour, all)
		c, r := handedOut(t, b, s.ID)
		first := make(chan error, 1)
		go func() { first <- b.BringAnswer(t.Context(), acme, s.ID, r.ID, Answer{Status: 200}) }()
		synctest.Wait()
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.BringAnswer(soon, acme, s.ID, r.ID, Answer{Status: 500}); apierr.KindOf(err) != apierr.Conflict {
			t.Errorf("the second answer: %v", err)
		}
		if a := <-c.answer; a.Status != 200 {
			t.Errorf("the run gets %+v", a)
		}
		c.Close() // and has not used it
		if err := <-first; apierr.KindOf(err) != apierr.Conflict {
			t.Errorf("the first answer, which nobody used: %v", err)
		}
		if s, _ = b.StateOf(acme, s.ID); s.Answered != 0 {
			t.Errorf("%d answers are counted", s.Answered)
		}
	})
}

// Once the lease is over a call takes no answer, though its run has not noticed yet.
func TestAnAnswerBehindTheEndIsRefused(t *testing.T) {
	for name, end := range map[string]func(*Board, State){
		"the lease":  func(*Board, State) { time.Sleep(31 * time.Second) },
		"the end":    func(b *Board, s State) { b.End(acme, s.ID) },
		"a stop":     func(b *Board, _ State) { b.Close() },
		"other news": func(b *Board, s State) { b.Lose(acme, s.ID, SeveralNodes) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, s := begin(t, 30*time.Second, all)
				c, r := handedOut(t, b, s.ID)
				defer c.Close()
				end(b, s)
				soon, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := b.BringAnswer(soon, acme, s.ID, r.ID, Answer{Status: 200}); apierr.KindOf(err) != apierr.Conflict {
					t.Error(err)
				}
				if len(c.answer) > 0 {
					t.Error("the run gets the answer")
				}
			})
		})
	}
}

// What a call was taken with is that of its own interception: another one, of the same tenant or
// not, neither gets nor answers it.
func TestAnotherInterceptionGetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := begin(t, time.Hour, all)
		second, err := b.Begin(acme, NewID(), attempt.Listener{KeyID: "key_2"}, all)
		if err != nil {
			t.Fatal(err)
		}
		foreign, err := b.Begin("other", NewID(), attempt.Listener{KeyID: "key_3"}, all)
		if err != nil {
			t.Fatal(err)
		}
		go func() { c, _ := b.Match(acme, &subject).Offer(t.Context(), subject); send(t.Context(), c, "asked") }()
		synctest.Wait()
		for tenant, id := range map[string]string{acme: second.ID, "other": foreign.ID} {
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			if r, err := b.Take(t.Context(), short.Done(), tenant, id); r != nil || err != nil {
				t.Errorf("%s got %v, %v", tenant, r, err)
			}
			cancel()
		}
		if _, err := b.Take(t.Context(), nil, "other", s.ID); apierr.KindOf(err) != apierr.NotFound {
			t.Error(err)
		}
		r, err := b.Take(t.Context(), nil, acme, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		for tenant, id := range map[string]string{acme: second.ID, "other": foreign.ID} {
			if err := b.BringAnswer(t.Context(), tenant, id, r.ID, Answer{Status: 200}); apierr.KindOf(err) != apierr.Conflict {
				t.Errorf("of %s: %v", tenant, err)
			}
		}
		if b.End("other", s.ID) || len(b.List("other")) != 1 {
			t.Error("another tenant ended it, or sees it")
		}
		if err := b.BringAnswer(t.Context(), acme, s.ID, r.ID, Answer{Status: 200}); err != nil {
			t.Error(err)
		}
	})
}
