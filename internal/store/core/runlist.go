package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// Runs implements [store.Reader].
func (q queries) Runs(ctx context.Context, tenant string, f store.RunFilter, asked store.Page) (store.List[*run.Run], error) {
	return newestFirst(ctx, q, tenant, runsLike(tenant, f), asked, paged[*run.Run]{runColumns, scanRun,
		func(r *run.Run) store.Cursor { return store.Cursor{At: micros(r.Created), ID: r.ID} }})
}

// RunCount implements [store.Reader].
func (q queries) RunCount(ctx context.Context, tenant string, f store.RunFilter) (store.Count, error) {
	return countNewest(ctx, q, tenant, runsLike(tenant, f))
}

// runsLike returns the list of the runs that the filter picks. Each case of the switch
// names an index that holds few runs: those of an order, those that ended without success,
// or those that have not ended. SQLite left to itself would go along the order of the list
// through all runs of the tenant, so as not to sort them.
func runsLike(tenant string, f store.RunFilter) *newest {
	n := newestOf(tenant, "runs INDEXED BY runs_created")
	// They are emptied where an index answers them, so that they are not compared again.
	status, canceled := string(f.Status), f.Canceled
	switch {
	case f.OrderID != "":
		n.from, n.few, n.apart = "runs INDEXED BY runs_order", true, true
		n.along.equal("order_id", f.OrderID)
	case stopped(f):
		if status == "" {
			status, canceled = string(run.RunCanceled), nil
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
		n.rest.where("(step = ? AND step <> '' OR step_name = ? AND step_name <> '')", fold(f.Step), fold(f.Step)) // one that is blank picks nothing
	}
	if f.Current {
		// There are three reasons why nobody has to act on a run. The first one is noted on
		// the run itself.
		n.rest.where("overtaken = 0")
		n.rest.where("EXISTS (SELECT 1 FROM orders o WHERE o.tenant = runs.tenant AND o.id = runs.order_id AND o.status_version = runs.status_version)")
		n.rest.where("NOT EXISTS (" + repeated + ")")
	}
	return n
}

// repeated finds a later run of the same status, for the same shipment or return, that
// succeeded: then nobody has to act on the earlier one any more.
const repeated = `SELECT 1 FROM runs AS later INDEXED BY runs_order
	WHERE later.tenant = runs.tenant AND later.order_id = runs.order_id AND later.seq > runs.seq AND later.status = 'succeeded'
	AND later.entered_status = runs.entered_status AND later.scoped = runs.scoped
	AND coalesce({field later.doc shipmentId}, '') = coalesce({field runs.doc shipmentId}, '')
	AND coalesce({field later.doc returnId}, '') = coalesce({field runs.doc returnId}, '')`

// stopped reports whether a filter picks none but runs that have ended without success, of
// one status. A filter without a status does so if it asks for canceled runs.
func stopped(f store.RunFilter) bool {
	if f.Status == "" {
		return f.Canceled != nil && *f.Canceled
	}
	return f.Status.Ended() && f.Status != run.RunSucceeded
}
