package order

import (
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// EntersStatus reports whether a change gives an order, or one of its
// shipments, a status that it was not in. The engine limits how often that may happen: an
// endpoint that changes the status of its own order would do so for ever.
func EntersStatus(before, after *jsondoc.Object) bool {
	if !spelling.SameName(before.Text("status"), after.Text("status")) {
		return true
	}
	for _, is := range ShipmentsOf(after) {
		was := Shipment(before, schema.KeyText(is, "shipmentId"))
		if was == nil {
			continue // it came in its status
		}
		for _, field := range []string{"status", "orderStatus"} {
			if !spelling.SameName(was.Text(field), is.Text(field)) {
				return true
			}
		}
	}
	return false
}
