package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func history(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "get-order-history", Method: http.MethodGet, Path: "/api/orders/{id}/history", Tags: []string{"Orders"},
		Summary: "Read what happened to an order, the newest first"}, a.getHistory)
}

func (a *api) getHistory(ctx context.Context, in *struct {
	OrderID
	PageParams
}) (*listOf[oms.HistoryEntry], error) {
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[oms.HistoryEntry], error) {
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
// kept. Who makes the last attempt of an export does not know its run, which
// may have ended long ago; the run knows the call.
func (a *api) nameRuns(ctx context.Context, order string, entries []oms.HistoryEntry) error {
	var left []*oms.HistoryEntry
	for i := range entries {
		if e := &entries[i]; e.Operation == oms.OpExportOrder && e.RunID == "" {
			left = append(left, e)
		}
	}
	page := store.Page{Limit: store.MaxLimit}
	for len(left) > 0 {
		runs, err := a.Store.Runs(ctx, tenantOf(ctx), store.RunFilter{OrderID: order}, page)
		if err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(e *oms.HistoryEntry) bool { return slices.ContainsFunc(runs.Items, e.InRun) })
		if page.Cursor = runs.NextCursor; page.Cursor == "" {
			break
		}
	}
	return nil
}

func pathEscape(id string) string { return url.PathEscape(id) }
