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

// simulationReport names a file, by a variable of the environment. Each order of the suite then
// happens once more in the end, and the file says of each that comes out in another way why.
// The suite has times of two clocks, and calls that were cut off by a test: not all come out.
const simulationReport = "ORDERHOOK_SIMULATION_REPORT"

// happenAgain has the orders of a tenant happen once more, from the record alone
// (docs/configuring-workflows.md#what-would-have-happened), and reports on it.
func (r *rig) happenAgain(ctx context.Context, tenant string) error {
	name := os.Getenv(simulationReport)
	if name == "" {
		return nil
	}
	report, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer report.Close()
	list, err := r.store.Orders(ctx, tenant, store.OrderFilter{}, store.Page{Limit: mostSimulated})
	if err != nil {
		return err
	}
	s := &simulate.Simulation{From: r.store, Tenant: tenant}
	for _, o := range list.Items {
		c, err := s.Check(ctx, o.ID)
		if apierr.KindOf(err) == apierr.NotFound { // it is being erased
			continue
		}
		if err != nil {
			return fmt.Errorf("order %s: %w", o.ID, err)
		}
		what := "same"
		switch {
		case c.Missing:
			what = "not on record"
		case c.Reason != "":
			what = "not reproduced"
		}
		fmt.Fprintf(report, "%s\t%s\t%s\t%s\n", what, tenant, o.ID, c.Reason)
	}
	return nil
}
