package decide

import (
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// byWorkflow is who the history names for what no step and no caller did.
const byWorkflow = "workflow"

// Begin gives a run that waited for its turn, or for that of its first deferred
// step, its next call, unless it has become pointless meanwhile.
func Begin(f Facts) *Decision {
	return unlessOvertaken(f, func(b *builder) { b.forward(b.run.Position.Step) })
}

// Wake lets a run that waited in the middle of a call make its next attempt,
// unless it has become pointless meanwhile.
func Wake(f Facts) *Decision {
	return unlessOvertaken(f, func(b *builder) { b.run.Status = oms.RunRunning })
}

// Fail ends a run that cannot go on: with the error of its step, if an attempt
// at the step's call was made.
func Fail(f Facts, reason string, attempt *oms.Attempt) *Decision {
	d := unlessOvertaken(f, func(b *builder) {
		if attempt != nil {
			r := &b.run.Results[b.run.Position.Step]
			r.ActionStatus, r.ErrorReason, r.Attempts = oms.ActionError, reason, attempt.Number
		}
		b.end(oms.RunFailed, reason)
	})
	d.Attempt = attempt
	return d
}

// Expire aborts a run whose maxDuration has passed before its steps were done.
func Expire(f Facts) *Decision { return unlessOvertaken(f, (*builder).expire) }

// unlessOvertaken is what becomes of a run that waited.
func unlessOvertaken(f Facts, goOn func(*builder)) *Decision {
	f.Author = oms.Author{By: byWorkflow}
	b := move(f)
	if b.run.Status.Ended() {
		return b.stays()
	}
	b.orSuperseded(goOn)
	return b.finish()
}

func (b *builder) orSuperseded(goOn func(*builder)) {
	if Overtaken(b.Order, b.run) {
		b.supersede(oms.HistoryEntry{Message: "another writer changed the status while the workflow waited; theirs stays"}, wanted{})
		return
	}
	goOn(b)
}

func (b *builder) expire() {
	i, step := b.run.Position.Step, Step(b.Settings, b.run)
	reason := fmt.Sprintf("the workflow's maxDuration of %s has passed", statusOf(b.Settings, b.run).MaxDuration)
	b.fail(i, reason, nil)
	if step.StopOnError && step.ErrorStatus != "" {
		b.setStatus(step.ErrorStatus)
	}
	b.end(oms.RunAborted, b.about(i, reason))
}

// late reports whether the run's time is over.
func (b *builder) late() bool {
	return !b.run.Deadline.IsZero() && !b.run.Deadline.After(b.Now)
}

// KeptBack decides what a step does whose call the open breaker of a connector
// keeps back, as the connector says: wait until a time, or do without the call.
func KeptBack(f Facts, connector string, c *settings.Breaker, until time.Time) *Decision {
	b := move(f)
	if b.run.Status.Ended() {
		return b.stays()
	}
	if c.WhileOpen == settings.WaitWhileOpen {
		b.waitForBreaker(fmt.Sprintf("the breaker of connector %s is open: the run waits for it", connector), until)
		return b.finish()
	}
	reason := fmt.Sprintf("the breaker of connector %s is open: no call was made", connector)
	b.settlement(Outcome{Failure: reason, Skip: c.WhileOpen == settings.SkipWhileOpen}).take()
	return b.finish()
}

// waitForBreaker puts the attempt off. The history says so once a wait.
func (b *builder) waitForBreaker(reason string, until time.Time) {
	i := b.run.Position.Step
	r := &b.run.Results[i]
	b.run.Status, b.run.Position.DueAt = oms.RunWaiting, until
	if r.ErrorReason != reason {
		r.ErrorReason = reason
		b.Author = oms.Author{By: byWorkflow}
		b.note(oms.HistoryEntry{Operation: oms.OpStepWaits, Step: r.Step, CallID: r.CallID, Message: b.about(i, reason)})
	}
}
