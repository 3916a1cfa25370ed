package oms

import (
	"slices"
	"strconv"
	"time"
)

// WorkflowFailed reports whether a run that has ended is one that workflow_failed
// tells of: it was aborted or could not go on, or a step of it failed
// (CONTRACT.md, "Event notifications").
func (r *Run) WorkflowFailed() bool {
	return r.Status == RunAborted || r.Status == RunFailed || r.failedStep() >= 0
}

// failedStep returns the step that stopped the run, else the first that failed;
// -1 if none did.
func (r *Run) failedStep() int {
	at := r.Position.Step
	if (r.Status == RunAborted || r.Status == RunFailed) && at < len(r.Results) {
		return at
	}
	return slices.IndexFunc(r.Results, func(s StepResult) bool { return s.ActionStatus == ActionError })
}

// WorkflowFailedEvent tells that a run of an order failed. It holds the ids that
// lead to the run and to the attempts of its failed steps.
func WorkflowFailedEvent(run *Run, order *Order, now time.Time) *Event {
	data := NewObject(Member{"orderId", run.OrderID}, Member{"runId", run.ID}, Member{"status", run.EnteredStatus},
		Member{"runStatus", string(run.Status)})
	setText(data, "reason", run.Reason)
	setText(data, "shipmentId", run.ShipmentID)
	setText(data, "returnId", run.ReturnID)
	if i := run.failedStep(); i >= 0 {
		nameStep(data, run, i)
	}
	data.Set("errors", failedSteps(run))
	related := Related{OrderID: run.OrderID, ShipmentID: run.ShipmentID, ReturnID: run.ReturnID, SubscriptionID: order.Doc.Text("subscriptionId")}
	return &Event{ID: NewID(EventID), Type: TypeWorkflowFailed, Subject: Subject{SubjectOrder, run.OrderID}, Related: related, Timestamp: now, Data: data.JSON()}
}

// failedSteps is the errors of a run's steps.
func failedSteps(run *Run) []any {
	errors := []any{}
	for i, s := range run.Results {
		if s.ActionStatus == ActionError {
			e := &Object{}
			nameStep(e, run, i)
			e.Set("message", s.ErrorReason)
			setText(e, "callId", s.CallID)
			errors = append(errors, e)
		}
	}
	return errors
}

func nameStep(o *Object, run *Run, i int) {
	o.Set("step", run.Results[i].Step)
	setText(o, "displayName", run.Results[i].DisplayName)
	o.Set("position", Number(strconv.Itoa(i+1)))
}

func setText(o *Object, name, value string) {
	if value != "" {
		o.Set(name, value)
	}
}
