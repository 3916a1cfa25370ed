package contract

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
)

// docs/contract.md#event-types: the rows of shipments, by every way on
// which a shipment changes. What counts as which is in package event.

const (
	shipped   = "shipment_shipped "
	updated   = "shipment_updated "
	delivered = "shipment_delivery_status_updated "
)

func TestAShipmentsEvents(t *testing.T) {
	patch := func(body string) func(*testing.T, *rig) {
		return func(_ *testing.T, r *rig) { r.call("PATCH", theShipments+"/SHIP-2", body).want(200) }
	}
	ofOrder := func(shipment string) func(*testing.T, *rig) {
		return func(_ *testing.T, r *rig) {
			r.call("PATCH", theOrder, `{"orderForm":{"shipments":[`+shipment+`]}}`).want(200)
		}
	}
	entering := func(status, more string) func(*testing.T, *rig) {
		return func(_ *testing.T, r *rig) {
			r.call("POST", theOrder+"/status", `{"shipmentId":"SHIP-2","status":"`+status+`"`+more+`}`).want(200)
		}
	}
	for name, c := range map[string]struct {
		how  func(*testing.T, *rig)
		want []string
	}{
		"shipped by PATCH":                {patch(`{"status":"Shipped"}`), []string{shipped + "SHIP-2"}},
		"shipped by its status":           {entering("Shipped", ""), []string{shipped + "SHIP-2"}},
		"shipped without a workflow":      {entering("shipped", `,"skipRunWorkflow":true`), []string{shipped + "SHIP-2"}},
		"shipped by a patch of the order": {ofOrder(`{"shipmentId":"SHIP-2","status":"Shipped"}`), []string{shipped + "SHIP-2"}},
		"another status":                  {entering("Packed", ""), []string{updated + "SHIP-2"}},
		"the status it is in": {func(_ *testing.T, r *rig) {
			for range 2 { // the first makes it the orderStatus
				r.call("POST", theOrder+"/status", `{"shipmentId":"SHIP-2","status":"NEW"}`).want(200)
			}
		}, []string{updated + "SHIP-2"}},
		"tracking details":              {patch(`{"shipmentTrackingNumber":"3704","shipmentTrackingLink":"https://sporing.example.no/3704"}`), []string{updated + "SHIP-2"}},
		"its deliveryStatus":            {patch(`{"deliveryStatus":"InTransit"}`), []string{delivered + "SHIP-2"}},
		"shipped with tracking details": {patch(`{"status":"Shipped","shipmentTrackingNumber":"3704"}`), []string{shipped + "SHIP-2", updated + "SHIP-2"}},
		"nothing":                       {patch(`{"status":"New"}`), nil},
		"two in one write":              {ofOrder(`{"shipmentId":"SHIP-67890","status":"Shipped"},{"shipmentId":"SHIP-2","deliveryStatus":"Delivered"}`), []string{shipped + "SHIP-67890", delivered + "SHIP-2"}},
		"added": {func(_ *testing.T, r *rig) {
			r.call("POST", theShipments, `{"shipmentId":"SHIP-3","status":"New"}`).want(201)
		}, []string{updated + "SHIP-3"}},
		"added in Shipped": {func(_ *testing.T, r *rig) {
			r.call("POST", theShipments, `{"shipmentId":"SHIP-3","status":"Shipped"}`).want(201)
		},
			[]string{shipped + "SHIP-3", updated + "SHIP-3"}},
		"by a step's patch": {func(t *testing.T, r *rig) {
			s := answering(t, answerWith(`{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","Status":"Shipped","ShipmentTrackingNumber":"3704"}]}}`))
			r.settings(config(status("Packed", step{Host: s.URL})))
			r.call("POST", theOrder+"/status", `{"shipmentId":"SHIP-2","status":"Packed"}`).want(200)
		}, []string{updated + "SHIP-2", shipped + "SHIP-2", updated + "SHIP-2"}},
		"of the order's own status": {func(_ *testing.T, r *rig) { r.enter("Shipped") }, nil},
		"refused":                   {func(_ *testing.T, r *rig) { r.call("PATCH", theShipments+"/none", `{"status":"Shipped"}`).problem(404) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := ordered(t, config())
			c.how(t, r)
			same(t, "events", r.happened(1), c.want)
		})
	}
}

func TestShipmentsOfANewOrder(t *testing.T) {
	r := lease(t)
	r.post(strings.Replace(order, `"SHIP-2","status":"New"`, `"SHIP-2","deliveryStatus":"InTransit","status":"Shipped"`, 1))
	same(t, "events", r.happened(0), []string{created, shipped + "SHIP-2"})
}

// `events` of a status are of the order's, not of a shipment that enters it.
func TestAShipmentInAStatusWithEvents(t *testing.T) {
	r := ordered(t, config(withEvents("Shipped", `"order_shipped"`)))
	r.call("POST", theOrder+"/status", `{"shipmentId":"SHIP-2","status":"Shipped"}`).want(200)
	same(t, "events", r.happened(1), []string{shipped + "SHIP-2"})
}

func TestAShipmentsEventCarriesItAndItsOrdersID(t *testing.T) {
	r := lease(t)
	r.post(strings.Replace(order, `"status"`, `"subscriptionId":"SUB-9","status"`, 1))
	r.call("PATCH", theShipments+"/SHIP-2", `{"status":"Shipped","shippingTotal":79.00,"OwnField":{"deep":[0.10]}}`).want(200)
	for _, e := range r.events()[1:] {
		equals(t, "data", string(e.Data), `{"shipmentId":"SHIP-2","status":"Shipped","address":{"line1":"Torget 7","city":"Bergen"},"shippingTotal":79.00,"OwnField":{"deep":[0.10]},"orderId":"ORD-12345"}`)
		equals(t, "subject", e.Subject, event.Subject{Kind: "shipment", ID: "SHIP-2"})
		equals(t, "related", e.Related, event.Related{OrderID: "ORD-12345", ShipmentID: "SHIP-2", SubscriptionID: "SUB-9"})
	}
	r.get(theOrder).is("orderForm.shipments[1].orderId", nil)
}
