package decide

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
func (b *builder) forward(from int) {
	configured := statusOf(b.Settings, b.run)
	for i := from; i < len(b.run.Results); i++ {
		if b.rests(i) {
			b.run.Status = oms.RunWaiting
			b.comeTo(oms.Position{Step: i, Attempt: 1, DueAt: b.Now.Add(deferDelay)}, configured)
			return
		}
		if b.needsCall(i, &configured.Steps[b.run.Results[i].ConfigIndex]) {
			b.run.Status = oms.RunRunning
			b.comeTo(oms.Position{Step: i, CallID: b.NewID(oms.CallID), Attempt: 1, DueAt: b.Now}, configured)
			return
		}
	}
	b.end(oms.RunSucceeded, "")
}

// comeTo takes the run to the step whose first attempt is next. With the first
// of them begins the time that the whole run has.
func (b *builder) comeTo(p oms.Position, status *settings.Status) {
	if most := status.MaxDuration; most > 0 && b.run.Deadline.IsZero() {
		b.run.Deadline = b.Now.Add(most)
	}
	b.run.Position = p
	if p.CallID != "" {
		b.run.Results[p.Step].CallID = p.CallID
	}
}

// rests reports whether the run has yet to wait before step i. The first
// deferred step waits, and those after it follow it. What becomes of it is
// decided then, by the order as it is afterwards, if the run still goes on. A
// dry run waits for nothing.
func (b *builder) rests(i int) bool {
	rested := b.run.Position.CallID == "" && !b.run.Position.DueAt.IsZero()
	return b.Rehearsal == Real && b.run.Results[i].Deferred && !rested &&
		!slices.ContainsFunc(b.run.Results[:i], func(r oms.StepResult) bool { return r.Deferred && r.CallID != "" })
}

// needsCall reports whether step i makes a call of this run's; one that does not
// is over with.
func (b *builder) needsCall(i int, step *settings.Step) bool {
	r := &b.run.Results[i]
	if reason := b.skipped(i, step); reason != "" {
		r.ActionStatus, r.ErrorReason = oms.ActionSkipped, reason
		b.note(oms.HistoryEntry{Operation: oms.OpStepSkipped, Step: r.Step, Message: b.about(i, "the step was skipped: "+reason)})
		return false
	}
	to, ok := b.Settings.Target(step, b.doc.Text("marketId"))
	switch {
	case !ok:
		b.connectorNotFound(i, step)
	case b.Rehearsal == WithoutCalls, b.Rehearsal == WithCalls && is(step, settings.ExportOrderStep): // nothing leaves a dry run but its calls
		r.ActionStatus = oms.ActionWouldRun
	case is(step, settings.ExportOrderStep):
		b.export(i, step, to)
	default:
		return true
	}
	return false
}

// connectorNotFound is an error that never stops the workflow, StopOnError or
// not (order-workflow-step.txt, "Behavior").
func (b *builder) connectorNotFound(i int, step *settings.Step) {
	reason := fmt.Sprintf("connector not found: %s", step.Connector)
	if step.ConnectorID != "" {
		reason += fmt.Sprintf(" with the ConnectorId %s", step.ConnectorID)
	}
	b.fail(i, reason, nil)
}

// fail gives a step the result Error, and leaves the error on the order and in
// its history, there with what its patch changed all the same.
func (b *builder) fail(i int, reason string, changes []oms.Change) {
	r := &b.run.Results[i]
	r.ActionStatus, r.ErrorReason = oms.ActionError, reason
	b.addError(i, reason)
	b.note(oms.HistoryEntry{Operation: oms.OpStepFailed, Step: r.Step, CallID: r.CallID, Message: b.about(i, reason) + untaken(r.Warnings), IsError: true,
		Changes: changes, Warnings: r.Warnings})
}

// addError leaves the error of a step on the order (CONTRACT.md, "Errors on an
// order"), and in the log.
func (b *builder) addError(i int, reason string) {
	r := b.run.Results[i]
	oms.AddError(b.edit(), oms.OrderError{Key: r.Step, DisplayName: r.DisplayName, Message: b.about(i, reason),
		ReferenceID: b.run.ScopeID(), RunID: b.run.ID}, b.Now)
	b.tell("a workflow step failed", "step", b.run.StepName(i), "call", r.CallID, "attempt", b.attemptID(), "reason", clip(reason))
}

// about is what a history entry or an error says of step i: its name, and what
// happened.
func (b *builder) about(i int, what string) string { return b.run.StepName(i) + ": " + what }

// attemptID is the attempt that the decision applies; "" for none.
func (b *builder) attemptID() string {
	if b.d.Attempt == nil {
		return ""
	}
	return b.d.Attempt.ID
}

// end ends the run, and enters the status that one of its steps asked for.
func (b *builder) end(status oms.RunStatus, reason string) {
	run := b.run
	run.Status, run.Reason, run.Ended = status, reason, &b.Now
	for i := range run.Results {
		if r := &run.Results[i]; r.ActionStatus == oms.ActionPending {
			r.ActionStatus, r.ErrorReason = oms.ActionSkipped, "the run ended before it"
			if r.CallID != "" {
				r.ErrorReason = "the run ended before its call was answered"
			}
		}
	}
	if status == oms.RunSucceeded {
		if run.Trigger == "" && (run.ShipmentID != "" || run.ShipmentsMoved) {
			run.Trigger = b.mainStatus()
		}
	} else {
		b.note(oms.HistoryEntry{Operation: oms.OpRunEnded, Status: b.doc.Text("status"), IsError: status == oms.RunAborted,
			Message: fmt.Sprintf("the workflow of %s was %s: %s", run.EnteredStatus, status, reason)})
	}
	if status == oms.RunAborted {
		b.tell("a workflow run was aborted", "status", run.EnteredStatus, "attempt", b.attemptID(), "reason", clip(reason))
		if run.ReturnID != "" {
			b.cancelReturn(run.ReturnID, "the return was cancelled, as its workflow was aborted: its quantities can be returned again")
		}
	}
	if run.Trigger != "" && (status == oms.RunSucceeded || status == oms.RunAborted) {
		b.trigger()
	}
}

// trigger enters the status that TriggerNewStatus names, or the mainOrderStatus
// of the order's shipments, with its workflow.
func (b *builder) trigger() {
	run := b.run
	if run.Chain >= maxChain {
		reason := fmt.Sprintf("the status %s, which the run was to trigger, was not entered: %d runs had triggered one another", run.Trigger, maxChain)
		oms.AddError(b.edit(), oms.OrderError{Key: "TriggerNewStatus", Message: reason, ReferenceID: run.ScopeID(), RunID: run.ID}, b.Now)
		b.tell("a status was not entered", "status", run.Trigger, "reason", reason)
		b.note(oms.HistoryEntry{Operation: oms.OpStepFailed, Message: reason, IsError: true})
		return
	}
	b.setStatus(run.Trigger)
	next := scope{status: run.Trigger}
	if b.Settings.ReturnStatus(next.status) != nil {
		next.returnID = run.ReturnID
	}
	b.d.Next = b.plan(next)
	b.d.Next.Chain = run.Chain + 1
	run.Triggered = b.d.Next.ID
}
