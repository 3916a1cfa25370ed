package storetest

import (
	"errors"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// testEventsErased proves that the events of an erased order lose their data, and the
// attempts at them their bodies and headers. What was still to be sent is canceled, and
// what waited behind it, of another order, becomes due. What was sent stays as it is,
// without the data. An attempt that was under way meanwhile is recorded, and does not
// bring the data back.
func testEventsErased(t *testing.T, s *suite) {
	plain, inOrder := s.put(endpoint("plain")), endpoint("ordered")
	inOrder.Ordering = event.OrderingSubject
	s.put(inOrder)
	s.insert(newOrder("o1", 1, `{}`), newOrder("o2", 2, `{}`))
	sent, first, second, stored := newEvent("sent", "o1"), newEvent("first", "o1"), newEvent("second", "o1"), newEvent("kept", "o2")
	stored.Subject = first.Subject // behind the others, for one endpoint
	s.add(sent, first, second, stored)
	s.complete(sent, plain, event.DeliverySucceeded)
	// This attempt has bodies and headers, which hold the data of the order.
	a := newAttempt("att-1", "o1", 1)
	a.Delivery, a.Format = keyOf(sent, plain), event.FormatFull
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })

	// Only that one becomes due by the erasing.
	told := s.listen()
	s.erase(acme, "o1")
	for _, e := range []*event.Event{sent, first, second} {
		if found := ok[*event.Event](t)(s.Event(ctx, acme, e.ID)); found.Data != nil {
			t.Errorf("%s has data: %s", e.ID, found.Data)
		}
	}
	same(t, ok[*event.Event](t)(s.Event(ctx, acme, "kept")).Data, stored.Data)
	for _, key := range []event.DeliveryKey{keyOf(first, plain), keyOf(second, plain), keyOf(sent, inOrder), keyOf(first, inOrder), keyOf(second, inOrder)} {
		if d := ok[*event.Delivery](t)(s.Delivery(ctx, acme, key)); d.Status != event.DeliveryCanceled || !d.Due.IsZero() {
			t.Errorf("%s is %s, due %v", d.ID(), d.Status, d.Due)
		}
	}
	same(t, s.delivery(sent, plain).Status, event.DeliverySucceeded)
	if d := s.delivery(stored, inOrder); d.Status != event.DeliveryPending || d.Due.IsZero() {
		t.Errorf("the one behind is %s, due %v", d.Status, d.Due)
	}
	same(t, told.dueIDs(), []string{"kept"})

	// The attempt stays, since it proves that the call was made, and has nothing of the
	// order in it.
	bare := ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, "att-1"))
	if d := bare.Detail; d.Request.Body != nil || d.Response.Body != nil || d.Request.Headers != nil || d.Response.Headers != nil {
		t.Errorf("the attempt still has %v", d)
	}
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, sent, plain, at(9), false) }), apierr.Conflict)

	// Attempts that were under way meanwhile are recorded, whatever they came to, without what
	// they have of the order.
	for i, e := range []*event.Event{first, second, sent} {
		late := completion(keyOf(e, plain), event.DeliverySucceeded, 1, s.now)
		late.Attempt.Detail = newAttempt("", "o1", 1).Detail
		if i == 1 {
			late.Status, late.Attempt.Outcome = event.DeliveryFailed, attempt.OutcomeFailed
		}
		s.write(func(tx store.Tx) error { return completeIn(tx, acme, late) })
		d := ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, late.Attempt.ID)).Detail
		if d.Request.Headers != nil || d.Request.Body != nil || d.Response.Headers != nil || d.Response.Body != nil {
			t.Errorf("a late attempt at %s has %+v", e.ID, d)
		}
		want := event.DeliverySucceeded
		if i == 1 {
			want = event.DeliveryCanceled
		}
		same(t, s.delivery(e, plain).Status, want)
	}
}

// testErasedInSteps proves that an order is gone at once when it is erased, and that its
// id is free only when all that was stored of it is gone, too. Each step is durable: the
// server is closed and opened again between any two, and goes on where it was. Otherwise
// a new order could be given the history of the erased one.
func testErasedInSteps(t *testing.T, s *suite) {
	o := newOrder("o1", 1, `{}`)
	s.insert(o)
	for range 9 {
		o = next(o, "n", true)
		s.write(func(tx store.Tx) error {
			return errors.Join(tx.UpdateOrder(ctx, acme, o), tx.AddHistory(ctx, acme, "o1", order.HistoryEntry{ID: ids.New(ids.History), Timestamp: at(1)}))
		})
	}
	// A run of the order waits. It must not go on once the order is erased.
	waiting := newRun("run-1", "o1", 1)
	waiting.Status = run.RunWaiting
	s.write(func(tx store.Tx) error {
		return errors.Join(tx.InsertRun(ctx, acme, waiting), tx.EraseOrder(ctx, acme, "o1"))
	})
	_, err := s.Order(ctx, acme, "o1")
	is(t, err, apierr.NotFound)
	if r := ok[*run.Run](t)(s.NextRun(ctx, acme, "o1")); r != nil {
		t.Errorf("%s would go on", r.ID)
	}
	j, steps := &job.Job{OrderID: "o1"}, 0
	for done := false; !done; steps++ {
		is(t, s.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, newOrder("o1", 2, `{}`)) }), apierr.Conflict)
		s.close()
		s.open()
		s.write(func(tx store.Tx) (err error) {
			done, err = tx.EraseSome(ctx, acme, j, 2)
			return err
		})
	}
	// A step that removes more than it was asked to would keep other writes waiting.
	if steps < 9/2 {
		t.Errorf("%d steps of two rows", steps)
	}
	_, err = s.OrderVersion(ctx, acme, "o1", 1)
	is(t, err, apierr.NotFound)
	same(t, len(ok[store.List[order.HistoryEntry]](t)(s.History(ctx, acme, "o1", store.Page{})).Items), 0)
	s.insert(newOrder("o1", 2, `{}`))
}
