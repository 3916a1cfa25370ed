package decide_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Shipments are added and changed by a patch of the order.
func TestShipmentsAreAddedAndChanged(t *testing.T) {
	s := on(t, shop())
	_, err := decide.AddShipment(s.f, "S1", patchOf(t, `{"shipmentId":"S1"}`))
	equal(t, "one that is there", apierr.KindOf(err), apierr.Conflict)
	_, err = decide.PatchShipment(s.f, "S9", patchOf(t, `{"shipmentId":"S9"}`))
	equal(t, "one that is not", apierr.KindOf(err), apierr.NotFound)
	s.take(decide.AddShipment(s.f, "S3", patchOf(t, `{"shipmentId":"S3","status":"New"}`)))
	s.is(told{Order: "Idle", History: "Patched", Events: "shipment_updated"})
	s.take(decide.PatchShipment(s.f, "S3", patchOf(t, `{"shipmentId":"S3","status":null,"forceUpdate":["status"]}`)))
	equal(t, "forceUpdate is the shipment's", order.Shipment(s.last.Order.Doc, "S3").Has("status"), false)
}

// mainOrderStatus is entered with its workflow where a run brought the last
// shipment into its status.
func TestTheMainStatusIsEnteredOnceAllShipmentsAreThere(t *testing.T) {
	config := shop(status("Sent", `,"mainOrderStatus":"Done"`, one), status("Done", "", one))
	s := on(t, config).enter(decide.StatusChange{Status: "Sent", ShipmentID: "S1"}).answer(`{}`)
	equal(t, "one of two", s.told().Next, "")
	s.enter(decide.StatusChange{Status: "Sent", ShipmentID: "S2"}).answer(`{}`)
	s.is(told{Run: "succeeded", Steps: "Success", Order: "Done", History: "ExecuteExportOrder StatusChanged", Next: "Done"})
	const moves = `{"OrderForm":{"Shipments":[{"ShipmentId":"S1","OrderStatus":"Sent"},{"ShipmentId":"S2","OrderStatus":"Sent"}]}}`
	s = on(t, shop(status("Sent", `,"mainOrderStatus":"Done"`), status("W", "", one, one)))
	s.enter(decide.StatusChange{Status: "W"}).answer(result(``, moves))
	equal(t, "not before the run's end", s.told().Order, "W")
	equal(t, "by a patch of its steps", s.answer(`{}`).told().Next, "Done")
	s.f.Run = nil
	s.enter(decide.StatusChange{Status: "W", SkipRun: true})
	equal(t, "who sets another status has that", s.last.Order.Status(), "W")

	s = on(t, shop(status("Sent", `,"mainOrderStatus":"Done"`), status("W", "", one)))
	s.enter(decide.StatusChange{Status: "W"}).answer(result(`"TriggerNewStatus":"Checked"`, moves))
	equal(t, "a status that a step asked for comes before it", s.told().Next, "Checked")
}

// TestWhatMoves is the shipments and returns whose own status becomes another.
func TestWhatMoves(t *testing.T) {
	s := on(t, shop())
	for _, row := range []struct{ patch, want string }{
		{`{"orderForm":{"shipments":[{"shipmentId":"S1","orderStatus":"Packed"},{"shipmentId":"S2","trackingNumber":"1"},{"shipmentId":"S3","orderStatus":"New"}]}}`, "S1"},
		{`{"orderForm":{"shipments":[{"shipmentId":"S1","orderStatus":"packed"}]}}`, ""},
		{`{"returnOrderForms":[{"returnId":"R1","status":"New"}]}`, ""},
		{`{"returnOrderForms":[{"returnId":"R1","status":"Received"}],"orderForm":{"shipments":[{"shipmentId":"S2","orderStatus":"Packed"}]}}`, "S2 R1"},
	} {
		s.take(decide.Patch(s.f, patchOf(t, row.patch)))
		equal(t, row.patch, strings.Join(s.last.Moved, " "), row.want)
	}
}
