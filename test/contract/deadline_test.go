package contract

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// maxDuration of a status: a deadline for the whole run.

// within is a status of steps whose runs may take no longer.
func within(most, name string, steps ...step) string {
	return with(status(name, steps...), fmt.Sprintf(`"maxDuration":%q`, most))
}

// hurried starts an orderhook that has the order; its status Checked has the
// steps and a maxDuration.
func hurried(t *testing.T, most string, steps ...step) *rig {
	t.Helper()
	r := lease(t)
	r.settings(config(within(most, "Checked", steps...)))
	r.post(order)
	return r
}

// overdue checks a run that was aborted because its time was over: its result,
// its order and its history.
func (r *rig) overdue(res answer, step int, most string) {
	r.t.Helper()
	reason := "the workflow's maxDuration of " + most + " has passed"
	result := fmt.Sprintf("orderActionExecutionResults[%d].", step)
	run := r.get(runOf(res)).is("status", "aborted").is(result+"actionStatus", "Error").is(result+"errorReason", reason)
	reason = ofStep(step+1, len(run.doc().Objects("orderActionExecutionResults")), reason)
	run.is("reason", reason)
	if run.at("ended") == nil || run.at("deadline") == nil {
		r.t.Errorf("no end or no deadline in %s", run.Raw)
	}
	errors := r.get(theOrder).doc().Objects("errors")
	if len(errors) == 0 || errors[len(errors)-1].Text("message") != reason || errors[len(errors)-1].Text("key") != "WebhookWorkflowStep" {
		r.t.Errorf("errors %v, want %s", errors, reason)
	}
	failed := r.history("WorkflowStepFailed")
	equals(r.t, "the step's entry", failed[len(failed)-1].Message, reason)
	end := r.entry("WorkflowEnded")
	equals(r.t, "the run's entry", fmt.Sprint(end.Message, end.IsError), fmt.Sprint("the workflow of Checked was aborted: "+reason, true))
}

func TestTheDeadlinePassesDuringRetries(t *testing.T) {
	for _, row := range []struct {
		most, says string
		attempts   int
		waits      string
	}{
		{"00:00:10", "10s", 3, "[1s 5s 4s]"},
		{"PT10S", "10s", 3, "[1s 5s 4s]"},
		{"00:00:00.5000000", "500ms", 1, "[500ms]"},
		{"00:00:06", "6s", 2, "[1s 5s]"}, // at the very moment of the third
		{"0.00:00:07", "7s", 3, "[1s 5s 1s]"},
	} {
		t.Run(row.most, func(t *testing.T) {
			s, next := failing(t, 99, 503), answering(t, "")
			r := hurried(t, row.most, step{Host: s.URL, Stop: true, ErrorStatus: "Unchecked"}, step{Host: next.URL})
			res := r.enter("Checked").is("isAborted", true).is("order.status", "Unchecked").is("orderActionExecutionResults[0].attempts", row.attempts)
			res.is("orderActionExecutionResults[1]", nil)
			r.overdue(res, 0, row.says)
			equals(t, "waits", fmt.Sprint(r.clock.Waits()), row.waits)
			equals(t, "calls", fmt.Sprint(len(s.got()), len(next.got())), fmt.Sprint(row.attempts, 0))
		})
	}
}

func TestTheDeadlinePassesDuringACall(t *testing.T) {
	g := holding(t)
	r := hurried(t, "00:00:00.2", step{Host: g.URL, Stop: true})
	res := r.enter("Checked").is("isAborted", true).is("order.status", "Checked").is("orderActionExecutionResults[0].attempts", 1)
	r.overdue(res, 0, "200ms")
	r.get("/api/attempts").is("items[0].error", "timed out after 200ms").is("items[0].outcome", "failed").is("items[1]", nil)
}

func TestAConnectorsTimeoutIsCutToTheDeadline(t *testing.T) {
	for _, row := range []struct{ timeout, says string }{{"00:00:20", "the workflow's maxDuration of 300ms has passed"}, {"00:00:00.1", "timed out after 100ms"}} {
		t.Run(row.timeout, func(t *testing.T) {
			g, r := holding(t), lease(t)
			doc := config(within("00:00:00.3", "Checked", step{}))
			r.settings(with(doc, connectors(connector(g.URL, `,"disableStandardErrorPolicy":true,"Timeout":"`+row.timeout+`"`))))
			r.post(order)
			r.enter("Checked").is("orderActionExecutionResults[0].errorReason", row.says)
		})
	}
}

// slow starts an endpoint whose every answer takes a time of the test's clock.
func slow(t *testing.T, r *rig, each time.Duration) *sink {
	return endpoint(t, func(http.ResponseWriter, int) { r.clock.Advance(each) })
}

func TestTheDeadlinePassesBetweenSteps(t *testing.T) {
	r := lease(t)
	s := slow(t, r, 20*time.Second)
	r.settings(config(within("PT50S", "Checked", step{Host: s.URL}, step{Host: s.URL}, step{Host: s.URL}, step{Host: s.URL, Stop: true, ErrorStatus: "Unchecked"}, step{Host: s.URL})))
	r.post(order)
	res := r.enter("Checked").is("isAborted", true).is("order.status", "Unchecked").is("orderActionExecutionResults[2].actionStatus", "Success")
	res.is("orderActionExecutionResults[3].attempts", 0)
	r.overdue(res, 3, "50s")
	r.get(runOf(res)).is("orderActionExecutionResults[4].actionStatus", "Skipped").is("deadline", "2026-11-21T09:00:50Z")
	equals(t, "calls", len(s.got()), 3)
}

func TestWhatIsDoneWhenTheDeadlinePassesStays(t *testing.T) {
	r := lease(t)
	s := slow(t, r, time.Hour)
	r.settings(config(within("PT50S", "Checked", step{Host: s.URL})))
	r.post(order)
	r.enter("Checked").is("isAborted", false).is("order.errors", nil)
	r.ended().is("items[0].status", "succeeded")
}

func TestTheDeadlinePassesBeforeADeferredStep(t *testing.T) {
	s := answering(t, "")
	r := hurried(t, "00:00:00.7", step{Host: s.URL}, step{Host: s.URL + "/later", Deferred: true, Stop: true, ErrorStatus: "Unchecked"})
	r.clock.Hold()
	res := r.enter("Checked").is("isAborted", false).is("orderActionExecutionResults[1].actionStatus", "Pending")
	r.clock.Release()
	r.ended()
	r.overdue(res, 1, "700ms")
	r.get(theOrder).is("status", "Unchecked")
	equals(t, "calls", s.paths(), []string{"/"})
	equals(t, "waits", r.clock.Waits(), []time.Duration{700 * time.Millisecond})
}

func TestWithoutStopOnErrorTheStatusStays(t *testing.T) {
	r := hurried(t, "PT2S", step{Host: failing(t, 99, 503).URL, ErrorStatus: "Unchecked"})
	res := r.enter("Checked").is("isAborted", true).is("order.status", "Checked")
	r.overdue(res, 0, "2s")
}

func TestThereIsNoDeadlineByDefault(t *testing.T) {
	for _, more := range []string{`"maxDuration":null`, `"events":[]`} {
		t.Run(more, func(t *testing.T) {
			r := lease(t)
			s := slow(t, r, 1000*time.Hour)
			r.settings(config(with(status("Checked", step{Host: s.URL}, step{Host: s.URL}), more)))
			r.post(order)
			r.get(runOf(r.enter("Checked").is("isAborted", false))).is("deadline", nil).is("status", "succeeded")
		})
	}
}

// An attempt that ended before the run's time was over is repeated, whatever
// time it had.
func TestARefusedConnectionIsRetriedWithinTheDeadline(t *testing.T) {
	for _, row := range []struct {
		most     string
		attempts int
		waits    []time.Duration
		aborted  bool
	}{
		{"PT25S", 4, []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}, false},
		{"PT10S", 3, []time.Duration{time.Second, 5 * time.Second, 4 * time.Second}, true},
	} {
		t.Run(row.most, func(t *testing.T) {
			closed := answering(t, "")
			closed.Close()
			r := hurried(t, row.most, step{Host: closed.URL}) // less than the time-out of an attempt, 30 s
			res := r.enter("Checked").is("orderActionExecutionResults[0].attempts", row.attempts).is("isAborted", row.aborted)
			equals(t, "waits", r.clock.Waits(), row.waits)
			if !row.aborted {
				res.is("orderActionExecutionResults[0].errorReason", "connection refused")
				return
			}
			r.overdue(res, 0, "10s")
		})
	}
}
