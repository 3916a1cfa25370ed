package contract

import (
	"fmt"
	"testing"
)

// docs/contract.md#effects: TriggerNewStatus.

func triggering(status string) string {
	return fmt.Sprintf(`{"OrderActionExecutionResults":[{"ActionStatus":"Success","TriggerNewStatus":%q}]}`, status)
}

func TestTriggerNewStatusEntersTheStatusOnceTheRunHasEnded(t *testing.T) {
	s := answering(t, triggering("Accepted"), answerWith(`{"Tags":["second"]}`), answerWith(`{"Tags":["accepted"]}`))
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL + "/1"}, step{Host: s.URL + "/2"}), status("Accepted", step{Host: s.URL + "/3"})))
	res := r.post(order)
	equals(t, "calls", s.paths(), []string{"/1", "/2", "/3"})
	is(t, s.got()[1].Body, "Value.Status", "New")
	is(t, s.got()[2].Body, "Value.Status", "Accepted")
	res.is("order.status", "Accepted").is("order.tags", []string{"first", "second", "accepted"})
	res.is("orderActionExecutionResults[1].actionStatus", "Success").is("orderActionExecutionResults[2]", nil)
	runs := r.ended().is("items[1].triggeredRunId", r.get("/api/runs").at("items[0].id"))
	runs.is("items[0].enteredStatus", "Accepted").is("items[0].status", "succeeded").is("items[2]", nil)
	e := r.entry("StatusChanged")
	equals(t, "entry", e.PreviousStatus+" -> "+e.Status, "New -> Accepted")
}

func TestTriggerNewStatusOfAStatusThatSettingsDoNotName(t *testing.T) {
	_, res := placed(t, step{Host: answering(t, triggering("Archived")).URL})
	res.is("order.status", "Archived").is("isAborted", false)
}

func TestTriggerNewStatusOfAStoppedRun(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"CancelWorkflow":true},{"TriggerNewStatus":"Review"}]}`, "")
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL + "/1", Stop: true, ErrorStatus: "Failed"}), status("Review", step{Host: s.URL + "/2"}),
		status("Failed", step{Host: s.URL + "/failed"})))
	r.post(order).is("isAborted", true).is("order.status", "Review")
	equals(t, "calls", s.paths(), []string{"/1", "/2"})
}

func TestTriggerNewStatusIsAwaitedWhenADeferredStepWasNeverReached(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"CancelWorkflow":true,"TriggerNewStatus":"Review"}]}`, "")
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL + "/1", Stop: true}, step{Host: s.URL + "/later", Deferred: true}), status("Review", step{Host: s.URL + "/2"})))
	r.post(order).is("isAborted", true).is("order.status", "Review").is("orderActionExecutionResults[1]", nil)
	equals(t, "calls", s.paths(), []string{"/1", "/2"})
}

func TestTriggerNewStatusOfTheSameNameRunsItAgain(t *testing.T) {
	s := answering(t, triggering("NEW"), triggering("New"), "")
	r, res := placed(t, step{Host: s.URL})
	equals(t, "calls", len(s.got()), 3)
	res.is("order.status", "New")
	equals(t, "status changes", len(r.history("StatusChanged")), 0)
}

func TestAChainOfMoreThanTenEndsWithAnError(t *testing.T) {
	for _, row := range []struct {
		triggers int // how many runs trigger another one
		runs     int
		errors   any
	}{{10, 11, nowhere}, {11, 11, "TriggerNewStatus"}, {50, 11, "TriggerNewStatus"}} {
		t.Run(fmt.Sprint(row.triggers, " triggers"), func(t *testing.T) {
			bodies := []string{}
			for i := range row.triggers {
				bodies = append(bodies, triggering([]string{"Pong", "New"}[i%2]))
			}
			s, r := answering(t, append(bodies, "")...), lease(t)
			r.settings(config(status("New", step{Host: s.URL}), status("Pong", step{Host: s.URL})))
			r.post(order).is("order.errors[0].key", row.errors).is("order.errors[1]", nowhere)
			equals(t, "calls", len(s.got()), row.runs)
			r.ended().is("items[0].status", "succeeded").is(fmt.Sprintf("items[%d]", row.runs), nil)
		})
	}
}
