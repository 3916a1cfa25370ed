package contract

import (
	"fmt"
	"testing"
	"time"
)

// Runs of other kinds that are resumed, and those that are not.

func TestAReturnsRunIsResumed(t *testing.T) {
	s := answering(t, canceled, success)
	r := returning(t, step{Host: s.URL, Stop: true, ErrorStatus: "ReturnFailed"})
	res := r.giveBack("1").is("order.status", "ReturnFailed")
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	is(t, s.got()[1].Body, "ReturnOrderFormId", res.at("returnId"))
	r.get(theOrder).is("errors", []string{})
}

func TestADeferredStepsRunIsResumed(t *testing.T) {
	s := answering(t, canceled, success)
	r, res := placed(t, step{Host: s.URL, Deferred: true, Stop: true})
	r.ended().is("items[0].status", "aborted")
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	equals(t, "waits", r.clock.Waits(), []time.Duration{time.Second, time.Second})
}

func TestRunsThatCannotBeResumed(t *testing.T) {
	t.Run("the status was changed by someone since", func(t *testing.T) {
		r, res, s := aborted(t, step{ErrorStatus: "Failed"}, success)
		patched(`{"status":"Canceled"}`)(r)
		before := r.stored()
		r.call("POST", runOf(res)+"/resume", "").problem(409)
		equals(t, "what is stored", r.stored(), before)
		equals(t, "calls", len(s.got()), 2)
	})
	t.Run("the shipment's was", func(t *testing.T) {
		r := packing(t, step{Host: answering(t, canceled).URL, Stop: true})
		res := r.ship("SHIP-2", "Packed")
		r.call("PATCH", theShipments+"/SHIP-2", `{"orderStatus":"Delivered"}`).want(200)
		r.call("POST", runOf(res)+"/resume", "").problem(409)
	})
	t.Run("the status was changed while it waited for its turn", func(t *testing.T) {
		r, res, _ := aborted(t, step{}, success)
		g := holding(t)
		r.settings(config(status("Packed", step{Host: g.URL})))
		r.call("POST", theOrder+"/status?wait=false", `{"status":"Packed","shipmentId":"SHIP-2"}`).want(202)
		g.wait()
		r.resume(res)
		patched(`{"status":"Canceled"}`)(r)
		g.answer(success)
		r.ended()
		r.get(runOf(res)).is("status", "superseded")
	})
	t.Run("it was not aborted", func(t *testing.T) {
		g, r := holding(t), lease(t)
		r.settings(config(status("New", step{Host: g.URL})))
		run := runOf(r.call("POST", "/api/orders?wait=false", order).want(202))
		g.wait()
		r.call("POST", run+"/resume", "").problem(409)
		g.answer(success)
		r.ended().is("items[0].status", "succeeded")
		r.call("POST", run+"/resume", "").problem(409)
		r.call("POST", "/api/runs/run_none/resume", "").problem(404)
	})
}

func TestARunInsideAChainIsResumed(t *testing.T) {
	s := answering(t, triggering("Accepted"), canceled, triggering("Done"), "")
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL + "/new"}), status("Accepted", step{Host: s.URL + "/accepted", Stop: true}), status("Done", step{Host: s.URL + "/done"})))
	first := r.post(order).is("order.status", "Accepted")
	run := r.get("/api/runs").is("items[0].status", "aborted").text("items[0].id")
	r.get(runOf(first)).is("triggeredRunId", run)
	r.call("POST", "/api/runs/"+run+"/resume", "").want(200)
	runs := r.ended().is("items[0].enteredStatus", "Done").is("items[0].status", "succeeded").is("items[3]", nil)
	runs.is("items[1].id", run).is("items[1].status", "succeeded").is("items[1].triggeredRunId", runs.text("items[0].id"))
	r.get(theOrder).is("status", "Done").is("errors", []string{})
	equals(t, "calls", s.paths(), []string{"/new", "/accepted", "/accepted", "/done"})
}

// Somebody looked at it: what a resumed run triggers is a chain of its own, and
// what it wanted before it was stopped is forgotten.
func TestAResumedRunAtTheEndOfAChainBeginsAnotherOne(t *testing.T) {
	for name, c := range map[string]struct {
		stopped, resumed string
		runs             int
	}{
		"it triggers":                {canceled, triggering("New"), 12},
		"it triggers no longer":      {`{"OrderActionExecutionResults":[{"CancelWorkflow":true,"TriggerNewStatus":"Pong"}]}`, success, 11},
		"it triggers something else": {`{"OrderActionExecutionResults":[{"CancelWorkflow":true,"TriggerNewStatus":"Pong"}]}`, triggering("Other"), 12},
	} {
		t.Run(name, func(t *testing.T) {
			var bodies []string
			for i := range 10 {
				bodies = append(bodies, triggering([]string{"Pong", "New"}[i%2]))
			}
			s, r := answering(t, append(bodies, c.stopped, c.resumed, "")...), lease(t)
			r.settings(config(status("New", step{Host: s.URL, Stop: true}), status("Pong", step{Host: s.URL, Stop: true})))
			r.post(order)
			last := r.ended().is("items[0].status", "aborted").is("items[11]", nil).text("items[0].id")
			r.call("POST", "/api/runs/"+last+"/resume", "").want(200)
			r.ended().is(fmt.Sprintf("items[%d]", c.runs), nil).is("items[0].status", "succeeded")
			run := r.get("/api/runs/"+last).is("status", "succeeded")
			equals(t, "triggered", run.text("triggeredRunId") != "", c.runs == 12)
		})
	}
}

func TestAStoppedRunThatTriggeredAnotherIsNotResumed(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"CancelWorkflow":true,"TriggerNewStatus":"NEW"}]}`, "")
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL, Stop: true})))
	res := r.post(order).is("isAborted", true)
	r.ended()
	before := r.stored()
	r.call("POST", runOf(res)+"/resume", "").problem(409).is("detail", "the run has made the order enter NEW already")
	equals(t, "what is stored", r.stored(), before)
	equals(t, "calls", len(s.got()), 2)
}

func TestAResumedRunKeepsTheNamesOfItsSteps(t *testing.T) {
	r, res, _ := aborted(t, step{More: `,"displayName":"Fraud check"`}, success)
	r.resume(res).is("orderActionExecutionResults[1].displayName", "Fraud check")
	r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[1].displayName", "Fraud check")
}

// Whoever removes the error that the abort left does not keep the return cancelled.
func TestAReturnWhoseErrorWasRemovedIsReopenedByItsRun(t *testing.T) {
	r := returning(t, step{Host: answering(t, canceled, success).URL, Stop: true})
	res := r.giveBack("1")
	r.get(theOrder).is("returnOrderForms[0].status", "Cancelled").is("orderForm.lineItems[0].returnQuantity", 0)
	r.call("PATCH", theOrder, `{"errors":[],"keepExistingListItems":false}`).want(200).is("errors", []string{})
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("returnOrderForms[0].status", nil).is("orderForm.lineItems[0].returnQuantity", 1)
}
