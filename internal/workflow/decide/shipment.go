package decide

import (
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/spelling"
)

// AddShipment adds a shipment of that id to an order. It runs no workflow. The id is looked
// for in the order of the facts. If two callers add the same id, the later write is
// overtaken and finds the shipment there.
func AddShipment(f Facts, id string, shipment Document) (*Decision, error) {
	if order.Shipment(f.Order.Doc, id) != nil {
		return nil, apierr.Errorf(apierr.Conflict, "the order has a shipment %q already", id)
	}
	return Patch(f, shipmentPatch(shipment))
}

// PatchShipment changes fields of a shipment, whose id is in the patch. It runs
// no workflow; a shipment's status changes with one by [Enter].
func PatchShipment(f Facts, id string, patch Document) (*Decision, error) {
	if order.Shipment(f.Order.Doc, id) == nil {
		return nil, apierr.Errorf(apierr.NotFound, "the order has no shipment %q", id)
	}
	return Patch(f, shipmentPatch(patch))
}

// shipmentPatch is a patch of an order that holds one shipment. The fields that
// its forceUpdate names are the shipment's. So one merge serves shipments, too.
func shipmentPatch(shipment Document) Document {
	form := jsondoc.NewObject(jsondoc.Member{Name: "shipments", Value: []any{shipment.Object}})
	patch := jsondoc.NewObject(jsondoc.Member{Name: "orderForm", Value: form})
	var forced []any
	for _, name := range shipment.Texts("forceUpdate") {
		forced = append(forced, "orderForm.shipments."+name)
	}
	if forced != nil {
		patch.Set("forceUpdate", forced)
	}
	return Document{Object: patch, Warnings: shipment.Warnings}
}

// enterShipment gives a shipment the status that it enters (docs/contract.md#shipments).
// The settings may say that the shipment's own status follows. A shipment that is in both
// already is left as it is, without an entry in the history.
func (b *builder) enterShipment(c StatusChange) {
	doc := b.doc.Clone()
	shipment := order.Shipment(doc, c.ShipmentID)
	was, moved := order.EnterShipmentStatus(shipment, c.Status)
	if own := orderStatus(b.Today, doc, c.Status).ShipmentStatusUpdate; own != "" && !spelling.SameName(own, shipment.Text("status")) {
		shipment.Set("status", own)
		moved = true
	}
	if !moved {
		return
	}
	b.note(order.HistoryEntry{Category: order.CategoryOrder, Operation: order.OpStatusChanged, ShipmentID: c.ShipmentID,
		Status: c.Status, PreviousStatus: was, Message: "the shipment's status became " + c.Status, Changes: order.Diff(b.doc, doc)})
	b.doc = doc
}

// enterMainStatus sets the order's main status where no run is there to enter
// it with its workflow: a patch starts none.
func (b *builder) enterMainStatus() {
	b.Settings = b.Today
	if main := b.mainStatus(); main != "" {
		b.setStatus(main)
	}
}

// mainStatus is what the order enters because all its shipments are in one
// status; "" for nothing, or if it is there already. Shipments in different statuses, or in
// one without a mainOrderStatus in the settings, bring the order nowhere.
func (b *builder) mainStatus() string {
	main := orderStatus(b.Settings, b.doc, order.SharedShipmentStatus(b.doc)).MainOrderStatus
	if spelling.SameName(main, b.doc.Text("status")) {
		return ""
	}
	return main
}
