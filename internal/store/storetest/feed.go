package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// feedOf reads the feed of an endpoint behind a position, in pages of so many entries. It
// fails the test if a page is longer, or if an entry does not say what is before it.
func (s *suite) feedOf(to *event.Endpoint, after int64, limit int) (all []store.FeedEntry) {
	s.t.Helper()
	last, next := after, after
	for {
		f := ok[store.Feed](s.t)(s.Feed(ctx, acme, to.No, store.FeedQuery{After: next, Limit: limit, Bytes: 1 << 20}))
		if len(f.Entries) > limit {
			s.t.Errorf("a page of %d has %d entries", limit, len(f.Entries))
		}
		for _, e := range f.Entries {
			if e.Position <= last || e.Previous != last && (last > 0 || len(all) > 0) {
				s.t.Errorf("%d follows %d, and says %d", e.Position, last, e.Previous)
			}
			last = e.Position
		}
		all = append(all, f.Entries...)
		if f.LostTo != 0 {
			s.t.Errorf("behind %d something is lost up to %d", next, f.LostTo)
		}
		if f.Next < next || f.More && f.Next == next {
			s.t.Fatalf("behind %d comes %d", next, f.Next)
		}
		if next = f.Next; !f.More {
			return all
		}
	}
}

// feedIDs returns the ids of the events of a feed. One that was removed is "".
func feedIDs(all []store.FeedEntry) []string {
	ids := make([]string, len(all))
	for i, e := range all {
		if e.Event != nil {
			ids[i] = e.Event.ID
		}
	}
	return ids
}

// testFeed proves that an endpoint's feed has the events that it was given and no others, in
// their order, and that wherever a delivery is read from its place in the feed is the same.
func testFeed(t *testing.T, s *suite) {
	l := s.listen()
	all, some, ordered := endpoint("all"), endpoint("some"), endpoint("ordered")
	some.EventTypes, ordered.Ordering = []string{"OrderCreated"}, event.OrderingSubject
	export := endpoint("export")
	export.Origin = event.OriginConnector
	all, some, ordered, export = s.put(all), s.put(some), s.put(ordered), s.put(export)
	same(t, ok[int64](t)(s.FeedEnd(ctx, acme)), 0)
	same(t, len(s.feedOf(all, 0, 10)), 0)
	e1, e2, e3, e4 := newEvent("e1", "o1"), newEvent("e2", "o1"), newEvent("e3", "o2"), newEvent("e4", "o2")
	e2.Type, e4.Type = "OrderCreated", "OrderCreated"
	grows, others := s.FeedGrows(acme, some.No), s.FeedGrows(other, some.No)
	s.add(e1)
	select {
	case <-grows:
		t.Error("the feed of another endpoint grows")
	default:
	}
	s.add(e2, e3)
	<-grows
	must(t, s.Publish(ctx, acme, e4))
	select {
	case <-others:
		t.Error("the feed of another tenant grows")
	default:
	}
	// An export has no feed, and what is sent again, or for the first time by hand, is nothing
	// new.
	s.write(func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, newEvent("x1", "o1"), export) })
	s.write(func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e1, some, s.now, false) })
	s.write(func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e2, some, s.now, false) })
	for limit := range 5 {
		for to, want := range map[*event.Endpoint][]string{all: {"e1", "e2", "e3", "e4"}, some: {"e2", "e4"}, ordered: {"e1", "e2", "e3", "e4"}, export: {}} {
			same(t, feedIDs(s.feedOf(to, 0, limit+1)), want)
		}
	}
	feed := s.feedOf(all, 0, 10)
	same(t, feed[2].Event, e3)
	same(t, feed[0].Previous, int64(0))
	same(t, ok[int64](t)(s.FeedEnd(ctx, acme)), feed[3].Position)
	same(t, feedIDs(s.feedOf(all, feed[1].Position, 10)), []string{"e3", "e4"})
	same(t, len(s.feedOf(all, feed[3].Position, 10)), 0)

	places := map[string]event.Place{}
	for _, to := range []*event.Endpoint{all, some, ordered} {
		for _, e := range s.feedOf(to, 0, 10) {
			places[to.ID+" "+e.Event.ID] = e.Place
		}
	}
	for _, d := range l.due {
		if want := places[d.Delivery.EndpointID+" "+d.Event.ID]; d.Delivery.Place != nil && *d.Delivery.Place != want {
			t.Errorf("the listener is told of %v with %v, not %v", d.Delivery.ID(), *d.Delivery.Place, want)
		}
	}
	for _, to := range []*event.Endpoint{all, some, ordered, export} {
		due := ok[store.DueList](t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: s.now, Limit: 9})).Due
		for _, d := range due {
			if want := places[to.ID+" "+d.Delivery.EventID]; *d.Delivery.Place != want {
				t.Errorf("%v is read with %v, not %v", d.Delivery.ID(), *d.Delivery.Place, want)
			}
		}
		for _, e := range []*event.Event{e1, e2, e3, e4} {
			same(t, *ok[*event.Place](t)(s.Place(ctx, acme, keyOf(e, to))), places[to.ID+" "+e.ID])
		}
	}
	// The bytes bound a page, and one entry is in it in any case.
	f := ok[store.Feed](t)(s.Feed(ctx, acme, all.No, store.FeedQuery{Limit: 10, Bytes: len(e1.Data)}))
	same(t, []any{feedIDs(f.Entries), f.More, f.Next}, []any{[]string{"e1"}, true, feed[0].Position})
	s.insert(newOrder("o1", 1, `{}`))
	s.erase(acme, "o1")
	feed = s.feedOf(all, 0, 10)
	same(t, []bool{feed[0].Event.Data == nil, feed[2].Event.Data == nil}, []bool{true, false})
}

// testFeedOfManyWriters has many write at the same time, some in vain, while somebody reads
// along: who goes on from where the reading ended must miss nothing and see nothing twice.
func testFeedOfManyWriters(t *testing.T, s *suite) {
	l := s.listen()
	all, some := s.put(endpoint("all")), endpoint("some")
	some.EventTypes = []string{"OrderCreated"}
	some = s.put(some)
	const writers, each = 8, 30
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for n := range each {
				var events []*event.Event
				for i := range 1 + r.IntN(3) {
					e := newEvent(fmt.Sprintf("e%d-%d-%d", w, n, i), fmt.Sprint("o", w))
					if r.IntN(4) == 0 {
						e.Type = "OrderCreated"
					}
					events = append(events, e)
				}
				if r.IntN(3) > 0 {
					must(t, s.Publish(ctx, acme, events...))
					continue
				}
				// A write that is given up, or decided again, gives nobody anything.
				_ = s.Write(ctx, func(tx store.Tx) error {
					if err := tx.AddEvents(ctx, acme, events...); err != nil || r.IntN(5) == 0 {
						return fmt.Errorf("given up: %w", err)
					}
					return nil
				})
			}
		})
	}
	over := make(chan struct{})
	go func() { wait.Wait(); close(over) }()
	read := map[string]int64{}
	last := int64(0)
	for done := false; !done; {
		select {
		case <-over:
			done = true
		case <-s.FeedGrows(acme, all.No):
		}
		for _, e := range s.feedOf(all, last, 7) {
			if e.Event == nil || read[e.Event.ID] != 0 {
				t.Fatalf("%d is read twice, or is of no event", e.Position)
			}
			read[e.Event.ID], last = e.Position, e.Position
		}
	}
	stored := s.events(acme)
	if len(read) != len(stored) {
		t.Errorf("%d events were read, and %d are stored", len(read), len(stored))
	}
	created := 0
	for _, e := range stored {
		if e.Type == "OrderCreated" {
			created++
		}
	}
	same(t, len(s.feedOf(some, 0, 100)), created)
	for _, d := range l.due {
		if d.Delivery.Endpoint == all.No && d.Delivery.Place.Position != read[d.Event.ID] {
			t.Errorf("%s is told with %d, and read with %d", d.Event.ID, d.Delivery.Place.Position, read[d.Event.ID])
		}
	}
}

// addMany publishes many events, so that the heads of the feeds are stored in between.
func (s *suite) addMany(from, to int) {
	s.t.Helper()
	for from < to {
		var events []*event.Event
		for ; from < to && len(events) < 500; from++ {
			events = append(events, newEvent(fmt.Sprint("e", from), "o1"))
		}
		must(s.t, s.Publish(ctx, acme, events...))
	}
}

// testFeedAfterRestart proves that a feed goes on where it ended after the server was
// started again, and after another process has written, however many events there are.
func testFeedAfterRestart(t *testing.T, s *suite) {
	first := endpoint("first")
	first.EventTypes = []string{"OrderCreated"}
	first, all := s.put(first), s.put(endpoint("all"))
	one := newEvent("one", "o1")
	one.Type = "OrderCreated"
	s.add(one)
	s.addMany(0, 700)
	s.close()
	s.open()
	s.addMany(700, 4800) // the heads are stored meanwhile
	must(t, s.beside(func(tx store.Tx) error { return tx.AddEvents(ctx, acme, newEvent("beside", "o1")) }))
	s.addMany(4800, 4900)
	s.close()
	s.open()
	two := newEvent("two", "o1")
	two.Type = "OrderCreated"
	s.add(two)
	same(t, len(s.feedOf(all, 0, 1000)), 4903)
	same(t, feedIDs(s.feedOf(first, 0, 10)), []string{"one", "two"})
	// Positions go on behind those that an older copy of the database never had: they are
	// times.
	end := ok[int64](t)(s.FeedEnd(ctx, acme))
	s.now = s.now.Add(time.Hour)
	s.add(newEvent("later", "o1"))
	if later := ok[int64](t)(s.FeedEnd(ctx, acme)); later < end+time.Hour.Microseconds()-5000 {
		t.Errorf("an hour later the position %d follows %d", later, end)
	}
}

// testFeedRetained proves that a reader who comes too late is told so, up to where, and that
// one who has missed nothing is not.
func testFeedRetained(t *testing.T, s *suite) {
	rare, never := endpoint("rare"), endpoint("never")
	rare.EventTypes, never.EventTypes = []string{"OrderCreated"}, []string{"nothing"}
	rare, all := s.put(rare), s.put(endpoint("all"))
	one := newEvent("one", "o1")
	one.Type = "OrderCreated"
	s.add(one)
	s.addMany(0, 4100)
	never = s.put(never)
	feed := s.feedOf(all, 0, 1000)
	old := s.now
	s.now = s.now.Add(24 * time.Hour)
	s.addMany(5000, 5010)
	must(t, s.RemoveOld(ctx, acme, store.RetainedDeliveries, old.Add(time.Hour), noYield))
	lost := func(to *event.Endpoint, after int64) int64 {
		t.Helper()
		return ok[store.Feed](t)(s.Feed(ctx, acme, to.No, store.FeedQuery{After: after, Limit: 5, Bytes: 1 << 20})).LostTo
	}
	left := ok[store.Feed](t)(s.Feed(ctx, acme, all.No, store.FeedQuery{Limit: 1000, Bytes: 1 << 20}))
	if left.Entries[0].Position <= feed[3000].Position || len(left.Entries) < 10 {
		t.Fatalf("%d entries are left, from %d on", len(left.Entries), left.Entries[0].Position)
	}
	before := left.Entries[0].Previous
	same(t, []int64{lost(all, 0), lost(all, feed[5].Position), lost(all, before-1)}, []int64{before, before, before})
	same(t, []int64{lost(all, before), lost(all, left.Entries[0].Position)}, []int64{0, 0})
	// Who was given one event alone has lost that, and nothing if it knows it.
	same(t, []int64{lost(rare, 0), lost(rare, feed[0].Position)}, []int64{feed[0].Position, 0})
	same(t, lost(never, 0), 0)
	// Who goes on where the answer says is not told of the same loss again.
	for _, to := range []*event.Endpoint{rare, all} {
		told := ok[store.Feed](t)(s.Feed(ctx, acme, to.No, store.FeedQuery{Limit: 1, Bytes: 1 << 20}))
		if told.LostTo == 0 || told.Next < told.LostTo || lost(to, told.Next) != 0 {
			t.Errorf("a loss up to %d is told, next is %d, and behind that a loss up to %d", told.LostTo, told.Next, lost(to, told.Next))
		}
	}
	s.close()
	s.open()
	two := newEvent("two", "o1")
	two.Type = "OrderCreated"
	s.add(two)
	same(t, lost(rare, 0), feed[0].Position)
	got := ok[store.Feed](t)(s.Feed(ctx, acme, rare.No, store.FeedQuery{After: feed[0].Position, Limit: 5, Bytes: 1 << 20}))
	same(t, []any{feedIDs(got.Entries), got.Entries[0].Previous}, []any{[]string{"two"}, feed[0].Position})
}

// testFeedOfChangingEndpoints proves that a feed has what happened while its endpoint was there and on,
// and that what comes next names the last of that as the one before.
func testFeedOfChangingEndpoints(t *testing.T, s *suite) {
	stays := s.put(endpoint("stays"))
	s.add(newEvent("e1", "o1"))
	late := s.put(endpoint("late"))
	s.add(newEvent("e2", "o1"))
	change := func(to *event.Endpoint, enabled bool) {
		next := *to
		next.Enabled = enabled
		s.put(&next)
	}
	change(late, false)
	s.add(newEvent("e3", "o1"))
	s.close()
	s.open()
	s.add(newEvent("e4", "o1"))
	change(late, true)
	s.add(newEvent("e5", "o1"))
	all, feed := s.feedOf(stays, 0, 10), s.feedOf(late, 0, 10)
	same(t, feedIDs(all), []string{"e1", "e2", "e3", "e4", "e5"})
	same(t, feedIDs(feed), []string{"e2", "e5"})
	same(t, []int64{feed[0].Previous, feed[1].Previous}, []int64{0, all[1].Position})
	same(t, []int64{feed[0].Position, feed[1].Position}, []int64{all[1].Position, all[4].Position})
	// Its number is not used again, so that nobody reads what another one was given.
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, late.ID) })
	other := s.put(endpoint("other"))
	s.add(newEvent("e6", "o1"))
	feed = s.feedOf(other, 0, 10)
	same(t, feedIDs(feed), []string{"e6"})
	same(t, feed[0].Previous, int64(0))
	same(t, feedIDs(s.feedOf(stays, all[4].Position, 10)), []string{"e6"})
}

// testFeedWhileEndpointsChange has endpoints made, turned off and on, and deleted while others publish:
// a feed has exactly what became due for its endpoint, without a gap.
func testFeedWhileEndpointsChange(t *testing.T, s *suite) {
	l := s.listen()
	const rounds, writers, each = 8, 4, 24
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for n := range each {
				must(t, s.Publish(ctx, acme, newEvent(fmt.Sprintf("e%d-%d-a", w, n), "o1"), newEvent(fmt.Sprintf("e%d-%d-b", w, n), "o1")))
			}
		})
	}
	var made []*event.Endpoint
	for n := range rounds {
		e := s.put(endpoint(fmt.Sprint("ep_", n)))
		made = append(made, e)
		for _, enabled := range []bool{false, true} {
			next := *e
			next.Enabled = enabled
			s.put(&next)
		}
		if n%4 == 3 {
			s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, made[n-1].ID) })
		}
	}
	wait.Wait()
	s.add(newEvent("last", "o1"))
	told, due := map[int64][]string{}, map[string]event.Place{}
	for _, d := range l.due {
		told[d.Delivery.Endpoint] = append(told[d.Delivery.Endpoint], d.Event.ID)
		due[fmt.Sprint(d.Delivery.Endpoint, d.Event.ID)] = *d.Delivery.Place
	}
	for _, e := range made {
		feed := s.feedOf(e, 0, 50)
		// The events of one array stand in its order; those that are told of together may be in another
		// one than their feeds.
		got, want := feedIDs(feed), slices.Clone(told[e.No])
		slices.Sort(want)
		sorted := slices.Sorted(slices.Values(got))
		same(t, sorted, want)
		for i, one := range feed {
			if i == 0 && one.Previous != 0 {
				t.Errorf("the first event of %s is said to follow %d", e.ID, one.Previous)
			}
			if place := due[fmt.Sprint(e.No, one.Event.ID)]; place != one.Place {
				t.Errorf("%s is told with %v, and stands at %v", one.Event.ID, place, one.Place)
			}
		}
	}
}

// testFeedHeadsTooOld proves that a process which has not written for a day knows where the feeds
// end, although retention has removed what others wrote meanwhile.
func testFeedHeadsTooOld(t *testing.T, s *suite) {
	rare := endpoint("rare")
	rare.EventTypes = []string{"OrderCreated"}
	rare, all := s.put(rare), s.put(endpoint("all"))
	created := func(id string) *event.Event {
		e := newEvent(id, "o1")
		e.Type = "OrderCreated"
		return e
	}
	s.add(created("one"))
	s.addMany(0, 3996)
	others := ok[store.Store](t)(s.database(func() time.Time { return s.now }, true))
	must(t, others.Publish(ctx, acme, created("two"))) // with it the heads are stored: 4000 were given
	written := s.now
	last := s.feedOf(rare, 0, 10)[1]
	same(t, last.Event.ID, "two")
	s.now = s.now.Add(25 * time.Hour)
	must(t, others.RemoveOld(ctx, acme, store.RetainedDeliveries, written.Add(time.Hour), noYield))
	must(t, others.Close())
	s.add(created("three"))
	after := ok[store.Feed](t)(s.Feed(ctx, acme, rare.No, store.FeedQuery{After: last.Position, Limit: 5, Bytes: 1 << 20}))
	same(t, feedIDs(after.Entries), []string{"three"})
	same(t, []int64{after.Entries[0].Previous, after.LostTo}, []int64{last.Position, 0})
	// What is left of the other feed begins behind what is named as lost.
	f := ok[store.Feed](t)(s.Feed(ctx, acme, all.No, store.FeedQuery{Limit: 1000, Bytes: 1 << 20}))
	same(t, f.Entries[0].Previous, f.LostTo)
}

// testFeedWhileRetentionRemoves has retention remove parts of a feed while others extend it, and
// somebody reads along who knows what is removed: nothing of what comes is lost, and nobody fails.
func testFeedWhileRetentionRemoves(t *testing.T, s *suite) {
	all := s.put(endpoint("all"))
	s.addMany(0, 4600)
	old := s.now
	last := ok[int64](t)(s.FeedEnd(ctx, acme))
	s.now = s.now.Add(24 * time.Hour)
	const writers, each = 4, 30
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for n := range each {
				must(t, s.Publish(ctx, acme, newEvent(fmt.Sprintf("new%d-%d", w, n), "o1")))
			}
		})
	}
	wait.Go(func() {
		for range 5 {
			must(t, s.RemoveOld(ctx, acme, store.RetainedDeliveries, old.Add(time.Hour), noYield))
		}
	})
	wait.Wait()
	same(t, len(s.feedOf(all, last, 17)), writers*each)
	// The oldest are gone, and named.
	f := ok[store.Feed](t)(s.Feed(ctx, acme, all.No, store.FeedQuery{Limit: 5, Bytes: 1 << 20}))
	if f.LostTo == 0 || f.Entries[0].Previous != f.LostTo {
		t.Errorf("lost is what came up to %d, and %d is said to follow %d", f.LostTo, f.Entries[0].Position, f.Entries[0].Previous)
	}
}

// testFeedOfManyEndpoints proves that an array that is given to many endpoints, and so has several
// parts, stands in each feed as one of few does.
func testFeedOfManyEndpoints(t *testing.T, s *suite) {
	l := s.listen()
	var all []*event.Endpoint
	for n := range 7 {
		e := endpoint(fmt.Sprint("ep_", n))
		if n%3 == 2 {
			e.EventTypes = []string{"OrderCreated"}
		}
		all = append(all, s.put(e))
	}
	var events []*event.Event
	var ids, created []string
	for n := range 500 {
		e := newEvent(fmt.Sprintf("e%03d", n), "o1")
		ids = append(ids, e.ID)
		if n%9 == 4 {
			e.Type = "OrderCreated"
			created = append(created, e.ID)
		}
		events = append(events, e)
	}
	s.add(newEvent("before", "o1"))
	must(t, s.Publish(ctx, acme, events...))
	places := map[string]event.Place{}
	for n, to := range all {
		feed, want := s.feedOf(to, 0, 130), append([]string{"before"}, ids...)
		if n%3 == 2 {
			want = created
		}
		same(t, feedIDs(feed), want)
		for _, e := range feed {
			places[fmt.Sprint(to.No, e.Event.ID)] = e.Place
		}
	}
	for _, d := range l.due {
		if want := places[fmt.Sprint(d.Delivery.Endpoint, d.Event.ID)]; *d.Delivery.Place != want {
			t.Errorf("%s is told with %v, not %v", d.Event.ID, *d.Delivery.Place, want)
		}
	}
	for _, e := range []*event.Event{events[0], events[249], events[499]} {
		same(t, *ok[*event.Place](t)(s.Place(ctx, acme, keyOf(e, all[0]))), places[fmt.Sprint(all[0].No, e.ID)])
	}
	// Another process reads where they end.
	s.close()
	s.open()
	s.add(newEvent("behind", "o1"))
	feed := s.feedOf(all[0], places[fmt.Sprint(all[0].No, "e499")].Position, 5)
	same(t, feedIDs(feed), []string{"behind"})
}
