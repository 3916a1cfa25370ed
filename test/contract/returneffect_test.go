package contract

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// docs/contract.md#effects, docs/contract.md#retries and docs/contract.md#settings.

func TestReturnSuccessBodies(t *testing.T) {
	for name, body := range map[string]string{
		"empty body": "", "empty object": "{}", "a success": success, "a success without a patch": `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],"OrderPatch":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, next := answering(t, body), answering(t, "")
			r := returning(t, step{Host: s.URL, Stop: true}, step{Host: next.URL})
			res := r.giveBack("1").is("isAborted", false).is("order.status", "PartiallyReturned").is("order.errors", nil).is("order.version", 2)
			res.is("orderActionExecutionResults[0].actionStatus", "Success").is("orderActionExecutionResults[0].step", returnStep)
			res.is("orderActionExecutionResults[0].actionType", "Export")
			equals(t, "calls of the next step", len(next.got()), 1)
		})
	}
}

func TestReturnBehavior(t *testing.T) {
	const patched = `"OrderPatch":{"Status":"Inspected","Tags":["inspected"]}`
	cancel := `{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"box is empty"}],` + patched + `}`
	for _, row := range []struct {
		name    string
		step    step
		answer  func(http.ResponseWriter, int)
		result  string
		reason  any
		status  string
		tags    []string
		error   bool
		aborted bool
		entry   string
	}{
		{name: "HTTP 200, no CancelWorkflow", answer: replying(200, success), result: "Success", status: "Returned", tags: []string{"first"}, entry: "ExecuteExportOrder"},
		{name: "HTTP 200 with OrderPatch", answer: replying(200, "{"+patched+"}"), result: "Success", status: "Inspected", tags: []string{"first", "inspected"}, entry: "ExecuteExportOrder"},
		{name: "CancelWorkflow and StopOnError", step: step{Stop: true, ErrorStatus: "ReturnFailed"}, answer: replying(200, cancel),
			result: "Error", reason: "box is empty", status: "ReturnFailed", tags: []string{"first", "inspected"}, error: true, aborted: true, entry: "WorkflowStepFailed"},
		{name: "CancelWorkflow and StopOnError, no ErrorStatus", step: step{Stop: true}, answer: replying(200, cancel),
			result: "Error", reason: "box is empty", status: "Returned", tags: []string{"first", "inspected"}, error: true, aborted: true, entry: "WorkflowStepFailed"},
		{name: "CancelWorkflow, no StopOnError", step: step{ErrorStatus: "ReturnFailed"}, answer: replying(200, cancel),
			result: "Warning", reason: "box is empty", status: "Inspected", tags: []string{"first", "inspected"}, entry: "WorkflowStepWarning"},
		{name: "Connector not found", step: step{ID: "gone", Stop: true, ErrorStatus: "ReturnFailed"},
			result: "Error", reason: "connector not found: Webhook with the ConnectorId gone", status: "Returned", tags: []string{"first"}, error: true, entry: "WorkflowStepFailed"},
		{name: "failed, StopOnError", step: step{Stop: true, ErrorStatus: "ReturnFailed"}, answer: replying(500, ""),
			result: "Error", reason: "answered 500 Internal Server Error", status: "ReturnFailed", tags: []string{"first"}, error: true, aborted: true, entry: "WorkflowStepFailed"},
		{name: "failed, no StopOnError", answer: replying(400, ""),
			result: "Error", reason: "answered 400 Bad Request", status: "Returned", tags: []string{"first"}, error: true, entry: "WorkflowStepFailed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			next := answering(t, "")
			if row.answer != nil {
				row.step.Host = endpoint(t, row.answer).URL
			}
			r := returning(t, row.step, step{Host: next.URL})
			res := r.giveBack("2").is("isAborted", row.aborted).is("order.status", row.status).is("order.tags", row.tags)
			res.is("orderActionExecutionResults[0].actionStatus", row.result).is("orderActionExecutionResults[0].errorReason", row.reason)
			equals(t, "the workflow goes on", len(next.got()) == 1, !row.aborted)
			res.is("order.errors[0].key", map[bool]any{true: returnStep, false: nowhere}[row.error]).is("order.errors[1]", nowhere)
			e := r.history(row.entry)[0]
			equals(t, "entry", fmt.Sprint(e.Step, e.IsError, e.RunID), fmt.Sprint(returnStep, row.error, res.at("runId")))
			if reason, _ := row.reason.(string); !strings.Contains(e.Message, reason) {
				t.Errorf("entry %q does not say %q", e.Message, reason)
			}
		})
	}
}

func TestReturnRetryPolicy(t *testing.T) {
	waits := []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}
	for _, row := range []struct {
		name     string
		answer   func(http.ResponseWriter, int)
		attempts int
	}{
		{"a non-success status", replying(500, ""), 4},
		{"an unauthorized one", replying(401, ""), 4},
		{"a network error", hijacked(t, func(*net.TCPConn) {}), 4},
		{"success at last", func(w http.ResponseWriter, n int) { w.WriteHeader([]int{502, 503, 200}[n]) }, 3},
		{"400", replying(400, ""), 1},
		{"404", replying(404, ""), 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := endpoint(t, row.answer)
			r := returning(t, step{Host: s.URL})
			r.giveBack("1").is("orderActionExecutionResults[0].attempts", row.attempts)
			equals(t, "waits", r.clock.Waits(), waits[:row.attempts-1])
			equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), []string{"1", "2", "3", "4"}[:row.attempts])
			for i, most := range s.each("X-Max-Delivery-Count") {
				equals(t, "X-Max-Delivery-Count", most, "4")
				equals(t, "Idempotency-Key", s.each("Idempotency-Key")[i], s.each("Idempotency-Key")[0])
			}
		})
	}
}

func TestReturnConnectorsTimeout(t *testing.T) {
	g, r := holding(t), lease(t)
	doc := with(config(), returnStatuses(step{Stop: true, ErrorStatus: "ReturnFailed"}))
	r.settings(with(doc, connectors(connector(g.URL, `,"Timeout":"00:00:00.1","disableStandardErrorPolicy":true`))))
	r.post(order)
	r.giveBack("1").is("order.status", "ReturnFailed").is("orderActionExecutionResults[0].errorReason", "timed out after 100ms")
	equals(t, "X-Max-Delivery-Count", g.each("X-Max-Delivery-Count"), []string{"1"})
}

func TestReturnStepAfterTheOrderIsSaved(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["later"]}`))
	r := returning(t, step{Host: s.URL, Deferred: true})
	r.clock.Hold()
	res := r.giveBack("1").is("orderActionExecutionResults[0].actionStatus", "Pending").is("order.status", "PartiallyReturned")
	r.get(theOrder).is("returnOrderForms[0].returnId", res.at("returnId"))
	equals(t, "calls", len(s.got()), 0)
	r.clock.Release()
	r.ended().is("items[0].returnId", res.at("returnId")).is("items[0].status", "succeeded")
	equals(t, "waits", r.clock.Waits(), []time.Duration{time.Second})
	is(t, s.only(t).Body, "ReturnOrderFormId", res.at("returnId"))
	r.get(theOrder).is("tags", []string{"first", "later"})
}
