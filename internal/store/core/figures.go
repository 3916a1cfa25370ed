package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/store"
)

// Figures implements [store.Store]. It asks the engine and adds what only the tables say.
func (s *Store) Figures(ctx context.Context) (store.Figures, error) {
	f, err := s.engine.Figures(ctx)
	if err != nil {
		return f, err
	}
	f.Lateness = s.lateness.most()
	f.Unindexed, err = s.unindexed(ctx)
	return f, err
}

// unindexed counts the attempts that are in no segment, up to [store.MostCounted] of each
// tenant: they are those behind its last segment. The number is for an operator who wants
// to know whether the index falls behind, so it need not be exact: an attempt that is
// recorded late is before the last segment, and is not counted.
func (s *Store) unindexed(ctx context.Context) (n int64, err error) {
	tenants, err := s.Tenants(ctx)
	for _, tenant := range tenants {
		if err != nil {
			return 0, err
		}
		var last, behind int64
		if last, err = s.lastIndexed(ctx, tenant); err == nil {
			err = one(ctx, s.q, []any{&behind}, `SELECT count(*) FROM (SELECT 1 FROM attempts WHERE tenant = ? AND seq > ? LIMIT ?) AS behind`, tenant, last, store.MostCounted)
		}
		n += behind
	}
	return n, err
}
