package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
)

func history(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "get-order-history", Method: http.MethodGet, Path: "/api/orders/{id}/history", Tags: []string{"Orders"},
		Summary: "Read what happened to an order, the newest first"}, a.getHistory)
}

func (a *api) getHistory(ctx context.Context, in *struct {
	OrderID
	PageParams
}) (*listOf[oms.HistoryEntry], error) {
	if _, err := a.Store.Order(ctx, tenantOf(ctx), in.ID); err != nil {
		return nil, err
	}
	list, err := a.Store.History(ctx, tenantOf(ctx), in.ID, in.page())
	return answerList(list, err, asIs)
}

func pathEscape(id string) string { return url.PathEscape(id) }
