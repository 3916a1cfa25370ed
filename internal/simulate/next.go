package simulate

import (
	"fmt"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// move is what a run comes to next by itself.
type move struct {
	place
	now    time.Time // as the decision has it
	group  bool      // the record has what it left in the history
	decide func(decide.Facts) (*decide.Decision, error)
}

// decision is a decide function that cannot fail.
func decision(do func(decide.Facts) *decide.Decision) func(decide.Facts) (*decide.Decision, error) {
	return func(f decide.Facts) (*decide.Decision, error) { return do(f), nil }
}

// next is what the first run of the queue does next; nil where it waits for what is done from
// outside, or where nothing on record says what it would do.
func (w *world) next(r *simRun) (*move, error) {
	if r.stuck != "" {
		return nil, nil
	}
	if w.exact && r.exact {
		return w.nextExact(r)
	}
	w.exact = false
	return w.nextInTime(r)
}

// move returns a move that the record has an entry of.
func (g *group) move(do func(decide.Facts) *decide.Decision) *move {
	return &move{g.place, g.now, true, decision(do)}
}

// nextExact is what the run did next by the record.
func (w *world) nextExact(r *simRun) (*move, error) {
	if r.run.Position.CallID == "" {
		return w.beginExact(r)
	}
	g, c := r.nextGroup(), r.call
	if c == nil {
		return nil, nil
	}
	ofCall := g != nil && g.call() == c.id
	a := c.attempt(r.run.Position.Attempt)
	if ofCall && g.has(order.OpStepWaits) != nil && (a == nil || w.waitsBefore(r, g, a)) {
		return w.breaker(r, g, nextStart(c, r.run.Position.Attempt, g))
	}
	if a == nil {
		return w.withoutAttempt(r, g)
	}
	o, at, err := w.outcome(r, a)
	if err != nil {
		return nil, err
	}
	answer := func(f decide.Facts) *decide.Decision { return decide.Answer(f, at, o) }
	answered := ofCall && g.has(order.OpStepWaits) == nil && c.attempt(a.Number+1) == nil
	byWorkflow := g != nil && g.has(order.OpStepWaits) == nil && g.first().By == decide.ByWorkflow
	retries := o.Answer == nil && o.Retry && a.Number < at.MaxNumber && !w.endsRun(r, a)
	switch {
	case answered && !byWorkflow && !decide.SkippedByBreaker(g.first()):
		return g.move(answer), nil
	case byWorkflow && !retries && c.attempt(a.Number+1) == nil:
		if failed := g.has(order.OpRunEnded); failed != nil && r.recorded.Status == run.RunFailed && r.recorded.Ended != nil && r.recorded.Ended.Equal(g.now) {
			return g.move(func(f decide.Facts) *decide.Decision { return decide.Fail(f, r.recorded.Reason, &at) }), nil
		}
		o.Late = true
		return g.move(answer), nil
	case !retries:
		return nil, nil // the run had ended before it was answered
	}
	if s := r.recorded.StepOf(c.id); s != nil && s.Attempts < a.Number && c.attempt(a.Number+1) == nil && r.recorded.Position.Attempt <= a.Number {
		return nil, nil
	}
	return &move{r.last, beforeDeadline(r.run, r.last.at), false, decision(answer)}, nil
}

// endsRun reports whether a failed attempt was the end of its run, whose time was over with it. If it
// was not, the run waited for its next attempt when its time ended.
func (w *world) endsRun(r *simRun, a *attempt.Attempt) bool {
	if p := r.recorded.Position; p.CallID == a.CallID {
		return p.Attempt == a.Number && r.recorded.Status.Ended()
	}
	// The run was resumed since. The attempt says how much time it had: less than its connector
	// gives it is what the run had left.
	had, err := time.ParseDuration(strings.TrimPrefix(a.Error, outbound.TimedOutAfter))
	return err == nil && had < w.timeout(r) && !r.run.Deadline.IsZero()
}

// beforeDeadline is a time at which a run has time left: it tried again, so it had.
func beforeDeadline(r *run.Run, at time.Time) time.Time {
	if end := r.Deadline; !end.IsZero() && !at.Before(end) {
		return end.Add(-time.Microsecond)
	}
	return at
}

// waitsBefore reports whether the run waited for a breaker before it made an attempt.
func (w *world) waitsBefore(r *simRun, g *group, a *attempt.Attempt) bool {
	if r.run.Current().ErrorReason != "" { // it waits already, and nothing is noted until an attempt was made
		return false
	}
	return !a.StartedAt.Before(g.now)
}

// nextStart is until when a run waited for a breaker, as far as the record says.
func nextStart(c *recordedCall, number int, g *group) time.Time {
	if a := c.attempt(number); a != nil && a.StartedAt.After(g.now) {
		return a.StartedAt
	}
	return g.now
}

// breaker is what an open breaker did to the step that the run is at.
func (w *world) breaker(r *simRun, g *group, until time.Time) (*move, error) {
	connector := w.target(r).Connector
	if connector == nil || connector.Breaker == nil {
		r.stuck = "a breaker was open then, which the connector has no more"
		return nil, nil
	}
	return g.move(func(f decide.Facts) *decide.Decision {
		return decide.BreakerOpen(f, connector.Label(), connector.Breaker, until)
	}), nil
}

// withoutAttempt is what the run came to where no further attempt at its call is on record.
func (w *world) withoutAttempt(r *simRun, g *group) (*move, error) {
	switch {
	case g == nil:
		return nil, nil
	case g.first().By != decide.ByWorkflow:
		if !decide.SkippedByBreaker(g.first()) || g.call() != "" && g.call() != r.call.id { // a warning does not name its call
			return nil, errGone("an answer to the call %s is missing", r.call.id)
		}
		return w.breaker(r, g, g.now)
	}
	return g.move(ending(r.recorded, g)), nil
}

// ending is the decision by which a run ended that waited, or was about to call.
func ending(r *recordedRun, g *group) func(decide.Facts) *decide.Decision {
	switch {
	case g.has(order.OpConflict) != nil:
		return decide.Wake
	case g.has(order.OpStepFailed) != nil:
		return decide.Expire
	}
	return func(f decide.Facts) *decide.Decision { return decide.Fail(f, r.Reason, nil) }
}

// beginExact is the turn of a run, or that of its first deferred step.
func (w *world) beginExact(r *simRun) (*move, error) {
	g, upcoming := r.nextGroup(), r.upcoming()
	ends := g != nil && g.has(order.OpRunEnded) != nil
	if ends && upcoming == nil && g.first().By == decide.ByWorkflow {
		do := ending(r.recorded, g)
		if g.has(order.OpConflict) != nil {
			do = decide.Begin
		}
		return g.move(do), nil
	}
	// Whether it left something in the history, the decision itself says.
	now := w.beginsAt(r)
	f, err := w.runFacts(r, now)
	if err != nil {
		return nil, err
	}
	d := decide.Begin(f)
	if len(d.History) > 0 && g != nil && g.first().By == decide.ByWorkflow && !ends {
		return g.move(decide.Begin), nil
	}
	p := w.latest
	switch {
	case d.Run.Position.CallID != "":
		if upcoming == nil { // it has not begun yet, or ended before
			return nil, nil
		}
		if since := w.record.since(upcoming.base); p.before(since) {
			p = since
		}
	case d.Run.Status.Ended():
		if !r.recorded.Status.Ended() || r.recorded.Status == run.RunCanceled {
			return nil, nil
		}
		if since := w.record.since(r.recorded.AnswerVersion); p.before(since) && r.run.AnswerVersion == 0 {
			p = since
		}
	case r.recorded.Position.DueAt.IsZero() && upcoming == nil && g == nil && !r.recorded.Status.Ended():
		return nil, nil
	}
	return &move{p, now, false, decision(decide.Begin)}, nil
}

// beginsAt is when the run had its turn, as far as the record says.
func (w *world) beginsAt(r *simRun) time.Time {
	rec, upcoming := r.recorded, r.upcoming()
	// The record of a run that was resumed has the time that it got last.
	if span := r.settings.StatusOf(r.run).MaxDuration; span > 0 && r.run.Deadline.IsZero() && !rec.Deadline.IsZero() && r.resumed == rec.resumes {
		return rec.Deadline.Add(-span)
	}
	if g := r.nextGroup(); g != nil && upcoming == nil {
		return g.now
	}
	if upcoming == nil && rec.Ended != nil {
		return *rec.Ended
	}
	if upcoming != nil && len(upcoming.attempts) > 0 && upcoming.attempts[0].StartedAt.After(w.latest.at) {
		return upcoming.attempts[0].StartedAt
	}
	if due := r.run.Position.DueAt; due.After(w.latest.at) {
		return due
	}
	return w.latest.at
}

// target is where the call of a run goes.
func (w *world) target(r *simRun) settings.Target {
	doc := w.order.Doc
	if r.sent != nil {
		doc = r.sent
	}
	t, _ := r.settings.Target(decide.Step(r.settings, r.run), doc.Text("marketId"))
	return t
}

// outcome is what a recorded attempt came to, and the attempt as the engine has it when it
// decides about it.
func (w *world) outcome(r *simRun, listed *attempt.Attempt) (decide.Outcome, attempt.Attempt, error) {
	a, err := w.record.from.Attempt(w.ctx, w.record.tenant, listed.ID)
	if err != nil {
		return decide.Outcome{}, attempt.Attempt{}, err
	}
	// Without its body it would pass for an answer that says nothing.
	if a.Detail == nil || len(a.Detail.Request.Body) == 0 {
		return decide.Outcome{}, attempt.Attempt{}, errGone("the body of the attempt %s was removed", a.ID)
	}
	o, err := rerun.StepOutcome(a)
	if err != nil {
		return o, attempt.Attempt{}, errGone("the answer to the attempt %s: %s", a.ID, err)
	}
	at := *listed
	at.MaxNumber = decide.MaxAttempts(w.target(r))
	at.Outcome, at.Error = attempt.OutcomeSucceeded, ""
	if o.Answer == nil {
		at.Outcome, at.Error = attempt.OutcomeFailed, o.Failure
	}
	return o, at, nil
}

// nextInTime is what the run does next where it goes another way than it did: answers take as
// long as they took.
func (w *world) nextInTime(r *simRun) (*move, error) {
	now := w.latest.at
	p := r.run.Position
	in := func(at time.Time, do func(decide.Facts) *decide.Decision) *move {
		if at.Before(now) {
			at = now
		}
		return &move{place{w.latest.seq, at}, at, false, decision(do)}
	}
	end := r.run.Deadline
	switch {
	case p.DueAt.After(now) && decide.Overtaken(w.order, r.run):
		return in(now, decide.Wake), nil
	case p.CallID == "" && !end.IsZero() && end.Before(p.DueAt):
		return in(end, decide.Expire), nil
	case p.CallID == "":
		return in(p.DueAt, decide.Begin), nil
	}
	if r.call == nil {
		r.stuck = fmt.Sprintf("%s was not called then, so its answer is not on record", r.run.StepName(p.Step))
		return nil, nil
	}
	a := r.call.attempt(p.Attempt)
	if a == nil {
		r.stuck = fmt.Sprintf("attempt %d at the call of %s was not made then, so its answer is not on record", p.Attempt, r.run.StepName(p.Step))
		return nil, nil
	}
	start := r.callAt.Add(a.StartedAt.Sub(r.call.attempts[0].StartedAt))
	if p.DueAt.After(start) {
		start = p.DueAt
	}
	if !end.IsZero() && !end.After(start) {
		return in(end, decide.Expire), nil
	}
	o, at, err := w.outcome(r, a)
	if err != nil {
		r.stuck = err.Error()
		return nil, nil
	}
	took := time.Duration(a.DurationMs * float64(time.Millisecond))
	if timeout := w.timeout(r); timeout > 0 && took > timeout+timeoutSlack {
		took, o = timeout, decide.Outcome{Failure: fmt.Sprintf("no answer within %s: it took %s then", timeout, took), Retry: true}
	} else if w.timedOut(r, a) && timeout > w.timeoutThen(r)+timeoutSlack {
		r.stuck = fmt.Sprintf("%s did not answer in time then, and has longer now: what it would have answered is not on record", r.run.StepName(p.Step))
		return nil, nil
	}
	if answeredAt := start.Add(took); !end.IsZero() && answeredAt.After(end) {
		took, o = end.Sub(start), decide.Outcome{Failure: "no answer before the time of the run was over", Retry: true, Late: true}
	}
	if o.Answer == nil {
		at.Outcome, at.Error = attempt.OutcomeFailed, o.Failure
	}
	at.StartedAt, at.DurationMs = start, float64(took)/float64(time.Millisecond)
	w.noteOtherCall(r)
	sent, err := w.sentThen(r)
	if err != nil {
		return nil, err
	}
	return in(start.Add(took), func(f decide.Facts) *decide.Decision {
		if sent != nil { // what was handed back as it was sent changes nothing here, either
			f.Sent = sent
		}
		return decide.Answer(f, at, o)
	}), nil
}

// timeoutSlack is how much longer than its timeout an attempt may seem to have taken.
const timeoutSlack = 50 * time.Millisecond
