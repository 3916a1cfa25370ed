package oms

import "cmp"

// shipmentStatuses are the fields of a shipment that hold a status.
var shipmentStatuses = []string{"status", "orderStatus"}

const blankStatus = "must not be empty"

// CheckShipment returns what is wrong with a shipment, or a patch of one, that
// [ParseShipment] has read: a status of it that is empty. The shipments of whole
// orders may have one, as typed clients write what they do not set.
func CheckShipment(shipment *Object, path string) (wrong []FieldError) {
	for _, name := range shipmentStatuses {
		if v, _ := shipment.Get(name); v == "" {
			wrong = append(wrong, FieldError{joinPath(path, name), blankStatus})
		}
	}
	return wrong
}

// ShipmentStatus returns the status that the workflow has brought a shipment
// into (CONTRACT.md, "Shipments"): its orderStatus. Shipments of before that
// was kept have their status alone.
func ShipmentStatus(shipment *Object) string {
	return cmp.Or(shipment.Text("orderStatus"), shipment.Text("status"))
}

// EnterShipmentStatus gives a shipment the status that it enters, and notes the
// one before. It reports whether the shipment was in another one.
func EnterShipmentStatus(shipment *Object, status string) (was string, changed bool) {
	was = ShipmentStatus(shipment)
	if SameName(shipment.Text("orderStatus"), status) {
		return was, false
	}
	shipment.Set("orderStatus", status)
	if was != "" && !SameName(was, status) {
		shipment.Set("prevStatus", was)
	}
	return was, true
}

// SharedShipmentStatus returns the orderStatus that all shipments of an order are
// in; "" where they are in several, or there are none.
func SharedShipmentStatus(order *Object) string {
	shared := ""
	for i, s := range shipmentsOf(order) {
		status := s.Text("orderStatus")
		if i == 0 {
			shared = status
		}
		if status == "" || !SameName(shared, status) {
			return ""
		}
	}
	return shared
}

// ShipmentsMoved reports whether a shipment has another orderStatus than it had
// before, or is new, or gone.
func ShipmentsMoved(before, after *Object) bool {
	was, is := shipmentsOf(before), shipmentsOf(after)
	if len(was) != len(is) {
		return true
	}
	for i := range is {
		if !SameName(was[i].Text("orderStatus"), is[i].Text("orderStatus")) {
			return true
		}
	}
	return false
}
