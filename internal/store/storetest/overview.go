package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// testWaiting: what is to be done is counted, whether it is due, waits in a group or is
// run; and it is known since when the oldest waits.
func testWaiting(t *testing.T, s *suite) {
	waiting := func() store.Waiting { t.Helper(); return ok[store.Waiting](t)(s.Waiting(ctx, acme)) }
	same(t, waiting(), store.Waiting{})
	ordered := endpoint("ordered")
	ordered.Ordering = oms.OrderingSubject
	to, last := s.put(endpoint("plain")), s.put(ordered)
	var all []*oms.Event
	for n := range 3 {
		e := event(fmt.Sprint("e", n), "o1")
		e.Timestamp = at(10 + n)
		s.add(e)
		all = append(all, e)
	}
	for n, status := range []oms.RunStatus{oms.RunWaiting, oms.RunRunning, oms.RunWaiting, oms.RunAborted, oms.RunSucceeded} {
		s.write(func(tx store.Tx) error {
			return tx.InsertRun(ctx, acme, &oms.Run{ID: fmt.Sprint("r", n), OrderID: "o1", Status: status, Created: at(9 - n)})
		})
	}
	want := store.Waiting{Deliveries: store.Count{N: 6}, OldestDelivery: at(10),
		Running: store.WaitingRuns{Count: store.Count{N: 1}, Oldest: at(8)}, Waiting: store.WaitingRuns{Count: store.Count{N: 2}, Oldest: at(7)}}
	same(t, waiting(), want)
	s.settle(all[0], to, oms.DeliverySucceeded)
	s.settle(all[0], last, oms.DeliveryFailed)
	s.settle(all[1], to, oms.DeliveryPending)
	s.settle(all[1], last, oms.DeliverySucceeded)
	s.settle(all[2], last, oms.DeliverySucceeded)
	want.Deliveries.N, want.OldestDelivery = 2, at(11)
	same(t, waiting(), want)
	s.write(func(tx store.Tx) error {
		r, err := tx.Run(ctx, acme, "r2")
		if err != nil {
			return err
		}
		r.Status = oms.RunSucceeded
		return tx.UpdateRun(ctx, acme, r)
	})
	want.Waiting = store.WaitingRuns{Count: store.Count{N: 1}, Oldest: at(9)}
	same(t, waiting(), want)
}

// testEndpointsInTrouble: those that were turned off come first, then those that fail,
// the longest failing first; not those that somebody turned off, or removed.
func testEndpointsInTrouble(t *testing.T, s *suite) {
	fail := func(e *oms.Endpoint, failures, since int) {
		s.write(func(tx store.Tx) error {
			_, err := tx.AddHealth(ctx, acme, e.No, store.HealthChange{LastFailure: at(100), LastError: "500", Failures: failures, FailingSince: at(since)})
			return err
		})
	}
	troubled := func(most int, want string, count int) {
		t.Helper()
		found, n, err := s.EndpointsInTrouble(ctx, acme, most)
		if err != nil || n != (store.Count{N: count}) {
			t.Errorf("%+v, %v, want %d", n, err, count)
		}
		same(t, fmt.Sprint(ids(found, func(e *oms.Endpoint) string { return e.ID })), want)
	}
	troubled(10, "[]", 0)
	all := map[string]*oms.Endpoint{}
	for _, id := range []string{"well", "once", "long", "short", "off", "turned-off", "gone"} {
		all[id] = s.put(endpoint(id))
	}
	fail(all["once"], store.FailuresInTrouble-1, 1)
	fail(all["short"], store.FailuresInTrouble, 7)
	fail(all["long"], 30, 2)
	fail(all["off"], 30, 1)
	fail(all["gone"], 30, 1)
	for id, why := range map[string]string{"off": "", "turned-off": "it failed"} {
		all[id].Enabled, all[id].Disabled = false, why
		s.put(all[id])
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "gone") })
	fail(all["gone"], 30, 1) // by an attempt that was under way
	troubled(10, "[turned-off long short]", 3)
	troubled(2, "[turned-off long]", 3)
	s.write(func(tx store.Tx) error {
		_, err := tx.AddHealth(ctx, acme, all["long"].No, store.HealthChange{Succeeded: 1, LastSuccess: at(200)})
		return err
	})
	troubled(10, "[turned-off short]", 2)
	if found, n, err := s.EndpointsInTrouble(ctx, other, 10); len(found) > 0 || n.N > 0 || err != nil {
		t.Errorf("another tenant: %v, %v, %v", found, n, err)
	}
}

// testManyWait has a health count no further than the most.
func testManyWait(t *testing.T, s *suite) {
	to := s.put(endpoint("ep"))
	for n := 0; n <= store.MostCounted; n += 500 {
		events := make([]*oms.Event, 500)
		for i := range events {
			events[i] = &oms.Event{ID: fmt.Sprint("e", n+i), Type: "t", Timestamp: time.Unix(1, 0), Data: []byte(`{}`)}
		}
		s.write(func(tx store.Tx) error { return tx.AddEvents(ctx, acme, events...) })
	}
	if h := ok[oms.Health](t)(s.Health(ctx, acme, to.No)); h.Pending != store.MostCounted || !h.PendingCapped || h.FailedCapped {
		t.Errorf("%+v", h)
	}
	if w := ok[store.Waiting](t)(s.Waiting(ctx, acme)); w.Deliveries != (store.Count{N: store.MostCounted, Capped: true}) || !w.OldestDelivery.Equal(time.Unix(1, 0)) {
		t.Errorf("%+v", w)
	}
}
