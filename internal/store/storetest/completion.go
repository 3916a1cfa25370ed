package storetest

import (
	"maps"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// testCompletedLate proves what an attempt does whose delivery ended or was removed while
// the attempt was under way. A success counts, because the receiver has the event; a
// failure changes nothing. An attempt whose delivery is gone is recorded all the same.
func testCompletedLate(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	statusIs := func(e *event.Event, want event.DeliveryStatus) {
		t.Helper()
		if d := s.delivery(e, to); d.Status != want || d.Attempts != 1 || want != event.DeliveryPending && !d.Due.IsZero() {
			t.Errorf("%s is %+v, want it %s", e.ID, d, want)
		}
	}
	for _, status := range []event.DeliveryStatus{event.DeliveryPending, event.DeliveryFailed, event.DeliverySucceeded} {
		e := newEvent("e-"+string(status), "o1")
		s.add(e)
		s.cancel(e, to)
		s.complete(e, to, status)
		want := event.DeliveryCanceled
		if status == event.DeliverySucceeded {
			want = status
		}
		statusIs(e, want)
		// A second attempt that comes back even later changes nothing.
		s.complete(e, to, event.DeliveryFailed)
		statusIs(e, want)
	}
	// There is no event 99: retention may have removed event and delivery while the
	// attempt was under way. What was sent was sent, so the record has to stay.
	gone := completion(event.DeliveryKey{Event: 99, Endpoint: to.No}, event.DeliveryPending, 1, s.now)
	gone.Attempt = newAttempt("att-gone", "o1", 1)
	s.write(func(tx store.Tx) error { return completeIn(tx, acme, gone) })
	ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, "att-gone"))
	_, err := s.Delivery(ctx, acme, gone.Key)
	is(t, err, apierr.NotFound)
}

// testCompletedTogether proves that of several events, each with deliveries to several
// endpoints, just those deliveries end that have succeeded, in one write.
func testCompletedTogether(t *testing.T, s *suite) {
	to := []*event.Endpoint{s.put(endpoint("ep1")), s.put(endpoint("ep2")), s.put(endpoint("ep3"))}
	events := []*event.Event{newEvent("e1", "o1"), newEvent("e2", "o2"), newEvent("e3", "o3")}
	s.add(events...)
	open := map[[2]int]bool{{0, 1}: true, {1, 0}: true, {2, 2}: true}
	var succeeded []store.Completion
	for i, e := range events {
		for j, ep := range to {
			if !open[[2]int{i, j}] {
				succeeded = append(succeeded, completion(keyOf(e, ep), event.DeliverySucceeded, 1, s.now))
			}
		}
	}
	s.write(func(tx store.Tx) error { return completeIn(tx, acme, succeeded...) })
	for i, e := range events {
		for j, ep := range to {
			want := event.DeliverySucceeded
			if open[[2]int{i, j}] {
				want = event.DeliveryPending
			}
			if d := s.delivery(e, ep); d.Status != want {
				t.Errorf("%s to %s is %s, want it %s", e.ID, ep.ID, d.Status, want)
			}
		}
	}
}

// testCompletedTwice proves that a completion may be written twice, as it is by a sender
// that was not told whether its first write was committed. Nothing is recorded twice, and
// what happened to the delivery in between stays.
func testCompletedTwice(t *testing.T, s *suite) {
	plain, inOrder := s.put(endpoint("plain")), endpoint("ordered")
	inOrder.Ordering = event.OrderingSubject
	s.put(inOrder)
	e := newEvent("e1", "o1")
	s.add(e)
	var all []store.Completion
	// An engine may handle ordered deliveries in statements of their own, so both kinds
	// are tried.
	for i, to := range []*event.Endpoint{plain, inOrder} {
		for n, status := range []event.DeliveryStatus{event.DeliveryPending, event.DeliverySucceeded} {
			c := completion(keyOf(e, to), status, n+1, s.now)
			if c.Attempt == nil {
				c.Attempt = newAttempt(ids.Numbered(ids.Attempt, s.now), "o1", 1)
				c.Attempt.Delivery, c.Attempt.Number, c.Attempt.StartedAt = c.Key, 1, s.now.Add(time.Duration(i))
			}
			all = append(all, c)
		}
	}
	complete := func(some ...store.Completion) {
		t.Helper()
		s.write(func(tx store.Tx) error { return completeIn(tx, acme, some...) })
	}
	attempts := func(want int) {
		t.Helper()
		if got := attemptIDs(t, s, store.AttemptFilter{}, 50); len(got) != want {
			t.Errorf("%d attempts are recorded, want %d: %q", len(got), want, got)
		}
	}
	// Each one twice, one directly after the other.
	for n, c := range all {
		complete(c)
		complete(c)
		attempts(n + 1)
	}
	// Both once more, when both deliveries have succeeded.
	complete(all[1], all[3])
	attempts(4)
	var before map[int]bool
	s.write(func(tx store.Tx) (err error) {
		before, err = tx.CompleteDeliveries(ctx, acme, all[3], all[1])
		return err
	})
	if !maps.Equal(before, map[int]bool{0: true, 1: true}) {
		t.Errorf("those were recorded before: %v", before)
	}
	// The delivery is pending again. The old success, which comes once more, must not end
	// it.
	s.sendAgain(e, plain)
	pending := s.delivery(e, plain)
	complete(all[1])
	same(t, s.delivery(e, plain), pending)
	if d := s.delivery(e, inOrder); d.Status != event.DeliverySucceeded || d.Attempts != 2 {
		t.Errorf("%+v", d)
	}
	attempts(4)

	// An attempt that has the number of another by chance is recorded all the same.
	other := newEvent("e2", "o2")
	s.add(other)
	twin := completion(keyOf(other, plain), event.DeliverySucceeded, 1, s.now)
	twin.Attempt.ID = all[1].Attempt.ID
	complete(twin)
	attempts(5)
	if d := s.delivery(other, plain); d.Status != event.DeliverySucceeded {
		t.Errorf("%+v", d)
	}
	// A completion without an attempt, as of a call that was not made, is written as
	// well. Only a success needs an attempt to prove it.
	complete(store.Completion{Key: keyOf(other, inOrder), Status: event.DeliveryPending, Attempts: 1, At: s.now, Due: s.now})
	err := s.Write(ctx, func(tx store.Tx) error {
		return completeIn(tx, acme, store.Completion{Key: keyOf(other, inOrder), Status: event.DeliverySucceeded, Attempts: 1, At: s.now})
	})
	if err == nil {
		t.Error("a delivery succeeds, and nothing says with what")
	}
}
