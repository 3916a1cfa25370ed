package decide

import (
	"fmt"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
)

// ByWorkflow is who the history names for what no step and no caller did.
const ByWorkflow = "workflow"

// Begin gives a run that waited for its turn, or for that of its first deferred
// step, its next call, unless it has become pointless meanwhile. The facts are read for it
// anew, so an order that somebody changed in between has its steps skipped or run by what
// it is now.
func Begin(f Facts) *Decision {
	return unlessOvertaken(f, func(b *runBuilder) { b.advance(b.run.Position.Step) })
}

// Wake lets a run that waited in the middle of a call make its next attempt, now, even
// if its time has not come, unless it has become pointless meanwhile. The attempt itself is
// made by the queue of the order, behind this decision.
func Wake(f Facts) *Decision {
	return unlessOvertaken(f, func(b *runBuilder) {
		b.run.Status = run.RunRunning
		if b.run.Position.DueAt.After(b.Now) {
			b.run.Position.DueAt = b.Now
		}
	})
}

// Fail ends a run that cannot go on: with the error of its step, if an attempt
// at the step's call was made. That is for errors of orderhook's own, and for a call that
// has nowhere to go any more. What an endpoint does wrong never comes here.
func Fail(f Facts, reason string, attempt *attempt.Attempt) *Decision {
	d := unlessOvertaken(f, func(b *runBuilder) {
		if attempt != nil {
			r := b.run.Current()
			r.ActionStatus, r.ErrorReason, r.Attempts = run.ActionError, reason, attempt.Number
		}
		b.end(run.RunFailed, reason)
	})
	// The call was made, so its attempt is recorded even if the run has ended or was
	// overtaken meanwhile.
	d.Attempt = attempt
	return d
}

// Expire aborts a run whose maxDuration has passed before its steps were done. It is for a
// run that waits or is about to call. A call that fails when the time is over ends the run
// through [Answer].
func Expire(f Facts) *Decision { return unlessOvertaken(f, (*runBuilder).expire) }

// unlessOvertaken decides about a run that waited. One that has ended stays as it is, one
// that was overtaken is superseded, and any other has next done to it. The history names
// the workflow: neither a caller nor a step did it.
func unlessOvertaken(f Facts, next func(*runBuilder)) *Decision {
	f.Author = order.Author{By: ByWorkflow}
	b := ofRun(f)
	if b.run.Status.Ended() {
		return b.unchanged()
	}
	b.orSuperseded(next)
	return b.finish()
}

// orSuperseded does next, unless somebody else has set the status that the run is about.
func (b *runBuilder) orSuperseded(next func(*runBuilder)) {
	if Overtaken(b.Order, b.run) {
		b.supersede(order.HistoryEntry{Message: "another writer changed the status while the workflow waited; theirs stays"}, wanted{})
		return
	}
	next(b)
}

// expire adds the error of the step that the run is at, and aborts the run, whether that
// step has StopOnError or not (docs/contract.md#breakers). ErrorStatus still needs
// StopOnError, as after any failure of the step.
func (b *runBuilder) expire() {
	i, step := b.run.Position.Step, Step(b.Settings, b.run)
	reason := fmt.Sprintf("the workflow's maxDuration of %s has passed", b.Settings.StatusOf(b.run).MaxDuration)
	b.fail(i, reason, nil)
	if step.StopOnError && step.ErrorStatus != "" {
		b.setStatus(step.ErrorStatus)
	}
	b.end(run.RunAborted, b.about(i, reason))
}

// late reports whether the run's time is over.
func (b *runBuilder) late() bool {
	return !b.run.Deadline.IsZero() && !b.run.Deadline.After(b.Now)
}

// noCallMade ends the reason of a step that was done without its call, since the breaker of
// its connector was open.
const noCallMade = "is open: no call was made"

// SkippedByBreaker reports whether an entry of the history, the first of its decision, tells
// of a step that was done without its call: the history has no other sign of it.
func SkippedByBreaker(e *order.HistoryEntry) bool { return strings.HasSuffix(e.Message, noCallMade) }

// BreakerOpen decides what a step does whose call the open breaker of a connector
// does not let through, as the connector says: wait until a time, or do without the call.
// No attempt was made, so none is recorded and none is used up. Doing without the call has
// the effects of a step that failed, or those of a warning.
func BreakerOpen(f Facts, connector string, c *settings.Breaker, until time.Time) *Decision {
	b := ofRun(f)
	if b.run.Status.Ended() {
		return b.unchanged()
	}
	if c.WhileOpen == settings.WaitWhileOpen {
		b.waitForBreaker(fmt.Sprintf("the breaker of connector %s is open: the run waits for it", connector), until)
		return b.finish()
	}
	reason := fmt.Sprintf("the breaker of connector %s "+noCallMade, connector)
	b.newCompletion(Outcome{Failure: reason, Skip: c.WhileOpen == settings.SkipWhileOpen}).apply()
	return b.finish()
}

// waitForBreaker puts the attempt off. The history says so once a wait. The reason in the
// result marks such a wait: readers of the run see it, and the queue of the order tells it
// from a retry's wait by that.
func (b *runBuilder) waitForBreaker(reason string, until time.Time) {
	i := b.run.Position.Step
	r := &b.run.Results[i]
	b.run.Status, b.run.Position.DueAt = run.RunWaiting, until
	if r.ErrorReason != reason {
		r.ErrorReason = reason
		b.Author = order.Author{By: ByWorkflow}
		b.note(order.HistoryEntry{Operation: order.OpStepWaits, Step: r.Step, CallID: r.CallID, Message: b.about(i, reason)})
	}
}
