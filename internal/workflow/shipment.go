package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

// AddShipment adds a shipment to an order. Without a shipmentId one is made.
// It runs no workflow.
func (e *Engine) AddShipment(ctx context.Context, c Caller, orderID string, shipment Document) (Started, error) {
	if v, _ := shipment.Get("shipmentId"); v == "" {
		return Started{}, oms.Wrong("body.shipmentId", "must not be empty; leave it out and one is made")
	}
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
func (e *Engine) PatchShipment(ctx context.Context, c Caller, orderID, id string, patch Document) (*oms.Order, error) {
	if patch.Has("shipmentId") && patch.Text("shipmentId") != id {
		return nil, oms.Wrong("body.shipmentId", "is not the id in the path")
	}
	patch.Set("shipmentId", id)
	return e.patchWith(ctx, c, orderID, func(order *oms.Object) (Document, error) {
		if oms.Shipment(order, id) == nil {
			return Document{}, oms.Errorf(oms.NotFound, "the order has no shipment %q", id)
		}
		return shipmentPatch(patch), nil
	})
}

// shipmentPatch is a patch of an order that holds one shipment. The fields that
// its forceUpdate names are the shipment's.
func shipmentPatch(shipment Document) Document {
	form := oms.NewObject(oms.Member{Name: "shipments", Value: []any{shipment.Object}})
	patch := oms.NewObject(oms.Member{Name: "orderForm", Value: form})
	var forced []any
	for _, name := range shipment.Texts("forceUpdate") {
		forced = append(forced, "orderForm.shipments."+name)
	}
	if forced != nil {
		patch.Set("forceUpdate", forced)
	}
	return Document{Object: patch, Warnings: shipment.Warnings}
}
