package order

import (
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// DefaultOrderBytes bounds an order's JSON, as it is stored (docs/contract.md#limits).
const DefaultOrderBytes = 10 << 20

// CheckSize refuses, as [apierr.TooLarge], an order that a write would make larger than
// most bytes. One that is larger already may still become smaller, or stay as
// large as it is. before is the order as it was, nil for a new one.
func CheckSize(before, after *jsondoc.Object, most int64) error {
	// Nearly all documents are small, and so none is encoded but to measure one that may be
	// too large.
	if remaining(after, most) >= 0 {
		return nil
	}
	size := int64(len(after.JSON()))
	if size <= most || before != nil && size <= int64(len(before.JSON())) {
		return nil
	}
	return apierr.Errorf(apierr.TooLarge, "the order would be larger than %d bytes, which is the most that --max-order-bytes allows", most)
}

// remaining is what a value's JSON leaves of most at the least. If it is negative, the
// exact size has to be found out. It encodes nothing, so it costs little.
func remaining(v any, most int64) int64 {
	const escaped = 6 // a character may become \u0000
	switch v := v.(type) {
	case string:
		most -= escaped*int64(len(v)) + 2
	case jsondoc.Number:
		most -= int64(len(v))
	case []any:
		most -= 2
		for i := 0; i < len(v) && most >= 0; i++ {
			most = remaining(v[i], most-1)
		}
	case *jsondoc.Object:
		most -= 2
		for _, m := range v.Members() {
			if most < 0 {
				break
			}
			most = remaining(m.Value, most-escaped*int64(len(m.Name))-4)
		}
	default:
		most -= int64(len("false"))
	}
	return most
}

// CheckIDs refuses, as [apierr.Invalid], an order in which a shipment or a return gets an id
// that is longer than ids may be. Attempts and events are found by them, and a database that
// could not store what came of a call would have it made again and again. An id that is there
// already may stay.
func CheckIDs(before, after *jsondoc.Object) error {
	for _, part := range []struct {
		list, id string
		of       func(order *jsondoc.Object) []*jsondoc.Object
	}{
		{"orderForm.shipments", "shipmentId", ShipmentsOf},
		{"returnOrderForms", "returnId", func(order *jsondoc.Object) []*jsondoc.Object { return order.Objects("returnOrderForms") }},
	} {
		for _, element := range part.of(after) {
			id := schema.KeyText(element, part.id)
			if len(id) <= ids.MaxLength || before != nil && byKey(part.of(before), part.id, id) != nil {
				continue
			}
			return apierr.Wrong("body."+part.list, "the %s that begins with %.20q must be at most %d bytes long", part.id, id, ids.MaxLength)
		}
	}
	return nil
}
