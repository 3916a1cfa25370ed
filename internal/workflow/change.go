package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Caller is who asks for a change.
type Caller struct {
	Tenant     string
	oms.Author // for the history
	// Once makes a POST with an Idempotency-Key happen once; nil without one.
	Once *store.Idempotency
	// IfMatch is the version that the order must have; 0 takes any.
	IfMatch int64
}

// Started is a change that was made, and the run that it began.
type Started struct {
	OrderID string
	RunID   string // "" when no workflow was to run
	Version int64  // of the order, after the change
	// Warnings are what of a patch nobody reads, and what of it was not applied;
	// none where the request was carried out before.
	Warnings []oms.Warning

	held                 // the run and the order as they were committed, where the run has its answer, or answered gets it
	answered <-chan held // gets the run once it has an answer; nil: it has to be looked for
	stop     func()      // to be called when nobody waits for answered any more
}

// change makes a caller's change: it reads the facts, decides, and commits, once
// for the caller's Idempotency-Key. Then the order's lane looks at its runs. The
// decision is nil where an earlier call with that key has been carried out.
func (e *Engine) change(ctx context.Context, c Caller, of subject, do func(decide.Facts) (*decide.Decision, error)) (Started, *decide.Decision, error) {
	var (
		started Started
		d       *decide.Decision
		through = &pass{brake: e.brake}
		lane    = created{lanes: e.lanes}
	)
	err := e.store.Write(ctx, func(tx store.Tx) error {
		d = nil
		if c.Once != nil {
			if earlier, err := replay(ctx, tx, c); earlier != nil || err != nil {
				if earlier != nil {
					started = *earlier
				}
				return err
			}
		}
		f, err := e.facts(ctx, tx, c, of)
		if err != nil {
			return err
		}
		if d, err = do(f); err != nil {
			return err
		}
		key := orderKey{c.Tenant, d.Order.ID}
		if d.Created != nil {
			lane.hold(key)
		} else if d.Move == decide.Begins || oms.EntersStatus(f.Order.Doc, d.Order.Doc) {
			if err := through.enter(key); err != nil {
				return err
			}
		}
		if err := commit(ctx, tx, c.Tenant, d); err != nil {
			return err
		}
		started = Started{OrderID: d.Order.ID, Version: d.Order.Version, Warnings: d.Warnings}
		if d.Run != nil {
			started.RunID = d.Run.ID
		}
		if c.Once != nil {
			return remember(ctx, tx, c, started, f.Now)
		}
		return nil
	})
	through.done(err)
	if err != nil {
		lane.letGo(held{})
		return Started{}, nil, err
	}
	key, now := orderKey{c.Tenant, started.OrderID}, fresh{}
	if d != nil {
		e.committed(c.Tenant, d)
		if d.Move == decide.Begins {
			begun := held{run: d.Run, order: d.Order}
			if !d.Run.Status.Ended() {
				now.held = begun
			}
			if d.Run.AnswerVersion > 0 {
				started.held = begun
			} else if lane.free != nil { // else others may have set the lane going, and the run may have its answer by now
				started.held = begun
				started.answered, started.stop = e.watchers.watch(key, d.Run.ID)
			}
		}
	}
	if !lane.letGo(now.held) {
		e.lanes.kick(key, now)
	}
	return started, d, nil
}

// created is the lane of an order that is about to be created: nobody looks at
// its runs before it is told of the first one.
type created struct {
	lanes *lanes
	key   orderKey
	free  func(held) // nil: the order had a lane before
}

// hold holds the lane of the order. When it is decided again, that may be another one.
func (c *created) hold(key orderKey) {
	if c.free != nil && c.key == key {
		return
	}
	c.letGo(held{})
	c.key, c.free = key, c.lanes.hold(key)
}

// letGo gives the lane its first run, if it has one. It reports whether it was held.
func (c *created) letGo(h held) bool {
	if c.free == nil {
		return false
	}
	c.free(h)
	c.free = nil
	return true
}

// committed tells those who want to know of a decision that is durable now.
func (e *Engine) committed(tenant string, d *decide.Decision) {
	for _, line := range d.Lines {
		e.log.Warn(line.Message, append([]any{"tenant", tenant, "order", d.Order.ID, "run", d.Run.ID}, line.Attrs...)...)
	}
	if d.Run != nil && d.Run.AnswerVersion > 0 {
		e.watchers.tell(d.Run.ID, held{run: d.Run, order: d.Order})
	}
}
