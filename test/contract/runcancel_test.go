package contract

import (
	"testing"
)

// docs/contract.md#runs: `POST /api/runs/{id}/cancel`.

// runOf is the path of the run that an answer is of.
func runOf(a answer) string { a.t.Helper(); return "/api/runs/" + a.text("runId") }

// oldest is the path of the order's oldest run.
func (r *rig) oldest() string {
	r.t.Helper()
	all := r.get("/api/runs?orderId=ORD-12345").doc().Objects("items")
	return "/api/runs/" + all[len(all)-1].Text("id")
}

func (r *rig) cancel(run string) answer {
	r.t.Helper()
	return r.call("POST", run+"/cancel", "").want(200).is("status", "canceled")
}

func TestCancelWhileWaitingForARetry(t *testing.T) {
	s, next := failing(t, 9, 503), answering(t, "")
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL, Stop: true, ErrorStatus: "Failed"}, step{Host: next.URL})))
	r.clock.Hold()
	finish := r.begin("/api/orders", order)
	r.until("the retry waits", func() bool { return len(r.clock.Waits()) == 1 })
	run := r.cancel(r.oldest()).is("nextAttempt", nil).is("nextAttemptAt", nil).is("ended", "2026-11-21T09:00:00Z")
	run.is("orderActionExecutionResults[0].actionStatus", "Skipped").is("orderActionExecutionResults[0].attempts", 1)
	run.is("orderActionExecutionResults[0].errorReason", "the run ended before its call was answered").is("orderActionExecutionResults[1].errorReason", "the run ended before it")
	run.is("reason", "canceled by key "+r.get("/api/me").text("id"))
	r.clock.Release()
	finish().want(201).is("isAborted", false).is("order.status", "New").is("order.errors", nil)
	r.enter("Packed") // another run finds the way free
	equals(t, "attempts", len(s.got()), 1)
	equals(t, "calls of the next step", len(next.got()), 0)
	e := r.entry("WorkflowEnded")
	equals(t, "entry", e.Message, "the workflow of New was canceled: "+run.text("reason"))
}

func TestCancelWhileACallIsInFlight(t *testing.T) {
	g, next := holding(t), answering(t, "")
	r := lease(t)
	r.settings(config(status("New", step{Host: g.URL}, step{Host: next.URL}), status("Packed", step{Host: next.URL + "/packed"})))
	answered := make(chan answer, 1)
	go func() {
		a, err := r.try("POST", "/api/orders", order)
		if err != nil {
			t.Error(err)
		}
		answered <- a
	}()
	g.wait()
	run := r.oldest()
	r.cancel(run)
	before, version := string(r.get(run).Raw), string(r.get(theOrder).Raw)
	(<-answered).want(201).is("order.tags", []string{"first"}).is("isAborted", false) // before its call was
	g.answer(answerWith(`{"Status":"Validated","Tags":["late"]}`))
	r.until("the answer is recorded", func() bool { return r.get("/api/attempts").at("items[0]") != nil })
	r.get("/api/attempts").is("items[0].outcome", "succeeded").is("items[0].status", 200).is("items[0].runId", r.get(run).at("id"))
	equals(t, "the run", string(r.get(run).Raw), before)
	equals(t, "the order", string(r.get(theOrder).Raw), version)
	equals(t, "answers in the history", len(r.history("ExecuteExportOrder")), 0)
	r.enter("Packed")
	equals(t, "further calls", next.paths(), []string{"/packed"})
}

func TestCancelWhileQueued(t *testing.T) {
	g := holding(t)
	r := lease(t)
	r.settings(config(status("New", step{Host: g.URL}), status("Packed", step{Host: g.URL + "/packed"})))
	first := r.begin("/api/orders", order)
	g.wait()
	second := r.call("POST", theOrder+"/status?wait=false", `{"status":"Packed","shipmentId":"SHIP-2"}`).want(202)
	third := r.call("POST", theOrder+"/status?wait=false", `{"status":"Packed","shipmentId":"SHIP-67890"}`).want(202)
	r.cancel(runOf(second))
	r.get(runOf(third)).is("status", "waiting")
	g.answer(success)
	first().want(201)
	g.wait()
	is(t, g.got()[1].Body, "ShipmentId", "SHIP-67890")
	g.answer(success)
	r.ended().is("items[0].status", "succeeded").is("items[1].status", "canceled").is("items[2].status", "succeeded")
	equals(t, "calls", len(g.got()), 2)
	r.get(theOrder).is("orderForm.shipments[1].orderStatus", "Packed") // the change itself stays
}

func TestCancelBeforeADeferredStep(t *testing.T) {
	s := answering(t, "")
	r, res := deferring(t, step{Host: s.URL, Deferred: true})
	r.cancel(runOf(res)).is("orderActionExecutionResults[0].actionStatus", "Skipped")
	r.clock.Release()
	r.enter("Packed")
	equals(t, "calls", len(s.got()), 0)
}

func TestARunThatHasEndedCannotBeCanceled(t *testing.T) {
	r, res := placed(t, step{Host: answering(t, canceled).URL, Stop: true})
	again := r.enter("Packed")
	before := r.stored()
	r.call("POST", runOf(res)+"/cancel", "").problem(409)
	r.call("POST", runOf(again)+"/cancel", "").problem(409)
	r.call("POST", "/api/runs/run_none/cancel", "").problem(404)
	equals(t, "what is stored", r.stored(), before)
}

func TestARunIsCanceledOnceForAnIdempotencyKey(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL})))
	run := runOf(r.call("POST", "/api/orders?wait=false", order).want(202))
	g.wait()
	first := r.call("POST", run+"/cancel", "", "Idempotency-Key", "one").want(200)
	r.call("POST", run+"/cancel", "", "Idempotency-Key", "one").again(first)
	r.call("POST", run+"/cancel", "", "Idempotency-Key", "two").problem(409)
	r.call("POST", run+"/resume", "", "Idempotency-Key", "one").problem(409)
	equals(t, "ends in the history", len(r.history("WorkflowEnded")), 1)
	g.answer(success)
}

// role is the rig with a key of a role.
func (r *rig) role(name string) *rig {
	r.t.Helper()
	return r.as(r.call("POST", "/api/keys", `{"role":"`+name+`"}`).want(201).text("key"))
}

func TestWhoMayControlRuns(t *testing.T) {
	r, res := placed(t, step{Host: answering(t, canceled, success).URL, Stop: true})
	for _, what := range []string{"/cancel", "/resume"} {
		r.role("publisher").call("POST", runOf(res)+what, "").problem(403)
		r.stranger().call("POST", runOf(res)+what, "").problem(404)
	}
	r.role("publisher").get(runOf(res)).is("status", "aborted")
	r.role("operator").call("POST", runOf(res)+"/cancel", "").problem(409)
	r.role("operator").call("POST", runOf(res)+"/resume", "").want(200)
	r.ended().is("items[0].status", "succeeded")
}

func TestCanceledRunsAreListed(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL})))
	run := r.call("POST", "/api/orders?wait=false", order).want(202)
	g.wait()
	r.post(`{"id":"OTHER","status":"Parked"}`)
	r.cancel(runOf(run))
	r.get("/api/runs?status=canceled").is("items[0].id", run.at("runId")).is("items[1]", nil)
	r.get("/api/runs?status=canceled&orderId=OTHER").is("items[0]", nil)
	r.get("/api/runs?orderId=OTHER").is("items[0].status", "succeeded").is("items[1]", nil)
	r.get("/api/runs?status=running").is("items[0]", nil)
	r.call("GET", "/api/runs?status=stopped", "").problem(422, "query.status")
	g.answer(success)
}

// A step that is over has asked for another status; the run that is canceled
// does not follow.
func TestACanceledRunTriggersNothing(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL}, step{Host: g.URL}), status("Review", step{Host: g.URL + "/review"})))
	finish := r.begin("/api/orders", order)
	g.wait()
	g.answer(triggering("Review"))
	g.wait()
	r.cancel(r.oldest())
	g.answer(success)
	finish().want(201).is("order.status", "New")
	r.ended().is("items[0].triggeredRunId", nil).is("items[1]", nil)
	r.get(theOrder).is("status", "New")
	equals(t, "calls", g.paths(), []string{"/", "/"})
}
