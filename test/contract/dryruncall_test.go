package contract

import (
	"fmt"
	"net/http"
	"testing"
)

// Dry runs with callWebhooks.

// accepting starts an orderhook that has the order; its status Accepted has the steps.
func accepting(t *testing.T, steps ...step) *rig {
	t.Helper()
	r := lease(t)
	r.settings(config(status("Accepted", steps...)))
	r.post(order)
	return r
}

func TestADryRunCallsEachStepOnceAndReportsItsChanges(t *testing.T) {
	s := answering(t, answerWith(`{"CustomerName":"Kari Hansen","Tags":["one"]}`), answerWith(`{"Tags":["two"],"MarketId":"SWE"}`), "")
	r := accepting(t, step{Host: s.URL + "/1"}, step{Host: s.URL + "/2"}, step{Host: s.URL + "/3", More: `,"enabledForTags":["two"]`})
	res := r.rehearse("Accepted", calling).want(200).is("isAborted", false).is("runId", nil)
	equals(t, "steps", outlook(res), []string{"Success", "Success", "Success"})
	for i := range 3 { // no attempt is stored that it could lead to
		res.is(fmt.Sprintf("orderActionExecutionResults[%d].callId", i), nil)
	}
	r.get("/api/attempts?kind=step").is("items", []string{})
	res.is("order.status", "Accepted").is("order.customerName", "Kari Hansen").is("order.tags", []string{"first", "one", "two"}).is("order.marketId", "NOR")
	const results = "orderActionExecutionResults"
	res.is(results+"[0].changes[0].path", "customerName").is(results+"[0].changes[0].before", "Kari Nordmann").is(results+"[0].changes[0].after", "Kari Hansen")
	res.is(results+"[1].changes[0].path", "tags").is(results+"[1].changes[0].after", []string{"first", "one", "two"}).is(results+"[2].changes", nil).is(results+"[0].attempts", 1)
	equals(t, "calls", s.paths(), []string{"/1", "/2", "/3"})
	for i, want := range [][]string{{"first"}, {"first", "one"}, {"first", "one", "two"}} {
		is(t, s.got()[i].Body, "Value.Tags", want)
		is(t, s.got()[i].Body, "Value.Status", "Accepted")
	}
	equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), []string{"1", "1", "1"})
}

func TestADryRunRetriesNothing(t *testing.T) {
	s := failing(t, 9, 503)
	r := accepting(t, step{Host: s.URL}, step{Host: answering(t, "").URL, More: `,"conditions":["Error"]`})
	res := r.rehearse("Accepted", calling).want(200).is("isAborted", false)
	equals(t, "steps", outlook(res), []string{"Error: answered 503 Service Unavailable", "Success"})
	res.is("order.errors[0].key", "WebhookWorkflowStep").is("order.status", "Accepted")
	equals(t, "calls", len(s.got()), 1)
	equals(t, "waits", len(r.clock.Waits()), 0)
}

func TestStopOnErrorStopsADryRun(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, int){"CancelWorkflow": replying(200, canceled), "a failure": replying(500, ""), "an invalid answer": replying(200, "garbage")} {
		t.Run(name, func(t *testing.T) {
			s, next := endpoint(t, answer), answering(t, "")
			r := accepting(t, step{Host: s.URL, Stop: true, ErrorStatus: "Refused"}, step{Host: next.URL})
			res := r.rehearse("Accepted", calling).want(200).is("isAborted", true).is("order.status", "Refused")
			res.is("orderActionExecutionResults[0].actionStatus", "Error").is("orderActionExecutionResults[1].actionStatus", "Skipped").
				is("orderActionExecutionResults[1].errorReason", "the run ended before it")
			equals(t, "calls", fmt.Sprint(len(s.got()), len(next.got())), "1 0")
			r.get(theOrder).is("status", "New").is("errors", nil)
		})
	}
}

func TestADryRunCallsDeferredStepsToo(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["one"]}`), "")
	r := accepting(t, step{Host: s.URL + "/d1", Deferred: true}, step{Host: s.URL + "/1"}, step{Host: s.URL + "/d2", Deferred: true})
	equals(t, "steps", outlook(r.rehearse("Accepted", calling).want(200)), []string{"Success", "Success", "Success"})
	equals(t, "calls", s.paths(), []string{"/1", "/d1", "/d2"})
	equals(t, "waits", len(r.clock.Waits()), 0)
	is(t, s.got()[2].Body, "Value.Tags", []string{"first", "one"})
	seen := map[string]bool{"": true}
	for _, key := range s.each("Idempotency-Key") {
		if seen[key] {
			t.Errorf("Idempotency-Keys %q", s.each("Idempotency-Key"))
		}
		seen[key] = true
	}
}

func TestAPatchThatFailsInADryRunLeavesTheEarlierOnes(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["one"]}`), answerWith(`{"Status":null,"ForceUpdate":["Status"]}`), "")
	r := accepting(t, step{Host: s.URL}, step{Host: s.URL}, step{Host: s.URL})
	res := r.rehearse("Accepted", calling).want(200).is("order.tags", []string{"first", "one"}).is("order.status", "Accepted")
	res.is("orderActionExecutionResults[1].actionStatus", "Error")
	is(t, s.got()[2].Body, "Value.Tags", []string{"first", "one"})
	is(t, s.got()[2].Body, "Value.Status", "Accepted")
}

func TestADryRunOfAShipment(t *testing.T) {
	s := answering(t, answerWith(`{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","Comment":"box 7"}]}}`))
	r := accepting(t, step{Host: s.URL})
	const scope = `,"shipmentId":"SHIP-2"`
	r.rehearse("Accepted", scope).want(200).is("order.orderForm.shipments[1].orderStatus", "Accepted").is("order.status", "New")
	equals(t, "calls", len(s.got()), 0)
	res := r.rehearse("Accepted", scope+calling).want(200).is("order.orderForm.shipments[1].comment", "box 7").is("order.status", "New")
	res.is("orderActionExecutionResults[0].changes[0].path", "orderForm.shipments[SHIP-2].comment")
	is(t, s.only(t).Body, "ShipmentId", "SHIP-2")
	is(t, s.only(t).Body, "Value.ShippingAddress.City", "Bergen")
}

func TestADryRunOfAReturn(t *testing.T) {
	s := answering(t, "", answerWith(`{"Name":"Kari Hansen","CustomerEmail":"no@example.com"}`))
	r := returning(t, step{Host: s.URL})
	id := r.giveBack("1").text("returnId")
	scope := fmt.Sprintf(`,"returnId":%q`, id)
	res := r.rehearse("Returned", scope).want(200).is("order.status", "Returned").is("returnId", id)
	equals(t, "steps", outlook(res), []string{"WouldRun"})
	res = r.rehearse("Returned", scope+calling).want(200).is("order.customerName", "Kari Hansen").is("order.customerEmail", "kari@example.com")
	equals(t, "steps", outlook(res), []string{"Success"})
	is(t, s.got()[1].Body, "ReturnOrderFormId", id)
	equals(t, "calls", len(s.got()), 2)
}

func TestARealRunAfterADryRunComesToTheSame(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["one"],"Status":"Validated"}`), canceled)
	both := func() *rig {
		return accepting(t, step{Host: s.URL}, step{Host: answering(t, canceled).URL, Stop: true, ErrorStatus: "Refused"}, step{Host: s.URL})
	}
	dry := both().rehearse("Accepted", calling).want(200)
	s.mu.Lock()
	s.requests = nil
	s.mu.Unlock()
	real := both().enter("Accepted")
	for _, path := range []string{"isAborted", "order.status", "order.tags", "order.errors[0].message", "orderActionExecutionResults[0].changes", "orderActionExecutionResults[1].errorReason"} {
		real.is(path, dry.at(path))
	}
}
