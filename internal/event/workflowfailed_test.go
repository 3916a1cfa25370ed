package event_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/run"
)

// docs/contract.md#event-types: workflow_failed.

func TestAStepIsNamedWithItsPlace(t *testing.T) {
	r := &run.Run{Results: []run.StepResult{{Step: "WebhookWorkflowStep"}, {Step: "WebhookWorkflowStep", DisplayName: "Fraud check"}, {Step: "ExportOrder"}}}
	for i, want := range []string{"WebhookWorkflowStep (step 1 of 3)", "Fraud check (step 2 of 3, WebhookWorkflowStep)", "ExportOrder (step 3 of 3)"} {
		if got := r.StepName(i); got != want {
			t.Errorf("step %d is %q, want %q", i, got, want)
		}
	}
}

// failing is a run of three steps, the second of which failed.
func failing(status run.RunStatus) *run.Run {
	return &run.Run{ID: "run_1", OrderID: "O1", Status: status, EnteredStatus: "New", Reason: "why", Position: run.Position{Step: 2},
		Results: []run.StepResult{{Step: "A", ActionStatus: run.ActionWarning}, {Step: "B", DisplayName: "Bee", ActionStatus: run.ActionError, ErrorReason: "no", CallID: "call_1"}, {Step: "C"}}}
}

func TestWhichRunsFailed(t *testing.T) {
	for _, status := range []run.RunStatus{run.RunSucceeded, run.RunCanceled, run.RunSuperseded} {
		r := failing(status)
		if !r.WorkflowFailed() {
			t.Errorf("%s with a step that failed did not", status)
		}
		if r.Results[1].ActionStatus = run.ActionWarning; r.WorkflowFailed() {
			t.Errorf("%s without one did", status)
		}
	}
	for _, status := range []run.RunStatus{run.RunAborted, run.RunFailed} {
		if !(&run.Run{Status: status}).WorkflowFailed() {
			t.Errorf("%s did not fail", status)
		}
	}
}

func TestTheEventOfARunThatFailed(t *testing.T) {
	order := &order.Order{ID: "O1", Doc: ordertest.Doc(t, `{"subscriptionId":"SUB"}`)}
	e := event.WorkflowFailedEvent(failing(run.RunSucceeded), order, ordertest.Noon)
	ordertest.Same(t, ordertest.Doc(t, string(e.Data)), `{"orderId":"O1","runId":"run_1","status":"New","runStatus":"succeeded","reason":"why","step":"B","displayName":"Bee","position":2,
	 "errors":[{"step":"B","displayName":"Bee","position":2,"message":"no","callId":"call_1"}]}`)

	r := failing(run.RunAborted)
	r.ShipmentID, r.ReturnID = "S1", "R1"
	e = event.WorkflowFailedEvent(r, order, ordertest.Noon)
	ordertest.Same(t, ordertest.Doc(t, string(e.Data)), `{"orderId":"O1","runId":"run_1","status":"New","runStatus":"aborted","reason":"why","shipmentId":"S1","returnId":"R1","step":"C","position":3,
	 "errors":[{"step":"B","displayName":"Bee","position":2,"message":"no","callId":"call_1"}]}`)
	e.ID = ""
	want := &event.Event{Type: "workflow_failed", Subject: event.Subject{Kind: "order", ID: "O1"}, Timestamp: ordertest.Noon, Data: e.Data,
		Related: event.Related{OrderID: "O1", ShipmentID: "S1", ReturnID: "R1", SubscriptionID: "SUB"}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("the event (-want +got):\n%s", diff)
	}
}
