package contract

import (
	"fmt"
	"testing"
	"time"
)

// A connector's circuit breaker. These tests go by the machine's clock.

// guarded starts an orderhook that has the order; its status Checked calls a
// connector with a breaker, and then another endpoint. Nothing is retried.
func guarded(t *testing.T, url, breaker string, s step) (*rig, *sink) {
	t.Helper()
	next, r := answering(t, ""), inTime(t)
	doc := config(status("Checked", s, step{Host: next.URL}))
	r.settings(with(doc, connectors(connector(url, `,"disableStandardErrorPolicy":true,"breaker":`+breaker))))
	r.post(order)
	return r, next
}

// opening is a breaker that two failures open for an hour, or for another time.
func opening(whileOpen string, openFor ...string) string {
	openFor = append(openFor, "PT1H")
	return fmt.Sprintf(`{"failures":2,"window":"00:10:00","openFor":%q,"whileOpen":%q}`, openFor[0], whileOpen)
}

const isOpen = "the breaker of connector Webhook is open: no call was made"

func (r *rig) breaker() answer { r.t.Helper(); return r.get("/api/connectors/health") }

func TestThereIsNoBreakerByDefault(t *testing.T) {
	s := failing(t, 99, 500)
	r, _ := guarded(t, s.URL, "null", step{})
	for range 12 {
		r.enter("Checked").is("orderActionExecutionResults[0].errorReason", "answered 500 Internal Server Error")
	}
	r.breaker().is("items[0].breaker.circuit", "off").is("items[0].breaker.openUntil", nil)
	equals(t, "calls", len(s.got()), 12)
}

func TestAnOpenBreakerFails(t *testing.T) {
	for _, stop := range []bool{false, true} {
		t.Run(fmt.Sprint("StopOnError ", stop), func(t *testing.T) {
			s := failing(t, 99, 500)
			r, next := guarded(t, s.URL, opening("fail"), step{Stop: stop, ErrorStatus: "Unchecked"})
			for range 2 {
				r.enter("Checked").is("orderActionExecutionResults[0].attempts", 1)
			}
			passed := len(next.got())
			res := r.enter("Checked").is("isAborted", stop).is("orderActionExecutionResults[0].actionStatus", "Error")
			res.is("orderActionExecutionResults[0].errorReason", isOpen).is("orderActionExecutionResults[0].attempts", 0)
			errors := res.doc().Object("order").Objects("errors")
			equals(t, "the order's error", errors[len(errors)-1].Text("message"), ofStep(1, 2, isOpen))
			res.is("order.status", map[bool]string{true: "Unchecked", false: "Checked"}[stop])
			e := r.history("WorkflowStepFailed")[2]
			equals(t, "entry", fmt.Sprint(e.Message, e.IsError, e.Step), ofStep(1, 2, isOpen)+"trueWebhookWorkflowStep")
			equals(t, "calls", len(s.got()), 2)
			r.get("/api/attempts?host="+s.Listener.Addr().String()).is("items[1].number", 1).is("items[2]", nil)
			equals(t, "the next step is called", len(next.got())-passed, map[bool]int{false: 1}[stop])
		})
	}
}

func TestAnOpenBreakerSkips(t *testing.T) {
	s := failing(t, 99, 500)
	r, next := guarded(t, s.URL, opening("Skip"), step{Stop: true, ErrorStatus: "Unchecked"})
	for range 2 {
		r.enter("Checked").is("isAborted", true)
	}
	res := r.enter("Checked").is("isAborted", false).is("order.status", "Checked").is("order.errors[2]", nil)
	res.is("orderActionExecutionResults[0].actionStatus", "Warning").is("orderActionExecutionResults[0].errorReason", isOpen)
	res.is("orderActionExecutionResults[1].actionStatus", "Success")
	e := r.entry("WorkflowStepWarning")
	equals(t, "entry", fmt.Sprint(e.Message, e.IsError, e.Step, e.RunID == res.at("runId")), ofStep(1, 2, isOpen)+"falseWebhookWorkflowSteptrue")
	equals(t, "calls", fmt.Sprint(len(s.got()), len(next.got())), "2 1")
}

func TestFailIsWhatAnOpenBreakerDoesUnlessToldOtherwise(t *testing.T) {
	r, _ := guarded(t, failing(t, 99, 500).URL, `{"Failures":1,"Window":"PT1M","OpenFor":"PT1M"}`, step{})
	r.enter("Checked")
	r.enter("Checked").is("orderActionExecutionResults[0].actionStatus", "Error").is("orderActionExecutionResults[0].errorReason", isOpen)
}

func TestARunWaitsForAnOpenBreaker(t *testing.T) {
	s := failing(t, 2, 500)
	r, next := guarded(t, s.URL, opening("wait"), step{})
	r.enter("Checked")
	r.enter("Checked")
	before := time.Now()
	run := runOf(r.call("POST", theOrder+"/status?wait=false", `{"status":"Checked"}`).want(202))
	r.until("the run waits", func() bool { return r.get(run).at("status") == "waiting" })
	health := r.breaker().is("items[0].breaker.circuit", "open")
	got := r.get(run).is("nextAttempt", 1).is("nextAttemptAt", health.at("items[0].breaker.openUntil")).is("orderActionExecutionResults[0].actionStatus", "Pending")
	due, err := time.Parse(time.RFC3339Nano, got.text("nextAttemptAt"))
	if err != nil || due.Before(before.Add(50*time.Minute)) || due.After(time.Now().Add(time.Hour)) {
		t.Errorf("due %v, %v", due, err)
	}
	equals(t, "calls", fmt.Sprint(len(s.got()), len(next.got())), "2 2")
	const waits = "the breaker of connector Webhook is open: the run waits for it"
	got.is("orderActionExecutionResults[0].errorReason", waits)
	e := r.entry("WorkflowStepWaits")
	equals(t, "entry", fmt.Sprint(e.Message, e.IsError, e.Step), ofStep(1, 2, waits)+"falseWebhookWorkflowStep")
	r.cancel(run)
}
