package contract

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// docs/contract.md#runs: `POST /api/runs/{id}/resume`.

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
	equals(t, "calls", s.paths(), []string{"/1", "/2", "/2", "/3"})
	keys := s.each("Idempotency-Key")
	if keys[1] == keys[2] || keys[2] == "" {
		t.Errorf("the resumed call has the key of the one that stopped the run: %v", keys)
	}
	equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), []string{"1", "1", "1", "1"})
	is(t, s.got()[2].Body, "Value.Tags", []string{"first", "one"})
	r.get(theOrder).is("errors", []string{}).is("tags", []string{"first", "one", "two", "three"})
	e := r.entry("WorkflowResumed")
	equals(t, "entry", fmt.Sprint(e.Step, e.RunID == res.at("runId"), e.By), fmt.Sprint("WebhookWorkflowStep", true, "key "+r.get("/api/me").text("id")))
}

// TestARunSaysWhetherItCanBeResumed as long as it is aborted, with what the call would say.
func TestARunSaysWhetherItCanBeResumed(t *testing.T) {
	r, res, _ := aborted(t, step{}, success, success)
	r.get(runOf(res)).is("resumable", true).is("notResumable", nil)
	r.get("/api/runs").is("items[0].resumable", nil)
	r.call("POST", theOrder+"/status", `{"status":"Elsewhere"}`).want(200)
	const why = "the status is Elsewhere by now, which the run did not set"
	r.get(runOf(res)).is("status", "aborted").is("resumable", false).is("notResumable", why)
	r.call("POST", runOf(res)+"/resume", "").problem(409).is("detail", why)
}

func TestAResumedRunIsSentTheOrderAsItIsThen(t *testing.T) {
	r, res, s := aborted(t, step{}, success)
	patched(`{"customerName":"Kari Hansen"}`)(r)
	r.resume(res)
	r.ended()
	is(t, s.got()[2].Body, "Value.CustomerName", "Kari Hansen")
	equals(t, "conflicts", r.conflicts(), []string(nil))
}

func TestAResumedRunTakesTheSettingsAsTheyAre(t *testing.T) {
	r, res, s := aborted(t, step{}, "")
	mended := answering(t, answerWith(`{"Tags":["mended"]}`))
	r.clock.Advance(time.Second) // so that the record tells the settings apart
	r.settings(config(status("New", step{Host: s.URL + "/1"}, step{Host: mended.URL}, step{Host: s.URL + "/third"})))
	r.resume(res).is("settingsVersion", 2)
	r.ended().is("items[0].status", "succeeded")
	equals(t, "calls", fmt.Sprint(s.paths(), mended.paths()), "[/1 /2 /third] [/]")
	r.get(theOrder).is("tags", []string{"first", "one", "mended"})
}

func TestAResumedRunKeepsItsSettingsWhereTheStatusHasOtherStepsByNow(t *testing.T) {
	for name, change := range map[string]func(steps string) string{
		"fewer steps":            func(steps string) string { return steps[:strings.LastIndex(steps, ",{")] },
		"more steps":             func(steps string) string { return steps + "," + step{Host: "https://example.com"}.String() },
		"another step":           func(steps string) string { return strings.Replace(steps, "WebhookWorkflowStep", "ExportOrder", 1) },
		"one that is not active": func(steps string) string { return replaceLast(steps, `"active":true`, `"active":false`) },
		"one that is deferred": func(steps string) string {
			return replaceLast(steps, `"RunAfterOrderIsSaved":false`, `"RunAfterOrderIsSaved":true`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, res, s := aborted(t, step{}, success)
			var steps []string
			for i := range 3 {
				steps = append(steps, step{Host: fmt.Sprint(s.URL, "/elsewhere", i+1)}.String())
			}
			r.settings(workflowOf(change(strings.Join(steps, ","))))
			r.resume(res).is("settingsVersion", 1)
			r.ended().is("items[0].status", "succeeded")
			equals(t, "calls", s.paths(), []string{"/1", "/2", "/2", "/3"})
		})
	}
}

// replaceLast replaces the last of the places where a text stands.
func replaceLast(s, text, by string) string {
	i := strings.LastIndex(s, text)
	return s[:i] + by + s[i+len(text):]
}

func TestAResumedRunHasItsLaterStepsBeforeIt(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL, Stop: true}, step{Host: g.URL}, step{Host: g.URL, Deferred: true})))
	finish := r.begin("/api/orders", order)
	g.wait()
	g.answer(canceled)
	res := finish().want(201).is("isAborted", true)
	is(t, r.get(runOf(res)).Raw, "orderActionExecutionResults[2].actionStatus", "Skipped")
	r.resume(res)
	g.wait()
	run := r.get(runOf(res)).is("status", "running")
	for i := range 3 {
		result := fmt.Sprintf("orderActionExecutionResults[%d].", i)
		run.is(result+"actionStatus", "Pending").is(result+"errorReason", nil).is(result+"attempts", 0).is(result+"cancelWorkflow", false)
	}
	for range 2 {
		g.answer(success)
		g.wait()
	}
	g.answer(success)
	r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[2].actionStatus", "Success")
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
	r.get(theOrder).is("errors", []string{})
	equals(t, "calls", s.paths(), []string{"/1", "/2", "/2", "/2", "/2", "/3"})
}

func TestAResumedRunIsRetriedLikeAnyOther(t *testing.T) {
	s := failing(t, 5, 500)
	r, res := placed(t, step{Host: s.URL, Stop: true})
	r.resume(res)
	r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[0].attempts", 2)
	equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), []string{"1", "2", "3", "4", "1", "2"})
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
