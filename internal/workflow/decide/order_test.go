package decide_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

func TestAnOrderIsCreated(t *testing.T) {
	created := func(config, doc string, run bool) *stage {
		s := &stage{t: t, versions: map[int64]*order.Order{}}
		s.f = decide.Facts{Now: noon, Author: order.Author{By: "key k"}, Today: settingsOf(t, config, 1), NewID: ids.New}
		s.take(decide.Create(s.f, decide.Document{Object: parse(t, doc)}, run))
		return s
	}
	const minimal = `{"id":"O1","status":"W","orderType":"Online"}`
	created(workflow(one), minimal, true).is(told{Run: "running", Steps: "Pending", Order: "W", History: "Created", Events: "OrderCreated"})
	created(workflow(one), minimal, false).is(told{Order: "W", History: "Created", Events: "OrderCreated"})
	created(shop(), `{"id":"O1","status":"Accepted"}`, true).is(told{Run: "succeeded", Order: "Accepted", History: "Created", Events: "OrderCreated OrderAccepted"})
	s := created(workflow(`{"name":"WebhookWorkflowStep","connector":"None"}`), minimal, true)
	s.is(told{Run: "succeeded", Steps: "Error", Order: "W", Errors: name + "connector not found: None", History: "Created WorkflowStepFailed", Events: "OrderCreated workflow_failed"})
	equal(t, "its first version is one without the error", s.last.Created.Doc.Has("errors"), false)
	equal(t, "versions", s.last.Created.Version*10+s.last.Order.Version, 12)
	equal(t, "of the entry", s.entry(order.OpCreated).Version, 1)
}

// A status is entered, a patch applied: what is refused, and what comes of it.
func TestWhatCallersChange(t *testing.T) {
	config := strings.Replace(shop(status("W", "", one), status("Sent", `,"shipmentStatusUpdate":"Shipped","mainOrderStatus":"Completed"`)), `{"name":"Sent"`, `{"events":["custom.sent"],"name":"Sent"`, 1)
	enter := func(c decide.StatusChange) func(decide.Facts) (*decide.Decision, error) {
		return func(f decide.Facts) (*decide.Decision, error) { return decide.Enter(f, c) }
	}
	patch := func(body string) func(decide.Facts) (*decide.Decision, error) {
		return func(f decide.Facts) (*decide.Decision, error) { return decide.Patch(f, patchOf(t, body)) }
	}
	both := func(f decide.Facts) (*decide.Decision, error) {
		d, err := decide.Enter(f, decide.StatusChange{Status: "Sent", ShipmentID: "S1", SkipRun: true})
		if err != nil {
			return nil, err
		}
		f.Order = d.Order
		return decide.Enter(f, decide.StatusChange{Status: "Sent", ShipmentID: "S2", SkipRun: true})
	}
	for _, row := range []struct {
		name string
		do   func(decide.Facts) (*decide.Decision, error)
		want told
		err  apierr.Kind
	}{
		{"a status", enter(decide.StatusChange{Status: "W"}), told{Run: "running", Steps: "Pending", Order: "W", History: "StatusChanged"}, 0},
		{"the status it is in runs its workflow, and notifies nobody", enter(decide.StatusChange{Status: "Idle"}), told{Run: "succeeded", Order: "Idle"}, 0},
		{"without its workflow", enter(decide.StatusChange{Status: "W", SkipRun: true}), told{Order: "W", History: "StatusChanged"}, 0},
		{"a status that settings give events", enter(decide.StatusChange{Status: "Sent"}), told{Run: "succeeded", Order: "Sent", History: "StatusChanged", Events: "custom.sent"}, 0},
		{"of a shipment", enter(decide.StatusChange{Status: "Sent", ShipmentID: "S1"}), told{Run: "succeeded", Order: "Idle", History: "StatusChanged", Events: "shipment_shipped shipment_updated"}, 0},
		{"of the last shipment, without its workflow", both, told{Order: "Completed", History: "StatusChanged StatusChanged", Events: "order_completed shipment_shipped shipment_updated"}, 0},
		{"no shipment", enter(decide.StatusChange{Status: "W", ShipmentID: "S9"}), told{}, apierr.Invalid},
		{"no return", enter(decide.StatusChange{Status: "W", ReturnID: "R9"}), told{}, apierr.Invalid},
		{"of both", enter(decide.StatusChange{Status: "W", ReturnID: "R9", ShipmentID: "S1"}), told{}, apierr.Invalid},
		{"a patch", patch(`{"customerPhone":"1"}`), told{Order: "Idle", History: "Patched"}, 0},
		{"a patch that changes nothing", patch(`{"customerEmail":"kari@example.com"}`), told{Order: "Idle"}, 0},
		{"a patch's status runs nothing", patch(`{"status":"W"}`), told{Order: "W", History: "Patched StatusChanged"}, 0},
		{"a patch of all shipments", patch(`{"orderForm":{"shipments":[{"shipmentId":"S1","orderStatus":"Sent"},{"shipmentId":"S2","orderStatus":"Sent"}]}}`),
			told{Order: "Completed", History: "Patched StatusChanged", Events: "order_completed shipment_updated shipment_updated"}, 0},
		{"a patch of the id", patch(`{"id":"O2"}`), told{}, apierr.Invalid},
		{"a patch after which taxes do not fit", patch(`{"orderForm":{"taxTotal":3,"lineItems":[{"lineItemId":"L1","quantity":3}]}}`), told{Order: "Idle", History: "Patched"}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := on(t, config)
			before := string(s.f.Order.Doc.JSON())
			d, err := row.do(s.f)
			if row.err != 0 {
				if apierr.KindOf(err) != row.err || d != nil {
					t.Errorf("%v, want %v", err, row.err)
				}
				return
			}
			if string(s.f.Order.Doc.JSON()) != before {
				t.Error("it changed the order that it was made from")
			}
			s.f.Order = d.Order
			s.last = d
			if err != nil {
				t.Fatal(err)
			}
			s.is(row.want)
			equal(t, "a caller's status is carried to no run", d.Rebase, 0)
			for _, h := range d.History {
				equal(t, "by", h.By, "key k")
				equal(t, "version", h.Version, d.Order.Version)
			}
		})
	}
}

func TestTotalsThatDoNotFitAreSaid(t *testing.T) {
	s := on(t, workflow(one))
	s.take(decide.Patch(s.f, patchOf(t, `{"orderForm":{"taxTotal":3}}`)))
	s.take(decide.Patch(s.f, patchOf(t, `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":3}]}}`)))
	equal(t, "by a patch", s.told().History, "Patched TotalsNotComputed")
	s.enter(decide.StatusChange{Status: "W"}).answer(result(``, `{"OrderForm":{"LineItems":[{"LineItemId":"L1","Quantity":4}]}}`))
	equal(t, "by a step", s.told().History, "ExecuteExportOrder TotalsNotComputed")
}
