package workflow

import (
	"context"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// What callers ask for. The API asks package workflow and need not know decide.
type (
	Document     = decide.Document
	StatusChange = decide.StatusChange
)

// CreateOrder stores a new order and begins the workflow of its status. If run is false no
// workflow begins, as when orders are moved in from elsewhere.
func (e *Engine) CreateOrder(ctx context.Context, c Caller, doc Document, run bool) (Started, error) {
	s, _, err := e.change(ctx, c, subject{}, func(f decide.Facts) (*decide.Decision, error) { return decide.Create(f, doc, run) })
	return s, err
}

// EnterStatus sets a status and begins its workflow. Entering the status that
// an order is in already runs the workflow again.
func (e *Engine) EnterStatus(ctx context.Context, c Caller, id string, change StatusChange) (Started, error) {
	s, _, err := e.change(ctx, c, subject{order: id, begins: !change.SkipRun}, func(f decide.Facts) (*decide.Decision, error) { return decide.Enter(f, change) })
	return s, err
}

// PatchOrder applies a patch of the API. It runs no workflow; a patch that
// changes nothing makes no version. The warnings are what of the patch nobody
// reads, and what of it was not applied.
func (e *Engine) PatchOrder(ctx context.Context, c Caller, id string, patch Document) (*order.Order, []apierr.Warning, error) {
	return e.patch(ctx, c, id, func(f decide.Facts) (*decide.Decision, error) { return decide.Patch(f, patch) })
}

// patch makes a change of an order that begins no run. It must not come with an
// Idempotency-Key, for then there might be no decision to return the order of.
func (e *Engine) patch(ctx context.Context, c Caller, id string, do func(decide.Facts) (*decide.Decision, error)) (*order.Order, []apierr.Warning, error) {
	_, d, err := e.change(ctx, c, subject{order: id}, do)
	if err != nil {
		return nil, nil, err
	}
	return d.Order, d.Warnings, nil
}

// AddShipment adds a shipment to an order. Without a shipmentId one is made.
// It runs no workflow.
func (e *Engine) AddShipment(ctx context.Context, c Caller, orderID string, shipment Document) (Started, error) {
	if err := checkShipment(shipment.Object); err != nil {
		return Started{}, err
	}
	if v, _ := shipment.Get("shipmentId"); v != nil && strings.TrimSpace(shipment.Text("shipmentId")) == "" {
		return Started{}, apierr.Wrong("body.shipmentId", "must not be empty; leave it out and one is made")
	}
	if !shipment.Has("shipmentId") {
		shipment.Set("shipmentId", ids.New(ids.Shipment))
	}
	id := shipment.Text("shipmentId")
	s, _, err := e.change(ctx, c, subject{order: orderID}, func(f decide.Facts) (*decide.Decision, error) { return decide.AddShipment(f, id, shipment) })
	return s, err
}

// PatchShipment changes fields of a shipment. It runs no workflow; its status
// changes with one through [Engine.EnterStatus].
func (e *Engine) PatchShipment(ctx context.Context, c Caller, orderID, id string, patch Document) (*order.Order, []apierr.Warning, error) {
	if err := checkShipment(patch.Object); err != nil {
		return nil, nil, err
	}
	if patch.Has("shipmentId") && patch.Text("shipmentId") != id {
		return nil, nil, apierr.Wrong("body.shipmentId", "is not the id in the path")
	}
	patch.Set("shipmentId", id)
	return e.patch(ctx, c, orderID, func(f decide.Facts) (*decide.Decision, error) { return decide.PatchShipment(f, id, patch) })
}

// checkShipment refuses a shipment with an empty status, before anything is read for the
// change.
func checkShipment(shipment *jsondoc.Object) error {
	if wrong := order.CheckShipment(shipment, "body"); len(wrong) > 0 {
		return &apierr.Error{Kind: apierr.Invalid, Detail: "the shipment is not valid", Fields: wrong}
	}
	return nil
}

// CreateReturn makes a return order form, sets the order Returned or
// PartiallyReturned, and begins that status's return workflow.
func (e *Engine) CreateReturn(ctx context.Context, c Caller, orderID string, r order.ReturnRequest) (Started, error) {
	s, _, err := e.change(ctx, c, subject{order: orderID, begins: true}, func(f decide.Facts) (*decide.Decision, error) { return decide.Return(f, r) })
	return s, err
}

// CancelReturn frees the quantities of a return; its form stays, Cancelled.
func (e *Engine) CancelReturn(ctx context.Context, c Caller, orderID, id string) (Started, error) {
	s, _, err := e.change(ctx, c, subject{order: orderID}, func(f decide.Facts) (*decide.Decision, error) { return decide.CancelReturn(f, id) })
	return s, err
}
