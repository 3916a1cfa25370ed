package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// testWaiting proves that all work which is still to be done is counted, whether it is
// due, waits in a group or is under way, and that the age of the oldest is known: for
// deliveries by the time of the event, for runs by when they were made. What has ended is
// not counted.
func testWaiting(t *testing.T, s *suite) {
	waiting := func() store.Waiting { t.Helper(); return ok[store.Waiting](t)(s.Waiting(ctx, acme)) }
	// An empty database has nothing waiting, and no oldest.
	same(t, waiting(), store.Waiting{})
	ordered := endpoint("ordered")
	ordered.Ordering = event.OrderingSubject
	to, last := s.put(endpoint("plain")), s.put(ordered)
	var all []*event.Event
	for n := range 3 {
		e := newEvent(fmt.Sprint("e", n), "o1")
		e.Timestamp = at(10 + n)
		s.add(e)
		all = append(all, e)
	}
	// The higher the number, the older the run, so the oldest is not the one that was
	// stored first.
	for n, status := range []run.RunStatus{run.RunWaiting, run.RunRunning, run.RunWaiting, run.RunAborted, run.RunSucceeded} {
		s.write(func(tx store.Tx) error {
			return tx.InsertRun(ctx, acme, &run.Run{ID: fmt.Sprint("r", n), OrderID: "o1", Status: status, Created: at(9 - n)})
		})
	}
	// Each event goes to both endpoints, so there are six deliveries.
	want := store.Waiting{Deliveries: store.Count{N: 6}, OldestDelivery: at(10),
		Running: store.WaitingRuns{Count: store.Count{N: 1}, Oldest: at(8)}, Waiting: store.WaitingRuns{Count: store.Count{N: 2}, Oldest: at(7)}}
	same(t, waiting(), want)
	// All but two of the deliveries end; the oldest that is left is of the second event.
	s.complete(all[0], to, event.DeliverySucceeded)
	s.complete(all[0], last, event.DeliveryFailed)
	s.complete(all[1], to, event.DeliveryPending)
	s.complete(all[1], last, event.DeliverySucceeded)
	s.complete(all[2], last, event.DeliverySucceeded)
	want.Deliveries.N, want.OldestDelivery = 2, at(11)
	same(t, waiting(), want)
	s.write(func(tx store.Tx) error {
		// The older of the two waiting runs ends.
		r, err := tx.Run(ctx, acme, "r2")
		if err != nil {
			return err
		}
		r.Status = run.RunSucceeded
		return tx.UpdateRun(ctx, acme, r)
	})
	want.Waiting = store.WaitingRuns{Count: store.Count{N: 1}, Oldest: at(9)}
	same(t, waiting(), want)
}

// testEndpointsInTrouble proves which endpoints are shown as those that need attention,
// and in which order: first those that orderhook turned off, then those whose last
// attempts failed, the longest failing first. An endpoint that somebody turned off or
// deleted needs no attention, and a success ends the trouble.
func testEndpointsInTrouble(t *testing.T, s *suite) {
	fail := func(e *event.Endpoint, failures, since int) {
		s.write(func(tx store.Tx) error {
			_, err := tx.AddHealth(ctx, acme, e.No, store.HealthChange{LastFailure: at(100), LastError: "500", Failures: failures, FailingSince: at(since)})
			return err
		})
	}
	// The count is always of all endpoints in trouble, however many are asked for.
	troubled := func(most int, want string, count int) {
		t.Helper()
		found, n, err := s.EndpointsInTrouble(ctx, acme, most)
		if err != nil || n != (store.Count{N: count}) {
			t.Errorf("%+v, %v, want %d", n, err, count)
		}
		same(t, fmt.Sprint(idsOf(found, func(e *event.Endpoint) string { return e.ID })), want)
	}
	troubled(10, "[]", 0)
	all := map[string]*event.Endpoint{}
	for _, id := range []string{"well", "once", "long", "short", "off", "turned-off", "gone"} {
		all[id] = s.put(endpoint(id))
	}
	// One failure less than it takes, so this one is not in trouble.
	fail(all["once"], store.FailuresInTrouble-1, 1)
	fail(all["short"], store.FailuresInTrouble, 7)
	fail(all["long"], 30, 2)
	fail(all["off"], 30, 1)
	fail(all["gone"], 30, 1)
	// Both are off: one by somebody, the other by orderhook, which says why.
	for id, why := range map[string]string{"off": "", "turned-off": "it failed"} {
		all[id].Enabled, all[id].Disabled = false, why
		s.put(all[id])
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "gone") })
	// A result that comes after the deletion must not bring the endpoint back.
	fail(all["gone"], 30, 1) // by an attempt that was under way
	troubled(10, "[turned-off long short]", 3)
	// If fewer are asked for, the count still is of all.
	troubled(2, "[turned-off long]", 3)
	s.write(func(tx store.Tx) error {
		_, err := tx.AddHealth(ctx, acme, all["long"].No, store.HealthChange{Succeeded: 1, LastSuccess: at(200)})
		return err
	})
	troubled(10, "[turned-off short]", 2)
	// The other tenant has no endpoints at all.
	if found, n, err := s.EndpointsInTrouble(ctx, other, 10); len(found) > 0 || n.N > 0 || err != nil {
		t.Errorf("another tenant: %v, %v, %v", found, n, err)
	}
}

// testManyWait proves that counting stops at [store.MostCounted] and says so. To count on
// would take longer and longer just when there is most to do.
func testManyWait(t *testing.T, s *suite) {
	to := s.put(endpoint("ep"))
	for n := 0; n <= store.MostCounted; n += 500 {
		events := make([]*event.Event, 500)
		for i := range events {
			events[i] = &event.Event{ID: fmt.Sprint("e", n+i), Type: "t", Timestamp: time.Unix(1, 0), Data: []byte(`{}`)}
		}
		s.write(func(tx store.Tx) error { return tx.AddEvents(ctx, acme, events...) })
	}
	if h := ok[event.Health](t)(s.Health(ctx, acme, to.No)); h.Pending != store.MostCounted || !h.PendingCapped || h.FailedCapped {
		t.Errorf("%+v", h)
	}
	if w := ok[store.Waiting](t)(s.Waiting(ctx, acme)); w.Deliveries != (store.Count{N: store.MostCounted, Capped: true}) || !w.OldestDelivery.Equal(time.Unix(1, 0)) {
		t.Errorf("%+v", w)
	}
}
