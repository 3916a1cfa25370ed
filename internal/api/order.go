package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// orders registers the operations on orders. Package workflow has what their
// workflows do; entering a status is in status.go.
func orders(a *api) {
	example := map[string]any{"id": "ORD-12345", "marketId": "NOR", "customerEmail": "kari@example.com", "orderForm": map[string]any{
		"lineItems": []any{map[string]any{"lineItemId": "1", "code": "SHOE-42", "quantity": 1, "placedPrice": 999.00}}}}
	handle(a, access.Publisher, huma.Operation{OperationID: "create-order", Method: http.MethodPost, Path: "/api/orders", Tags: []string{"Orders"},
		Summary: "Create an order and run the workflow of its status", DefaultStatus: http.StatusCreated,
		Description: "201 with the workflow's result; 202 with the run's id when the workflow is not done within `wait`.",
		RequestBody: documentBody(newOrderSchema, "The order. Without an id one is made; without a status it is New.", example)}, a.createOrder)
	handle(a, access.Reader, huma.Operation{OperationID: "list-orders", Method: http.MethodGet, Path: "/api/orders", Tags: []string{"Orders"},
		Summary: "List orders, the newest first"}, a.listOrders)
	handle(a, access.Reader, huma.Operation{OperationID: "get-order", Method: http.MethodGet, Path: "/api/orders/{id}", Tags: []string{"Orders"},
		Summary: "Read an order"}, a.getOrder)
	handle(a, access.Publisher, huma.Operation{OperationID: "patch-order", Method: http.MethodPatch, Path: "/api/orders/{id}", Tags: []string{"Orders"},
		Summary: "Change fields of an order", Description: "Runs no workflow. A patch that changes nothing makes no version.",
		RequestBody: documentBody(orderPatch, "The fields to change", map[string]any{"tags": []string{"vip"}})}, a.patchOrder)
	handle(a, access.Publisher, huma.Operation{OperationID: "delete-order", Method: http.MethodDelete, Path: "/api/orders/{id}", Tags: []string{"Orders"},
		Summary: "Set an order's status to Deleted, or erase it", Responses: also(http.StatusNoContent)}, a.deleteOrder)
	handle(a, access.Reader, huma.Operation{OperationID: "get-order-version", Method: http.MethodGet, Path: "/api/orders/{id}/versions/{version}", Tags: []string{"Orders"},
		Summary: "Read an order as it was"}, a.getOrderVersion)
}

// OrderID is the order that a path names. Whether such an order exists, the operation
// finds out.
type OrderID struct {
	ID string `path:"id" doc:"The order's id" example:"ORD-12345"`
}

// createOrder stores an order and begins the workflow of its status. It waits for the run
// as long as the caller wants; a caller who hangs up, or whose wait is over, ends nothing
// (docs/contract.md#waiting). Warnings about what of the order nobody reads are in the
// answer, since a fault in a name shows nowhere else.
func (a *api) createOrder(ctx context.Context, in *struct {
	OnceParams
	WaitParams
	RunWorkflow bool `query:"runWorkflow" default:"true" doc:"false stores the order and runs nothing"`
}) (*resultAnswer, error) {
	// A wait that cannot be read is refused before anything is stored.
	wait, err := in.duration()
	if err != nil {
		return nil, err
	}
	// The body is parsed by orderhook's own parser, which has every number as its digits.
	doc, warnings, err := schema.ParseOrder(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	// When this returns, order and run are durable. The run goes on after a crash, too.
	started, err := a.Engine.CreateOrder(ctx, a.caller(ctx, in.OnceParams), workflow.Document{Object: doc, Warnings: warnings}, in.RunWorkflow)
	if err != nil {
		return nil, within(err)
	}
	out, err := a.answerResult(ctx, started, wait, http.StatusCreated)
	if err == nil {
		out.Body.Warnings = inBody(warnings)
	}
	return out, err
}

// getOrder reads an order as it is, with its version as the ETag.
func (a *api) getOrder(ctx context.Context, in *OrderID) (*documentAnswer[shownOrder], error) {
	o, err := a.Store.Order(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return orderAnswer(o), nil
}

// getOrderVersion reads an order as it was; 404 for a version that there never was, or
// that retention has removed.
func (a *api) getOrderVersion(ctx context.Context, in *struct {
	OrderID
	Version int64 `path:"version" minimum:"1"`
}) (*documentAnswer[shownOrder], error) {
	// The ETag is that of the version. A change with it as If-Match is refused once the
	// order has moved on.
	o, err := a.Store.OrderVersion(ctx, tenantOf(ctx), in.ID, in.Version)
	if err != nil {
		return nil, err
	}
	return orderAnswer(o), nil
}

// listOrders lists orders as they are stored: their texts are sent without being parsed.
// All filters must hold. Which index serves them is the store's business
// (docs/design.md#lists-and-pages).
func (a *api) listOrders(ctx context.Context, in *struct {
	CountParams
	Status         string         `query:"status"`
	MarketID       string         `query:"marketId"`
	OrderType      string         `query:"orderType"`
	CustomerEmail  string         `query:"customerEmail"`
	SubscriptionID string         `query:"subscriptionId"`
	Tag            string         `query:"tag"`
	From           string         `query:"from" doc:"Created at or after this time"`
	To             string         `query:"to" doc:"Created before this time"`
	ModifiedFrom   string         `query:"modifiedFrom" doc:"Changed at or after this time"`
	StoreID        string         `query:"storeId"`
	ExternalID     string         `query:"externalId" doc:"The id of one of its externalIds"`
	HasErrors      optional[bool] `query:"hasErrors" doc:"true: has an error that is neither Solved nor Deleted; false: has none"`
	Q              string         `query:"q" doc:"A piece of text anywhere in the order, in any case"`
}) (*listOf[orderDocument], error) {
	from, to, err := span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	// The errors name the parameter that they are about.
	modified, err := timeParam("modifiedFrom", in.ModifiedFrom)
	if err != nil {
		return nil, err
	}
	f := store.OrderFilter{Status: in.Status, MarketID: in.MarketID, OrderType: in.OrderType,
		CustomerEmail: in.CustomerEmail, SubscriptionID: in.SubscriptionID, Tag: in.Tag, Text: in.Q, From: from, To: to,
		ModifiedFrom: modified, StoreID: in.StoreID, ExternalID: in.ExternalID, HasErrors: in.HasErrors.orNil()}
	// The documents are not parsed on their way from the database to the caller.
	list, err := listed(ctx, a, in.page(), func(p store.Page) (store.List[store.Document], error) {
		return a.Store.Orders(ctx, tenantOf(ctx), f, p)
	},
		func(d store.Document) orderDocument { return orderDocument{d} })
	return withCount(in.CountParams, list, err, func() (store.Count, error) { return a.Store.OrderCount(ctx, tenantOf(ctx), f) })
}

// patchOrder applies a patch to an order (docs/contract.md#patches). It takes no
// Idempotency-Key, because a patch that is applied twice changes nothing the second time.
// Without If-Match it is applied to the order as it is, again if another write was
// faster.
func (a *api) patchOrder(ctx context.Context, in *struct {
	OrderID
	MatchParams
}) (*documentAnswer[shownOrder], error) {
	// The patch is read alone first, so what is wrong with it is said whatever the order
	// has.
	patch, warnings, err := schema.ParseOrderPatch(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	c := a.caller(ctx, OnceParams{})
	c.IfMatch = version(in.IfMatch)
	o, warnings, err := a.Engine.PatchOrder(ctx, c, in.ID, workflow.Document{Object: patch, Warnings: warnings})
	if err != nil {
		return nil, within(err)
	}
	return orderAnswer(o).warned(warnings), nil
}

// deleteOrder enters the status Deleted, with the workflow of that status, or erases the
// order for good (docs/contract.md#calls-of-the-api). An erasure takes the order away at
// once, and the rest, wherever it is stored, in a job; the caller waits for the job, and
// the job goes on if the caller does not.
func (a *api) deleteOrder(ctx context.Context, in *struct {
	OrderID
	MatchParams
	WaitParams
	Permanently bool `query:"permanently" doc:"Erase the order: its versions, its history, and the bodies of its attempts"`
}) (*resultAnswer, error) {
	c := a.caller(ctx, OnceParams{})
	c.IfMatch = version(in.IfMatch)
	if in.Permanently {
		j, err := a.Engine.EraseOrder(ctx, c, in.ID)
		if err != nil {
			return nil, err
		}
		a.Jobs.Do(ctx, c.Tenant, j)
		return &resultAnswer{Status: http.StatusNoContent}, nil
	}
	return a.enter(ctx, c, in.ID, statusChange(order.StatusDeleted), in.WaitParams)
}
