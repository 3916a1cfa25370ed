package oms

import "github.com/go-json-experiment/json/jsontext"

// exampleWorkflowFailed is the data of a workflow_failed: a run of three steps that
// the second stopped.
func exampleWorkflowFailed() jsontext.Value {
	order := &Order{Doc: exampleOrder(StatusNew)}
	run := &Run{ID: "run_019aa4c1f0d27b1e9c3a5d70e8b6f412", OrderID: order.Doc.Text("id"), Status: RunAborted, EnteredStatus: StatusNew,
		Position: Position{Step: 1}, Results: []StepResult{{}, {Step: "WebhookWorkflowStep", DisplayName: "Fraud check",
			ActionStatus: ActionError, ErrorReason: "fraud suspected", CallID: "call_019aa4c1f1487a60b3d2f5c86e90a714"}, {}}}
	run.Reason = run.StepName(1) + ": fraud suspected"
	return WorkflowFailedEvent(run, order, exampleTime).Data
}

// exampleDeliveryFailed is the data of a delivery_failed: which event did not
// get to which endpoint, and what the last attempt came to.
func exampleDeliveryFailed() jsontext.Value {
	d := &Delivery{DeliveryKey: DeliveryKey{Endpoint: 3}, EventID: "evt_019aa4c1f2b07d3e8a6c94e05b7f1d22", EventType: TypeOrderCompleted,
		EndpointID: exampleEndpointID, OrderID: exampleOrder(StatusNew).Text("id"), Attempts: 6, LastStatus: 503, LastError: "answered 503 Service Unavailable"}
	return DeliveryFailedEvent(d, exampleTime).Data
}
