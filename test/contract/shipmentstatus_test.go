package contract

import (
	"fmt"
	"testing"
)

// docs/contract.md#shipments: `POST /api/orders/{id}/status` with a shipmentId:
// the scope of a shipment.

// ship makes a shipment enter a status.
func (r *rig) ship(id, status string) answer {
	r.t.Helper()
	return r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":%q,"shipmentId":%q}`, status, id)).want(200)
}

// packing starts an orderhook that has the order; its status Packed has the steps.
func packing(t *testing.T, steps ...step) *rig {
	t.Helper()
	r := lease(t)
	r.settings(config(status("Packed", steps...)))
	r.post(order)
	return r
}

func TestTheShipmentsStatusChangesAndTheOrdersStays(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["packed"],"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","ShipmentTrackingNumber":"3700"}]}}`))
	r := packing(t, step{Host: s.URL})
	res := r.ship("SHIP-2", "Packed").is("isAborted", false).is("order.status", "New").is("order.tags", []string{"first", "packed"})
	res.is("order.orderForm.shipments[1].orderStatus", "Packed").is("order.orderForm.shipments[1].prevStatus", "New").is("order.orderForm.shipments[1].status", "New")
	res.is("order.orderForm.shipments[0].status", "New").is("order.orderForm.shipments[0].orderStatus", nil).is("order.orderForm.shipments[0].prevStatus", nil)
	res.is("order.orderForm.shipments[1].shipmentTrackingNumber", "3700").is("orderActionExecutionResults[0].actionStatus", "Success")
	for path, want := range map[string]any{"ShipmentId": "SHIP-2", "ReturnOrderFormId": nil, "Value.ShippingAddress.City": "Bergen", "Value.Status": "New",
		"Value.OrderForm.Shipments[1].OrderStatus": "Packed", "Value.OrderForm.Shipments[1].Status": "New", "WorkflowStep.Name": "WebhookWorkflowStep"} {
		is(t, s.only(t).Body, path, want)
	}
	r.get("/api/runs/"+res.text("runId")).is("shipmentId", "SHIP-2").is("enteredStatus", "Packed").is("status", "succeeded")
	r.get("/api/attempts?shipmentId=SHIP-2").is("items[0].kind", "step").is("items[0].runId", res.at("runId")).is("items[1]", nil)
	e := r.entry("StatusChanged")
	equals(t, "entry", fmt.Sprint(e.ShipmentID, e.PreviousStatus, e.Status, e.RunID == res.at("runId")), fmt.Sprint("SHIP-2", "New", "Packed", true))
}

func TestEachShipmentHasItsOwnScope(t *testing.T) {
	s := answering(t, "")
	r := packing(t, step{Host: s.URL})
	r.ship("SHIP-67890", "Packed").is("order.orderForm.shipments[0].orderStatus", "Packed").is("order.orderForm.shipments[1].orderStatus", nil)
	r.ship("SHIP-2", "packed").is("order.orderForm.shipments[1].orderStatus", "packed")
	for i, want := range []string{"SHIP-67890 Oslo", "SHIP-2 Bergen"} {
		equals(t, "scope", fmt.Sprint(at(t, s.got()[i].Body, "ShipmentId"), " ", at(t, s.got()[i].Body, "Value.ShippingAddress.City")), want)
	}
}

func TestEnteringTheShipmentsStatusAgainRunsItsStepsAgain(t *testing.T) {
	s := answering(t, "")
	r := packing(t, step{Host: s.URL})
	r.ship("SHIP-2", "Packed").is("order.version", 2)
	r.ship("SHIP-2", "PACKED").is("order.version", 2).is("order.orderForm.shipments[1].orderStatus", "Packed")
	equals(t, "calls", len(s.got()), 2)
	equals(t, "status changes", len(r.history("StatusChanged")), 1)
}

func TestTheShipmentsStatusWithoutItsWorkflow(t *testing.T) {
	s := answering(t, "")
	r := packing(t, step{Host: s.URL})
	r.call("POST", theOrder+"/status", `{"status":"Packed","shipmentId":"SHIP-2","skipRunWorkflow":true}`).want(200).is("runId", nil).
		is("runStatus", nil).is("order.orderForm.shipments[1].orderStatus", "Packed")
	r.ship("SHIP-2", "Lost").is("orderActionExecutionResults", []string{}).is("order.orderForm.shipments[1].orderStatus", "Lost").is("order.orderForm.shipments[1].prevStatus", "Packed")
	equals(t, "calls", len(s.got()), 0)
}

func TestStatusOfAShipmentThatIsNotThere(t *testing.T) {
	r := packing(t)
	before := r.stored()
	for _, id := range []string{"SHIP-9", "ship-2"} {
		r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"Packed","shipmentId":%q}`, id)).problem(422, "body.shipmentId")
	}
	r.call("POST", "/api/orders/none/status", `{"status":"Packed","shipmentId":"SHIP-2"}`).problem(404)
	equals(t, "what is stored", r.stored(), before)
}

func TestErrorStatusOfAShipmentsRunSetsTheOrders(t *testing.T) {
	for name, body := range map[string]string{"CancelWorkflow": canceled, "an invalid answer": "garbage"} {
		t.Run(name, func(t *testing.T) {
			r := packing(t, step{Host: answering(t, body).URL, Stop: true, ErrorStatus: "PackingFailed"})
			res := r.ship("SHIP-2", "Packed").is("isAborted", true).is("order.status", "PackingFailed")
			res.is("order.orderForm.shipments[1].orderStatus", "Packed").is("order.errors[0].referenceId", "SHIP-2").is("order.errors[0].key", "WebhookWorkflowStep")
		})
	}
}

func TestAShipmentsStatusThatSomeoneElseChangedStays(t *testing.T) {
	const shipment = "orderForm.shipments[SHIP-2].orderStatus"
	for _, row := range []struct {
		name, path, patch string
		ended, conflict   string
	}{
		{"the shipment's", theShipments + "/SHIP-2", `{"orderStatus":"Delivered"}`, "superseded", shipment + ": Packed, <nil>, Delivered"},
		{"the shipment's, by a patch of the order", theOrder, `{"orderForm":{"shipments":[{"shipmentId":"SHIP-2","orderStatus":"Lost"}]}}`, "superseded", shipment + ": Packed, <nil>, Lost"},
		{"the order's", theOrder, `{"status":"Canceled"}`, "superseded", "status: New, <nil>, Canceled"},
		{"the shipment's own", theShipments + "/SHIP-2", `{"status":"Delivered"}`, "succeeded", ""},
		{"another shipment's", theShipments + "/SHIP-67890", `{"orderStatus":"Delivered"}`, "succeeded", ""},
		{"none", theShipments + "/SHIP-2", `{"deliveryStatus":"InTransit"}`, "succeeded", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			g, next := holding(t), answering(t, "")
			r := packing(t, step{Host: g.URL}, step{Host: next.URL})
			finish := r.begin(theOrder+"/status", `{"status":"Packed","shipmentId":"SHIP-2"}`)
			g.wait()
			r.call("PATCH", row.path, row.patch).want(200)
			want := r.get(theOrder).at("orderForm.shipments[1].orderStatus")
			g.answer(answerWith(`{"Tags":["packed"]}`))
			finish().want(200).is("isAborted", false).is("order.tags", []string{"first", "packed"}).is("order.orderForm.shipments[1].orderStatus", want)
			r.ended().is("items[0].status", row.ended)
			equals(t, "conflicts", fmt.Sprint(r.conflicts()), "["+row.conflict+"]")
			equals(t, "calls of the next step", len(next.got()), map[string]int{"succeeded": 1}[row.ended])
		})
	}
}

func TestTheShipmentsStatusOfAPatchYieldsToTheirs(t *testing.T) {
	g := holding(t)
	r := packing(t, step{Host: g.URL})
	finish := r.begin(theOrder+"/status", `{"status":"Packed","shipmentId":"SHIP-2"}`)
	g.wait()
	r.call("PATCH", theShipments+"/SHIP-2", `{"orderStatus":"Delivered"}`).want(200)
	g.answer(answerWith(`{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","OrderStatus":"Labelled","Status":"Held","Comment":"box 7"},{"ShipmentId":"SHIP-67890","OrderStatus":"Held"}]}}`))
	res := finish().want(200).is("order.orderForm.shipments[1].orderStatus", "Delivered").is("order.orderForm.shipments[1].comment", "box 7").is("order.orderForm.shipments[1].status", "Held")
	res.is("order.orderForm.shipments[0].orderStatus", "Held")
	equals(t, "conflicts", fmt.Sprint(r.conflicts()), "[orderForm.shipments[SHIP-2].orderStatus: Packed, Labelled, Delivered]")
}

func TestAStepMaySetItsOwnShipmentsStatus(t *testing.T) {
	next := answering(t, "")
	first := answering(t, answerWith(`{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","Status":"Labelled"}]}}`))
	r := packing(t, step{Host: first.URL}, step{Host: next.URL})
	r.ship("SHIP-2", "Packed").is("order.orderForm.shipments[1].status", "Labelled").is("orderActionExecutionResults[1].actionStatus", "Success")
	equals(t, "conflicts", r.conflicts(), []string(nil))
}

func TestAStatusIsOfAShipmentOrOfAReturn(t *testing.T) {
	r := returning(t)
	id := r.giveBack("1").text("returnId")
	before := r.stored()
	r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"Returned","returnId":%q,"shipmentId":"SHIP-2"}`, id)).problem(422, "body.returnId")
	equals(t, "what is stored", r.stored(), before)
}
