package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// Runs implements [store.Reader].
func (q queries) Runs(ctx context.Context, tenant string, f store.RunFilter, asked store.Page) (store.List[*oms.Run], error) {
	return newestFirst(ctx, q, tenant, runsLike(tenant, f), asked, runColumns, scanRun,
		func(r *oms.Run) store.Cursor { return store.Cursor{At: micros(r.Created), ID: r.ID} })
}

// RunCount implements [store.Reader].
func (q queries) RunCount(ctx context.Context, tenant string, f store.RunFilter) (store.Count, error) {
	return countNewest(ctx, q, tenant, runsLike(tenant, f))
}

// runsLike returns the list of the runs that the filter picks. An order has few:
// SQLite left to itself would go through all of the tenant's, so as not to sort
// them. So it is with the runs that have not ended, or ended and did not succeed.
func runsLike(tenant string, f store.RunFilter) *newest {
	n := newestOf(tenant, "runs INDEXED BY runs_created")
	status, canceled := string(f.Status), f.Canceled
	switch {
	case f.OrderID != "":
		n.from, n.few = "runs INDEXED BY runs_order", true
		n.along.equal("order_id", f.OrderID)
	case stopped(f):
		if status == "" {
			status, canceled = string(oms.RunCanceled), nil
		}
		n.from = "runs INDEXED BY runs_stopped"
		n.along.where("ended = 1 AND status <> 'succeeded' AND status = ?", status)
		status = ""
	case status != "" && !f.Status.Ended():
		n.from = "runs INDEXED BY runs_open"
		n.along.where("ended = 0 AND status = ?", status)
		status = ""
	}
	n.along.between("created", f.From, f.To)
	n.rest.equal("status", status)
	if canceled != nil {
		n.rest.where(map[bool]string{true: "status = 'canceled'", false: "status <> 'canceled'"}[*canceled])
	}
	if f.Step != "" {
		n.rest.where("(step = ? OR step_name = ?)", fold(f.Step), fold(f.Step))
	}
	if f.Current {
		n.rest.where("EXISTS (SELECT 1 FROM orders o WHERE o.tenant = runs.tenant AND o.id = runs.order_id AND o.status_version = runs.status_version)")
	}
	return n
}

// stopped reports whether a filter picks none but runs that have ended without
// success, of one status.
func stopped(f store.RunFilter) bool {
	if f.Status == "" {
		return f.Canceled != nil && *f.Canceled
	}
	return f.Status.Ended() && f.Status != oms.RunSucceeded
}
