package oms

// CheckShipment returns every known field of a shipment, or of a patch of one,
// whose value has the wrong type, each with its path below the given one.
func CheckShipment(doc *Object, path string) []FieldError {
	c := checker{}
	c.object(doc, shipmentModel, path)
	return c.errors
}
