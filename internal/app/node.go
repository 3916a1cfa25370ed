package app

import (
	"context"

	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// join makes this server a node of its database. It is alone where only one process can
// open that. failed gets the error of a node that may not go on.
func (o *Options) join(ctx context.Context, st store.Store, clock *nodes.Clock, address string, failed chan<- error) (*nodes.Node, error) {
	n := nodes.Options{Clock: clock, Lasts: o.LeaseTime, Address: address, Version: o.Version, Log: o.Log, Barred: func(err error) { failed <- err }}
	if shared, is := st.(interface{ Nodes() nodes.Database }); is {
		n.Database = shared.Nodes()
	}
	node, err := nodes.Join(ctx, n)
	return node, doing("join the other nodes of the database", err)
}

// hearer has a store hear of what other nodes have committed. It is the first of the
// workers, because the others ask the store for what has changed. It has no work that
// belongs to a lease.
type hearer struct{ store store.Store }

// Take implements [nodes.Worker].
func (hearer) Take(context.Context, []nodes.Lease) error { return nil }

// Give implements [nodes.Worker].
func (hearer) Give(context.Context, []nodes.Lease) {}

// Hear implements [nodes.Worker].
func (h hearer) Hear(ctx context.Context, news []nodes.News) { h.store.Hear(ctx, news) }
