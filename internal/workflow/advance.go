package workflow

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// held is a run, and its order, as they were last committed: what a lane knows
// while it takes the run from step to step.
type held struct {
	run   *oms.Run   // nil: there is none any more
	order *oms.Order // nil: not read yet
	later time.Time  // not before this time, which is not worth a write
}

// advance takes a run as far as it can go now: to its end, or to an attempt
// that is due later, whose time it returns.
func (e *Engine) advance(tenant string, h held) (wake time.Time, err error) {
	ctx, end := e.work.Task(e.calls, tenant)
	defer end()
	for err == nil && h.run != nil && !h.run.Status.Ended() {
		if due := h.dueAt(); due.After(e.clock.Now()) {
			if pointless, err := e.pointless(ctx, tenant, h); !pointless {
				return due, err
			}
			h, err = e.move(ctx, tenant, h, decide.Wake)
			continue
		}
		if e.stopping.Err() != nil {
			return time.Time{}, nil
		}
		if h.run.Position.CallID == "" { // it waited for its turn, or for a deferred step's
			h, err = e.move(ctx, tenant, h, decide.Begin)
			continue
		}
		h, err = e.step(ctx, tenant, h)
	}
	return time.Time{}, err
}

// begin is to be called before work on what is held: a large order is worked on
// in turn.
func (h held) begin(ctx context.Context) error {
	size := 0
	if h.order != nil && h.order.Doc.AtLeast(admission.Large) {
		size = admission.Large
	}
	return admission.Begin(ctx, size)
}

// toldToWait reports whether the history has it already that the run waits for
// a breaker.
func (h held) toldToWait() bool { return h.run.Results[h.run.Position.Step].ErrorReason != "" }

// pointless reports whether a run that waits was overtaken, so that it need not
// wait any longer, nor what is queued behind it. What was just committed was
// looked at then.
func (e *Engine) pointless(ctx context.Context, tenant string, h held) (bool, error) {
	if h.order != nil {
		return false, nil
	}
	order, err := e.store.Order(ctx, tenant, h.run.OrderID)
	if err != nil {
		return false, err
	}
	return decide.Overtaken(order, h.run), nil
}

// dueAt is when something must be done for a run: its next attempt, or its end.
func (h held) dueAt() time.Time {
	due := h.run.Position.DueAt
	if h.later.After(due) {
		due = h.later
	}
	if end := h.run.Deadline; !end.IsZero() && end.Before(due) {
		return end
	}
	return due
}

// step makes the attempt that a run is at, unless its time is over or the
// connector's breaker is open, and applies what came of it.
func (e *Engine) step(ctx context.Context, tenant string, h held) (held, error) {
	if !h.run.Deadline.IsZero() && !h.run.Deadline.After(e.clock.Now()) {
		return e.move(ctx, tenant, h, decide.Expire)
	}
	c, err := e.prepare(ctx, tenant, h)
	if oms.KindOf(err) == oms.NotFound {
		return held{}, nil // the order was erased
	}
	if errors.Is(err, errNoTarget) {
		return e.move(ctx, tenant, h, func(f decide.Facts) *decide.Decision { return decide.Fail(f, err.Error(), nil) })
	}
	if err != nil {
		return held{}, err
	}
	if h.run.Status == oms.RunWaiting { // for a retry's time, or a breaker
		if until := e.breakers.wait(tenant, c.target.Connector); !until.IsZero() && h.toldToWait() {
			h.later = until
			return h, nil
		}
		return e.move(ctx, tenant, h, decide.Wake)
	}
	if e.kept.Load() >= mostKept {
		h.later = e.clock.Now().Add(again)
		return h, nil
	}
	gate := e.breakers.enter(tenant, c.target.Connector)
	if gate.shut {
		return e.move(ctx, tenant, h, func(f decide.Facts) *decide.Decision {
			return decide.KeptBack(f, connectorName(c.target.Connector), c.target.Connector.Breaker, gate.until)
		})
	}
	a, o := e.attempt(ctx, c)
	defer o.memory.Give()
	if ctx.Err() != nil {
		return held{}, nil // given up, not failed: the next start repeats it
	}
	gate.leave(o)
	if o.own {
		return e.putOff(tenant, h, o), nil
	}
	return e.settle(ctx, tenant, h, a, o.Outcome)
}

// longestPause is how long at most a lane waits until it tries again to store
// what came of a call: after 1 s, 2 s, 4 s and so on.
const longestPause = time.Minute

// mostKept is how many answers may wait for the database before no new call is
// made: each of them is in memory.
const mostKept = 256

// settle applies what came of an attempt. Whatever error the database has, the
// answer is kept until it is stored: a call that was made is not to be made
// again. Where the process ends before, the next start makes the call again.
func (e *Engine) settle(ctx context.Context, tenant string, h held, a *oms.Attempt, o decide.Outcome) (held, error) {
	key, ids := orderKey{tenant, h.run.OrderID}, []any{"run", h.run.ID, "call", a.CallID, "attempt", a.ID}
	now, err := e.move(ctx, tenant, h, e.answered(key, a, o, ids))
	if err == nil {
		return now, nil
	}
	e.kept.Add(1)
	defer e.kept.Add(-1)
	for pause := again; err != nil; pause = min(2*pause, longestPause) {
		admission.Pause(ctx)
		e.trouble(key, "what came of a call cannot be stored yet", err, ids...)
		if clock.Pause(e.stopping, e.clock, pause) != nil {
			e.log.Error("what came of a call was not stored before the end: the next start makes the call again",
				append([]any{"tenant", key.tenant, "order", key.order, "error", err}, ids...)...)
			return held{}, err
		}
		now, err = e.move(ctx, tenant, h, e.answered(key, a, o, ids))
	}
	return now, nil
}

// answered decides by what came of an attempt. If a mistake of this program keeps
// it from that, the run fails: the call would meet the same mistake if it were
// made again.
func (e *Engine) answered(key orderKey, a *oms.Attempt, o decide.Outcome, ids []any) func(decide.Facts) *decide.Decision {
	return func(f decide.Facts) *decide.Decision {
		return survive(e.log, "an answer could not be applied, and its run has failed", append([]any{"tenant", key.tenant, "order", key.order}, ids...),
			func() *decide.Decision { return decide.Answer(f, *a, o) },
			func() *decide.Decision {
				return decide.Fail(f, "orderhook could not apply the answer of "+f.Run.StepName(f.Run.Position.Step)+", by a mistake of its own", a)
			})
	}
}

// move makes one move of a run, durably, and returns what is held of it then;
// nothing where the order was erased.
func (e *Engine) move(ctx context.Context, tenant string, h held, do func(decide.Facts) *decide.Decision) (held, error) {
	var d *decide.Decision
	err := h.begin(ctx)
	if err != nil {
		return held{}, err
	}
	err = e.store.Write(ctx, func(tx store.Tx) error {
		f, err := e.runFacts(ctx, tx, tenant, h)
		if err != nil {
			return err
		}
		d = do(f)
		return commit(ctx, tx, tenant, d)
	})
	if oms.KindOf(err) == oms.NotFound {
		return held{}, nil
	}
	if err != nil {
		return held{}, err
	}
	e.committed(tenant, d)
	return held{run: d.Run, order: d.Order}, nil
}
