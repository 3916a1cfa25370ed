package oms

import "github.com/go-json-experiment/json/jsontext"

// exampleWorkflowFailed is the data of a workflow_failed: the run, its order, and
// the steps that failed.
func exampleWorkflowFailed() jsontext.Value {
	failed := NewObject(Member{"step", "WebhookWorkflowStep"}, Member{"displayName", "Fraud check"}, Member{"position", Number("2")},
		Member{"message", "fraud suspected"})
	return NewObject(
		Member{"orderId", exampleOrder(StatusNew).Text("id")},
		Member{"runId", "run_019aa4c1f0d27b1e9c3a5d70e8b6f412"},
		Member{"status", StatusNew},
		Member{"runStatus", string(RunAborted)},
		Member{"reason", "Fraud check (step 2 of 3, WebhookWorkflowStep): fraud suspected"},
		Member{"step", "WebhookWorkflowStep"},
		Member{"displayName", "Fraud check"},
		Member{"position", Number("2")},
		Member{"errors", []any{failed}},
	).JSON()
}

// exampleDeliveryFailed is the data of a delivery_failed: which event did not
// get to which endpoint, and what the last attempt came to.
func exampleDeliveryFailed() jsontext.Value {
	const event = "evt_019aa4c1f2b07d3e8a6c94e05b7f1d22"
	return NewObject(
		Member{"deliveryId", deliveryID(event, 3)},
		Member{"eventId", event},
		Member{"eventType", TypeOrderCompleted},
		Member{"endpointId", exampleEndpointID},
		Member{"orderId", exampleOrder(StatusNew).Text("id")},
		Member{"attempts", Number("6")},
		Member{"lastStatus", Number("503")},
		Member{"lastError", "unexpected status 503"},
	).JSON()
}
