package workflow

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/intercept"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// snapshot is a run, and its order, as they were last committed: what a queue knows
// while it takes the run from step to step. The goroutine of the queue hands it from
// function to function by value. Watchers and callers read the same run and order, so
// nobody changes them: each decision makes copies.
type snapshot struct {
	run       *run.Run     // nil: there is none any more
	order     *order.Order // nil: not read yet
	notBefore time.Time    // the next attempt, which is not worth a write
	tryNow    bool         // somebody ended the wait for the breaker by hand: DueAt is ignored
	followed  bool         // another run was stored behind it since the queue took it up
}

// again is how long a queue waits after the store failed it. An attempt that is put off
// waits about as long, too.
const again = time.Second

// afterPanic is how long it waits after an error in this program. It is long, since nobody
// mends such an error meanwhile and each try writes a stack into the log.
const afterPanic = time.Minute

// turn does what the runs of one order need now: it takes the first that has not ended as
// far as it can go, then the next. It returns when there is more to do; the zero time is
// "not before somebody wakes the queue". The goroutine of the order's queue calls it, so
// there is one turn of an order at a time. What was just committed may come in f, and need
// not be read then.
func (e *Engine) turn(key orderKey, of *nodes.Share, f fresh) (due time.Time) {
	defer func() {
		if p := recover(); p != nil { // of one order, not of all
			e.log.Error("a run panicked and is tried again", "order", key.order, "panic", p, "stack", string(debug.Stack()))
			due = e.clock.Now().Add(afterPanic)
		}
	}()
	for of.Ctx.Err() == nil {
		s, err := f.snapshot, error(nil)
		// Only where f says so does no other run come before the one that it brings.
		// Otherwise the table is asked which run is first. If that is the one of f, at
		// least its order need not be read.
		if !f.first {
			s = snapshot{}
			if s.run, err = e.store.NextRun(e.calls, key.tenant, key.order); err == nil && s.run == nil {
				return time.Time{}
			}
			if s.run != nil && f.run != nil && f.run.ID == s.run.ID {
				s.order = f.order
			}
		}
		if err == nil {
			s, due, err = e.advance(of, key.tenant, s)
		}
		// This was the order's first run and it triggered no other. If another run was
		// stored meanwhile, its writer wakes the queue. So there is nothing to look for.
		if f.first && err == nil && s.run != nil && s.run.Status.Ended() && !s.followed {
			return time.Time{}
		}
		f = fresh{} // of the first turn alone
		// Nothing of what was decided last is stored. The other node reads the run as it
		// is.
		if errors.Is(err, nodes.ErrLost) {
			e.log.Warn("another node has taken over an order: its runs go on there", "tenant", key.tenant, "order", key.order)
			return time.Time{}
		}
		if err != nil {
			e.trouble(key, "a run could not go on and is tried again", err)
			return e.clock.Now().Add(again)
		}
		if !due.IsZero() {
			return due
		}
	}
	return time.Time{}
}

// advance takes a run as far as it can go now: to its end, or to an attempt that is due
// later, whose time it returns. The time is zero, too, when the run's order was erased, or
// when the queue is to stop. It returns the run as it is then.
func (e *Engine) advance(of *nodes.Share, tenant string, s snapshot) (last snapshot, due time.Time, err error) {
	// All writes from here on are made by the lease of the shard. The database refuses them
	// once another node has it.
	ctx, end := e.work.Task(nodes.Under(e.calls, of.Lease), tenant)
	defer end()
	ctx = within(ctx, s.run)
	if s.waitsForBreaker() {
		s.tryNow, err = e.triedByHand(ctx, tenant, s)
	}
	for err == nil && s.run != nil && !s.run.Status.Ended() {
		due = s.due()
		switch {
		case due.After(e.clock.Now()):
			if overtaken, err := e.overtaken(ctx, tenant, s); err != nil || !overtaken {
				return s, due, err
			}
			s, err = e.move(ctx, tenant, s, decide.Wake) // to its end: neither it nor what is queued behind it need wait
		case of.Ctx.Err() != nil:
			return s, time.Time{}, nil
		case s.run.Position.CallID == "": // it waited for its turn, or for a deferred step's
			s, err = e.move(ctx, tenant, s, decide.Begin)
		default:
			s, err = e.step(ctx, of, tenant, s)
		}
	}
	return s, time.Time{}, err
}

// due is when something must be done for a run: its next attempt, or its end. A breaker
// that was tried by hand ends a wait. What is not in the row, notBefore, does not end by
// that. The end of the run's time comes before either.
func (s snapshot) due() time.Time {
	due := s.run.Position.DueAt
	if s.tryNow {
		due = time.Time{}
	}
	if s.notBefore.After(due) {
		due = s.notBefore
	}
	if end := s.run.Deadline; !end.IsZero() && end.Before(due) {
		return end
	}
	return due
}

// overtaken reports whether somebody else has set the status that a waiting run is about. A
// snapshot with an order comes from a decision that was just committed and has looked at
// that, so only a run that was read from the table is compared with its order.
func (e *Engine) overtaken(ctx context.Context, tenant string, s snapshot) (bool, error) {
	if s.order != nil {
		return false, nil
	}
	order, err := e.store.Order(ctx, tenant, s.run.OrderID)
	if err != nil {
		return false, err
	}
	return decide.Overtaken(order, s.run), nil
}

// step makes the attempt that a run is at, unless its time is over or the
// connector's breaker is open, and applies what came of it. A step makes one request at
// most, and stores what came of it. No write is open while the request is in flight
// (docs/design.md#a-two-way-step). If the process dies meanwhile, the row of the run still
// has the position from before, and the next start makes this attempt again, with the same
// Idempotency-Key.
func (e *Engine) step(ctx context.Context, of *nodes.Share, tenant string, s snapshot) (snapshot, error) {
	if end := s.run.Deadline; !end.IsZero() && !end.After(e.clock.Now()) {
		return e.move(ctx, tenant, s, decide.Expire)
	}
	// All that the attempt needs is read before the breaker is asked, so that an error in
	// reading does not use up a trial.
	c, err := e.prepare(ctx, tenant, s)
	switch {
	case apierr.KindOf(err) == apierr.NotFound:
		return snapshot{}, nil // the order was erased
	case errors.Is(err, errNoTarget):
		return e.move(ctx, tenant, s, func(f decide.Facts) *decide.Decision { return decide.Fail(f, err.Error(), nil) })
	case err != nil:
		return snapshot{}, err
	}
	var about *intercept.Subject
	var listener *intercept.Interception
	if e.board.Known() { // else nobody intercepts calls, as nearly always
		about = c.listenerSubject()
		listener = e.board.Match(tenant, about)
	}
	connector := c.target.Connector
	if may, next, err := e.mayCall(ctx, tenant, s, connector, listener != nil); !may {
		return next, err
	}
	if listener != nil {
		return e.stepByListener(ctx, of, tenant, s, c, listener)
	}
	// The call may be the only one that the breaker lets through. So end is told of it,
	// unless the process gives up all its calls.
	made, until := e.breakers.begin(tenant, connector)
	if !until.IsZero() {
		return e.move(ctx, tenant, s, func(f decide.Facts) *decide.Decision {
			return decide.BreakerOpen(f, connector.Label(), connector.Breaker, until)
		})
	}
	if about != nil {
		e.board.Missed(tenant, about)
	}
	// No write is open from here until the attempt has ended. The answer may take up to the
	// timeout of the connector, and holds up the later runs of this order alone.
	a, o := e.attempt(ctx, c, nil)
	defer o.memory.Give()
	if ctx.Err() != nil {
		return snapshot{}, nil // given up, not failed: the next start repeats it
	}
	e.breakers.end(tenant, connector, made, o)
	return e.complete(ctx, of, tenant, s, a, o)
}

// mayCall reports whether a run may make its call now. If not, next is the run as it is then.
func (e *Engine) mayCall(ctx context.Context, tenant string, s snapshot, to *settings.Connector, intercepted bool) (may bool, next snapshot, err error) {
	// A run that waited, for a retry's time or a breaker, is moved to running first, in a write
	// of its own, so that lists show what it does. If the breaker is still open and the history
	// says so already, a write would say nothing new. Breakers are about endpoints, and a
	// listener is none.
	if s.run.Status == run.RunWaiting {
		if until := e.breakers.wait(tenant, to); !intercepted && !until.IsZero() && s.toldToWait() {
			s.notBefore = until
			return false, s, nil
		}
		next, err = e.move(ctx, tenant, s, decide.Wake)
		return false, next, err
	}
	// No call begins while too many answers wait in memory for the database, or while
	// another node may have the lease: it would make the same call.
	if e.unstored.Load() >= mostUnstored || !e.node.Sure() {
		s.notBefore = e.clock.Now().Add(again)
		return false, s, nil
	}
	return true, s, nil
}

// toldToWait reports whether the history has it already that the run waits for
// a breaker. The decision to wait leaves the reason there, and the next failed attempt
// takes it away.
func (s snapshot) toldToWait() bool { return s.run.Current().ErrorReason != "" }

// waitsForBreaker reports whether a run waits for a breaker, in the middle of a call.
func (s snapshot) waitsForBreaker() bool {
	return s.run.Status == run.RunWaiting && s.run.Position.CallID != "" && s.toldToWait()
}

// longestPause is how long at most a queue waits until it tries again to store
// what came of a call: after 1 s, 2 s, 4 s and so on.
const longestPause = time.Minute

// mostUnstored is how many answers may wait for the database before no new call is
// made: each of them is in memory. It is a bound of the engine, not of a tenant: the
// database is one for all of them.
const mostUnstored = 256

// complete applies what came of an attempt, if it was one. Whatever error the database has, the
// answer is retained until it is stored: a call that was made is not to be made
// again. Where the process ends before, the next start makes the call again. Where another
// node has taken over the order, that one does. If an error of this program lies in the
// way, the run fails.
func (e *Engine) complete(ctx context.Context, of *nodes.Share, tenant string, s snapshot, a *attempt.Attempt, o outcome) (snapshot, error) {
	if o.own {
		return e.putOff(tenant, s, o), nil
	}
	key, about := orderKey{tenant, s.run.OrderID}, []any{"run", s.run.ID, "call", a.CallID, "attempt", a.ID}
	var ended *decided // what shadows compare with; nil: the call goes on
	answer := func(f decide.Facts) *decide.Decision {
		d := survive(e.log, "an answer could not be applied, and its run has failed", append([]any{"tenant", tenant, "order", key.order}, about...),
			func() *decide.Decision { return decide.Answer(f, *a, o.Outcome) },
			func() *decide.Decision { // the call would meet the same error if it were made again
				return decide.Fail(f, fmt.Sprintf("orderhook could not apply the answer of %s, by an error of its own", f.Run.StepName(f.Run.Position.Step)), a)
			})
		ended = final(tenant, f, d, a, o.Outcome)
		return d
	}
	// While this write succeeds at once, as it nearly always does, the answer is in memory
	// no longer than that.
	next, err := e.moveOnce(ctx, tenant, s, a, answer)
	if err == nil {
		e.shadows.follow(ended)
		return next, nil
	}
	e.unstored.Add(1)
	defer e.unstored.Add(-1)
	for pause := again; err != nil && !errors.Is(err, nodes.ErrLost); pause = min(2*pause, longestPause) {
		// A slot for work on large documents must not be held while the database is waited
		// for.
		admission.Pause(ctx)
		e.trouble(key, "what came of a call cannot be stored yet", err, about...)
		// This context ends when the process stops, and when the shard is given back.
		if clock.Pause(of.Ctx, e.clock, pause) != nil {
			e.log.Error("what came of a call was not stored before the end: the next start makes the call again",
				append([]any{"tenant", tenant, "order", key.order, "error", err}, about...)...)
			return snapshot{}, err
		}
		next, err = e.moveOnce(ctx, tenant, s, a, answer)
	}
	if err == nil {
		e.shadows.follow(ended)
	}
	return next, err
}

// moveOnce is move for a decision that records an attempt. If that was recorded already, by a
// commit of which nobody knew what became of it, so was all of the decision: the run is as
// the database has it. If another attempt has its id, it gets another one. So the loop in
// complete cannot apply one answer twice. Where the order was erased, the attempt alone is
// recorded, without what was sent and answered.
func (e *Engine) moveOnce(ctx context.Context, tenant string, s snapshot, a *attempt.Attempt, do func(decide.Facts) *decide.Decision) (snapshot, error) {
	var next snapshot
	err := store.Recording(func() (err error) {
		next, err = e.move(ctx, tenant, s, do)
		if err == nil && next.run == nil { // the order was erased while the call was made
			err = e.store.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, tenant, a.Bare()) })
		}
		return err
	}, a)
	if !errors.Is(err, store.ErrRecorded) {
		return next, err
	}
	found, err := e.store.Run(ctx, tenant, s.run.ID)
	if apierr.KindOf(err) == apierr.NotFound {
		return snapshot{}, nil
	}
	return snapshot{run: found, followed: true}, err
}

// move makes one move of a run, durably, and returns the run and its order as they
// are then; nothing where the order was erased. The function passed to Write may run more
// than once: each time it reads the facts anew and decides by them. What the last time
// decided is committed, and only then told to watchers and the log.
func (e *Engine) move(ctx context.Context, tenant string, s snapshot, do func(decide.Facts) *decide.Decision) (snapshot, error) {
	if err := beginWork(ctx, s.order); err != nil {
		return snapshot{}, err
	}
	var d *decide.Decision
	err := e.store.Write(ctx, func(tx store.Tx) error {
		f, err := e.runFacts(ctx, tx, tenant, s)
		if err != nil {
			return err
		}
		d = do(f)
		return commit(ctx, tx, tenant, d)
	})
	if apierr.KindOf(err) == apierr.NotFound {
		return snapshot{}, nil
	}
	if err != nil {
		return snapshot{}, err
	}
	e.committed(tenant, d)
	return snapshot{run: d.Run, order: d.Order, followed: s.followed || d.Next != nil}, nil
}

// beginWork is to be called before work on an order, nil for one that is not read yet:
// a large one is worked on in turn. It may wait for a slot, and fails only if ctx ends
// first.
func beginWork(ctx context.Context, order *order.Order) error {
	size := 0
	if order != nil && order.Doc.AtLeast(admission.Large) {
		size = admission.Large
	}
	return admission.Begin(ctx, size)
}
