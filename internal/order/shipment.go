package order

import (
	"cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// ShipmentStatuses are the fields of a shipment that hold a status. The first is the
// shipment's own; the second is what the workflow has brought it into.
var ShipmentStatuses = []string{"status", "orderStatus"}

// CheckShipment returns what is wrong with a shipment, or a patch of one, that
// [schema.ParseShipment] has read: a status of it that is empty. The shipments of whole
// orders may have one, as typed clients write what they do not set.
func CheckShipment(shipment *jsondoc.Object, path string) (wrong []apierr.FieldError) {
	for _, name := range ShipmentStatuses {
		if v, _ := shipment.Get(name); v == "" {
			wrong = append(wrong, apierr.FieldError{Location: jsondoc.JoinPath(path, name), Message: schema.BlankStatus})
		}
	}
	return wrong
}

// ShipmentStatus returns the status that the workflow has brought a shipment
// into (docs/contract.md#shipments): its orderStatus. Shipments of before that
// was stored have their status alone.
func ShipmentStatus(shipment *jsondoc.Object) string {
	return cmp.Or(shipment.Text("orderStatus"), shipment.Text("status"))
}

// EnterShipmentStatus gives a shipment the status that it enters, and notes the
// one before. It reports whether the shipment was in another one. Where the shipment had no
// status, or had this one in the other field, prevStatus stays as it is.
func EnterShipmentStatus(shipment *jsondoc.Object, status string) (was string, changed bool) {
	was = ShipmentStatus(shipment)
	if spelling.SameName(shipment.Text("orderStatus"), status) {
		return was, false
	}
	shipment.Set("orderStatus", status)
	if was != "" && !spelling.SameName(was, status) {
		shipment.Set("prevStatus", was)
	}
	return was, true
}

// SharedShipmentStatus returns the orderStatus that all shipments of an order are
// in; "" where they are in several, or there are none.
func SharedShipmentStatus(order *jsondoc.Object) string {
	shared := ""
	for i, s := range ShipmentsOf(order) {
		// A shipment that has entered no status yet keeps the others from having one in
		// common.
		status := s.Text("orderStatus")
		if i == 0 {
			shared = status
		}
		if status == "" || !spelling.SameName(shared, status) {
			return ""
		}
	}
	return shared
}

// Moved returns the ids of the shipments and the returns of an order whose own status
// is another than it was before. A shipment or a return that is new has not moved: it came
// in its status.
func Moved(before, after *jsondoc.Object) (ids []string) {
	for _, s := range ShipmentsOf(after) {
		id := schema.KeyText(s, "shipmentId")
		if was := Shipment(before, id); was != nil && !spelling.SameName(ShipmentStatus(was), ShipmentStatus(s)) {
			ids = append(ids, id)
		}
	}
	for _, r := range after.Objects("returnOrderForms") {
		id := schema.KeyText(r, "returnId")
		if was := ReturnForm(before, id); was != nil && !spelling.SameName(was.Text("status"), r.Text("status")) {
			ids = append(ids, id)
		}
	}
	return ids
}

// ShipmentsMoved reports whether a shipment has another orderStatus than it had
// before, or is new, or gone. Shipments in another order may count as moved, which only has
// a main status looked for once more.
func ShipmentsMoved(before, after *jsondoc.Object) bool {
	was, is := ShipmentsOf(before), ShipmentsOf(after)
	if len(was) != len(is) {
		return true
	}
	for i := range is {
		if !spelling.SameName(was[i].Text("orderStatus"), is[i].Text("orderStatus")) {
			return true
		}
	}
	return false
}

// ShippingAddress is the address of the shipment in scope, else of the first. It is nil
// where there is no such shipment, or it has no address.
func ShippingAddress(order *jsondoc.Object, shipmentID string) *jsondoc.Object {
	for _, s := range ShipmentsOf(order) {
		if shipmentID == "" || schema.KeyText(s, "shipmentId") == shipmentID {
			return s.Object("address")
		}
	}
	return nil
}

// ShipmentsOf returns the shipments of an order.
func ShipmentsOf(order *jsondoc.Object) []*jsondoc.Object {
	return order.Object("orderForm").Objects("shipments")
}
