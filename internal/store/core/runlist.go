package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// Runs implements [store.Reader].
func (q queries) Runs(ctx context.Context, tenant string, f store.RunFilter, p store.Page) (store.List[*oms.Run], error) {
	l, selected := runsLike(tenant, f)
	return newestFirst(ctx, q.q, l, p, selected, "created", scanRun, func(r *oms.Run) store.Cursor { return store.Cursor{At: micros(r.Created), ID: r.ID} })
}

// runsLike returns the list of the runs that the filter picks. An order has few:
// SQLite left to itself would go through all of the tenant's, so as not to sort
// them. So it is with the runs that ended and did not succeed.
func runsLike(tenant string, f store.RunFilter) (l *list, selected string) {
	l, selected = listOf(tenant), `SELECT `+runColumns+` FROM runs`
	if f.Canceled != nil && *f.Canceled {
		l.where("status = 'canceled'")
	} else if f.Canceled != nil {
		l.where("status <> 'canceled'")
	}
	switch {
	case f.OrderID != "":
		selected += ` INDEXED BY runs_order`
	case stopped(f):
		selected += ` INDEXED BY runs_stopped`
		l.where("ended = 1 AND status <> 'succeeded'")
	}
	l.equal("status", string(f.Status))
	l.equal("order_id", f.OrderID)
	l.between("created", f.From, f.To)
	if f.Step != "" {
		l.where("(step = ? OR step_name = ?)", fold(f.Step), fold(f.Step))
	}
	return l, selected
}

// stopped reports whether a filter picks none but runs that have ended without
// success, of one status.
func stopped(f store.RunFilter) bool {
	if f.Status == "" {
		return f.Canceled != nil && *f.Canceled
	}
	return f.Status.Ended() && f.Status != oms.RunSucceeded
}
