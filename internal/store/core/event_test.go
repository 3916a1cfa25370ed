package core_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestNumbersOfEventsAreNotUsedAgain removes the newest events, as retention does,
// and opens the database again.
func TestNumbersOfEventsAreNotUsedAgain(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path)
	last := int64(0)
	for range 3 {
		for range 3 {
			e := benchEvent(benchTime)
			publish(t, db.Store, e)
			if e.Seq <= last {
				t.Errorf("number %d after %d", e.Seq, last)
			}
			last = e.Seq
			must(t, db.Change(`DELETE FROM events`))
		}
		must(t, db.Close())
		db = openAt(t, path)
	}
}

// TestNumbersOfManyWriters: nobody gets the number of another, and each gets
// those of his own in their order.
func TestNumbersOfManyWriters(t *testing.T) {
	db := openTemp(t)
	putEndpoints(t, db, 1, nil)
	const writers, each = 8, 20
	all := make([][]int64, writers)
	errs := make(chan error)
	for w := range writers {
		go func() {
			var err error
			for n := range each {
				events := []*event.Event{namedEvent(fmt.Sprint(w, "/", n, "a")), namedEvent(fmt.Sprint(w, "/", n, "b"))}
				if err == nil {
					err = db.Publish(ctx, acme, events...)
				}
				all[w] = append(all[w], events[0].Seq, events[1].Seq)
			}
			errs <- err
		}()
	}
	for range writers {
		must(t, <-errs)
	}
	for w, own := range all {
		if !slices.IsSorted(own) {
			t.Errorf("writer %d got %v", w, own)
		}
	}
	flat := slices.Sorted(slices.Values(slices.Concat(all...)))
	if len(slices.Compact(flat)) != 2*writers*each || flat[0] == 0 {
		t.Errorf("the numbers are %v", flat)
	}
}

// TestOneRowPerEvent counts the rows that an event writes. The count of
// calls is one for all attempts that are recorded together, and the part of the feed one
// for all events of a write.
func TestOneRowPerEvent(t *testing.T) {
	db := openTemp(t)
	rows := func(do func()) int64 {
		t.Helper()
		before := totalChanges(t, db)
		do()
		return totalChanges(t, db) - before
	}
	l := &dueList{}
	db.Listen(l)
	if n := rows(func() { publish(t, db, benchEvent(benchTime)) }); n != 1 {
		t.Errorf("an event that nobody wants writes %d rows", n)
	}
	putEndpoints(t, db, 1, nil)
	if n := rows(func() { publish(t, db, benchEvent(benchTime)); completeAll(t, db, l.due) }); n != 6 {
		t.Errorf("an event and its delivery write %d rows", n)
	}
}

// totalChanges returns how many rows the writer has changed so far.
func totalChanges(t *testing.T, db *core.Store) int64 {
	t.Helper()
	n := int64(math.MinInt64)
	must(t, db.Returned(`SELECT total_changes()`, &n))
	return n
}

// TestEventsOfOneList: of several of one id the first is stored, in one list and
// of what was there before.
func TestEventsOfOneList(t *testing.T) {
	db := openTemp(t)
	l := &dueList{}
	db.Listen(l)
	putEndpoints(t, db, 1, nil)
	for i, test := range []struct{ ids, stored string }{
		{"a", "a"},
		{"b b", "b -"},
		{"a", "-"},
		{"c a d c d b e", "c - d - - - e"},
		{"e d", "- -"},
	} {
		var events []*event.Event
		for n, id := range strings.Fields(test.ids) {
			e := namedEvent(id)
			e.Type = fmt.Sprint("list ", i, " event ", n)
			events = append(events, e)
		}
		if i%2 == 0 {
			must(t, db.Publish(ctx, acme, events...))
		} else {
			publish(t, db, events...)
		}
		var got []string
		last := int64(0)
		for _, e := range events {
			if e.Seq == 0 {
				got = append(got, "-")
				continue
			}
			got = append(got, e.ID)
			if e.Seq <= last {
				t.Errorf("%s has the number %d, after %d", e.ID, e.Seq, last)
			}
			last = e.Seq
			if stored, err := db.Event(ctx, acme, e.ID); err != nil || stored.Seq != e.Seq || stored.Type != e.Type {
				t.Errorf("%s is kept as %+v, %v", e.ID, stored, err)
			}
			if due := l.receivers(e.ID); due != "ep_0" {
				t.Errorf("%s is due at %q", e.ID, due)
			}
		}
		if got := strings.Join(got, " "); got != test.stored {
			t.Errorf("%s: stored %s, want %s", test.ids, got, test.stored)
		}
	}
	if countRows(t, db, "deliveries") != 5 {
		t.Errorf("%d deliveries", countRows(t, db, "deliveries"))
	}
}

// TestEventsOfOneWrite: AddEvents may be called more than once in a write.
func TestEventsOfOneWrite(t *testing.T) {
	db := openTemp(t)
	putEndpoints(t, db, 1, nil)
	first, second, third := namedEvent("a"), namedEvent("a"), namedEvent("b")
	must(t, db.Write(ctx, func(tx store.Tx) error {
		if err := tx.AddEvents(ctx, acme, first); err != nil {
			return err
		}
		return tx.AddEvents(ctx, acme, second, third)
	}))
	if first.Seq == 0 || second.Seq != 0 || third.Seq == 0 {
		t.Errorf("the numbers are %d, %d, %d", first.Seq, second.Seq, third.Seq)
	}
	if n := countRows(t, db, "deliveries"); n != 2 {
		t.Errorf("%d deliveries", n)
	}
}

// TestWhoGetsAnEvent: what a publication was evaluated by is what holds when it is
// stored. Endpoints that changed meanwhile, here or by another process, count.
func TestWhoGetsAnEvent(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		t.Run(fmt.Sprint("by another process: ", elsewhere), func(t *testing.T) {
			path := tempPath(t)
			db := openAt(t, path).Store
			changed := db
			if elsewhere {
				changed = openAt(t, path).Store
			}
			l := &dueList{}
			db.Listen(l)
			change := func(do func(tx store.Tx) error) { t.Helper(); must(t, changed.Write(ctx, do)) }
			published := func(id string) string {
				t.Helper()
				must(t, db.Publish(ctx, acme, namedEvent(id)))
				return l.receivers(id)
			}
			want := func(id, want string) {
				t.Helper()
				if got := published(id); got != want {
					t.Errorf("%s: %q, want %q", id, got, want)
				}
			}
			want("nobody", "")
			e := testEndpoint("ep_1")
			change(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) })
			want("one", "ep_1")
			change(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, testEndpoint("ep_2")) })
			want("two", "ep_1 ep_2")
			e.Filter = `data.none != nil`
			change(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) })
			want("filtered", "ep_2")
			change(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep_2") })
			want("deleted", "")
			e.Filter, e.Ordering = "", event.OrderingSubject
			change(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) })
			want("ordered", "ep_1")
			if got, err := db.Deliveries(ctx, acme, store.DeliveryFilter{}, store.Page{Limit: 1}); err != nil || got.Items[0].Group == "" {
				t.Errorf("the last is %+v, %v", got.Items, err)
			}
			// Between the decision and the commit.
			decided := 0
			must(t, db.Write(ctx, func(tx store.Tx) error {
				if err := tx.AddEvents(ctx, acme, namedEvent("meanwhile")); err != nil {
					return err
				}
				if decided++; decided == 1 {
					return changed.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, testEndpoint("ep_3")) })
				}
				return nil
			}))
			if got := l.receivers("meanwhile"); decided != 2 || !strings.Contains(got, "ep_1") || !strings.Contains(got, "ep_3") {
				t.Errorf("decided %d times, for %q", decided, got)
			}
			if _, err := db.Endpoint(ctx, acme, "ep_3"); err != nil {
				t.Error(err)
			}
		})
	}
}

// Filters that take long leave the time of a write to the others.
func TestAWriteWithHeavyFilters(t *testing.T) {
	db := openTemp(t)
	l := &dueList{}
	db.Listen(l)
	putEndpoints(t, db, 20, func(e *event.Endpoint) { e.Filter = `any(1..1000, sum(1..1000) == # * 1.5)` })
	light := testEndpoint("light")
	light.Filter = `data.none != nil`
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, light) }))
	e := benchEvent(benchTime)
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.AddEvents(ctx, acme, e) }))
	if len(l.due) != 20 || l.receivers(e.ID) == "" {
		t.Errorf("%d deliveries are due", len(l.due))
	}
	if strings.Contains(l.receivers(e.ID), "light") {
		t.Error("a light filter was not asked")
	}
}
