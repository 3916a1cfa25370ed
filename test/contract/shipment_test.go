package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#shipments: `POST /api/orders/{id}/shipments` and `PATCH …/{shipmentId}`.

const theShipments = theOrder + "/shipments"

// shipping starts an orderhook that has the order.
func shipping(t *testing.T) *rig {
	t.Helper()
	r := lease(t)
	r.post(order)
	return r
}

func TestAShipmentIsAdded(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	r.settings(config(status("Shipped", step{Host: s.URL})))
	r.post(order)
	a := r.call("POST", theShipments, `{"ShipmentId":"SHIP-3","Status":"Shipped","ShipmentTrackingNumber":"3700","DeliveryStatus":"InTransit","Address":{"City":"Bodø"},"ownField":{"deep":[0.10]}}`).want(201)
	const third = "orderForm.shipments[2]."
	for _, at := range []answer{a, r.get(theOrder)} {
		at.is(third+"shipmentId", "SHIP-3").is(third+"status", "Shipped").is(third+"shipmentTrackingNumber", "3700").is(third+"deliveryStatus", "InTransit")
		at.is(third+"address.city", "Bodø").is(third+"ownField.deep[0]", number("0.10")).is("orderForm.shipments[0].shipmentId", "SHIP-67890").is("version", 2).is("status", "New")
	}
	equals(t, "ETag", a.Header.Get("ETag"), `"2"`)
	r.get(theOrder+"/versions/1").is("orderForm.shipments[2]", nil)
	equals(t, "history", r.entry("Patched").Changes[0].Path, "orderForm.shipments[SHIP-3]")
	equals(t, "calls", len(s.got()), 0) // it runs no workflow
}

func TestAShipmentWithoutAnIDGetsOne(t *testing.T) {
	r := shipping(t)
	first := r.call("POST", theShipments, `{}`).want(201).text("orderForm.shipments[2].shipmentId")
	second := r.call("POST", theShipments, `{"shipmentId":null,"warehouseCode":"oslo-1"}`).want(201).text("orderForm.shipments[3].shipmentId")
	if first == "" || second == "" || first == second {
		t.Errorf("ids %q and %q", first, second)
	}
	r.call("PATCH", theShipments+"/"+first, `{"deliveryStatus":"Delivered"}`).want(200).is("orderForm.shipments[2].deliveryStatus", "Delivered")
}

func TestTheFirstShipmentOfAnOrder(t *testing.T) {
	r := lease(t)
	for i, form := range []string{"", `,"orderForm":null`, `,"orderForm":{"shipments":null}`} {
		r.post(fmt.Sprintf(`{"id":"O%d"%s}`, i, form))
		r.call("POST", fmt.Sprintf("/api/orders/O%d/shipments", i), `{"shipmentId":"S1"}`).want(201).is("orderForm.shipments[0].shipmentId", "S1").is("orderForm.shipments[1]", nil)
	}
}

func TestShipmentsThatCannotBeAdded(t *testing.T) {
	r := shipping(t)
	before := r.stored()
	for _, row := range []struct {
		name, path, body string
		status           int
		place            string
	}{
		{"an id that is there", theShipments, `{"shipmentId":"SHIP-2"}`, 409, ""},
		{"no such order", "/api/orders/none/shipments", `{}`, 404, ""},
		{"an empty id", theShipments, `{"shipmentId":""}`, 422, "body.shipmentId"},
		{"a blank id", theShipments, `{"shipmentId":" \t"}`, 422, "body.shipmentId"},
		{"an id that is no text", theShipments, `{"shipmentId":[]}`, 422, "body.shipmentId"},
		{"a status that is no text", theShipments, `{"status":{}}`, 422, "body.status"},
		{"an order status that is no text", theShipments, `{"orderStatus":5}`, 422, "body.orderStatus"},
		{"no object", theShipments, `[]`, 422, ""},
		{"no JSON", theShipments, `{`, 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := r.in(t).call("POST", row.path, row.body).problem(row.status)
			if row.place != "" {
				a.problem(row.status, row.place)
			}
		})
	}
	r.call("POST", theShipments, `{}`, "If-Match", `"7"`).problem(412)
	equals(t, "what is stored", r.stored(), before)
	r.call("POST", theShipments, `{}`, "If-Match", `"1"`).want(201)
}

func TestAShipmentIsPatched(t *testing.T) {
	r := shipping(t)
	r.call("PATCH", theShipments+"/SHIP-2", `{"comment":"Ring twice","ownField":1}`).want(200)
	a := r.call("PATCH", theShipments+"/SHIP-2", `{"DELIVERYSTATUS":"InTransit","status":"Shipped","shipmentTrackingNumber":"3700","address":{"line2":"3rd floor"},
	 "properties":[{"key":"Box","value":"7"}],"shipmentId":"SHIP-2"}`, "If-Match", `"2"`).want(200)
	const second = "orderForm.shipments[1]."
	for path, want := range map[string]any{"deliveryStatus": "InTransit", "status": "Shipped", "shipmentTrackingNumber": "3700", "address.line2": "3rd floor",
		"address.city": "Bergen", "comment": "Ring twice", "ownField": 1, "properties[0].value": "7"} {
		a.is(second+path, want)
		r.get(theOrder).is(second+path, want)
	}
	a.is("orderForm.shipments[0].status", "New").is("orderForm.shipments[2]", nil).is("status", "New").is("version", 3)
	equals(t, "ETag", a.Header.Get("ETag"), `"3"`)
	r.call("PATCH", theShipments+"/SHIP-2", `{"comment":null,"deliveryStatus":null,"forceUpdate":["deliveryStatus"]}`).want(200).
		is(second+"deliveryStatus", null).is(second+"comment", "Ring twice").is("forceUpdate", nil).is(second+"forceUpdate", nil)
	r.call("PATCH", theShipments+"/SHIP-2", `{"status":"Shipped"}`).want(200).is("version", 4) // nothing new
	r.call("PATCH", theShipments+"/SHIP-2", `{"address":{"line2":null},"forceUpdate":["address.line2"]}`).want(200).is(second+"address.line2", null).is(second+"address.city", "Bergen")
}

func TestShipmentPatchesThatCannotBe(t *testing.T) {
	r := shipping(t)
	before := r.stored()
	for _, row := range []struct {
		name, path, body string
		status           int
		place            string
	}{
		{"no such shipment", theShipments + "/SHIP-9", `{"status":"Shipped"}`, 404, ""},
		{"no such order", "/api/orders/none/shipments/SHIP-2", `{"status":"Shipped"}`, 404, ""},
		{"another id", theShipments + "/SHIP-2", `{"shipmentId":"SHIP-3"}`, 422, "body.shipmentId"},
		{"an id that is no text", theShipments + "/SHIP-2", `{"shipmentId":5}`, 422, "body.shipmentId"},
		{"a status that is no text", theShipments + "/SHIP-2", `{"status":5}`, 422, "body.status"},
		{"lines that are none", theShipments + "/SHIP-2", `{"lineItems":{}}`, 422, "body.lineItems"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := r.in(t).call("PATCH", row.path, row.body).problem(row.status)
			if row.place != "" {
				a.problem(row.status, row.place)
			}
		})
	}
	r.call("PATCH", theShipments+"/SHIP-2", `{"status":"Shipped"}`, "If-Match", `"7"`).problem(412)
	equals(t, "what is stored", r.stored(), before)
}

func TestAShipmentIsAddedOnceForItsIdempotencyKey(t *testing.T) {
	r := shipping(t)
	first := r.call("POST", theShipments, `{"warehouseCode":"oslo-1"}`, "Idempotency-Key", "one").want(201)
	patched(`{"tags":["later"]}`)(r)
	for range 3 {
		r.call("POST", theShipments, `{"warehouseCode":"oslo-1"}`, "Idempotency-Key", "one").again(first)
	}
	r.call("POST", theShipments, `{"warehouseCode":"oslo-2"}`, "Idempotency-Key", "one").problem(409)
	r.get(theOrder).is("orderForm.shipments[2].warehouseCode", "oslo-1").is("orderForm.shipments[3]", nil)
}

func TestWhoMayAddShipments(t *testing.T) {
	r := shipping(t)
	for _, call := range []string{"POST " + theShipments, "PATCH " + theShipments + "/SHIP-2"} {
		r.role("reader").callOf(call, `{}`).problem(403)
		r.stranger().callOf(call, `{}`).problem(404)
	}
	if got := string(r.get(theOrder).Raw); strings.Count(got, `"shipmentId"`) != 2 {
		t.Errorf("shipments of %s", got)
	}
}
