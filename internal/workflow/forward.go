package workflow

import (
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// deferDelay is how long a step with RunAfterOrderIsSaved waits once the
// change is durable (order-workflow-step.txt, "Workflow Step Properties").
const deferDelay = time.Second

// maxChain is how many runs may trigger one another with TriggerNewStatus
// (CONTRACT.md, "Effect of the call").
const maxChain = 10

// forward moves the run over all steps that need no call, to the next one that
// does or to the run's end.
func (t *transition) forward(from int) {
	steps := stepsOf(t.settings, t.run)
	for i := from; i < len(t.run.Results); i++ {
		if t.rests(i) || t.needsCall(i, &steps[t.run.Results[i].ConfigIndex]) {
			t.comeTo(i)
			return
		}
	}
	t.end(oms.RunSucceeded, "")
}

// needsCall reports whether step i makes a call of this run's; one that does not
// is over with.
func (t *transition) needsCall(i int, step *settings.Step) bool {
	if reason := skipped(t.settings, step, t.doc, t.run, t.run.Results[:i]); reason != "" {
		t.skip(i, reason)
		return false
	}
	to, ok := t.settings.Target(step, t.doc.Text("marketId"))
	switch {
	case !ok:
		t.connectorNotFound(i, step)
	case is(step, settings.ExportOrderStep):
		t.export(i, step, to)
	default:
		return true
	}
	return false
}

// comeTo makes step i the one whose first attempt is next.
func (t *transition) comeTo(i int) {
	t.run.Status = oms.RunRunning
	if most := statusOf(t.settings, t.run).MaxDuration; most > 0 && t.run.Deadline.IsZero() {
		t.run.Deadline = t.now.Add(most)
	}
	if t.rests(i) {
		t.run.Status = oms.RunWaiting
		t.run.Position = oms.Position{Step: i, Attempt: 1, DueAt: t.now.Add(deferDelay)}
		return
	}
	t.run.Position = oms.Position{Step: i, CallID: oms.NewID(oms.CallID), Attempt: 1, DueAt: t.now}
	t.run.Results[i].CallID = t.run.Position.CallID
}

// rests reports whether the run has yet to wait before step i. The first
// deferred step waits, and those after it follow it. What becomes of it is
// decided then, by the order as it is afterwards, if the run still goes on. A
// dry run waits for nothing.
func (t *transition) rests(i int) bool {
	rested := t.run.Position.CallID == "" && !t.run.Position.DueAt.IsZero()
	return t.tx != nil && t.run.Results[i].Deferred && !rested &&
		!slices.ContainsFunc(t.run.Results[:i], func(r oms.StepResult) bool { return r.Deferred && r.CallID != "" })
}

func (t *transition) skip(i int, reason string) {
	t.run.Results[i].ActionStatus = oms.ActionSkipped
	t.run.Results[i].ErrorReason = reason
	t.log(oms.HistoryEntry{Operation: oms.OpStepSkipped, Step: t.run.Results[i].Step, Message: t.about(i, "the step was skipped: "+reason)})
}

// connectorNotFound is an error that never stops the workflow, StopOnError or
// not (order-workflow-step.txt, "Behavior").
func (t *transition) connectorNotFound(i int, step *settings.Step) {
	reason := fmt.Sprintf("connector not found: %s", step.Connector)
	if step.ConnectorID != "" {
		reason += fmt.Sprintf(" with the ConnectorId %s", step.ConnectorID)
	}
	t.run.Results[i].ActionStatus = oms.ActionError
	t.run.Results[i].ErrorReason = reason
	t.fail(i, reason, nil)
}

// fail leaves a step's error on the order and in its history, there with what
// its patch changed all the same.
func (t *transition) fail(i int, reason string, changes []oms.Change) {
	r := t.run.Results[i]
	t.addError(i, reason)
	t.log(oms.HistoryEntry{Operation: oms.OpStepFailed, Step: r.Step, CallID: r.CallID, Message: t.about(i, reason) + unread(r.Warnings), IsError: true,
		Changes: changes, Warnings: r.Warnings})
}

// addError leaves the error of a step on the order (CONTRACT.md, "Errors on an
// order"), and in the log.
func (t *transition) addError(i int, reason string) {
	r := t.run.Results[i]
	oms.AddError(t.edit(), oms.OrderError{Key: r.Step, DisplayName: r.DisplayName, Message: t.about(i, reason),
		ReferenceID: t.run.ScopeID(), RunID: t.run.ID}, t.now)
	t.warn("a workflow step failed", "step", t.run.StepName(i), "call", r.CallID, "attempt", t.attemptID(), "reason", clip(reason))
}

// about is what a history entry or an error says of step i: its name, and what
// happened.
func (t *transition) about(i int, what string) string { return t.run.StepName(i) + ": " + what }

// unread is what a message adds about the warnings of a step's answer.
func unread(warnings []oms.Warning) string {
	if len(warnings) == 0 {
		return ""
	}
	return "; not all of the answer was taken: " + oms.WarningText(warnings)
}

// end ends the run, and enters the status that one of its steps asked for.
func (t *transition) end(status oms.RunStatus, reason string) {
	t.run.Status, t.run.Reason, t.run.Ended, t.ended = status, reason, &t.now, true
	for i := range t.run.Results {
		if r := &t.run.Results[i]; r.ActionStatus == oms.ActionPending {
			r.ActionStatus, r.ErrorReason = oms.ActionSkipped, "the run ended before it"
			if r.CallID != "" {
				r.ErrorReason = "the run ended before its call was answered"
			}
		}
	}
	if status != oms.RunSucceeded {
		t.log(oms.HistoryEntry{Operation: oms.OpRunEnded, Status: t.doc.Text("status"), Message: fmt.Sprintf("the workflow of %s was %s: %s", t.run.EnteredStatus, status, reason), IsError: status == oms.RunAborted})
	}
	if status == oms.RunAborted {
		t.warn("a workflow run was aborted", "status", t.run.EnteredStatus, "attempt", t.attemptID(), "reason", clip(reason))
		t.freeReturn()
	}
	if status == oms.RunSucceeded && t.run.Trigger == "" && (t.run.ShipmentID != "" || t.run.ShipmentsMoved) {
		t.run.Trigger = t.mainStatus(t.settings)
	}
	if t.run.Trigger != "" && (status == oms.RunSucceeded || status == oms.RunAborted) {
		t.trigger()
	}
}

// trigger enters the status that TriggerNewStatus names, or the mainOrderStatus
// of the order's shipments, with its workflow.
func (t *transition) trigger() {
	if t.run.Chain >= maxChain {
		reason := fmt.Sprintf("the status %s, which the run was to trigger, was not entered: %d runs had triggered one another", t.run.Trigger, maxChain)
		oms.AddError(t.edit(), oms.OrderError{Key: "TriggerNewStatus", Message: reason, ReferenceID: t.run.ScopeID(), RunID: t.run.ID}, t.now)
		t.warn("a status was not entered", "status", t.run.Trigger, "reason", reason)
		t.log(oms.HistoryEntry{Operation: oms.OpStepFailed, Message: reason, IsError: true})
		return
	}
	t.setStatus(t.run.Trigger)
	next := scope{status: t.run.Trigger}
	if t.settings.ReturnStatus(next.status) != nil {
		next.returnID = t.run.ReturnID
	}
	t.next = plan(t.settings, t.order.ID, t.doc, next, t.now)
	t.next.Chain = t.run.Chain + 1
	t.run.Triggered = t.next.ID
}
