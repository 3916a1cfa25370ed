package event

import (
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
)

// WorkflowFailedEvent tells that a run of an order failed. It holds the ids that
// lead to the run and to the attempts of its failed steps. Only endpoints that name the
// type in full get it.
func WorkflowFailedEvent(run *run.Run, order *order.Order, now time.Time) *Event {
	data := jsondoc.NewObject(jsondoc.Pair("orderId", run.OrderID), jsondoc.Pair("runId", run.ID), jsondoc.Pair("status", run.EnteredStatus),
		jsondoc.Pair("runStatus", string(run.Status)))
	data.SetText("reason", run.Reason)
	data.SetText("shipmentId", run.ShipmentID)
	data.SetText("returnId", run.ReturnID)
	// A run that failed as a whole may have come to no step.
	if i := run.FailedStep(); i >= 0 {
		nameStep(data, run, i)
	}
	data.Set("errors", failedSteps(run))
	related := Related{OrderID: run.OrderID, ShipmentID: run.ShipmentID, ReturnID: run.ReturnID, SubscriptionID: order.Doc.Text("subscriptionId")}
	return &Event{ID: ids.New(ids.Event), Type: TypeWorkflowFailed, Subject: Subject{SubjectOrder, run.OrderID}, Related: related, Timestamp: now, Data: data.JSON()}
}

// failedSteps is the errors of a run's steps. Each has the id of its call, by which its
// attempts are found.
func failedSteps(r *run.Run) []any {
	errors := []any{}
	for i, s := range r.Results {
		if s.ActionStatus == run.ActionError {
			e := &jsondoc.Object{}
			nameStep(e, r, i)
			e.Set("message", s.ErrorReason)
			e.SetText("callId", s.CallID)
			errors = append(errors, e)
		}
	}
	return errors
}

// nameStep says which step of a run it is: its key, its name for people, and its place from
// 1.
func nameStep(o *jsondoc.Object, run *run.Run, i int) {
	o.Set("step", run.Results[i].Step)
	o.SetText("displayName", run.Results[i].DisplayName)
	o.Set("position", jsondoc.Number(strconv.Itoa(i+1)))
}
