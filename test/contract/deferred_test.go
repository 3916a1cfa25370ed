package contract

import (
	"fmt"
	"testing"
	"time"
)

// docs/contract.md#waiting: RunAfterOrderIsSaved.

// deferring posts an order while the clock stands still, and returns the answer.
func deferring(t *testing.T, steps ...step) (*rig, answer) {
	t.Helper()
	r := lease(t)
	r.settings(config(status("New", steps...)))
	r.clock.Hold()
	return r, r.post(order)
}

func TestADeferredStepRunsASecondAfterTheOrderIsSaved(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["later"]}`))
	r, res := deferring(t, step{Host: s.URL, Deferred: true})
	res.is("isAborted", false).is("order.tags", []string{"first"})
	res.is("orderActionExecutionResults[0].actionStatus", "Pending").is("orderActionExecutionResults[0].attempts", 0)
	equals(t, "calls", len(s.got()), 0)
	r.get(theOrder).is("id", "ORD-12345")
	runID := res.at("runId").(string)
	r.get("/api/runs/"+runID).is("status", "waiting").is("nextAttempt", 1).is("nextAttemptAt", "2026-11-21T09:00:01Z").
		is("orderActionExecutionResults[0].actionStatus", "Pending")
	r.clock.Release()
	r.ended()
	equals(t, "waits", r.clock.Waits(), []time.Duration{time.Second})
	r.get(theOrder).is("tags", []string{"first", "later"})
	r.get("/api/runs/"+runID).is("status", "succeeded").is("orderActionExecutionResults[0].actionStatus", "Success").
		is("orderActionExecutionResults[0].attempts", 1)
	is(t, s.only(t).Body, "WorkflowStep.RunAfterOrderIsSaved", true)
}

func TestADeferredStepWithoutAConnectorFailsWhenItsTimeHasCome(t *testing.T) {
	r, res := deferring(t, step{Connector: "Nobody", Deferred: true})
	res.is("order.errors", nil).is("orderActionExecutionResults[0].actionStatus", "Pending")
	r.clock.Release()
	r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[0].actionStatus", "Error")
	r.get(theOrder).is("errors[0].key", "WebhookWorkflowStep")
}

func TestDeferredStepsRunInTheirOrderAfterAllOthers(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["seen"]}`), "")
	r, res := deferring(t, step{Host: s.URL + "/d1", Deferred: true}, step{Host: s.URL + "/1"}, step{Host: s.URL + "/d2", Deferred: true}, step{Host: s.URL + "/2"})
	for i, want := range []string{"Success", "Success", "Pending", "Pending"} {
		res.is(fmt.Sprintf("orderActionExecutionResults[%d].actionStatus", i), want)
	}
	res.is("order.tags", []string{"first", "seen"})
	equals(t, "calls", s.paths(), []string{"/1", "/2"})
	r.clock.Release()
	r.ended().is("items[0].status", "succeeded")
	equals(t, "calls", s.paths(), []string{"/1", "/2", "/d1", "/d2"})
	equals(t, "waits", r.clock.Waits(), []time.Duration{time.Second})
}

func TestStopOnErrorOfADeferredStepStopsTheDeferredOnesAfterIt(t *testing.T) {
	for _, stop := range []bool{false, true} {
		t.Run(fmt.Sprint("StopOnError ", stop), func(t *testing.T) {
			s, after := answering(t, canceled), answering(t, "")
			r, res := deferring(t, step{Host: s.URL, Deferred: true, Stop: stop, ErrorStatus: "Failed"}, step{Host: after.URL + "/deferred", Deferred: true}, step{Host: after.URL + "/now"})
			res.is("isAborted", false).is("order.status", "New").is("orderActionExecutionResults[0].actionStatus", "Success")
			r.clock.Release()
			runs := r.ended()
			if stop {
				runs.is("items[0].status", "aborted").is("items[0].orderActionExecutionResults[2].actionStatus", "Skipped")
				r.get(theOrder).is("status", "Failed").is("errors[0].message", ofStep(2, 3, "Shipping address could not be validated"))
				equals(t, "calls", after.paths(), []string{"/now"})
				return
			}
			runs.is("items[0].status", "succeeded")
			equals(t, "calls", after.paths(), []string{"/now", "/deferred"})
		})
	}
}

func TestAStoppedWorkflowRunsNoDeferredStep(t *testing.T) {
	s, deferred := answering(t, canceled), answering(t, "")
	_, res := placed(t, step{Host: deferred.URL, Deferred: true}, step{Host: s.URL, Stop: true})
	res.is("isAborted", true).is("orderActionExecutionResults[0].actionStatus", "Error")
	res.is("orderActionExecutionResults[1]", nil) // nothing is pending
	equals(t, "deferred calls", len(deferred.got()), 0)
}

func TestADeferredStepIsRetriedLikeAnyOther(t *testing.T) {
	s := failing(t, 9, 500)
	r, _ := placed(t, step{Host: s.URL, Deferred: true})
	r.ended()
	equals(t, "waits", r.clock.Waits(), []time.Duration{time.Second, time.Second, 5 * time.Second, 15 * time.Second})
	r.get(theOrder).is("errors[0].message", ofStep(1, 1, "answered 500 Internal Server Error"))
}

func TestADeferredStepSeesTheOrderAsItIsThen(t *testing.T) {
	s := answering(t, "")
	r, _ := deferring(t, step{Host: s.URL, Deferred: true})
	patched(`{"customerName":"Kari Hansen"}`)(r)
	r.clock.Release()
	r.ended()
	is(t, s.only(t).Body, "Value.CustomerName", "Kari Hansen")
}

func TestAStatusChangedBeforeADeferredStepRuns(t *testing.T) {
	s := answering(t, answerWith(`{"Status":"Validated"}`))
	r, _ := deferring(t, step{Host: s.URL, Deferred: true}, step{Host: s.URL, Deferred: true})
	patched(`{"status":"Canceled"}`)(r)
	r.clock.Release()
	r.ended().is("items[0].status", "superseded")
	r.get(theOrder).is("status", "Canceled")
	equals(t, "conflicts", r.conflicts(), []string{"status: New, <nil>, Canceled"})
	equals(t, "calls", len(s.got()), 0)
}

func TestADeferredStepThatIsNoLongerForTheOrder(t *testing.T) {
	s := answering(t, "")
	r, _ := deferring(t, step{Host: s.URL + "/1", Deferred: true, More: `,"disabledForTags":["vip"]`}, step{Host: s.URL + "/2", Deferred: true})
	patched(`{"tags":["vip"]}`)(r)
	r.clock.Release()
	r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[0].actionStatus", "Skipped")
	equals(t, "calls", s.paths(), []string{"/2"})
	equals(t, "the wait", r.clock.Waits()[0], time.Second) // the patch may have had the queue look again
}

func TestTriggerNewStatusOfADeferredStep(t *testing.T) {
	s := answering(t, triggering("Accepted"), "")
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL, Deferred: true}), status("Accepted", step{Host: s.URL + "/accepted"})))
	r.post(order).is("order.status", "New")
	r.until("the run has ended", func() bool { return r.get(theOrder).at("status") == "Accepted" })
	r.ended().is("items[0].enteredStatus", "Accepted").is("items[1].status", "succeeded")
	equals(t, "calls", s.paths(), []string{"/", "/accepted"})
}
