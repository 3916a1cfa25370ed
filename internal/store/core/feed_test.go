package core

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
)

// givenTo is a write that gives each of the events from first on to so many endpoints.
func givenTo(first int64, endpoints ...int) (w feedWrite) {
	w.tenant = "acme"
	for i, n := range endpoints {
		for no := range n {
			w.given = append(w.given, given{first + int64(i), int64(no + 1), &event.Place{}})
		}
	}
	return w
}

// partRow is a part of the feed as it is read from its row.
type partRow Tuple

func (p partRow) Scan(into ...any) error {
	*into[0].(*int64), *into[1].(*int64), *into[2].(*[]byte) = p.Often[1].(int64), p.Often[2].(int64), p.Often[3].([]byte)
	return nil
}

// TestPartsOfTheFeedAreBounded: whatever a write gives to whom, no part that is read at once has
// more than its bound, or one event; and all is there as if it were one part, in its order.
func TestPartsOfTheFeedAreBounded(t *testing.T) {
	repeat := func(events, endpoints int) []int { return slices.Repeat([]int{endpoints}, events) }
	for name, c := range map[string]struct {
		writes []feedWrite
		parts  int
	}{
		"one event":                        {[]feedWrite{givenTo(1, 1)}, 1},
		"writes that follow each other":    {[]feedWrite{givenTo(1, 3, 2), givenTo(3, 1)}, 1},
		"with numbers between them":        {[]feedWrite{givenTo(1, 3, 2), givenTo(4, 1)}, 2},
		"just as many as there may be":     {[]feedWrite{givenTo(1, repeat(100, 10)...)}, 1},
		"one more":                         {[]feedWrite{givenTo(1, append(repeat(100, 10), 1)...)}, 2},
		"an array for many endpoints":      {[]feedWrite{givenTo(1, repeat(1000, 30)...)}, 31},
		"one event for more than a part":   {[]feedWrite{givenTo(1, 3, 5000, 2)}, 3},
		"events that nobody gets":          {[]feedWrite{givenTo(1, 0, 700, 0, 0, 700, 0)}, 2},
		"the rest goes with the next":      {[]feedWrite{givenTo(1, 600, 600), givenTo(3, 300)}, 2},
		"a later write that came first":    {[]feedWrite{givenTo(3, 1), givenTo(1, 1, 1)}, 1},
		"two for which there is no room":   {[]feedWrite{givenTo(1, 600), givenTo(2, 600)}, 2},
		"an endpoint that gets few of all": {[]feedWrite{givenTo(1, append(repeat(400, 2), append(repeat(1, 9), repeat(400, 2)...)...)...)}, 2},
	} {
		h, last, before := &feedHeads{endpoints: map[int64]int64{}}, int64(0), map[int64]int64{}
		parts := feedParts("acme", []*Batch{{feed: c.writes}})
		if len(parts) != c.parts {
			t.Errorf("%s: %d parts, want %d", name, len(parts), c.parts)
		}
		var got, want []given
		places := map[int64]int64{} // of events
		for _, part := range parts {
			p, err := scanFeedPart(partRow(h.extend("acme", part, 1_000_000)))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(p.given); n > mostInPart && p.given[0].event != p.given[n-1].event {
				t.Errorf("%s: a part has %d", name, n)
			}
			if p.position <= last {
				t.Errorf("%s: a part at %d follows one up to %d", name, p.position, last)
			}
			last = p.position + p.events - 1
			for i, g := range p.given {
				got = append(got, given{g.event, g.endpoint, nil})
				if g.Place != *part.given[i].place || g.Previous != before[g.endpoint] || g.Position > last {
					t.Errorf("%s: event %d stands at %v for endpoint %d, told was %v; the one before was at %d", name, g.event, g.Place, g.endpoint, *part.given[i].place, before[g.endpoint])
				}
				before[g.endpoint] = g.Position
				if at, there := places[g.event]; there && at != g.Position {
					t.Errorf("%s: event %d stands at %d and at %d", name, g.event, at, g.Position)
				}
				places[g.event] = g.Position
			}
		}
		writes := slices.Clone(c.writes)
		slices.SortFunc(writes, func(a, b feedWrite) int { return int(a.first() - b.first()) })
		for _, w := range writes {
			for _, g := range w.given {
				want = append(want, given{g.event, g.endpoint, nil})
			}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(given{})); diff != "" {
			t.Errorf("%s (-given +read):\n%s", name, diff)
		}
		if h.last != last || !cmp.Equal(h.endpoints, before) {
			t.Errorf("%s: the feeds end at %d, known is %d", name, last, h.last)
		}
	}
}

// TestWhoWaitsForAFeedIsWoken: by what is committed for the endpoint, and by news of another node,
// which does not say for which endpoint it was; and by nothing else.
func TestWhoWaitsForAFeedIsWoken(t *testing.T) {
	s := &Store{queries: queries{shared: &shared{}}}
	waits := func() (mine, others, elsewhere <-chan struct{}) {
		return s.FeedGrows("acme", 1), s.FeedGrows("acme", 2), s.FeedGrows("other", 1)
	}
	woken := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	check := func(what string, want [3]bool, do func()) {
		t.Helper()
		a, b, c := waits()
		if woken(a) || woken(b) || woken(c) {
			t.Fatalf("%s: somebody is woken before", what)
		}
		do()
		if got := [3]bool{woken(a), woken(b), woken(c)}; got != want {
			t.Errorf("%s: woken are %v, want %v", what, got, want)
		}
	}
	check("nothing", [3]bool{}, func() { s.feeds.wake(nil) })
	check("an event for one", [3]bool{true, false, false}, func() { s.feeds.wake([]feedWrite{givenTo(1, 1)}) })
	check("an event for both", [3]bool{true, true, false}, func() { s.feeds.wake([]feedWrite{givenTo(1, 2)}) })
	heard := func(n nodes.News) func() { return func() { s.Hear(context.Background(), []nodes.News{n}) } }
	check("events of the tenant on another node", [3]bool{true, true, false}, heard(nodes.News{Kind: nodes.Touched, Tenant: "acme", No: int64(changes.TopicEvents)}))
	check("orders of the tenant on another node", [3]bool{}, heard(nodes.News{Kind: nodes.Touched, Tenant: "acme", No: int64(changes.TopicOrders)}))
	if len(s.feeds.of) != 3 {
		t.Errorf("%d wait", len(s.feeds.of))
	}
}
