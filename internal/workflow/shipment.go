package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

// AddShipment adds a shipment to an order. Without a shipmentId one is made.
// It runs no workflow.
func (e *Engine) AddShipment(ctx context.Context, c Caller, orderID string, shipment *oms.Object) (Started, error) {
	if !shipment.Has("shipmentId") {
		shipment.Set("shipmentId", oms.NewID(oms.ShipmentID))
	}
	id := shipment.Text("shipmentId")
	return e.start(ctx, c, func(t *transition) error {
		if err := t.read(orderID, c.IfMatch); err != nil {
			return err
		}
		if oms.Shipment(t.doc, id) != nil {
			return oms.Errorf(oms.Conflict, "the order has a shipment %q already", id)
		}
		return t.patch(shipmentPatch(shipment))
	})
}

// PatchShipment changes fields of a shipment. It runs no workflow; its status
// changes with one through [Engine.EnterStatus].
func (e *Engine) PatchShipment(ctx context.Context, c Caller, orderID, id string, patch *oms.Object) (*oms.Order, error) {
	if given := patch.Text("shipmentId"); given != "" && given != id {
		return nil, oms.Wrong("body.shipmentId", "is not the id in the path")
	}
	patch.Set("shipmentId", id)
	return e.patchWith(ctx, c, orderID, func(order *oms.Object) (*oms.Object, error) {
		if oms.Shipment(order, id) == nil {
			return nil, oms.Errorf(oms.NotFound, "the order has no shipment %q", id)
		}
		return shipmentPatch(patch), nil
	})
}

// shipmentPatch is a patch of an order that holds one shipment.
func shipmentPatch(shipment *oms.Object) *oms.Object {
	form := oms.NewObject(oms.Member{Name: "shipments", Value: []any{shipment}})
	return oms.NewObject(oms.Member{Name: "orderForm", Value: form})
}
