package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// bulkCancel registers the call that cancels all pending deliveries that a filter picks.
func bulkCancel(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "cancel-deliveries", Method: http.MethodPost, Path: "/api/deliveries/cancel", Tags: []string{"Events"},
		Summary: "End all pending deliveries that a filter picks", DefaultStatus: http.StatusAccepted, Responses: bulkResponses[Counted](a),
		Description: "202 with a job, which goes on after a restart. The filter is that of the list, and must name a status, a lastStatus, an endpoint, an event or an order; the status can be `pending` alone. " +
			"Deliveries of events that come later than this call are passed over, and so is what has ended when its turn comes. Attempts that are under way end, and are recorded. " +
			"With `dryRun` nothing is canceled: 200 says how many would be.",
		RequestBody: bodyOf(a, bulkFilterShape, "Which deliveries", map[string]any{"endpointId": "ep_019aa4c27d3e7f0c9b61d2e8f4a05b37", "eventType": "OrderCreated"})}, a.cancelBulk)
}

// cancelBulk makes a job that cancels all pending deliveries that a filter picks. The
// status pending is added to the filter where it has none: the job is stored with it, so
// that whoever looks at the job sees what it is about.
func (a *api) cancelBulk(ctx context.Context, in *OnceParams) (*bulkAnswer, error) {
	body, err := readBody(ctx, bulkFilterShape)
	if err != nil {
		return nil, err
	}
	q, dryRun, err := parseBulkFilter(body, "everything that is pending would be canceled")
	if err != nil {
		return nil, err
	}
	if q.Status != "" && q.Status != event.DeliveryPending {
		return nil, apierr.Wrong("body.status", "must be pending, or be left out: what has ended cannot be canceled")
	}
	q.Status = event.DeliveryPending
	f, err := a.bulkDeliveries(ctx, q)
	if err != nil {
		return nil, err
	}
	if dryRun {
		return a.countPending(ctx, f)
	}
	return a.overDeliveries(ctx, *in, job.JobCancel, q, f)
}

// countPending answers a dry run: with how many deliveries the job would cancel, and the
// first of them. Whether an endpoint is on does not matter to a cancel.
func (a *api) countPending(ctx context.Context, f store.DeliveryFilter) (*bulkAnswer, error) {
	// It is a caller's question, and must not take the connections of orderhook's own
	// work.
	ctx = store.Read.Mark(ctx)
	out, newest, err := countAll(ctx, func(ctx context.Context, p store.Page) (store.List[*event.Delivery], error) {
		return a.Store.Deliveries(ctx, tenantOf(ctx), f, p)
	})
	if err == nil {
		out.Deliveries, err = a.showDeliveries(ctx, newest)
	}
	return &bulkAnswer{Status: http.StatusOK, Body: out}, err
}
