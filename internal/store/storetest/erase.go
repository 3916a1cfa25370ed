package storetest

import (
	"errors"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// testEventsErased has an erased order's events keep no data, and what was to
// be sent of them canceled, so that others are not held up.
func testEventsErased(t *testing.T, s *suite) {
	plain, inOrder := s.put(endpoint("plain")), endpoint("ordered")
	inOrder.Ordering = oms.OrderingSubject
	s.put(inOrder)
	s.insert(order("o1", 1, `{}`), order("o2", 2, `{}`))
	sent, first, second, kept := event("sent", "o1"), event("first", "o1"), event("second", "o1"), event("kept", "o2")
	kept.Subject = first.Subject // behind the others, for one endpoint
	s.add(sent, first, second, kept)
	s.settle(sent, plain, oms.DeliverySucceeded)
	a := attempt("att-1", "o1", 1)
	a.Delivery, a.Format = keyOf(sent, plain), oms.FormatFull
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })

	told := s.listen()
	s.erase(acme, "o1")
	for _, e := range []*oms.Event{sent, first, second} {
		if found := ok[*oms.Event](t)(s.Event(ctx, acme, e.ID)); found.Data != nil {
			t.Errorf("%s has data: %s", e.ID, found.Data)
		}
	}
	same(t, ok[*oms.Event](t)(s.Event(ctx, acme, "kept")).Data, kept.Data)
	for _, key := range []oms.DeliveryKey{keyOf(first, plain), keyOf(second, plain), keyOf(sent, inOrder), keyOf(first, inOrder), keyOf(second, inOrder)} {
		if d := ok[*oms.Delivery](t)(s.Delivery(ctx, acme, key)); d.Status != oms.DeliveryCanceled || !d.Due.IsZero() {
			t.Errorf("%s is %s, due %v", d.ID(), d.Status, d.Due)
		}
	}
	same(t, s.delivery(sent, plain).Status, oms.DeliverySucceeded)
	if d := s.delivery(kept, inOrder); d.Status != oms.DeliveryPending || d.Due.IsZero() {
		t.Errorf("the one behind is %s, due %v", d.Status, d.Due)
	}
	same(t, told.dueIDs(), []string{"kept"})

	bare := ok[*oms.Attempt](t)(s.Attempt(ctx, acme, "att-1"))
	if d := bare.Detail; d.Request.Body != nil || d.Response.Body != nil || d.Request.Headers != nil || d.Response.Headers != nil {
		t.Errorf("the attempt still has %v", d)
	}
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, sent, plain, at(9), false) }), oms.Conflict)
}

// testErasedInSteps has an order be gone at once, and its id be free once all that
// was kept of it is gone, too. Each step is durable, so it goes on where it was.
func testErasedInSteps(t *testing.T, s *suite) {
	o := order("o1", 1, `{}`)
	s.insert(o)
	for range 9 {
		o = next(o, "n", true)
		s.write(func(tx store.Tx) error {
			return errors.Join(tx.UpdateOrder(ctx, acme, o), tx.AddHistory(ctx, acme, "o1", oms.HistoryEntry{ID: oms.NewID(oms.HistoryID), Timestamp: at(1)}))
		})
	}
	waiting := run("run-1", "o1", 1)
	waiting.Status = oms.RunWaiting
	s.write(func(tx store.Tx) error {
		return errors.Join(tx.InsertRun(ctx, acme, waiting), tx.EraseOrder(ctx, acme, "o1"))
	})
	_, err := s.Order(ctx, acme, "o1")
	is(t, err, oms.NotFound)
	if r := ok[*oms.Run](t)(s.NextRun(ctx, acme, "o1")); r != nil {
		t.Errorf("%s would go on", r.ID)
	}
	j, steps := &oms.Job{OrderID: "o1"}, 0
	for done := false; !done; steps++ {
		is(t, s.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, order("o1", 2, `{}`)) }), oms.Conflict)
		s.close()
		s.open()
		s.write(func(tx store.Tx) (err error) {
			done, err = tx.EraseSome(ctx, acme, j, 2)
			return err
		})
	}
	if steps < 9/2 {
		t.Errorf("%d steps of two rows", steps)
	}
	_, err = s.OrderVersion(ctx, acme, "o1", 1)
	is(t, err, oms.NotFound)
	same(t, len(ok[store.List[oms.HistoryEntry]](t)(s.History(ctx, acme, "o1", store.Page{})).Items), 0)
	s.insert(order("o1", 2, `{}`))
}
