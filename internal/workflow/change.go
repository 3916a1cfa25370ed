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
}

// change makes a caller's change: it reads the facts, decides, and commits, once
// for the caller's Idempotency-Key. Then the order's lane looks at its runs. The
// decision is nil where an earlier call with that key has been carried out.
func (e *Engine) change(ctx context.Context, c Caller, of subject, do func(decide.Facts) (*decide.Decision, error)) (Started, *decide.Decision, error) {
	var (
		started Started
		d       *decide.Decision
		through = &pass{brake: e.brake}
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
		if d.Created == nil && (d.Move == decide.Begins || oms.EntersStatus(f.Order.Doc, d.Order.Doc)) {
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
		return Started{}, nil, err
	}
	if d != nil {
		e.committed(c.Tenant, d)
		if d.Move == decide.Begins {
			e.fresh.Store(orderKey{c.Tenant, started.OrderID}, held{run: d.Run, order: d.Order})
		}
	}
	e.lanes.kick(orderKey{c.Tenant, started.OrderID})
	return started, d, nil
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
