package oms

import (
	"cmp"
	"fmt"
	"strings"
)

// CheckShipment returns every known field of a shipment, or of a patch of one,
// whose value has the wrong type, each with its path below the given one. It
// trims the shipment's statuses; a blank one is wrong.
func CheckShipment(doc *Object, path string) []FieldError {
	c := checker{}
	c.object(doc, shipmentModel, path)
	for _, name := range shipmentStatuses {
		if doc.Has(name) {
			c.errors = append(c.errors, trimStatus(doc, path, name)...)
		}
	}
	return c.errors
}

// shipmentStatuses are the fields of a shipment that hold a status.
var shipmentStatuses = []string{"status", "orderStatus"}

const blankStatus = "must not be empty"

// TrimStatuses trims the statuses of an order, or of a patch of one, and of its
// shipments: blanks around the name of a status say nothing, wherever it comes
// in (CONTRACT.md, "Configuration"). It returns those that are blank, each with
// its path below the given one. The empty status of a shipment is no status: the
// documents of typed clients have it, and so have their echoes.
func TrimStatuses(order *Object, path string) []FieldError {
	wrong := trimStatus(order, path, "status")
	at := joinPath(joinPath(path, "orderForm"), "shipments")
	for i, e := range order.Object("orderForm").List("shipments") {
		shipment, _ := e.(*Object)
		for _, name := range shipmentStatuses {
			if shipment.Text(name) != "" {
				wrong = append(wrong, trimStatus(shipment, fmt.Sprintf("%s[%d]", at, i), name)...)
			}
		}
	}
	return wrong
}

func trimStatus(o *Object, path, name string) []FieldError {
	v, _ := o.Get(name)
	status, isText := v.(string)
	switch trimmed := strings.TrimSpace(status); {
	case !isText:
	case trimmed == "":
		return []FieldError{{joinPath(path, name), blankStatus}}
	case trimmed != status:
		o.Set(name, trimmed)
	}
	return nil
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
	if SameStatus(shipment.Text("orderStatus"), status) {
		return was, false
	}
	shipment.Set("orderStatus", status)
	if was != "" && !SameStatus(was, status) {
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
		if status == "" || !SameStatus(shared, status) {
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
		if !SameStatus(was[i].Text("orderStatus"), is[i].Text("orderStatus")) {
			return true
		}
	}
	return false
}
