package event

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
)

// exampleWorkflowFailed is the data of a workflow_failed: a run of three steps that
// the second stopped.
func exampleWorkflowFailed() jsontext.Value {
	o := &order.Order{Doc: exampleOrder(order.StatusNew)}
	run := &run.Run{ID: "run_019aa4c1f0d27b1e9c3a5d70e8b6f412", OrderID: o.Doc.Text("id"), Status: run.RunAborted, EnteredStatus: order.StatusNew,
		Position: run.Position{Step: 1}, Results: []run.StepResult{{}, {Step: "WebhookWorkflowStep", DisplayName: "Fraud check",
			ActionStatus: run.ActionError, ErrorReason: "fraud suspected", CallID: "call_019aa4c1f1487a60b3d2f5c86e90a714"}, {}}}
	run.Reason = run.StepName(1) + ": fraud suspected"
	return WorkflowFailedEvent(run, o, exampleTime).Data
}

// exampleDeliveryFailed is the data of a delivery_failed: which event did not
// get to which endpoint, and what the last attempt came to. It is put together as the event
// of a real one is.
func exampleDeliveryFailed() jsontext.Value {
	d := &Delivery{DeliveryKey: DeliveryKey{Endpoint: 3}, EventID: "evt_019aa4c1f2b07d3e8a6c94e05b7f1d22", EventType: TypeOrderCompleted,
		EndpointID: exampleEndpointID, OrderID: exampleOrder(order.StatusNew).Text("id"), Attempts: 6, LastStatus: 503, LastError: "answered 503 Service Unavailable"}
	return DeliveryFailedEvent(d, exampleTime).Data
}
