package contract

import (
	"strings"
	"testing"
)

// docs/contract.md#effects.

func TestSeveralResultsInOneAnswer(t *testing.T) {
	for _, row := range []struct {
		name, results  string
		status, reason any
		aborted        bool // with StopOnError
	}{
		{"all succeed", `{"ActionStatus":"Success"},{}`, "Success", nil, false},
		{"the worst status is the step's: Warning", `{"ActionStatus":"Success"},{"ActionStatus":"Warning","ErrorReason":"a"},{}`, "Warning", "a", false},
		{"the worst status is the step's: Error", `{"ActionStatus":"Error","ErrorReason":"a"},{"ActionStatus":"Warning"},{"ActionStatus":"Success"}`, "Error", "a", false},
		{"all reasons are kept", `{"ActionStatus":"Warning","ErrorReason":"new customer"},{"ActionStatus":"Error","ErrorReason":"no stock"}`, "Error", "new customer; no stock", false},
		{"a reason of a success too", `{"ActionStatus":"Success","ErrorReason":"checked by hand"}`, "Success", "checked by hand", false},
		{"any CancelWorkflow counts: the first", `{"CancelWorkflow":true,"ErrorReason":"a"},{"ActionStatus":"Success","ErrorReason":"b"}`, "Error", "a; b", true},
		{"any CancelWorkflow counts: the last", `{"ActionStatus":"Success"},{"cancelWorkflow":true}`, "Error", noReason, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := answering(t, `{"OrderActionExecutionResults":[`+row.results+`]}`)
			_, res := placed(t, step{Host: s.URL, Stop: true})
			res.is("orderActionExecutionResults[0].actionStatus", row.status).is("orderActionExecutionResults[0].errorReason", row.reason)
			res.is("orderActionExecutionResults[0].cancelWorkflow", row.aborted).is("isAborted", row.aborted)
			res.is("orderActionExecutionResults[1]", nil)
		})
	}
}

func TestTheStepsResult(t *testing.T) {
	s := answering(t, answerWith(`{"CustomerName":"Kari Hansen"}`))
	_, res := placed(t, step{Host: s.URL, More: `,"TranslateKey":"steps.name","isInvisible":true`})
	const first = "orderActionExecutionResults[0]."
	for path, want := range map[string]any{
		"step": "WebhookWorkflowStep", "actionType": "Export", "actionStatus": "Success", "cancelWorkflow": false, "errorReason": nil,
		"isInvisible": true, "translateKey": "steps.name", "attempts": 1,
		"changes[0].path": "customerName", "changes[0].before": "Kari Nordmann", "changes[0].after": "Kari Hansen", "changes[1]": nil,
	} {
		res.is(first+path, want)
	}
	s = answering(t, `{"OrderActionExecutionResults":[{"TranslateKey":"steps.first"},{"TranslateKey":"steps.answered"},{"TranslateKey":""}]}`)
	_, other := placed(t, step{Host: s.URL, More: `,"TranslateKey":"steps.name"`})
	other.is(first+"translateKey", "steps.answered")
	if id, _ := res.at(first + "callId").(string); !strings.HasPrefix(id, "call_") {
		t.Errorf("callId %q", id)
	}
	if id, _ := res.at("runId").(string); !strings.HasPrefix(id, "run_") {
		t.Errorf("runId %q", id)
	}
}
