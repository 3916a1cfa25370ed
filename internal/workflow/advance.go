package workflow

import (
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
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
	for err == nil && h.run != nil && !h.run.Status.Ended() {
		if due := h.dueAt(); due.After(e.clock.Now()) {
			if pointless, err := e.pointless(tenant, h); !pointless {
				return due, err
			}
			h, err = e.move(tenant, h, (*transition).wake)
			continue
		}
		if e.stopping.Err() != nil {
			return time.Time{}, nil
		}
		if h.run.Position.CallID == "" { // it waited for its turn, or for a deferred step's
			h, err = e.move(tenant, h, (*transition).begin)
			continue
		}
		h, err = e.step(tenant, h)
	}
	return time.Time{}, err
}

// toldToWait reports whether the history has it already that the run waits for
// a breaker.
func (h held) toldToWait() bool { return h.run.Results[h.run.Position.Step].ErrorReason != "" }

// pointless reports whether a run that waits was overtaken, so that it need not
// wait any longer, nor what is queued behind it. What was just committed was
// looked at then.
func (e *Engine) pointless(tenant string, h held) (bool, error) {
	if h.order != nil {
		return false, nil
	}
	order, err := e.store.Order(e.calls, tenant, h.run.OrderID)
	if err != nil {
		return false, err
	}
	t := &transition{order: order, run: h.run}
	return t.overtaken(), nil
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
func (e *Engine) step(tenant string, h held) (held, error) {
	if !h.run.Deadline.IsZero() && !h.run.Deadline.After(e.clock.Now()) {
		return e.move(tenant, h, (*transition).expire)
	}
	c, err := e.prepare(e.calls, tenant, h)
	if oms.KindOf(err) == oms.NotFound {
		return held{}, nil // the order was erased
	}
	if errors.Is(err, errNoTarget) {
		return e.move(tenant, h, func(t *transition) error { return t.giveUp(err) })
	}
	if err != nil {
		return held{}, err
	}
	if h.run.Status == oms.RunWaiting { // for a retry's time, or a breaker
		if until := e.breakers.wait(tenant, c.target.Connector); !until.IsZero() && h.toldToWait() {
			h.later = until
			return h, nil
		}
		return e.move(tenant, h, (*transition).wake)
	}
	gate := e.breakers.enter(tenant, c.target.Connector)
	if gate.shut {
		return e.move(tenant, h, func(t *transition) error { return t.keptBack(c.target.Connector, gate) })
	}
	a, o := e.attempt(e.calls, tenant, c)
	defer o.memory.Give()
	if e.calls.Err() != nil {
		return held{}, nil // given up, not failed: the next start repeats it
	}
	gate.leave(o)
	if o.own {
		return e.putOff(tenant, h, o), nil
	}
	return e.settle(tenant, h, a, o)
}

// settle applies what came of an attempt. While the database takes no writes
// the answer is kept: a call that was made is not to be made again.
func (e *Engine) settle(tenant string, h held, a *oms.Attempt, o outcome) (held, error) {
	for {
		now, err := e.move(tenant, h, func(t *transition) error {
			made := *a // applying it may make a failure of it
			return t.settle(&made, o)
		})
		if oms.KindOf(err) != oms.Unavailable {
			return now, err
		}
		e.trouble(orderKey{tenant, h.run.OrderID}, "what came of a call cannot be stored yet", err, "run", h.run.ID, "call", a.CallID, "attempt", a.ID)
		if !e.pause(again) {
			return held{}, err
		}
	}
}

// pause waits, and reports whether the engine goes on then.
func (e *Engine) pause(d time.Duration) bool {
	over := make(chan struct{})
	timer := e.clock.AfterFunc(d, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return true
	case <-e.stopping.Done():
		return false
	}
}

// move makes one move of a run, durably, and returns what is held of it then.
func (e *Engine) move(tenant string, h held, do func(*transition) error) (held, error) {
	var (
		now  held
		made *transition
	)
	err := e.store.Write(e.calls, func(tx store.Tx) error {
		t, err := load(e.calls, tx, tenant, h, e.clock.Now().UTC())
		if err != nil {
			return err
		}
		if err := do(t); err != nil {
			return err
		}
		now, made = held{run: t.run, order: t.order}, t
		return t.save()
	})
	if oms.KindOf(err) == oms.NotFound {
		return held{}, nil
	}
	if err != nil {
		return held{}, err
	}
	e.tell(made)
	if now.run.AnswerVersion > 0 {
		e.watchers.tell(now.run.ID, now)
	}
	return now, nil
}

// begin gives a run that waited for its turn, or for that of its first deferred
// step, its next call, unless it has become pointless meanwhile.
func (t *transition) begin() error {
	return t.goOnUnlessOvertaken(func() { t.forward(t.run.Position.Step) })
}

// wake lets a run that waited in the middle of a call make its next attempt,
// unless it has become pointless meanwhile.
func (t *transition) wake() error {
	return t.goOnUnlessOvertaken(func() { t.run.Status = oms.RunRunning })
}

// giveUp ends a run that cannot go on.
func (t *transition) giveUp(why error) error {
	return t.goOnUnlessOvertaken(func() { t.end(oms.RunFailed, why.Error()) })
}

func (t *transition) goOnUnlessOvertaken(goOn func()) error {
	t.by = "workflow"
	if t.idle = t.run.Status.Ended(); t.idle {
		return nil
	}
	if t.overtaken() {
		return t.supersede(oms.HistoryEntry{Message: "another writer changed the status while the workflow waited; theirs stays"}, wanted{})
	}
	goOn()
	return nil
}
