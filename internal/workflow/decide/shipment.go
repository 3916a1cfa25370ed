package decide

import "github.com/orderhook/orderhook/internal/oms"

// AddShipment adds a shipment of that id to an order. It runs no workflow.
func AddShipment(f Facts, id string, shipment Document) (*Decision, error) {
	if oms.Shipment(f.Order.Doc, id) != nil {
		return nil, oms.Errorf(oms.Conflict, "the order has a shipment %q already", id)
	}
	return Patch(f, shipmentPatch(shipment))
}

// PatchShipment changes fields of a shipment, whose id is in the patch. It runs
// no workflow; a shipment's status changes with one by [Enter].
func PatchShipment(f Facts, id string, patch Document) (*Decision, error) {
	if oms.Shipment(f.Order.Doc, id) == nil {
		return nil, oms.Errorf(oms.NotFound, "the order has no shipment %q", id)
	}
	return Patch(f, shipmentPatch(patch))
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

// enterShipment gives a shipment the status that it enters (CONTRACT.md,
// "Shipments").
func (b *builder) enterShipment(c StatusChange) {
	doc := b.doc.Clone()
	shipment := oms.Shipment(doc, c.ShipmentID)
	was, moved := oms.EnterShipmentStatus(shipment, c.Status)
	if own := orderStatus(b.Today, doc, c.Status).ShipmentStatusUpdate; own != "" && !oms.SameName(own, shipment.Text("status")) {
		shipment.Set("status", own)
		moved = true
	}
	if !moved {
		return
	}
	b.note(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpStatusChanged, ShipmentID: c.ShipmentID,
		Status: c.Status, PreviousStatus: was, Message: "the shipment's status became " + c.Status, Changes: oms.Diff(b.doc, doc)})
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
// status; "" for nothing, or if it is there already.
func (b *builder) mainStatus() string {
	main := orderStatus(b.Settings, b.doc, oms.SharedShipmentStatus(b.doc)).MainOrderStatus
	if oms.SameName(main, b.doc.Text("status")) {
		return ""
	}
	return main
}
