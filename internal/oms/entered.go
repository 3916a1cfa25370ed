package oms

// EntersStatus reports whether a change gives an order, or one of its
// shipments, a status that it was not in.
func EntersStatus(before, after *Object) bool {
	if !SameName(before.Text("status"), after.Text("status")) {
		return true
	}
	for _, is := range shipmentsOf(after) {
		was := Shipment(before, keyText(is, "shipmentId"))
		if was == nil {
			continue // it came in its status
		}
		for _, field := range []string{"status", "orderStatus"} {
			if !SameName(was.Text(field), is.Text(field)) {
				return true
			}
		}
	}
	return false
}
