package workflow

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// TryConnector ends the wait of a connector's breaker: the next call tries, now, and so
// that there is one, the runs that wait for a breaker look again. If the call fails, the
// breaker opens once more; if not, it closes. It reports whether there was a wait to end on
// this node; those of other nodes end, too. It stores nothing: whoever asks for it has it
// noted in the audit log.
func (e *Engine) TryConnector(tenant string, c *settings.Connector) bool {
	e.node.Tell(nodes.News{Kind: nodes.Trying, Tenant: tenant, ID: c.ConnectorID, Text: c.Name})
	return e.tryConnector(tenant, c)
}

// tryConnector is TryConnector for this node alone. The runs are woken in the background,
// since there may be thousands.
func (e *Engine) tryConnector(tenant string, c *settings.Connector) bool {
	if e.stopping.Err() != nil || !e.breakers.tryNow(tenant, c) {
		return false
	}
	e.waking.Go(func() { e.wakeWaiting(tenant) })
	return true
}

// wakeWaiting has the queues look again whose runs wait for a breaker. Which breaker that
// is they find out themselves. It reads page after page, with the low priority of
// background work. If it fails, each run still goes on at its own time.
func (e *Engine) wakeWaiting(tenant string) {
	ctx, page := store.Background.Mark(e.calls), store.Page{Limit: store.MaxLimit}
	for e.stopping.Err() == nil {
		list, err := e.store.Runs(ctx, tenant, store.RunFilter{Status: run.RunWaiting}, page)
		if err != nil {
			e.log.Warn("runs that wait for a breaker were not woken; they go on at their time", "tenant", tenant, "error", err)
			return
		}
		for _, r := range list.Items {
			if (snapshot{run: r}).waitsForBreaker() {
				e.queues.wake(orderKey{tenant, r.OrderID}, fresh{})
			}
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return
		}
	}
}

// tryNow lets the next call of a connector try, if its breaker is not closed, and
// reports that.
func (b *breakers) tryNow(tenant string, c *settings.Connector) bool {
	if c.Breaker == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	br := b.of(tenant, c, now)
	if !br.TryNow() {
		return false
	}
	br.tried = now
	return true
}

// triedSince reports whether somebody had a connector's breaker tried at a time or
// later. A run asks with the time since when it waits.
func (b *breakers) triedSince(tenant string, c *settings.Connector, at time.Time) bool {
	if c == nil || c.Breaker == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	tried := b.of(tenant, c, b.clock.Now()).tried
	return !tried.IsZero() && !tried.Before(at)
}

// triedByHand reports whether somebody had the breaker tried that a run waits for, since it
// waits: then its time is over.
func (e *Engine) triedByHand(ctx context.Context, tenant string, s snapshot) (bool, error) {
	c, err := e.prepare(ctx, tenant, s)
	if apierr.KindOf(err) == apierr.NotFound || errors.Is(err, errNoTarget) { // the next step finds out
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return e.breakers.triedSince(tenant, c.target.Connector, s.run.Updated), nil
}
