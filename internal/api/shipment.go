package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/workflow"
)

func shipments(a *api) {
	example := map[string]any{"shipmentId": "S2", "warehouseCode": "oslo-1", "shipmentTrackingNumber": "370000000000000012"}
	handle(a, oms.Publisher, huma.Operation{OperationID: "add-shipment", Method: http.MethodPost, Path: "/api/orders/{id}/shipments", Tags: []string{"Orders"},
		Summary: "Add a shipment to an order", DefaultStatus: http.StatusCreated,
		RequestBody: documentBody(shipmentSchema, "The shipment. Without a shipmentId one is made.", example)}, a.addShipment)
	handle(a, oms.Publisher, huma.Operation{OperationID: "patch-shipment", Method: http.MethodPatch, Path: "/api/orders/{id}/shipments/{shipmentId}", Tags: []string{"Orders"},
		Summary: "Change fields of a shipment", Description: "Runs no workflow: a status with its workflow is entered through `POST /api/orders/{id}/status`.",
		RequestBody: documentBody(shipmentSchema, "The fields to change", map[string]any{"deliveryStatus": "InTransit"})}, a.patchShipment)
}

func (a *api) addShipment(ctx context.Context, in *struct {
	OrderID
	OnceParams
	MatchParams
}) (*documentAnswer[shownOrder], error) {
	shipment, warnings, err := oms.ParseShipment(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	started, err := a.Engine.AddShipment(ctx, a.caller(ctx, in.OnceParams, in.MatchParams), in.ID, workflow.Document{Object: shipment, Warnings: warnings})
	if err != nil {
		return nil, within(err)
	}
	o, err := a.Store.OrderVersion(ctx, tenantOf(ctx), in.ID, started.Version)
	if err != nil {
		return nil, err
	}
	out := orderAnswer(o).warned(inShipment(started.Warnings))
	out.Status = http.StatusCreated
	return out, nil
}

func (a *api) patchShipment(ctx context.Context, in *struct {
	OrderID
	MatchParams
	ShipmentID string `path:"shipmentId"`
}) (*documentAnswer[shownOrder], error) {
	patch, warnings, err := oms.ParseShipment(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	o, warnings, err := a.Engine.PatchShipment(ctx, a.caller(ctx, OnceParams{}, in.MatchParams), in.ID, in.ShipmentID, workflow.Document{Object: patch, Warnings: warnings})
	if err != nil {
		return nil, within(err)
	}
	return orderAnswer(o).warned(inShipment(warnings)), nil
}

// inShipment turns places in the order into those in the one shipment that the
// request's body is.
func inShipment(warnings []oms.Warning) []oms.Warning {
	out := slices.Clone(warnings)
	for i := range out {
		out[i].Path = strings.TrimPrefix(out[i].Path, "orderForm.shipments.")
	}
	return out
}
