package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// What retention and others do to a feed between two questions.

// singles publishes events one by one: each is a part of the feed.
func singles(t *testing.T, db *core.Store, name string, n int) {
	t.Helper()
	for i := range n {
		must(t, db.Publish(ctx, acme, namedEvent(fmt.Sprint(name, i))))
	}
}

// arrays publishes events in arrays of 500, at least as many as it takes to have the heads stored.
func arrays(t *testing.T, db *core.Store, name string, n ...int) {
	t.Helper()
	for a := range append(n, 9)[0] {
		var all []*event.Event
		for i := range 500 {
			all = append(all, namedEvent(fmt.Sprint(name, a, "-", i)))
		}
		must(t, db.Publish(ctx, acme, all...))
	}
}

// page reads a page of a feed.
func page(t *testing.T, db *core.Store, to *event.Endpoint, after int64) store.Feed {
	t.Helper()
	f, err := db.Feed(ctx, acme, to.No, store.FeedQuery{After: after, Limit: 1000, Bytes: 1 << 30})
	must(t, err)
	return f
}

// TestAPageWhosePartsAreRemovedMeanwhile ends before them: what comes behind is on the next page,
// which says what is lost.
func TestAPageWhosePartsAreRemovedMeanwhile(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	singles(t, db, "a", 300)
	arrays(t, db, "b")
	end, err := db.FeedEnd(ctx, acme)
	must(t, err)
	asked := 0
	noted := db.Noted(func(text string, _ []any) {
		// The second question for parts is about those behind the first 256.
		if strings.Contains(text, "FROM feed WHERE tenant") && strings.Contains(text, "LIMIT") {
			if asked++; asked == 2 {
				must(t, db.RemoveOld(ctx, acme, store.RetainedDeliveries, time.UnixMicro(end-600), noYield))
			}
		}
	})
	first := page(t, noted, to, 0)
	if asked < 2 {
		t.Fatalf("the parts were asked for %d times", asked)
	}
	for i, e := range first.Entries {
		if i > 0 && e.Previous != first.Entries[i-1].Position {
			t.Fatalf("%d follows %d, and says %d", e.Position, first.Entries[i-1].Position, e.Previous)
		}
	}
	last := first.Entries[len(first.Entries)-1]
	if len(first.Entries) != 256 || !first.More || first.Next != last.Position || first.LostTo != 0 {
		t.Errorf("the page has %d entries up to %d, more %t, next %d, lost up to %d", len(first.Entries), last.Position, first.More, first.Next, first.LostTo)
	}
	next := page(t, db, to, first.Next)
	if next.LostTo <= first.Next || len(next.Entries) == 0 || next.Entries[0].Previous != next.LostTo {
		t.Errorf("behind %d the loss is up to %d, and %d entries follow", first.Next, next.LostTo, len(next.Entries))
	}
}

// TestALossIsNotToldOfWhatIsThere: a page that ends before it has found anything says no more than
// what retention has removed; what was given later is found by going on.
func TestALossIsNotToldOfWhatIsThere(t *testing.T) {
	db := openTemp(t)
	both := putEndpoints(t, db, 2, func(e *event.Endpoint) {
		if e.ID == "ep_0" {
			e.EventTypes = []string{"rare"}
		}
	})
	rare := both[0]
	give := func(id string) {
		e := namedEvent(id)
		e.Type = "rare"
		must(t, db.Publish(ctx, acme, e))
	}
	give("first")
	arrays(t, db, "a")
	end, err := db.FeedEnd(ctx, acme)
	must(t, err)
	singles(t, db, "s", 600)
	give("second")
	arrays(t, db, "b") // the heads that are stored have the second event
	must(t, db.RemoveOld(ctx, acme, store.RetainedDeliveries, time.UnixMicro(end+1), noYield))
	db.SetEffort(100, 100)
	var found []string
	lost, after := int64(0), int64(0)
	for more := true; more; {
		f := page(t, db, rare, after)
		if f.LostTo != 0 {
			if lost != 0 || f.LostTo > end {
				t.Errorf("lost up to %d was told, and then up to %d; removed was nothing behind %d", lost, f.LostTo, end)
			}
			lost = f.LostTo
		}
		for _, e := range f.Entries {
			found = append(found, e.Event.ID)
		}
		if f.Next <= after && f.More {
			t.Fatalf("behind %d comes %d", after, f.Next)
		}
		after, more = f.Next, f.More
	}
	if fmt.Sprint(found) != "[second]" || lost == 0 {
		t.Errorf("found are %v, lost is what came up to %d", found, lost)
	}
}

// TestALossIsToldOnceWhereNothingIsLeft: who goes on behind a page that has nothing but the loss is
// not told of it again.
func TestALossIsToldOnceWhereNothingIsLeft(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	arrays(t, db, "a", 8) // the heads are stored with the last one
	end, err := db.FeedEnd(ctx, acme)
	must(t, err)
	must(t, db.RemoveOld(ctx, acme, store.RetainedDeliveries, time.UnixMicro(end+1), noYield))
	f := page(t, db, to, 0)
	if len(f.Entries) != 0 || f.LostTo != end || f.Next != end || page(t, db, to, f.Next).LostTo != 0 {
		t.Errorf("up to %d all is removed; the page has %d entries, a loss up to %d, and goes on behind %d", end, len(f.Entries), f.LostTo, f.Next)
	}
}
