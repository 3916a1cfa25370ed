package contract

import (
	"context"
	"fmt"
	"os"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/simulate"
	"github.com/orderhook/orderhook/internal/store"
)

// mostSimulated bounds the orders of one tenant that happen once more.
const mostSimulated = 25

// happenAgain has the orders of a tenant happen once more, from the record alone
// (docs/configuring-workflows.md#what-would-have-happened).
func (r *rig) happenAgain(ctx context.Context, tenant string) error {
	s := &simulate.Simulation{From: r.store, Tenant: tenant}
	list, err := r.store.Orders(ctx, tenant, store.OrderFilter{}, store.Page{Limit: mostSimulated})
	if err != nil {
		return err
	}
	for _, o := range list.Items {
		c, err := s.Check(ctx, o.ID)
		if apierr.KindOf(err) == apierr.NotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("order %s: %w", o.ID, err)
		}
		if c.Reason != "" && !c.Missing && os.Getenv("SIMULATION_REASONS") == "" {
			return fmt.Errorf("what happened to the order %s comes out in another way once more: %s", o.ID, c.Reason)
		}
		if name := os.Getenv("SIMULATION_REASONS"); name != "" {
			f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			fmt.Fprintf(f, "%s\t%s\t%s\t%d runs\t%v\t%s\n", r.t.Name(), tenant, o.ID, c.Runs, c.Missing, c.Reason)
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}
