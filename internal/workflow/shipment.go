package workflow

import (
	"context"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// AddShipment adds a shipment to an order. Without a shipmentId one is made.
// It runs no workflow.
func (e *Engine) AddShipment(ctx context.Context, c Caller, orderID string, shipment Document) (Started, error) {
	if err := checkShipment(shipment.Object); err != nil {
		return Started{}, err
	}
	if v, _ := shipment.Get("shipmentId"); v != nil && strings.TrimSpace(shipment.Text("shipmentId")) == "" {
		return Started{}, oms.Wrong("body.shipmentId", "must not be empty; leave it out and one is made")
	}
	if !shipment.Has("shipmentId") {
		shipment.Set("shipmentId", oms.NewID(oms.ShipmentID))
	}
	id := shipment.Text("shipmentId")
	var warnings []oms.Warning
	started, err := e.start(ctx, c, func(t *transition) (err error) {
		if err := t.read(orderID, c.IfMatch); err != nil {
			return err
		}
		if oms.Shipment(t.doc, id) != nil {
			return oms.Errorf(oms.Conflict, "the order has a shipment %q already", id)
		}
		warnings, err = t.patch(shipmentPatch(shipment))
		return err
	})
	started.Warnings = warnings
	return started, err
}

// PatchShipment changes fields of a shipment. It runs no workflow; its status
// changes with one through [Engine.EnterStatus].
func (e *Engine) PatchShipment(ctx context.Context, c Caller, orderID, id string, patch Document) (*oms.Order, []oms.Warning, error) {
	if err := checkShipment(patch.Object); err != nil {
		return nil, nil, err
	}
	if patch.Has("shipmentId") && patch.Text("shipmentId") != id {
		return nil, nil, oms.Wrong("body.shipmentId", "is not the id in the path")
	}
	patch.Set("shipmentId", id)
	return e.patchWith(ctx, c, orderID, func(order *oms.Object) (Document, error) {
		if oms.Shipment(order, id) == nil {
			return Document{}, oms.Errorf(oms.NotFound, "the order has no shipment %q", id)
		}
		return shipmentPatch(patch), nil
	})
}

// enterShipment gives a shipment the status that it enters (CONTRACT.md,
// "Shipments").
func (t *transition) enterShipment(c StatusChange) error {
	status, err := t.statusNow(c.Status)
	if err != nil {
		return err
	}
	doc := t.doc.Clone()
	shipment := oms.Shipment(doc, c.ShipmentID)
	was, moved := oms.EnterShipmentStatus(shipment, c.Status)
	if own := status.ShipmentStatusUpdate; own != "" && !oms.SameName(own, shipment.Text("status")) {
		shipment.Set("status", own)
		moved = true
	}
	if !moved {
		return nil
	}
	t.log(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpStatusChanged, ShipmentID: c.ShipmentID,
		Status: c.Status, PreviousStatus: was, Message: "the shipment's status became " + c.Status, Changes: oms.Diff(t.doc, doc)})
	t.doc = doc
	return nil
}

// statusNow is what the settings say now of a status of the order; nothing, where
// they do not name it.
func (t *transition) statusNow(name string) (settings.Status, error) {
	s, err := t.from.Settings(t.ctx, t.tenant)
	if err != nil {
		return settings.Status{}, err
	}
	return statusIn(s, t.doc, name), nil
}

func statusIn(s *settings.Settings, order *oms.Object, name string) settings.Status {
	if status := s.OrderType(order.Text("orderType")).Status(name); status != nil {
		return *status
	}
	return settings.Status{}
}

// mainStatus is what the order enters because all its shipments are in one
// status; "" for nothing, or if it is there already.
func (t *transition) mainStatus(s *settings.Settings) string {
	main := statusIn(s, t.doc, oms.SharedShipmentStatus(t.doc)).MainOrderStatus
	if oms.SameName(main, t.doc.Text("status")) {
		return ""
	}
	return main
}

// enterMainStatus sets that status where no run is there to enter it with its
// workflow: a patch starts none.
func (t *transition) enterMainStatus() error {
	s, err := t.from.Settings(t.ctx, t.tenant)
	if err != nil {
		return err
	}
	if main := t.mainStatus(s); main != "" {
		t.setStatus(main)
	}
	return nil
}

func checkShipment(shipment *oms.Object) error {
	if wrong := oms.CheckShipment(shipment, "body"); len(wrong) > 0 {
		return &oms.Error{Kind: oms.Invalid, Detail: "the shipment is not valid", Fields: wrong}
	}
	return nil
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
