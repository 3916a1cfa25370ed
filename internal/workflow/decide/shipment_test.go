package decide_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Shipments are added and changed by a patch of the order.
func TestShipmentsAreAddedAndChanged(t *testing.T) {
	s := on(t, shop())
	_, err := decide.AddShipment(s.f, "S1", patchOf(t, `{"shipmentId":"S1"}`))
	equal(t, "one that is there", oms.KindOf(err), oms.Conflict)
	_, err = decide.PatchShipment(s.f, "S9", patchOf(t, `{"shipmentId":"S9"}`))
	equal(t, "one that is not", oms.KindOf(err), oms.NotFound)
	s.take(decide.AddShipment(s.f, "S3", patchOf(t, `{"shipmentId":"S3","status":"New"}`)))
	s.is(told{Order: "Idle", History: "Patched", Events: "shipment_updated"})
	s.take(decide.PatchShipment(s.f, "S3", patchOf(t, `{"shipmentId":"S3","status":null,"forceUpdate":["status"]}`)))
	equal(t, "forceUpdate is the shipment's", oms.Shipment(s.last.Order.Doc, "S3").Has("status"), false)
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
}
