package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/export"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// history registers the call that reads what happened to an order.
func history(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "get-order-history", Method: http.MethodGet, Path: "/api/orders/{id}/history", Tags: []string{"Orders"},
		Summary: "Read what happened to an order, the newest first"}, a.getHistory)
}

// getHistory lists the entries of an order's history. An order that never was is 404, and
// not an empty list.
func (a *api) getHistory(ctx context.Context, in *struct {
	OrderID
	PageParams
}) (*listOf[order.HistoryEntry], error) {
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[order.HistoryEntry], error) {
		list, err := a.Store.History(ctx, tenantOf(ctx), in.ID, p)
		if err == nil && len(list.Items) == 0 { // an order need not be read to say that it is there, if it has a history
			_, err = a.Store.Order(ctx, tenantOf(ctx), in.ID)
		}
		if err == nil {
			err = a.nameRuns(ctx, in.ID, list.Items)
		}
		return list, err
	}, asIs)
}

// nameRuns gives export log items the runs that they are of, as far as those are
// stored. The last attempt of an export is made without knowing its run, which
// may have ended long ago; the run knows the call.
//
// The runs are read page by page, from the newest on, until each entry has its run or
// there are no more. An order has few.
func (a *api) nameRuns(ctx context.Context, o string, entries []order.HistoryEntry) error {
	var left []*order.HistoryEntry
	for i := range entries {
		if e := &entries[i]; e.Operation == export.OpExportOrder && e.RunID == "" {
			left = append(left, e)
		}
	}
	// The largest page asks the fewest questions.
	page := store.Page{Limit: store.MaxLimit}
	for len(left) > 0 {
		runs, err := a.Store.Runs(ctx, tenantOf(ctx), store.RunFilter{OrderID: o}, page)
		if err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(e *order.HistoryEntry) bool {
			return slices.ContainsFunc(runs.Items, func(r *run.Run) bool { return r.Describe(e) })
		})
		if page.Cursor = runs.NextCursor; page.Cursor == "" {
			break
		}
	}
	return nil
}
