package decide

import (
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
)

// RetryDelays are the waits before the second, third and fourth attempt
// (docs/contract.md#retries). A connector with disableStandardErrorPolicy has none of them:
// the MaxNumber of its attempts is 1.
var RetryDelays = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}

// MaxAttempts is how often a call to a target is made before it has failed. The endpoint is
// told in X-Max-Delivery-Count (docs/contract.md#headers).
func MaxAttempts(t settings.Target) int {
	if t.Connector != nil && t.Connector.DisableStandardErrorPolicy {
		return 1
	}
	return 1 + len(RetryDelays)
}

// Outcome is what one attempt came to (docs/contract.md#outcomes). Either Answer or Failure
// is set. Failure is in words for the history and for the error that the order gets.
type Outcome struct {
	Answer  *run.StepAnswer // nil when the attempt failed
	Failure string
	Retry   bool // the failure may pass
	Skip    bool // no call was made, and that is but a warning
	Late    bool // it had no more time than the run's deadline left
	Refused bool // by the target guard
}

// Invalid is the outcome of an answer that cannot be taken.
func Invalid(why string) Outcome { return Outcome{Failure: "invalid response: " + why} }

// Answer decides what becomes of a run, and of its order, by an attempt at its
// call that was made. The answer is applied to the order as it is now. That of
// a run that has ended is recorded, and changes nothing. An answer whose patch does not fit
// counts as an invalid response, and so does one whose effects are more than one write may
// make. Neither is tried again: the endpoint would answer the same.
func Answer(f Facts, attempt attempt.Attempt, o Outcome) *Decision {
	b := ofRun(f)
	made := attempt // an answer that cannot be taken makes a failure of it
	b.d.Attempt = &made
	if b.run.Status.Ended() {
		return b.unchanged()
	}
	c, p := b.newCompletion(o), &b.run.Position
	// A patch that does not fit makes the outcome of the completion a failure.
	if o.Answer != nil {
		c.applyPatch(o.Answer)
	}
	// StartedAt stays over all attempts of a call, so the pauses between them are part of
	// the step's duration.
	if p.StartedAt.IsZero() {
		p.StartedAt = made.StartedAt
	}
	c.result.Attempts = made.Number
	c.result.DurationMs = made.StartedAt.Sub(p.StartedAt).Milliseconds() + int64(made.DurationMs) // of the call, from its first attempt on
	failed := o.Answer == nil
	switch {
	case failed && (o.Late || b.late()):
		b.Author = order.Author{By: ByWorkflow}
		b.orSuperseded((*runBuilder).expire)
	case failed && o.Retry && made.Number < made.MaxNumber && !c.overtaken: // one that was overtaken is at its end
		b.run.Status = run.RunWaiting
		c.result.ErrorReason = "" // no breaker holds it up any more
		p.Attempt++
		p.DueAt = b.Now.Add(RetryDelays[made.Number-1])
	default:
		c.apply()
	}
	d := b.finish()
	if failed {
		return d
	}
	// Only now it is known what the answer makes of the order, and how many events. If that
	// is too much, all is decided anew, as if the answer were an invalid one.
	if err := b.overLimit(); err != nil {
		return Answer(f, failedAttempt(attempt, err.Error()), Invalid(err.Error()))
	}
	return d
}

// failedAttempt is the record of an attempt whose answer cannot be taken.
// Its HTTP status and its body stay in the record: they show what the endpoint answered.
func failedAttempt(a attempt.Attempt, why string) attempt.Attempt {
	a.Outcome, a.Error = attempt.OutcomeFailed, Invalid(why).Failure
	return a
}
