package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// event returns an event about an order, with every field set but its Seq.
func event(id, orderID string) *oms.Event {
	e := withEveryField(oms.Event{ID: id, Type: "OrderAccepted", Subject: oms.Subject{Kind: oms.SubjectOrder, ID: orderID},
		Related: oms.Related{OrderID: orderID}, Timestamp: at(1), Data: jsontext.Value(`{"id":"` + orderID + `","total":0.10}`)})
	e.Seq = 0
	return &e
}

// add stores events of acme, which must be new.
func (s *suite) add(events ...*oms.Event) {
	s.t.Helper()
	s.write(func(tx store.Tx) error {
		err := tx.AddEvents(ctx, acme, events...)
		for _, e := range events {
			if e.Seq == 0 {
				s.t.Errorf("%s is there already", e.ID)
			}
		}
		return err
	})
}

func eventID(e *oms.Event) string { return e.ID }

func testEvents(t *testing.T, s *suite) {
	first, second := event("e1", "o1"), event("e2", "o1")
	second.Related, second.Subject = oms.Related{}, oms.Subject{}
	s.add(first, second)
	if first.Seq <= 0 || second.Seq <= first.Seq {
		t.Errorf("numbers %d and %d", first.Seq, second.Seq)
	}
	for _, e := range []*oms.Event{first, second} {
		same(t, ok[*oms.Event](t)(s.Event(ctx, acme, e.ID)), e)
		same(t, ok[*oms.Event](t)(s.EventBySeq(ctx, acme, e.Seq)), e)
	}
	_, err := s.Event(ctx, acme, "e3")
	is(t, err, oms.NotFound)
	_, err = s.EventBySeq(ctx, acme, second.Seq+1)
	is(t, err, oms.NotFound)
}

// testEventAgain has an event that is there stay as it is, and its deliveries too.
func testEventAgain(t *testing.T, s *suite) {
	l := s.listen()
	s.put(endpoint("ep1"))
	first := event("e1", "o1")
	s.add(first)
	again := event("e1", "o2")
	again.Data = jsontext.Value(`{}`)
	for range 2 { // the second time beside another that is there
		again.Seq = -1
		s.write(func(tx store.Tx) error {
			return errors.Join(tx.AddEvents(ctx, acme, again), tx.AddEvents(ctx, acme, event("e2", "o1")))
		})
		if again.Seq != 0 {
			t.Errorf("added as number %d", again.Seq)
		}
	}
	same(t, ok[*oms.Event](t)(s.Event(ctx, acme, "e1")), first)
	if got := strings.Join(l.dueIDs(), " "); got != "e1 e2" {
		t.Errorf("due: %s", got)
	}
	again.Seq = -1
	must(t, s.Publish(ctx, acme, again, event("e3", "o1")))
	if again.Seq != 0 {
		t.Errorf("published as number %d", again.Seq)
	}
	if got := strings.Join(l.dueIDs(), " "); got != "e1 e2 e3" {
		t.Errorf("due: %s", got)
	}
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, event("e1", "o1"), s.endpoint("ep1")) }), oms.Conflict)
}

// testEventOrder has each event be told of once, the events of a write follow one
// another, none of those that fail leave a trace, and no number be used twice, nor
// a lower one for a write that came after another.
func testEventOrder(t *testing.T, s *suite) {
	l := s.listen()
	s.put(endpoint("ep1"))
	const writers = 64
	errs := concurrently(writers, func(i int) error {
		return s.Write(ctx, func(tx store.Tx) error {
			for j := range 3 {
				if err := tx.AddEvents(ctx, acme, event(fmt.Sprintf("e%d-%d", i, j), "o1")); err != nil {
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
	all := pages(t, 50, func(p store.Page) (store.List[*oms.Event], error) { return s.Events(ctx, acme, store.EventFilter{}, p) })
	slices.Reverse(all)
	told := l.dueIDs()
	for i, id := range told {
		if name, part, _ := strings.Cut(id, "-"); part != "0" && !strings.HasPrefix(told[i-1], name+"-") {
			t.Errorf("%s is told of behind %s", id, told[i-1])
		}
	}
	same(t, slices.Sorted(slices.Values(told)), slices.Sorted(slices.Values(ids(all, eventID))))
	if len(all) != writers/4*3*3 {
		t.Errorf("%d events", len(all))
	}
	for i, e := range all {
		if i > 0 && e.Seq <= all[i-1].Seq {
			t.Errorf("number %d follows %d", e.Seq, all[i-1].Seq)
		}
	}
	seqs := map[string]int64{}
	for _, e := range all {
		seqs[e.ID] = e.Seq
	}
	for id, seq := range seqs {
		if name, _ := strings.CutSuffix(id, "-0"); name != id && !(seq < seqs[name+"-1"] && seqs[name+"-1"] < seqs[name+"-2"]) {
			t.Errorf("the events of the write %s are not in their order", name)
		}
	}
	last := event("last", "o1")
	s.add(last)
	if last.Seq <= all[len(all)-1].Seq {
		t.Errorf("number %d follows %d", last.Seq, all[len(all)-1].Seq)
	}
}

func testEventLists(t *testing.T, s *suite) {
	vary := []func(e *oms.Event){
		func(e *oms.Event) { e.Type = "order_completed" },
		func(e *oms.Event) { e.OrderID = "o2" },
		func(e *oms.Event) { e.ShipmentID = "x" },
		func(e *oms.Event) { e.ReturnID = "x" },
		func(e *oms.Event) { e.CartID = "x" },
		func(e *oms.Event) { e.SubscriptionID = "x" },
		func(e *oms.Event) { e.StockItemID = "x" },
		func(e *oms.Event) { e.OrderID, e.Type = "o2", "order_completed" },
		func(e *oms.Event) { e.OrderID, e.Type = "", "ordre_Åpnet" },
	}
	var want []string
	for i, change := range vary {
		e := event(fmt.Sprint("e", i), "o1")
		e.Timestamp = at(20 - i)
		change(e)
		s.add(e)
		want = append(want, e.ID)
	}
	slices.Reverse(want)
	s.add() // a write of nothing
	first := ok[store.List[*oms.Event]](t)(s.Events(ctx, acme, store.EventFilter{}, store.Page{})).Items[0]
	whole := ok[*oms.Event](t)(s.Event(ctx, acme, first.ID))
	whole.Data = nil
	same(t, first, whole)
	for _, test := range []struct {
		f    store.EventFilter
		want string
	}{
		{store.EventFilter{}, strings.Join(want, " ")},
		{store.EventFilter{Type: "order_completed"}, "e7 e0"},
		{store.EventFilter{Related: oms.Related{OrderID: "o2"}}, "e7 e1"},
		{store.EventFilter{Related: oms.Related{OrderID: "o2"}, Type: "OrderAccepted"}, "e1"},
		{store.EventFilter{Related: oms.Related{ShipmentID: "x"}}, "e2"},
		{store.EventFilter{Related: oms.Related{ReturnID: "x"}}, "e3"},
		{store.EventFilter{Related: oms.Related{CartID: "x"}}, "e4"},
		{store.EventFilter{Related: oms.Related{SubscriptionID: "x"}}, "e5"},
		{store.EventFilter{Related: oms.Related{StockItemID: "x"}}, "e6"},
		{store.EventFilter{From: at(18), To: at(20)}, "e2 e1"},
		{store.EventFilter{From: at(18), Type: "order_completed"}, "e0"},
		{store.EventFilter{Type: "none"}, ""},
		{store.EventFilter{Type: "ORDER_completed"}, "e7 e0"}, // CONTRACT.md, "Event notifications": without regard to case
		{store.EventFilter{Type: "ORDRE_åPNET"}, "e8"},
		{store.EventFilter{Type: "ordre_apnet"}, ""},
		{store.EventFilter{Related: oms.Related{OrderID: "o2"}, Type: "orderACCEPTED"}, "e1"},
	} {
		count, err := s.EventCount(ctx, acme, test.f)
		wantCount(t, test.f, len(strings.Fields(test.want)), count, err)
		for _, limit := range []int{1, 2, 50} {
			got := pages(t, limit, func(p store.Page) (store.List[*oms.Event], error) { return s.Events(ctx, acme, test.f, p) })
			if got := strings.Join(ids(got, eventID), " "); got != test.want {
				t.Errorf("%+v: %q, want %q", test.f, got, test.want)
			}
		}
	}
}

// testNobodyWants has an event without a subscriber have no delivery.
func testNobodyWants(t *testing.T, s *suite) {
	l := s.listen()
	off, others := endpoint("off"), endpoint("others")
	off.Enabled, others.EventTypes = false, []string{"order_*", "shipment_shipped"}
	s.put(off)
	s.put(others)
	s.add(event("e1", "o1"))
	if all := s.deliveries(store.DeliveryFilter{}); len(all) > 0 || len(l.due) > 0 {
		t.Errorf("deliveries: %v, due: %v", all, l.due)
	}
}

// testEventFor has an event go to one endpoint alone, whatever that subscribes to.
func testEventFor(t *testing.T, s *suite) {
	l := s.listen()
	hidden := endpoint("hidden")
	hidden.Origin, hidden.EventTypes = oms.OriginConnector, nil
	s.put(hidden)
	s.put(endpoint("ep1"))
	e := event("e1", "o1")
	s.write(func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, e, hidden) })
	if len(l.due) != 1 || l.due[0].Delivery.EndpointID != "hidden" || l.due[0].Event != e {
		t.Errorf("due: %+v", l.due)
	}
	same(t, *s.delivery(e, hidden), l.due[0].Delivery)
	unknown := endpoint("unknown")
	unknown.No = 9
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, event("e2", "o1"), unknown) }), oms.NotFound)
}
