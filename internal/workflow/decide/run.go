package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
)

// runBuilder is a decision about a run, and so about its order, in the making. It changes
// run, a copy, and never the run of the facts.
type runBuilder struct {
	*builder
	run *run.Run // what becomes of it
}

// ofRun begins a decision about a run that exists. The run gets another position unless the
// decision says otherwise.
func ofRun(f Facts) *runBuilder {
	b := ofOrder(f)
	b.returnID = f.Run.ReturnID
	b.d.Run, b.d.Move = f.Run.Clone(), Goes
	return &runBuilder{b, b.d.Run}
}

// unchanged is the decision that nothing becomes of the run: it has ended already.
func (b *runBuilder) unchanged() *Decision {
	b.d.Order, b.d.Move = b.Order, Stays
	return b.d
}

// deferDelay is how long a step with RunAfterOrderIsSaved waits once the
// change is durable (docs/contract.md#waiting).
const deferDelay = time.Second

// maxChain is how many runs may trigger one another with TriggerNewStatus
// (docs/contract.md#effects).
const maxChain = 10

// advance takes the run over all steps that need no call, to the next one that
// does or to the run's end. With the first that is called, or waited for, begins the
// time that the whole run has. A run that ends here may trigger another one.
func (b *runBuilder) advance(from int) {
	status, p := b.Settings.StatusOf(b.run), run.Position{}
	for i := from; i < len(b.run.Results) && p.Attempt == 0; i++ {
		if b.run.Results[i].Deferred && b.delayed(i) {
			b.run.Status = run.RunWaiting
			// A position without a CallID waits for a step and not within one: [Begin]
			// decides about it again when its time has come.
			p = run.Position{Step: i, Attempt: 1, DueAt: b.Now.Add(deferDelay)}
		} else if b.needsCall(i, &status.Steps[b.run.Results[i].ConfigIndex]) {
			b.run.Status = run.RunRunning
			p = run.Position{Step: i, CallID: b.NewID(ids.Call), Attempt: 1, DueAt: b.Now}
			b.run.Results[i].CallID = p.CallID
		}
	}
	// Attempts count from 1, so 0 says that no step is left to call or to wait for.
	if p.Attempt == 0 {
		b.end(run.RunSucceeded, "")
		return
	}
	b.run.Position = p
	// It is set once, so that later steps do not prolong it.
	if status.MaxDuration > 0 && b.run.Deadline.IsZero() {
		b.run.Deadline = b.Now.Add(status.MaxDuration)
	}
}

// delayed reports whether the run has yet to wait before step i, a deferred one. Only the
// first of them waits; those after it follow at once. Whether a step runs is decided after
// the wait, by the order as it is then. A dry run waits for nothing.
func (b *runBuilder) delayed(i int) bool {
	// After its wait the run comes here with the position that it waited at: one that has a
	// time, and no call.
	waited := b.run.Position.CallID == "" && !b.run.Position.DueAt.IsZero()
	return b.DryRun == NoDryRun && !waited &&
		!slices.ContainsFunc(b.run.Results[:i], func(r run.StepResult) bool { return r.Deferred && r.CallID != "" })
}

// needsCall reports whether step i makes a call of this run's; one that does not
// is over with. Such a step was skipped, has no connector, was exported, or is only listed
// by a dry run.
func (b *runBuilder) needsCall(i int, step *settings.Step) bool {
	r := &b.run.Results[i]
	if reason := b.skipped(i, step); reason != "" {
		r.ActionStatus, r.ErrorReason = run.ActionSkipped, reason
		b.note(order.HistoryEntry{Operation: order.OpStepSkipped, Step: r.Step, Message: b.about(i, "the step was skipped: "+reason)})
		return false
	}
	to, ok := b.Settings.Target(step, b.doc.Text("marketId"))
	switch {
	case !ok: // which never stops the workflow, StopOnError or not (docs/contract.md#connectors)
		reason := fmt.Sprintf("connector not found: %s", step.Connector)
		if step.ConnectorID != "" {
			reason += fmt.Sprintf(" with the ConnectorId %s", step.ConnectorID)
		}
		b.fail(i, reason, nil)
	case b.DryRun == WithoutCalls, b.DryRun == WithCalls && is(step, settings.ExportOrderStep): // nothing leaves a dry run but its calls
		r.ActionStatus = run.ActionWouldRun
	case is(step, settings.ExportOrderStep):
		b.exportStep(i, step, to)
	default:
		return true
	}
	return false
}

// fail gives a step the result Error, and leaves the error on the order and in its history.
// The entry there has the changes, too: an answer that stops the workflow has its patch
// applied all the same.
func (b *runBuilder) fail(i int, reason string, changes []order.Change) {
	r := &b.run.Results[i]
	r.ActionStatus, r.ErrorReason = run.ActionError, reason
	b.addError(i, reason)
	b.note(order.HistoryEntry{Operation: order.OpStepFailed, Step: r.Step, CallID: r.CallID, Message: b.about(i, reason) + untaken(r.Warnings), IsError: true,
		Changes: changes, Warnings: r.Warnings})
}

// addError leaves the error of a step on the order
// (docs/contract.md#order-errors), and in the log. The error names the run, so that a
// resume of the run takes off this error and no other.
func (b *runBuilder) addError(i int, reason string) {
	r := b.run.Results[i]
	order.AddError(b.edit(), order.OrderError{Key: r.Step, DisplayName: r.DisplayName, Message: b.about(i, reason),
		ReferenceID: b.run.ScopeID(), RunID: b.run.ID}, b.Now)
	b.warn("a workflow step failed", "step", b.run.StepName(i), "call", r.CallID, "attempt", b.attemptID(), "reason", clip(reason))
}

// about is what a history entry or an error says of step i: its name, and what
// happened.
func (b *runBuilder) about(i int, what string) string { return b.run.StepName(i) + ": " + what }

// attemptID is the attempt that the decision applies; "" for none.
func (b *runBuilder) attemptID() string {
	if b.d.Attempt == nil {
		return ""
	}
	return b.d.Attempt.ID
}

// end ends the run, and enters the status that one of its steps asked for. Steps that it
// did not reach are Skipped, and say why. A run that was canceled, superseded or failed
// starts nothing more: somebody has decided otherwise, or it cannot go on.
func (b *runBuilder) end(status run.RunStatus, reason string) {
	rn := b.run
	rn.Status, rn.Reason, rn.Ended = status, reason, &b.Now
	for i := range rn.Results {
		if r := &rn.Results[i]; r.ActionStatus == run.ActionPending {
			r.ActionStatus, r.ErrorReason = run.ActionSkipped, "the run ended before it"
			if r.CallID != "" {
				r.ErrorReason = "the run ended before its call was answered"
			}
		}
	}
	if status == run.RunSucceeded {
		// What an endpoint asked for comes before what would follow from the shipments.
		if rn.Trigger == "" && (rn.ShipmentID != "" || rn.ShipmentsMoved) {
			rn.Trigger = b.mainStatus()
		}
	} else {
		b.note(order.HistoryEntry{Operation: order.OpRunEnded, Status: b.doc.Text("status"), IsError: status == run.RunAborted,
			Message: fmt.Sprintf("the workflow of %s was %s: %s", rn.EnteredStatus, status, reason)})
	}
	if status == run.RunAborted {
		b.warn("a workflow run was aborted", "status", rn.EnteredStatus, "attempt", b.attemptID(), "reason", clip(reason))
		// What the endpoint refused can be returned once more.
		if rn.ReturnID != "" {
			b.cancelReturn(rn.ReturnID, "the return was cancelled, as its workflow was aborted: its quantities can be returned again")
		}
	}
	if rn.Trigger != "" && (status == run.RunSucceeded || status == run.RunAborted) {
		b.trigger()
	}
}

// TriggerErrorKey is the key of the error that an order gets where the status that a run was
// to enter at its end was not entered.
const TriggerErrorKey = "TriggerNewStatus"

// trigger enters the status that TriggerNewStatus names, or the mainOrderStatus
// of the order's shipments, with its workflow. The new run stands behind all other runs of
// the order. It counts how many triggered one another, since two endpoints may send an
// order in a circle.
func (b *runBuilder) trigger() {
	run := b.run
	if run.Chain >= maxChain {
		reason := fmt.Sprintf("the status %s, which the run was to trigger, was not entered: %d runs had triggered one another", run.Trigger, maxChain)
		order.AddError(b.edit(), order.OrderError{Key: TriggerErrorKey, Message: reason, ReferenceID: run.ScopeID(), RunID: run.ID}, b.Now)
		b.warn("a status was not entered", "status", run.Trigger, "reason", reason)
		b.note(order.HistoryEntry{Operation: order.OpStepFailed, Message: reason, IsError: true})
		return
	}
	b.setStatus(run.Trigger)
	next := scope{status: run.Trigger}
	// A status of the return workflows is for the same return.
	if b.Settings.ReturnStatus(next.status) != nil {
		next.returnID = run.ReturnID
	}
	b.d.Next = b.plan(next)
	b.d.Next.Chain = run.Chain + 1
	run.Triggered = b.d.Next.ID
}
