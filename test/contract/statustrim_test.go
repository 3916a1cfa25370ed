package contract

import "testing"

// docs/contract.md#names: status names are trimmed wherever they come in,
// a blank one is refused.

func TestStatusesAreTrimmedWhereTheyComeIn(t *testing.T) {
	s := answering(t, "")
	r := packing(t, step{Host: s.URL})
	r.call("POST", theOrder+"/status", `{"status":" Packed\t","shipmentId":"SHIP-2"}`).want(200).is("order.orderForm.shipments[1].orderStatus", "Packed")
	r.call("POST", theOrder+"/status", `{"status":" Packed "}`).want(200).is("order.status", "Packed")
	equals(t, "calls", len(s.got()), 2)
	r.call("PATCH", theShipments+"/SHIP-2", `{"status":" Shipped ","orderStatus":" Shipped"}`).want(200).
		is("orderForm.shipments[1].status", "Shipped").is("orderForm.shipments[1].orderStatus", "Shipped")
	r.call("POST", theShipments, `{"shipmentId":"SHIP-3","status":"\tNew "}`).want(201).is("orderForm.shipments[2].status", "New")
}

func TestStatusesThatAStepSetsAreTrimmed(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"TriggerNewStatus":" Packed "}],"OrderPatch":{"Status":" Seen ","OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","Status":" A ","OrderStatus":" B"}]}}}`, "")
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL}), status("Packed", step{Host: s.URL})))
	r.post(order).is("order.status", "Packed").is("order.orderForm.shipments[1].status", "A").is("order.orderForm.shipments[1].orderStatus", "B")
	equals(t, "calls", len(s.got()), 2)
	equals(t, "entered on the way", r.history("StatusChanged")[0].Status, "Seen")
}

func TestBlankStatusesAreRefused(t *testing.T) {
	r := packing(t)
	before := r.stored()
	r.call("POST", theOrder+"/status", `{"status":" \t"}`).problem(422, "body.status")
	r.call("POST", theOrder+"/status", `{"status":" ","shipmentId":"SHIP-2"}`).problem(422, "body.status")
	for _, body := range []string{`{"status":" "}`, `{"status":""}`} {
		r.call("PATCH", theShipments+"/SHIP-2", body).problem(422, "body.status")
		r.call("POST", theShipments, body).problem(422, "body.status")
	}
	r.call("PATCH", theShipments+"/SHIP-2", `{"orderStatus":" "}`).problem(422, "body.orderStatus")
	equals(t, "what is stored", r.stored(), before)
}

func TestAStatusOfAShipmentInAnotherCaseIsNoChange(t *testing.T) {
	r := packing(t)
	r.ship("SHIP-2", "Packed").is("order.version", 2)
	r.call("PATCH", theOrder, `{"orderForm":{"shipments":[{"shipmentId":"SHIP-2","status":"NEW","orderStatus":"packed","prevStatus":"new"}]}}`).want(200).is("version", 2)
}

func TestAnEmptyStatusOfAPatchIsNone(t *testing.T) {
	s := answering(t, answerWith(`{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","Status":"","OrderStatus":""}]}}`))
	r := packing(t, step{Host: s.URL})
	r.ship("SHIP-2", "Packed").is("order.version", 2).is("order.orderForm.shipments[1].status", "New").is("order.orderForm.shipments[1].orderStatus", "Packed")
	r.call("PATCH", theOrder, `{"orderForm":{"shipments":[{"shipmentId":"SHIP-2","status":"","orderStatus":""}]}}`).want(200).is("version", 2)
	r.get(theOrder).is("orderForm.shipments[1].orderStatus", "Packed")
	v := checking(t, answering(t, `{"value":{"status":""}}`), "")
	v.validate()
	v.get(theCart).is("status", "Draft")
}

// The status from before a return becomes the order's again.
func TestTheStatusFromBeforeAReturnIsTrimmedAndNeverBlank(t *testing.T) {
	r := lease(t)
	r.call("POST", "/api/orders?runWorkflow=false", order).want(201)
	id := r.call("POST", theOrder+"/returns", lines("L1", "1")).want(201).text("returnId")
	form := func(prev string) string {
		return `{"returnOrderForms":[{"returnId":"` + id + `","prevStatus":"` + prev + `"}]}`
	}
	r.call("PATCH", theOrder, form(" ")).problem(422, "body.returnOrderForms[0].prevStatus")
	r.call("POST", "/api/orders", `{"returnOrderForms":[{"prevStatus":" "}]}`).problem(422, "body.returnOrderForms[0].prevStatus")
	r.call("PATCH", theOrder, form(" Delivered ")).want(200).is("returnOrderForms[0].prevStatus", "Delivered")
	r.takeBack(id).want(200).is("order.status", "Delivered")
	r.call("PATCH", theOrder, `{"tags":["x"]}`).want(200)
}

func TestABlankStatusOfAStepIsAnInvalidResponse(t *testing.T) {
	for body, at := range map[string]string{
		triggering(" "):               "orderActionExecutionResults[0].triggerNewStatus",
		answerWith(`{"Status":"\t"}`): "orderPatch.status",
		answerWith(`{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","OrderStatus":" "}]}}`): "orderPatch.orderForm.shipments[0].orderStatus",
	} {
		_, res := placed(t, step{Host: answering(t, body).URL})
		res.is("order.status", "New").is("order.errors[0].message", ofStep(1, 1, "invalid response: "+at+": must not be empty"))
	}
}
