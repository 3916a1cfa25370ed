package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestShipmentsOfOrders: orders number their shipments from 1, so shipment 1 of
// one order waits for no other order's, be it that its events were stored in
// groups or went into them when the endpoint's ordering began.
func TestShipmentsOfOrders(t *testing.T) {
	shipment := func(event, order, id string) *oms.Event {
		return &oms.Event{ID: event, Type: "shipment_updated", Subject: oms.Subject{Kind: oms.SubjectShipment, ID: id},
			Related: oms.Related{OrderID: order, ShipmentID: id}, Timestamp: benchTime, Data: []byte(`{}`)}
	}
	for name, stored := range map[string]oms.Ordering{"stored in groups": oms.OrderingSubject, "gone into groups": oms.OrderingNone} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			to := putEndpoints(t, db, 1, func(e *oms.Endpoint) { e.Ordering = stored })[0]
			order := &oms.Event{ID: "order", Type: "OrderAccepted", Subject: oms.Subject{Kind: oms.SubjectOrder, ID: "1"},
				Related: oms.Related{OrderID: "1"}, Timestamp: benchTime, Data: []byte(`{}`)}
			events := []*oms.Event{
				shipment("a1", "A", "1"), shipment("b1", "B", "1"), shipment("a1+", "A", "1"), shipment("a2", "A", "2"),
				order, shipment("b1+", "B", "1"), shipment("none", "", "1"), shipment("none+", "", "1"), shipment("a1++", "A", "1"),
			}
			publish(t, db, events...)
			to.Ordering = oms.OrderingSubject
			reorder(t, db, to, &oms.Job{ID: "job", Last: 99}, 100)
			now := time.Now()
			ends := func(want string) {
				t.Helper()
				list, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: now.Add(time.Hour), Limit: 100})
				must(t, err)
				var ids []string
				var all []store.Settlement
				for _, d := range list.Due {
					ids = append(ids, d.Delivery.EventID)
					all = append(all, store.Settlement{Key: d.Delivery.DeliveryKey, Status: oms.DeliverySucceeded, Attempts: 1, At: now})
				}
				if got := strings.Join(ids, " "); got != want {
					t.Errorf("due: %q, want %q", got, want)
				}
				must(t, db.Write(ctx, func(tx store.Tx) error { return tx.Settle(ctx, acme, all...) }))
			}
			ends("a1 b1 a2 order none")
			ends("a1+ b1+ none+")
			for _, e := range []*oms.Event{events[0], events[1]} { // sent again: a1 behind a1++, which is due by now
				must(t, db.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, to, now, false) }))
			}
			ends("b1 a1++")
			ends("a1")
		})
	}
}

// reorder stores an endpoint whose ordering has changed, and has what is pending
// follow it. It returns how many writes that took.
func reorder(t testing.TB, db *core.Store, to *oms.Endpoint, j *oms.Job, limit int) (writes int) {
	t.Helper()
	to.Reordering = j.ID
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, to) }))
	for done := false; !done; writes++ {
		must(t, db.Write(ctx, func(tx store.Tx) (err error) {
			at, changed := *j, *to
			if done, err = tx.Reorder(ctx, acme, to, &at, limit); err != nil {
				return err
			}
			if *j = at; done {
				changed.Reordering = ""
				return tx.PutEndpoint(ctx, acme, &changed)
			}
			return nil
		}))
	}
	to.Reordering = ""
	return writes
}
