package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// newEvent returns an event about an order, with every field set except the number that
// the store gives it.
func newEvent(id, orderID string) *event.Event {
	e := withEveryField(event.Event{ID: id, Type: "OrderAccepted", Subject: event.Subject{Kind: event.SubjectOrder, ID: orderID},
		Related: event.Related{OrderID: orderID}, Timestamp: at(1), Data: jsontext.Value(`{"id":"` + orderID + `","total":0.10}`)})
	// The store gives the number, and the test checks that it did.
	e.Seq = 0
	return &e
}

// add stores events of acme, which must be new.
func (s *suite) add(events ...*event.Event) {
	s.t.Helper()
	s.write(func(tx store.Tx) error {
		err := tx.AddEvents(ctx, acme, events...)
		for _, e := range events {
			// The number is 0 where the id was stored before. In these tests that is an
			// error.
			if e.Seq == 0 {
				s.t.Errorf("%s is there already", e.ID)
			}
		}
		return err
	})
}

// eventID tells events apart in lists.
func eventID(e *event.Event) string { return e.ID }

// testEvents proves that an event comes back with every field, or with no subject and
// nothing it is about, and is found by its id and by its number. Numbers rise in the
// order of the events.
func testEvents(t *testing.T, s *suite) {
	first, second := newEvent("e1", "o1"), newEvent("e2", "o1")
	second.Related, second.Subject = event.Related{}, event.Subject{}
	s.add(first, second)
	// 0 would mean that the event was there before.
	if first.Seq <= 0 || second.Seq <= first.Seq {
		t.Errorf("numbers %d and %d", first.Seq, second.Seq)
	}
	for _, e := range []*event.Event{first, second} {
		same(t, ok[*event.Event](t)(s.Event(ctx, acme, e.ID)), e)
		same(t, ok[*event.Event](t)(s.EventBySeq(ctx, acme, e.Seq)), e)
	}
	_, err := s.Event(ctx, acme, "e3")
	is(t, err, apierr.NotFound)
	_, err = s.EventBySeq(ctx, acme, second.Seq+1)
	is(t, err, apierr.NotFound)
}

// testEventAgain proves that an event whose id is stored already changes nothing: the
// first one stays as it is, and nothing is sent twice. Its number is 0 then, which is how
// the caller finds out. So a publisher that got no answer can publish again.
func testEventAgain(t *testing.T, s *suite) {
	l := s.listen()
	s.put(endpoint("ep1"))
	first := newEvent("e1", "o1")
	s.add(first)
	// It has the same id and different contents, as of a publisher with an error in it.
	again := newEvent("e1", "o2")
	again.Data = jsontext.Value(`{}`)
	for range 2 { // the second time beside another that is there
		again.Seq = -1
		s.write(func(tx store.Tx) error {
			return errors.Join(tx.AddEvents(ctx, acme, again), tx.AddEvents(ctx, acme, newEvent("e2", "o1")))
		})
		if again.Seq != 0 {
			t.Errorf("added as number %d", again.Seq)
		}
	}
	same(t, ok[*event.Event](t)(s.Event(ctx, acme, "e1")), first)
	if got := strings.Join(l.dueIDs(), " "); got != "e1 e2" {
		t.Errorf("due: %s", got)
	}
	again.Seq = -1
	must(t, s.Publish(ctx, acme, again, newEvent("e3", "o1")))
	if again.Seq != 0 {
		t.Errorf("published as number %d", again.Seq)
	}
	if got := strings.Join(l.dueIDs(), " "); got != "e1 e2 e3" {
		t.Errorf("due: %s", got)
	}
	// An export has an id of its own, so an id that exists already is an error there.
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, newEvent("e1", "o1"), s.endpoint("ep1")) }), apierr.Conflict)
}

// testEventOrder proves, with many writers at the same time, that the events of a write
// keep their order and stay together for the listener, that each is told of once, that
// writes which fail leave no event, that no number is used twice, and that a later write
// never gets a lower number. Receivers and cursors depend on the numbers.
func testEventOrder(t *testing.T, s *suite) {
	l := s.listen()
	s.put(endpoint("ep1"))
	const writers = 64
	// Every fourth write fails after it has added its events.
	errs := concurrently(writers, func(i int) error {
		return s.Write(ctx, func(tx store.Tx) error {
			for j := range 3 {
				if err := tx.AddEvents(ctx, acme, newEvent(fmt.Sprintf("e%d-%d", i, j), "o1")); err != nil {
					return err
				}
			}
			if i%4 == 3 {
				return errUndo
			}
			return nil
		})
	})
	for i, err := range errs {
		if (err != nil) != (i%4 == 3) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	all := pages(t, 50, func(p store.Page) (store.List[*event.Event], error) {
		return s.Events(ctx, acme, store.EventFilter{}, p)
	})
	slices.Reverse(all)
	// The listener is told of the events of a write one directly after the other.
	told := l.dueIDs()
	for i, id := range told {
		if name, part, _ := strings.Cut(id, "-"); part != "0" && !strings.HasPrefix(told[i-1], name+"-") {
			t.Errorf("%s is told of behind %s", id, told[i-1])
		}
	}
	same(t, slices.Sorted(slices.Values(told)), slices.Sorted(slices.Values(idsOf(all, eventID))))
	// Three of four writes succeed, and each has three events.
	if len(all) != writers/4*3*3 {
		t.Errorf("%d events", len(all))
	}
	// A list is in the order of the numbers, so they have to rise here.
	for i, e := range all {
		if i > 0 && e.Seq <= all[i-1].Seq {
			t.Errorf("number %d follows %d", e.Seq, all[i-1].Seq)
		}
	}
	// Writes of different writers may mix in any order, but the events of one write may
	// not.
	seqs := map[string]int64{}
	for _, e := range all {
		seqs[e.ID] = e.Seq
	}
	for id, seq := range seqs {
		if name, _ := strings.CutSuffix(id, "-0"); name != id && !(seq < seqs[name+"-1"] && seqs[name+"-1"] < seqs[name+"-2"]) {
			t.Errorf("the events of the write %s are not in their order", name)
		}
	}
	// One more event, after all of them, has the highest number.
	last := newEvent("last", "o1")
	s.add(last)
	if last.Seq <= all[len(all)-1].Seq {
		t.Errorf("number %d follows %d", last.Seq, all[len(all)-1].Seq)
	}
}

// testEventLists proves what each filter of events picks, alone and with others, and that
// a list begins with the event that was committed last, whatever its time, and leaves out
// the data. The times here run against the order of the commits.
func testEventLists(t *testing.T, s *suite) {
	vary := []func(e *event.Event){
		func(e *event.Event) { e.Type = "order_completed" },
		func(e *event.Event) { e.OrderID = "o2" },
		func(e *event.Event) { e.ShipmentID = "x" },
		func(e *event.Event) { e.ReturnID = "x" },
		func(e *event.Event) { e.CartID = "x" },
		func(e *event.Event) { e.SubscriptionID = "x" },
		func(e *event.Event) { e.StockItemID = "x" },
		func(e *event.Event) { e.OrderID, e.Type = "o2", "order_completed" },
		func(e *event.Event) { e.OrderID, e.Type = "", "ordre_Åpnet" },
	}
	var want []string
	for i, change := range vary {
		e := newEvent(fmt.Sprint("e", i), "o1")
		e.Timestamp = at(20 - i)
		change(e)
		s.add(e)
		want = append(want, e.ID)
	}
	slices.Reverse(want)
	s.add() // a write of nothing
	// Beside its data, an event of a list is as it is by itself.
	first := ok[store.List[*event.Event]](t)(s.Events(ctx, acme, store.EventFilter{}, store.Page{})).Items[0]
	whole := ok[*event.Event](t)(s.Event(ctx, acme, first.ID))
	whole.Data = nil
	same(t, first, whole)
	for _, test := range []struct {
		f    store.EventFilter
		want string
	}{
		{store.EventFilter{}, strings.Join(want, " ")},
		{store.EventFilter{Type: "order_completed"}, "e7 e0"},
		{store.EventFilter{Related: event.Related{OrderID: "o2"}}, "e7 e1"},
		{store.EventFilter{Related: event.Related{OrderID: "o2"}, Type: "OrderAccepted"}, "e1"},
		{store.EventFilter{Related: event.Related{ShipmentID: "x"}}, "e2"},
		{store.EventFilter{Related: event.Related{ReturnID: "x"}}, "e3"},
		{store.EventFilter{Related: event.Related{CartID: "x"}}, "e4"},
		{store.EventFilter{Related: event.Related{SubscriptionID: "x"}}, "e5"},
		{store.EventFilter{Related: event.Related{StockItemID: "x"}}, "e6"},
		{store.EventFilter{From: at(18), To: at(20)}, "e2 e1"},
		{store.EventFilter{From: at(18), Type: "order_completed"}, "e0"},
		{store.EventFilter{Type: "none"}, ""},
		{store.EventFilter{Type: "ORDER_completed"}, "e7 e0"}, // docs/contract.md#names: without regard to case
		{store.EventFilter{Type: "ORDRE_åPNET"}, "e8"},
		{store.EventFilter{Type: "ordre_apnet"}, ""},
		{store.EventFilter{Related: event.Related{OrderID: "o2"}, Type: "orderACCEPTED"}, "e1"},
	} {
		count, err := s.EventCount(ctx, acme, test.f)
		wantCount(t, test.f, len(strings.Fields(test.want)), count, err)
		for _, limit := range []int{1, 2, 50} {
			got := pages(t, limit, func(p store.Page) (store.List[*event.Event], error) { return s.Events(ctx, acme, test.f, p) })
			if got := strings.Join(idsOf(got, eventID), " "); got != test.want {
				t.Errorf("%+v: %q, want %q", test.f, got, test.want)
			}
		}
	}
}

// testNobodyWants proves that an event which no endpoint subscribes to is stored without
// deliveries. Endpoints that are off count as none.
func testNobodyWants(t *testing.T, s *suite) {
	l := s.listen()
	off, others := endpoint("off"), endpoint("others")
	off.Enabled, others.EventTypes = false, []string{"order_*", "shipment_shipped"}
	s.put(off)
	s.put(others)
	s.add(newEvent("e1", "o1"))
	if all := s.deliveries(store.DeliveryFilter{}); len(all) > 0 || len(l.due) > 0 {
		t.Errorf("deliveries: %v, due: %v", all, l.due)
	}
}

// testEventFor proves that an event can go to one given endpoint alone, whatever that or
// others subscribe to, as workflows send their exports. An endpoint that does not exist
// is refused.
func testEventFor(t *testing.T, s *suite) {
	l := s.listen()
	hidden := endpoint("hidden")
	hidden.Origin, hidden.EventTypes = event.OriginConnector, nil
	s.put(hidden)
	s.put(endpoint("ep1"))
	e := newEvent("e1", "o1")
	s.write(func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, e, hidden) })
	if len(l.due) != 1 || l.due[0].Delivery.EndpointID != "hidden" || l.due[0].Event != e {
		t.Errorf("due: %+v", l.due)
	}
	same(t, *s.delivery(e, hidden), l.due[0].Delivery)
	unknown := endpoint("unknown")
	unknown.No = 9
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, newEvent("e2", "o1"), unknown) }), apierr.NotFound)
}
