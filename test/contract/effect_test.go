package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// docs/contract.md#effects.

// patch is what the endpoints of effects ask for.
const patch = `{"Status":"Validated","Tags":["fraud-checked"],"Properties":[{"Key":"ValidationScore","Value":"95"}]}`

// reporting is an answer with a result and that patch.
func reporting(result string) string {
	return `{"OrderActionExecutionResults":[` + result + `],"OrderPatch":` + patch + `}`
}

// effect is one row of the table, and what it leaves behind.
type effect struct {
	name   string
	answer func(http.ResponseWriter, int) // of the first step's endpoint
	stop   bool
	gone   bool // the step's connector is not there

	result    string // actionStatus
	reason    string
	status    string // of the order
	patched   bool
	error     bool   // on the order
	operation string // of the history entry
	aborted   bool
}

const noReason = "the endpoint gave no reason"

var effects = []effect{
	{name: "answered, no CancelWorkflow, no result", answer: replying(200, `{"OrderPatch":`+patch+`}`), stop: true,
		result: "Success", status: "Validated", patched: true, operation: "ExecuteExportOrder"},
	{name: "answered Success", answer: replying(200, reporting(`{"ActionStatus":"Success"}`)),
		result: "Success", status: "Validated", patched: true, operation: "ExecuteExportOrder"},
	{name: "answered Warning", answer: replying(200, reporting(`{"ActionStatus":"Warning","ErrorReason":"address is new"}`)), stop: true,
		result: "Warning", reason: "address is new", status: "Validated", patched: true, operation: "ExecuteExportOrder"},
	{name: "answered Error, no CancelWorkflow", answer: replying(200, reporting(`{"ActionStatus":"Error","ErrorReason":"no stock"}`)), stop: true,
		result: "Error", reason: "no stock", status: "Validated", patched: true, error: true, operation: "ExecuteExportOrder"},
	{name: "CancelWorkflow, StopOnError", answer: replying(200, reporting(`{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"Shipping address could not be validated"}`)), stop: true,
		result: "Error", reason: "Shipping address could not be validated", status: "ValidationFailed", patched: true, error: true, operation: "WorkflowStepFailed", aborted: true},
	{name: "CancelWorkflow without a reason, StopOnError", answer: replying(200, reporting(`{"ActionStatus":"Success","CancelWorkflow":true}`)), stop: true,
		result: "Error", reason: noReason, status: "ValidationFailed", patched: true, error: true, operation: "WorkflowStepFailed", aborted: true},
	{name: "CancelWorkflow, no StopOnError", answer: replying(200, reporting(`{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"too new"}`)),
		result: "Warning", reason: "too new", status: "Validated", patched: true, operation: "WorkflowStepWarning"},
	{name: "failed, StopOnError", answer: replying(503, ""), stop: true,
		result: "Error", reason: "answered 503 Service Unavailable", status: "ValidationFailed", error: true, operation: "WorkflowStepFailed", aborted: true},
	{name: "failed, no StopOnError", answer: replying(503, ""),
		result: "Error", reason: "answered 503 Service Unavailable", status: "New", error: true, operation: "WorkflowStepFailed"},
	{name: "connector not found, StopOnError", gone: true, stop: true,
		result: "Error", reason: "connector not found: Webhook with the ConnectorId gone", status: "New", error: true, operation: "WorkflowStepFailed"},
	{name: "connector not found, no StopOnError", gone: true,
		result: "Error", reason: "connector not found: Webhook with the ConnectorId gone", status: "New", error: true, operation: "WorkflowStepFailed"},
}

func TestEffectOfTheCall(t *testing.T) {
	for _, row := range effects {
		t.Run(row.name, func(t *testing.T) {
			next := answering(t, "{}")
			first := step{Stop: row.stop, ErrorStatus: "ValidationFailed", ID: "gone"}
			if !row.gone {
				first.ID, first.Host = "", endpoint(t, row.answer).URL
			}
			// The next step has another key, so that the first one's errors are told apart.
			r, res := placed(t, first, step{Host: next.URL, More: `,"conditions":["Success","Warning","Error"]`})
			row.checkResult(t, res)
			row.checkOrder(t, r)
			row.checkHistory(t, r, res)
			equals(t, "calls of the next step", len(next.got()), map[bool]int{true: 0, false: 1}[row.aborted])
		})
	}
}

func (e effect) checkResult(t *testing.T, res answer) {
	t.Helper()
	const first = "orderActionExecutionResults[0]."
	reason := any(e.reason)
	if e.reason == "" {
		reason = nil
	}
	res.is("isAborted", e.aborted).is(first+"step", "WebhookWorkflowStep").is(first+"actionType", "Export")
	res.is(first+"actionStatus", e.result).is(first+"errorReason", reason)
	res.is(first+"cancelWorkflow", strings.HasPrefix(e.name, "CancelWorkflow"))
	res.is("order.status", e.status)
	res.is("orderActionExecutionResults[1].actionStatus", map[bool]any{true: nowhere, false: "Success"}[e.aborted])
}

func (e effect) checkOrder(t *testing.T, r *rig) {
	t.Helper()
	got := r.get(theOrder).is("status", e.status).is("properties[0].value", "web").is("customField.deep[1].keep", "me")
	if e.patched {
		got.is("tags", []string{"first", "fraud-checked"}).is("properties[1].value", "95")
	} else {
		got.is("tags", []string{"first"}).is("properties[1]", nil)
	}
	if !e.error {
		got.is("errors[0]", nowhere)
		return
	}
	got.is("errors[0].key", "WebhookWorkflowStep").is("errors[0].message", ofStep(1, 2, e.reason)).is("errors[0].severity", "Error").is("errors[1]", nil)
}

func (e effect) checkHistory(t *testing.T, r *rig, res answer) {
	t.Helper()
	h := r.history(e.operation)[0]
	equals(t, "isError", h.IsError, e.error)
	equals(t, "step", h.Step, "WebhookWorkflowStep")
	equals(t, "runId", h.RunID, res.at("runId"))
	if !e.gone {
		equals(t, "callId", h.CallID, res.at("orderActionExecutionResults[0].callId"))
	}
	if !strings.Contains(h.Message, e.reason) {
		t.Errorf("message %q lacks %q", h.Message, e.reason)
	}
	want := map[string]string{}
	if e.patched {
		want = map[string]string{"tags": "[first] -> [first fraud-checked]", "properties[ValidationScore]": "<nil> -> map[key:ValidationScore value:95]"}
	}
	if e.patched && !e.aborted {
		want["status"] = "New -> Validated"
	}
	got := map[string]string{}
	for _, c := range h.Changes {
		got[c.Path] = fmt.Sprintf("%v -> %v", c.Before, c.After)
	}
	equals(t, "changes", got, want)
	e.checkStatusEntry(t, r)
}

// checkStatusEntry checks that a status that became another is in the history as such.
func (e effect) checkStatusEntry(t *testing.T, r *rig) {
	t.Helper()
	var got []string
	for _, h := range r.history("StatusChanged") {
		got = append(got, h.PreviousStatus+" -> "+h.Status)
	}
	want := []string{"New -> " + e.status}
	if e.status == "New" {
		want = nil
	}
	equals(t, "status changes", got, want)
}
