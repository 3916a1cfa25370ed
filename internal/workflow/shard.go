package workflow

import (
	"cmp"
	"context"
	"slices"

	"github.com/orderhook/orderhook/internal/nodes"
)

// take begins the work of shards. No queue looks at its runs before it is woken. No new call
// begins once stopping has ended.
func (o *orderQueues) take(stopping context.Context, leases []nodes.Lease) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shares.Take(stopping, leases)
}

// give ends the work of shards. It waits for the turns under way, or for ctx. Their queues
// leave the map first, so nothing wakes them while it waits.
func (o *orderQueues) give(ctx context.Context, leases []nodes.Lease) {
	o.mu.Lock()
	gone := o.shares.Give(leases)
	// A timer that fires nevertheless finds its shard gone, and tells the node that has it.
	for key, q := range o.queues {
		if slices.Contains(gone, q.share) {
			if q.timer != nil {
				q.timer.Stop()
			}
			delete(o.queues, key)
		}
	}
	o.mu.Unlock()
	nodes.AwaitWork(ctx, gone)
}

// Take implements [nodes.Worker]: it goes on with every run of the shards that has not
// ended. After an error the node calls it again; waking an order twice does no harm.
func (e *Engine) Take(ctx context.Context, leases []nodes.Lease) error {
	taken := map[string]bool{}
	for _, l := range leases {
		taken[l.Name] = true
	}
	e.queues.take(e.stopping, leases)
	return e.store.UnfinishedOrders(ctx, func(tenant, orderID string) error {
		if taken[nodes.OfOrder(tenant, orderID)] {
			e.queues.wakeHere(orderKey{tenant, orderID}, fresh{})
		}
		return nil
	})
}

// Give implements [nodes.Worker]. A call that is under way has its answer stored first.
func (e *Engine) Give(ctx context.Context, leases []nodes.Lease) { e.queues.give(ctx, leases) }

// Hear implements [nodes.Worker]. News may come twice, and may be about what is not here:
// each kind only has something looked at.
func (e *Engine) Hear(ctx context.Context, news []nodes.News) {
	for _, n := range news {
		switch n.Kind {
		case nodes.Order:
			e.queues.wakeHere(orderKey{n.Tenant, n.ID}, fresh{})
		case nodes.Answered:
			e.watchers.tell(n.ID, snapshot{})
		case nodes.Erased:
			e.watchers.erased(orderKey{n.Tenant, n.ID})
		case nodes.Trying:
			e.tryHere(ctx, n.Tenant, n.ID, n.Text)
		case nodes.Anew:
			e.lookAnew(ctx)
		}
	}
}

// lookAnew has all queues of this node look at their runs, and tells those who wait for a
// run that has its answer by now. It is called when news may be missing, as after another
// node has died (docs/design.md#several-nodes).
func (e *Engine) lookAnew(ctx context.Context) {
	err := e.store.UnfinishedOrders(ctx, func(tenant, orderID string) error {
		e.queues.wakeHere(orderKey{tenant, orderID}, fresh{})
		return nil
	})
	for _, w := range e.watchers.all() {
		if err != nil {
			break
		}
		run, why := e.store.Run(ctx, w.order.tenant, w.run)
		if err = why; err == nil && run.AnswerVersion > 0 {
			e.watchers.tell(w.run, snapshot{})
		}
	}
	if err != nil && ctx.Err() == nil {
		e.log.Warn("the runs cannot be looked at, and are again later", "error", err)
		e.clock.AfterFunc(again, func() { e.lookAnew(ctx) })
	}
}

// tryHere ends the wait of a connector's breaker, for a caller of another node. The
// settings are read as they are now: a connector that is gone, or is configured anew, has
// no wait to end.
func (e *Engine) tryHere(ctx context.Context, tenant, id, name string) {
	s, err := e.store.Settings(ctx, tenant)
	if err != nil {
		e.log.Warn("a connector's breaker is not tried, since the settings cannot be read", "tenant", tenant, "connector", cmp.Or(id, name), "error", err)
		return
	}
	for i := range s.Connectors {
		if c := &s.Connectors[i]; c.ConnectorID == id && c.Name == name {
			e.tryConnector(tenant, c)
		}
	}
}

// elsewhere tells the node of an order's shard that there is something to do for it.
func (e *Engine) elsewhere(key orderKey) {
	e.node.Tell(nodes.News{Kind: nodes.Order, Tenant: key.tenant, ID: key.order})
}
