package contract

import (
	"fmt"
	"testing"
)

// API.md, "Runs": `POST /api/runs/{id}/resume`.

// aborted starts an orderhook whose order's run was stopped by the second of
// three steps; a resumed call gets the further answers.
func aborted(t *testing.T, s step, further ...string) (*rig, answer, *sink) {
	t.Helper()
	sink := answering(t, append([]string{answerWith(`{"Tags":["one"]}`), canceled}, further...)...)
	s.Host, s.Stop = sink.URL+"/2", true
	r := lease(t)
	r.settings(config(status("New", step{Host: sink.URL + "/1"}, s, step{Host: sink.URL + "/3"}), status("Packed", step{Host: sink.URL + "/packed"})))
	return r, r.post(order).is("isAborted", true), sink
}

func (r *rig) resume(a answer) answer {
	r.t.Helper()
	return r.call("POST", runOf(a)+"/resume", "").want(200).is("id", a.at("runId"))
}

func TestAnAbortedRunGoesOnAtTheStepThatStoppedIt(t *testing.T) {
	r, res, s := aborted(t, step{}, answerWith(`{"Tags":["two"]}`), answerWith(`{"Tags":["three"]}`))
	r.get(theOrder).is("errors[0].key", "WebhookWorkflowStep")
	r.resume(res).is("ended", nil).is("reason", nil).is("orderActionExecutionResults[0].actionStatus", "Success").
		is("orderActionExecutionResults[2].errorReason", nil)
	run := r.ended().is("items[0].status", "succeeded").is("items[0].id", res.at("runId")).is("items[1]", nil)
	for i := range 3 {
		run.is(fmt.Sprintf("items[0].orderActionExecutionResults[%d].actionStatus", i), "Success")
		run.is(fmt.Sprintf("items[0].orderActionExecutionResults[%d].attempts", i), 1)
	}
	equals(t, "calls", s.paths(), "[/1 /2 /2 /3]")
	keys := s.each("Idempotency-Key")
	if keys[1] == keys[2] || keys[2] == "" {
		t.Errorf("the resumed call has the key of the one that stopped the run: %v", keys)
	}
	equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), "[1 1 1 1]")
	is(t, s.got()[2].Body, "Value.Tags", "[first one]")
	r.get(theOrder).is("errors", "[]").is("tags", "[first one two three]")
	e := r.entry("WorkflowResumed")
	equals(t, "entry", fmt.Sprint(e.Step, e.RunID == res.at("runId"), e.By), fmt.Sprint("WebhookWorkflowStep", true, "key "+r.get("/api/me").text("id")))
}

func TestAResumedRunIsSentTheOrderAsItIsThen(t *testing.T) {
	r, res, s := aborted(t, step{}, success)
	patched(`{"customerName":"Kari Hansen"}`)(r)
	r.resume(res)
	r.ended()
	is(t, s.got()[2].Body, "Value.CustomerName", "Kari Hansen")
	equals(t, "conflicts", r.conflicts(), "[]")
}

func TestAResumedRunTakesTheSettingsAsTheyAre(t *testing.T) {
	r, res, s := aborted(t, step{}, "")
	mended := answering(t, answerWith(`{"Tags":["mended"]}`))
	r.settings(config(status("New", step{Host: s.URL + "/1"}, step{Host: mended.URL}, step{Host: s.URL + "/third"})))
	r.resume(res).is("settingsVersion", 2)
	r.ended().is("items[0].status", "succeeded")
	equals(t, "calls", fmt.Sprint(s.paths(), mended.paths()), "[/1 /2 /third] [/]")
	r.get(theOrder).is("tags", "[first one mended]")
}

func TestAResumedRunKeepsItsSettingsWhereTheStatusHasOtherStepsByNow(t *testing.T) {
	r, res, s := aborted(t, step{}, success)
	r.settings(config(status("New", step{Host: answering(t, "").URL})))
	r.resume(res).is("settingsVersion", 1)
	r.ended().is("items[0].status", "succeeded")
	equals(t, "calls", s.paths(), "[/1 /2 /2 /3]")
}

func TestAResumedRunKeepsTheErrorsOfItsEarlierSteps(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"of the first"}]}`, canceled, success)
	r, res := placed(t, step{Host: s.URL}, step{Host: s.URL, Stop: true})
	res.is("order.errors[1].message", ofStep(2, 2, "Shipping address could not be validated"))
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("errors[0].message", ofStep(1, 2, "of the first")).is("errors[1]", nil)
}

func TestARunMayBeAbortedAndResumedAgain(t *testing.T) {
	r, res, s := aborted(t, step{ErrorStatus: "Failed"}, canceled, "garbage", success)
	for range 2 {
		r.resume(res)
		r.ended().is("items[0].status", "aborted")
		r.get(theOrder).is("status", "Failed").is("errors[0].key", "WebhookWorkflowStep").is("errors[1]", nil)
	}
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("errors", "[]")
	equals(t, "calls", s.paths(), "[/1 /2 /2 /2 /2 /3]")
}

func TestAResumedRunIsRetriedLikeAnyOther(t *testing.T) {
	s := failing(t, 5, 500)
	r, res := placed(t, step{Host: s.URL, Stop: true})
	r.resume(res)
	r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[0].attempts", 2)
	equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), "[1 2 3 4 1 2]")
}

func TestAResumedRunComesAfterTheOrdersOthers(t *testing.T) {
	g := holding(t)
	r := lease(t)
	r.settings(config(status("New", step{Host: g.URL + "/new", Stop: true}), status("Packed", step{Host: g.URL + "/packed"})))
	finish := r.begin("/api/orders", order)
	g.wait()
	g.answer(canceled)
	first := finish().want(201).is("isAborted", true)
	for _, id := range []string{"SHIP-2", "SHIP-67890"} {
		r.call("POST", theOrder+"/status?wait=false", `{"status":"Packed","shipmentId":"`+id+`"}`).want(202)
	}
	g.wait()
	r.resume(first).is("status", "waiting")
	for _, want := range []string{"/packed", "/packed", "/new"} {
		equals(t, "the call under way", g.paths()[len(g.got())-1], want)
		g.answer(success)
		if want != "/new" {
			g.wait()
		}
	}
	r.ended()
	r.get(runOf(first)).is("status", "succeeded")
	equals(t, "calls", len(g.got()), 4)
}

func TestARunIsResumedOnceForAnIdempotencyKey(t *testing.T) {
	r, res, s := aborted(t, step{}, success)
	for range 3 {
		r.call("POST", runOf(res)+"/resume", "", "Idempotency-Key", "one").want(200).is("id", res.at("runId"))
		r.ended().is("items[0].status", "succeeded")
	}
	equals(t, "calls", len(s.got()), 4)
	equals(t, "resumed", len(r.history("WorkflowResumed")), 1)
}
