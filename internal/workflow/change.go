package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Caller is who asks for a change. The API makes it of the key and the request; a job makes
// it of whoever has asked for the job. It is a value, and the engine keeps nothing of it
// but what the history says.
type Caller struct {
	Tenant       string
	order.Author // for the history
	// Once makes a POST with an Idempotency-Key happen once; nil without one.
	Once *store.Idempotency
	// IfMatch is the version that the order must have; 0 takes any.
	IfMatch int64
}

// Started is a change that was made, and the run that it began. [Engine.Await] waits for
// that run, and is to be called with it: it ends the watch.
type Started struct {
	OrderID string
	RunID   string // "" when no workflow was to run
	Version int64  // of the order, after the change
	// Warnings are what of a patch nobody reads, and what of it was not applied;
	// none where the request was carried out before.
	Warnings []apierr.Warning

	snapshot                 // the run and the order as they were committed, where the run has its answer, or answered gets it
	answered <-chan snapshot // gets the run once it has an answer; nil: it has to be looked for
	stop     func()          // to be called when nobody waits for answered any more
}

// changing is a change while it is decided. The function passed to Write may run more than
// once, and decides anew each time.
type changing struct {
	caller Caller
	of     subject
	do     func(decide.Facts) (*decide.Decision, error)

	started  Started
	decision *decide.Decision // nil: the request is a repeated one
	permit   permit
	queue    *heldQueue // of an order that is created: nobody looks at its runs before it is told of the first one
}

// change makes a caller's change: it reads the facts, decides, and commits, once
// for the caller's Idempotency-Key. Then the order's queue looks at its runs. The
// decision is nil where the request is a repeated one. The order of its parts matters. The
// queue of a new order is held from before the write, so that no turn moves the run before
// somebody watches it. The limiter counts within the write, so that what it refuses is not
// stored. The queue is woken after the commit, since before it there is nothing to read.
func (e *Engine) change(ctx context.Context, c Caller, of subject, do func(decide.Facts) (*decide.Decision, error)) (Started, *decide.Decision, error) {
	ch := &changing{caller: c, of: of, do: do, permit: permit{limiter: e.statuses}}
	err := e.store.Write(ctx, func(tx store.Tx) error { return e.decideChange(ctx, tx, ch) })
	if ch.permit.count != nil || ch.permit.err != nil {
		ch.permit.done(err)
	}
	if err != nil {
		ch.queue.free(snapshot{})
		return Started{}, nil, err
	}
	e.afterChange(ch)
	return ch.started, ch.decision, nil
}

// decideChange decides on a change within a write, and commits what it decides. Nothing may
// be left of a decision that was overtaken, but for the queue that is held and what the
// limiter has counted.
func (e *Engine) decideChange(ctx context.Context, tx store.Tx, ch *changing) error {
	c := ch.caller
	ch.decision = nil
	if c.Once != nil {
		if again, err := earlier(ctx, tx, c); err != nil {
			return err
		} else if again != nil {
			ch.started = *again
			return nil
		}
	}
	f, err := e.facts(ctx, tx, c, ch.of)
	if err != nil {
		return err
	}
	d, err := ch.do(f)
	if err != nil {
		return err
	}
	key := orderKey{c.Tenant, d.Order.ID}
	if d.Created != nil {
		if ch.queue == nil || ch.queue.key != key { // when it is decided again, that may be another one
			ch.queue.free(snapshot{})
			ch.queue = e.queues.hold(key)
		}
	} else if d.Move == decide.Begins || order.EntersStatus(f.Order.Doc, d.Order.Doc) {
		// Only what begins a workflow or sets a status can go in a circle.
		if err := ch.permit.take(key); err != nil {
			return err
		}
	}
	if err := commit(ctx, tx, c.Tenant, d); err != nil {
		return err
	}
	ch.decision = d
	ch.started = Started{OrderID: d.Order.ID, Version: d.Order.Version, Warnings: d.Warnings}
	if d.Run != nil {
		ch.started.RunID = d.Run.ID
	}
	if c.Once != nil {
		return remember(ctx, tx, c, ch.started, f.Now)
	}
	return nil
}

// afterChange has a change that is durable told, its run watched where nobody else can have
// moved that yet, and its order's queue woken. A repeated request has no decision, and waits
// for the run that the first one began.
func (e *Engine) afterChange(ch *changing) {
	key, d, next := orderKey{ch.caller.Tenant, ch.started.OrderID}, ch.decision, fresh{}
	if d != nil {
		e.committed(key.tenant, d)
	}
	if d != nil && d.Move == decide.Begins {
		begun := snapshot{run: d.Run, order: d.Order, followed: d.Next != nil}
		// The queue gets what it would read otherwise, unless the run has come to its end
		// within the decision.
		if !d.Run.Status.Ended() {
			next.snapshot = begun
		}
		if d.Run.AnswerVersion > 0 {
			ch.started.snapshot = begun
		} else if ch.queue != nil { // else others may have woken the queue, and the run may have its answer by now
			ch.started.snapshot = begun
			ch.started.answered, ch.started.stop = e.watchers.watch(key, d.Run.ID)
		}
	}
	if ch.queue != nil {
		ch.queue.free(next.snapshot)
	} else {
		e.queues.wake(key, next)
	}
}

// committed tells those who want to know of a decision that is durable now. The caller has
// committed it. Nothing here waits: a watch has room for its answer, and news for other
// nodes is gathered.
func (e *Engine) committed(tenant string, d *decide.Decision) {
	for _, line := range d.Lines {
		e.log.Warn(line.Message, append([]any{"tenant", tenant, "order", d.Order.ID, "run", d.Run.ID}, line.Attrs...)...)
	}
	if d.Run != nil && d.Move != decide.Stays && d.Run.Status.Ended() {
		e.tellSpan(tenant, d.Run)
	}
	if d.Run != nil && d.Run.AnswerVersion > 0 {
		e.watchers.tell(d.Run.ID, snapshot{run: d.Run, order: d.Order})
		e.node.Tell(nodes.News{Kind: nodes.Answered, Tenant: tenant, ID: d.Run.ID})
	}
}
