package contract

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// docs/contract.md#settings: an order type's disableWorkflow.

// disabledFor starts an orderhook whose order type Online has its workflow
// disabled, with steps for its statuses New and Packed and for its returns.
func disabledFor(t *testing.T, s *sink) *rig {
	t.Helper()
	r := lease(t)
	doc := with(config(status("New", step{Host: s.URL}), status("Packed", step{Host: s.URL, Deferred: true})), returnStatuses(step{Host: s.URL}))
	doc = strings.Replace(doc, `"default":true`, `"default":true,"disableWorkflow":true`, 1)
	r.settings(strings.Replace(doc, `"orderTypes":[`, `"orderTypes":[{"name":"Store","orderStatuses":[`+status("New", step{Host: s.URL})+`]},`, 1))
	return r
}

func TestAnOrderTypeWhoseWorkflowIsDisabled(t *testing.T) {
	s := answering(t, "", "")
	r := disabledFor(t, s)
	res := r.post(order).is("orderActionExecutionResults", []string{}).is("isAborted", false).is("order.status", "New")
	r.get("/api/runs/"+res.text("runId")).is("status", "succeeded")
	r.call("POST", theOrder+"/status", `{"status":"Packed"}`).want(200).is("order.status", "Packed").is("orderActionExecutionResults", []string{})
	r.ship("SHIP-2", "Packed").is("orderActionExecutionResults", []string{})
	r.giveBack("1").is("orderActionExecutionResults", []string{}).is("order.status", "PartiallyReturned")
	equals(t, "calls", len(s.got()), 0)
	r.call("POST", "/api/orders", `{"id":"other","orderType":"Store"}`).want(201)
	r.call("POST", "/api/orders", `{"id":"unnamed","orderType":"Fax"}`).want(201) // takes the default type
	equals(t, "calls for another type", len(s.got()), 1)
}

func TestADryRunSaysThatTheWorkflowIsDisabled(t *testing.T) {
	r := disabledFor(t, answering(t, ""))
	r.post(order)
	for _, of := range []string{"New", "Packed"} {
		a := r.rehearse(of, calling).want(200)
		equals(t, "steps", fmt.Sprint(outlook(a)), "[Skipped: the workflow of the order's type is disabled]")
	}
}

// A run that was under way goes on with the settings that it began with, and one
// that is resumed with those of now.
func TestAResumedRunHeedsThatTheWorkflowIsDisabled(t *testing.T) {
	s := answering(t, canceled, "")
	r := lease(t)
	doc := config(status("New", step{Host: s.URL, Stop: true}))
	r.settings(doc)
	res := r.post(order).is("isAborted", true)
	r.clock.Advance(time.Second) // so that the record tells the settings apart
	r.settings(strings.Replace(doc, `"default":true`, `"default":true,"disableWorkflow":true`, 1))
	r.call("POST", "/api/runs/"+res.text("runId")+"/resume", "").want(200)
	r.until("the run has ended", func() bool { return r.get("/api/runs/"+res.text("runId")).text("status") == "succeeded" })
	equals(t, "calls", len(s.got()), 1)
}
