package contract

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/simulate"
	"github.com/orderhook/orderhook/internal/store"
)

// mostReproduced bounds the orders of one test that happen once more.
const mostReproduced = 30

// reproduced counts the runs of all tests.
var reproduced atomic.Int64

// reproduce has all that happened to the orders of an orderhook happen once more by the record
// alone, as `orderhook simulate` does: the very same must come of it.
func (r *rig) reproduce(ctx context.Context, tenant string) error {
	list, err := r.store.Orders(ctx, tenant, store.OrderFilter{}, store.Page{Limit: mostReproduced})
	if err != nil {
		return err
	}
	s := &simulate.Simulation{From: r.store, Tenant: tenant}
	for _, o := range list.Items {
		c, err := s.Check(ctx, o.ID)
		if err != nil {
			return err
		}
		if c.Reason != "" {
			return fmt.Errorf("what happened to the order %q does not come out the same once more: %s", o.ID, c.Reason)
		}
		reproduced.Add(int64(c.Runs))
	}
	return nil
}
