package contract

import (
	"fmt"
	"testing"
)

// docs/contract.md#returns: `POST /api/orders/{id}/returns/{returnId}/cancel`.

// takeBack cancels a return.
func (r *rig) takeBack(id string, headers ...string) answer {
	r.t.Helper()
	return r.call("POST", theOrder+"/returns/"+id+"/cancel", "", headers...)
}

// refund is what a return form returns, as "[2×5 3×7]".
func (a answer) refund(form int) string {
	var parts []string
	for _, line := range a.doc().Objects("returnOrderForms")[form].Objects("lineItems") {
		quantity, _ := line.Get("returnQuantity")
		price, _ := line.Get("placedPrice")
		parts = append(parts, fmt.Sprint(quantity, "×", price))
	}
	return fmt.Sprint(parts)
}

func TestAReturnOfALineThatIsSplit(t *testing.T) {
	r := lease(t)
	r.post(`{"id":"ORD-12345","orderForm":{"lineItems":[{"lineItemId":"L1","quantity":2,"placedPrice":5},{"lineItemId":"L1","quantity":3,"placedPrice":7}]}}`)
	first := r.call("POST", theOrder+"/returns", lines("L1", "1")).want(201).text("returnId")
	r.call("POST", theOrder+"/returns", lines("L1", "4")).want(201).is("order.status", "Returned")
	got := r.get(theOrder).is("orderForm.lineItems[0].returnQuantity", 2).is("orderForm.lineItems[1].returnQuantity", 3)
	equals(t, "refunds", got.refund(0)+got.refund(1), "[1×5][1×5 3×7]")
	r.takeBack(first).want(200)
	r.get(theOrder).is("orderForm.lineItems[0].returnQuantity", 1).is("orderForm.lineItems[1].returnQuantity", 3).is("status", "PartiallyReturned")
	r.call("POST", theOrder+"/returns", lines("L1", "1")).want(201)
	equals(t, "refund", r.get(theOrder).refund(2), "[1×5]")
}

func TestAReturnIsCancelled(t *testing.T) {
	s := answering(t, "")
	r := returning(t, step{Host: s.URL})
	id := r.giveBack("2").is("order.status", "Returned").text("returnId")
	r.call("POST", theOrder+"/returns", lines("L1", "1")).problem(422)
	events := len(r.events())
	res := r.takeBack(id).want(200).is("returnId", id).is("isAborted", false).is("runId", nil).is("runStatus", nil).is("orderActionExecutionResults", []string{})
	for _, at := range []string{"order.", ""} {
		a := res
		if at == "" {
			a = r.get(theOrder)
		}
		a.is(at+"status", "New").is(at+"returnOrderForms[0].status", "Cancelled").is(at+"returnOrderForms[0].lineItems[0].returnQuantity", 2).
			is(at+"orderForm.lineItems[0].returnQuantity", 0).is(at+"version", 3)
	}
	equals(t, "ETag", res.Header.Get("ETag"), `"3"`)
	equals(t, "calls", len(s.got()), 1) // no workflow runs
	e := r.entry("ReturnCancelled")
	equals(t, "entry", fmt.Sprint(e.ReturnID == id, e.IsError, e.Version, len(e.Changes)), "true false 3 2")
	equals(t, "by", e.By, "key "+r.get("/api/me").text("id"))
	last := r.history("StatusChanged")[1]
	equals(t, "the status", last.PreviousStatus+" -> "+last.Status, "Returned -> New")
	equals(t, "events", len(r.events())-events, 0)
	before := r.stored()
	r.takeBack(id).problem(409)
	equals(t, "what is stored", r.stored(), before)
	r.giveBack("2").is("order.status", "Returned")
}

func TestTheEventsOfACancelledReturn(t *testing.T) {
	r := lease(t)
	r.post(order)
	r.enter("Accepted")
	id := r.giveBack("1").text("returnId")
	before := len(r.events())
	r.takeBack(id).want(200).is("order.status", "Accepted")
	same(t, "events", r.happened(before), []string{"OrderAccepted ORD-12345"})
	equals(t, "related", r.events()[before].ReturnID, id)
}

func TestAReturnThatCannotBeCancelled(t *testing.T) {
	r := returning(t)
	id := r.giveBack("1").text("returnId")
	reader, before := r.role("reader"), r.stored()
	r.takeBack("none").problem(404)
	r.call("POST", "/api/orders/none/returns/"+id+"/cancel", "").problem(404)
	r.takeBack(id, "If-Match", `"1"`).problem(412)
	reader.takeBack(id).problem(403)
	equals(t, "what is stored", r.stored(), before)
	r.stranger().takeBack(id).problem(404)
	r.takeBack(id, "If-Match", `"2"`).want(200)
}

func TestAReturnIsCancelledOnceForItsIdempotencyKey(t *testing.T) {
	r := returning(t)
	id := r.giveBack("1").text("returnId")
	first := r.takeBack(id, "Idempotency-Key", "one").want(200)
	for range 2 {
		r.takeBack(id, "Idempotency-Key", "one").again(first)
	}
	r.giveBack("2")
	r.takeBack(id, "Idempotency-Key", "one").again(first)
	equals(t, "entries", len(r.history("ReturnCancelled")), 1)
}

func TestAnAbortedReturnFreesItsQuantities(t *testing.T) {
	for name, bad := range map[string]string{"refused": canceled, "failed": "garbage"} {
		t.Run(name, func(t *testing.T) {
			s := answering(t, bad, success)
			r := returning(t, step{Host: s.URL, Stop: true, ErrorStatus: "ReturnRefused"})
			res := r.giveBack("2").is("isAborted", true).is("order.status", "ReturnRefused").is("order.returnOrderForms[0].status", "Cancelled").is("order.orderForm.lineItems[0].returnQuantity", 0)
			equals(t, "the entry's run", fmt.Sprint(r.noted("ReturnCancelled", "runId", "returnId")), fmt.Sprint([]any{res.at("runId"), res.at("returnId")}))
			r.takeBack(res.text("returnId")).problem(409)
			r.giveBack("2").is("isAborted", false).is("order.status", "Returned").is("order.orderForm.lineItems[0].returnQuantity", 2).is("order.returnOrderForms[1].status", nil)
		})
	}
}

func TestAnAbortedReturnWithoutAnErrorStatusKeepsTheOrders(t *testing.T) {
	r := returning(t, step{Host: answering(t, canceled).URL, Stop: true})
	r.giveBack("2").is("isAborted", true).is("order.status", "Returned").is("order.returnOrderForms[0].status", "Cancelled")
}

func TestAReturnWhoseStepFailedWithoutStopOnErrorStands(t *testing.T) {
	r := returning(t, step{Host: answering(t, "garbage").URL})
	r.giveBack("2").is("isAborted", false).is("order.returnOrderForms[0].status", nil).is("order.orderForm.lineItems[0].returnQuantity", 2)
}

func TestAnAbortedReturnThatGoesOnCountsAgain(t *testing.T) {
	s := answering(t, canceled, success)
	r := returning(t, step{Host: s.URL, Stop: true})
	res := r.giveBack("2").is("isAborted", true)
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("returnOrderForms[0].status", nil).is("orderForm.lineItems[0].returnQuantity", 2).is("errors", []string{})
	r.call("POST", theOrder+"/returns", lines("L1", "1")).problem(422)
	if e := r.entry("WorkflowResumed"); len(e.Changes) != 3 { // the error, the form, the line
		t.Errorf("changes %v", e.Changes)
	}
}

func TestAnAbortedReturnCannotGoOnOnceAnotherHasTheQuantities(t *testing.T) {
	s := answering(t, canceled, success)
	r := returning(t, step{Host: s.URL, Stop: true})
	res := r.giveBack("2").is("isAborted", true)
	r.giveBack("1").is("isAborted", false)
	r.call("PATCH", theOrder, `{"status":"Returned"}`).want(200)
	before := r.stored()
	r.call("POST", runOf(res)+"/resume", "").problem(409)
	equals(t, "what is stored", r.stored(), before)
}

func TestARunOfACancelledReturnIsSuperseded(t *testing.T) {
	g, next := holding(t), answering(t, "")
	r := returning(t, step{Host: g.URL}, step{Host: next.URL})
	r.giveOne(g) // so that the order's status stays as the second is cancelled
	finish := r.begin(theOrder+"/returns", lines("L1", "0.5"))
	g.wait()
	forms := r.get(theOrder)
	r.takeBack(forms.text("returnOrderForms[1].returnId")).want(200).is("order.status", "PartiallyReturned")
	g.answer(answerWith(`{"Tags":["inspected"]}`))
	res := finish().want(201).is("runStatus", "superseded").is("order.returnOrderForms[1].status", "Cancelled").is("order.tags", []string{"first", "inspected"})
	path := "returnOrderForms[" + res.text("returnId") + "].status"
	res.is("reason", path+" was changed by someone else: it is Cancelled by now")
	equals(t, "conflicts", fmt.Sprint(r.conflicts()), "["+path+": <nil>, <nil>, Cancelled]")
	equals(t, "calls of the next step", len(next.got()), 1)
}

// giveOne returns a part of a shoe through a return workflow that a keeper answers.
func (r *rig) giveOne(g *keeper) {
	r.t.Helper()
	finish := r.begin(theOrder+"/returns", lines("L1", "0.5"))
	g.wait()
	g.answer(success)
	finish().want(201).is("runStatus", "succeeded")
}

func TestATriggeredRunOfAReturnThatWasAbortedRuns(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"CancelWorkflow":true,"TriggerNewStatus":"PartiallyReturned"}]}`, success)
	r := lease(t)
	r.settings(with(config(), `"returnStatuses":[`+status("Returned", step{Name: returnStep, Host: s.URL, Stop: true})+","+status("PartiallyReturned", step{Name: returnStep, Host: s.URL})+`]`))
	r.post(order)
	r.giveBack("2").is("isAborted", true).is("order.status", "PartiallyReturned")
	r.ended().is("items[0].status", "succeeded").is("items[0].enteredStatus", "PartiallyReturned")
	equals(t, "calls", len(s.got()), 2)
}

func TestAPatchThatCancelsAReturnFreesItToo(t *testing.T) {
	r := returning(t)
	id := r.giveBack("2").text("returnId")
	r.call("PATCH", theOrder, `{"returnOrderForms":[{"returnId":"`+id+`","status":"Cancelled"}]}`).want(200).is("orderForm.lineItems[0].returnQuantity", 0)
	if e := r.history("Patched"); len(e[0].Changes) != 2 {
		t.Errorf("changes %v", e[0].Changes)
	}
	r.giveBack("2")
}
