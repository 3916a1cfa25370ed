package oms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/oms"
)

// CONTRACT.md, "Event notifications": workflow_failed.

func TestAStepIsNamedWithItsPlace(t *testing.T) {
	r := &oms.Run{Results: []oms.StepResult{{Step: "WebhookWorkflowStep"}, {Step: "WebhookWorkflowStep", DisplayName: "Fraud check"}, {Step: "ExportOrder"}}}
	for i, want := range []string{"WebhookWorkflowStep (step 1 of 3)", "Fraud check (step 2 of 3, WebhookWorkflowStep)", "ExportOrder (step 3 of 3)"} {
		if got := r.StepName(i); got != want {
			t.Errorf("step %d is %q, want %q", i, got, want)
		}
	}
}

// failing is a run of three steps, the second of which failed.
func failing(status oms.RunStatus) *oms.Run {
	return &oms.Run{ID: "run_1", OrderID: "O1", Status: status, EnteredStatus: "New", Reason: "why", Position: oms.Position{Step: 2},
		Results: []oms.StepResult{{Step: "A", ActionStatus: oms.ActionWarning}, {Step: "B", DisplayName: "Bee", ActionStatus: oms.ActionError, ErrorReason: "no", CallID: "call_1"}, {Step: "C"}}}
}

func TestWhichRunsFailed(t *testing.T) {
	for _, status := range []oms.RunStatus{oms.RunSucceeded, oms.RunCanceled, oms.RunSuperseded} {
		r := failing(status)
		if !r.WorkflowFailed() {
			t.Errorf("%s with a step that failed did not", status)
		}
		if r.Results[1].ActionStatus = oms.ActionWarning; r.WorkflowFailed() {
			t.Errorf("%s without one did", status)
		}
	}
	for _, status := range []oms.RunStatus{oms.RunAborted, oms.RunFailed} {
		if !(&oms.Run{Status: status}).WorkflowFailed() {
			t.Errorf("%s did not fail", status)
		}
	}
}

func TestTheEventOfARunThatFailed(t *testing.T) {
	order := &oms.Order{ID: "O1", Doc: doc(t, `{"subscriptionId":"SUB"}`)}
	e := oms.WorkflowFailedEvent(failing(oms.RunSucceeded), order, noon)
	same(t, doc(t, string(e.Data)), `{"orderId":"O1","runId":"run_1","status":"New","runStatus":"succeeded","reason":"why","step":"B","displayName":"Bee","position":2,
	 "errors":[{"step":"B","displayName":"Bee","position":2,"message":"no","callId":"call_1"}]}`)

	r := failing(oms.RunAborted)
	r.ShipmentID, r.ReturnID = "S1", "R1"
	e = oms.WorkflowFailedEvent(r, order, noon)
	same(t, doc(t, string(e.Data)), `{"orderId":"O1","runId":"run_1","status":"New","runStatus":"aborted","reason":"why","shipmentId":"S1","returnId":"R1","step":"C","position":3,
	 "errors":[{"step":"B","displayName":"Bee","position":2,"message":"no","callId":"call_1"}]}`)
	e.ID = ""
	want := &oms.Event{Type: "workflow_failed", Subject: oms.Subject{Kind: "order", ID: "O1"}, Timestamp: noon, Data: e.Data,
		Related: oms.Related{OrderID: "O1", ShipmentID: "S1", ReturnID: "R1", SubscriptionID: "SUB"}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("the event (-want +got):\n%s", diff)
	}
}
