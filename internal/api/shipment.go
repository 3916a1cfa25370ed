package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/workflow"
)

// shipments registers the operations that add and change shipments of an order
// (docs/contract.md#shipments).
func shipments(a *api) {
	example := map[string]any{"shipmentId": "S2", "warehouseCode": "oslo-1", "shipmentTrackingNumber": "370000000000000012"}
	handle(a, access.Publisher, huma.Operation{OperationID: "add-shipment", Method: http.MethodPost, Path: "/api/orders/{id}/shipments", Tags: []string{"Orders"},
		Summary: "Add a shipment to an order", DefaultStatus: http.StatusCreated,
		RequestBody: documentBody(shipmentSchema, "The shipment. Without a shipmentId one is made.", example)}, a.addShipment)
	handle(a, access.Publisher, huma.Operation{OperationID: "patch-shipment", Method: http.MethodPatch, Path: "/api/orders/{id}/shipments/{shipmentId}", Tags: []string{"Orders"},
		Summary: "Change fields of a shipment", Description: "Runs no workflow: a status with its workflow is entered through `POST /api/orders/{id}/status`.",
		RequestBody: documentBody(shipmentSchema, "The fields to change", map[string]any{"deliveryStatus": "InTransit"})}, a.patchShipment)
}

// addShipment adds a shipment and answers with the whole order. It is the version that
// the addition made, also for a repeated request, whatever has become of the order since.
func (a *api) addShipment(ctx context.Context, in *struct {
	OrderID
	OnceParams
	MatchParams
}) (*documentAnswer[shownOrder], error) {
	// A shipment is a part of the order's document, and is read by the same rules.
	// Unknown fields are stored.
	shipment, warnings, err := schema.ParseShipment(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	c := a.caller(ctx, in.OnceParams)
	c.IfMatch = version(in.IfMatch)
	started, err := a.Engine.AddShipment(ctx, c, in.ID, workflow.Document{Object: shipment, Warnings: warnings})
	if err != nil {
		return nil, within(err)
	}
	// The version is read again, since a repeated request has not made it.
	o, err := a.Store.OrderVersion(ctx, tenantOf(ctx), in.ID, started.Version)
	if err != nil {
		return nil, err
	}
	out := orderAnswer(o).warned(inShipment(started.Warnings))
	out.Status = http.StatusCreated
	return out, nil
}

// patchShipment changes fields of a shipment, by the rules of patches, and answers with
// the whole order.
func (a *api) patchShipment(ctx context.Context, in *struct {
	OrderID
	MatchParams
	ShipmentID string `path:"shipmentId"`
}) (*documentAnswer[shownOrder], error) {
	// A patch has the fields that change, and null for those that are to go.
	patch, warnings, err := schema.ParseShipment(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	// A PATCH takes no Idempotency-Key: with If-Match it is done once.
	c := a.caller(ctx, OnceParams{})
	c.IfMatch = version(in.IfMatch)
	o, warnings, err := a.Engine.PatchShipment(ctx, c, in.ID, in.ShipmentID, workflow.Document{Object: patch, Warnings: warnings})
	if err != nil {
		return nil, within(err)
	}
	return orderAnswer(o).warned(inShipment(warnings)), nil
}

// inShipment turns places in the order into those in the one shipment that the
// request's body is. The engine applies the shipment as a patch of its order, and so
// names places in that.
func inShipment(warnings []apierr.Warning) []apierr.Warning {
	out := slices.Clone(warnings)
	for i := range out {
		// A caller who sends one shipment does not think of its place in the order.
		out[i].Path = strings.TrimPrefix(out[i].Path, "orderForm.shipments.")
	}
	return out
}
