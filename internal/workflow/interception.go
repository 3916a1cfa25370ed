package workflow

import (
	"context"
	"errors"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/intercept"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// listenerSubject is what the call is of, for those who intercept some.
func (c *call) listenerSubject() *intercept.Subject {
	s := &intercept.Subject{Step: c.step.Name, DisplayName: c.step.DisplayName, Connector: c.step.Connector,
		Status: c.run.EnteredStatus, OrderID: c.run.OrderID, RunID: c.run.ID}
	if t := c.target.Connector; t != nil {
		s.Connector, s.ConnectorID = t.Name, t.ConnectorID
	}
	return s
}

// stepByListener makes the attempt that a run is at by a listener in place of the endpoint, and
// applies what came of it. It waits until the listener takes the call, which is no part of the
// attempt. If the interception ends before, nothing was sent, and the run looks anew.
func (e *Engine) stepByListener(ctx context.Context, of *nodes.Share, tenant string, s snapshot, c *call, listener *intercept.Interception) (snapshot, error) {
	taken, err := e.offer(ctx, of, s, c, listener)
	switch {
	case errors.Is(err, intercept.ErrFull):
		s.notBefore = e.clock.Now().Add(again)
		return s, nil
	case err != nil: // it ended, the run's time is over, or the process stops: advance finds out
		return s, nil
	}
	defer taken.Close()
	// That may have taken long. An order that was erased meanwhile goes to nobody any more, and
	// its runs are there for some time after it.
	newer, err := e.store.RunUnless(ctx, tenant, s.run.ID, s.run.Revision)
	if err == nil {
		_, err = e.store.Order(ctx, tenant, s.run.OrderID)
	}
	if apierr.KindOf(err) == apierr.NotFound {
		return snapshot{}, nil
	}
	if newer != nil || err != nil {
		return snapshot{run: newer, followed: true}, err
	}
	if err := beginWork(ctx, s.order); err != nil {
		return snapshot{}, err
	}
	a, o := e.attempt(ctx, c, taken)
	defer o.memory.Give()
	if ctx.Err() != nil {
		return snapshot{}, nil
	}
	return e.complete(ctx, of, tenant, s, a, o)
}

// offer waits until the listener takes a call, the share stops, or the run's time is over.
func (e *Engine) offer(ctx context.Context, of *nodes.Share, s snapshot, c *call, listener *intercept.Interception) (*intercept.Call, error) {
	admission.Pause(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(of.Ctx, stop)()
	if end := s.run.Deadline; !end.IsZero() {
		timer := e.clock.AfterFunc(end.Sub(e.clock.Now()), stop)
		defer timer.Stop()
	}
	return listener.Offer(ctx, *c.listenerSubject())
}

// lostListener notes in the audit log that an interception has ended though nobody asked for that. The
// entry has the key that began it. If the process dies before, so did the interception, and
// the log has its beginning alone.
func (e *Engine) lostListener(tenant string, s intercept.State) {
	e.log.Warn("an interception has ended: calls go to their endpoints again", "tenant", tenant, "interception", s.ID, "key", s.By.KeyID, "why", s.Why)
	e.waking.Go(func() {
		ctx := store.Audited(e.calls, func() access.AuditEntry {
			return access.AuditEntry{Action: "delete-interception", Actor: access.Actor{KeyID: s.By.KeyID, KeyName: s.By.KeyName, Via: access.ViaAPI}}
		})
		if err := e.store.Write(ctx, func(tx store.Tx) error {
			return tx.NoteInterception(ctx, tenant, s.ID, &access.AuditedInterception{Ended: s.Why})
		}); err != nil {
			e.log.Error("the end of an interception is not in the audit log", "tenant", tenant, "interception", s.ID, "error", err)
		}
	})
}
