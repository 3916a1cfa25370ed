package event

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// statusShipped is the status that makes shipment_shipped, whichever of a shipment's two
// fields has it.
const statusShipped = "Shipped"

// shipmentEvents compares the shipments. One that is added is a change of it
// from nothing; those that come with a new order are announced with it, unless
// they are in Shipped already. One that is gone has no events. Shipments are told apart by
// their ids.
func (w *OrderWrite) shipmentEvents() []*Event {
	is := order.ShipmentsOf(w.After.Doc)
	if len(is) == 0 {
		return nil
	}
	was := map[string][]*jsondoc.Object{}
	for _, s := range order.ShipmentsOf(w.Before) {
		id := schema.KeyText(s, "shipmentId")
		was[id] = append(was[id], s)
	}
	var events []*Event
	for _, s := range is {
		var before *jsondoc.Object
		// What has no id of its own is known by its order among those.
		if id := schema.KeyText(s, "shipmentId"); len(was[id]) > 0 {
			before, was[id] = was[id][0], was[id][1:]
		}
		types := shipmentTypes(before, s)
		if w.Before == nil {
			types = slices.DeleteFunc(types, func(t string) bool { return t != TypeShipmentShipped })
		}
		events = append(events, w.eventsOf(s, types)...)
	}
	return events
}

// shipmentTypes returns what a change of a shipment is, which may be several
// things at once: shipped, and with it a tracking number ("updated"), and a
// first deliveryStatus. before is nil for a shipment that is new.
func shipmentTypes(before, after *jsondoc.Object) (types []string) {
	// These make events of other types.
	apart := append([]string{"deliveryStatus"}, order.ShipmentStatuses...)
	if !spelling.SameName(before.Text("orderStatus"), after.Text("orderStatus")) {
		apart = append(apart, "prevStatus") // it repeats what that was
	}
	changed := before == nil || shipmentDiffers(before, after, apart)
	shipped := false
	for _, name := range order.ShipmentStatuses {
		switch status := after.Text(name); {
		case spelling.SameName(before.Text(name), status):
		case spelling.SameName(status, statusShipped):
			shipped = true
		// Any other status is one change among others.
		default:
			changed = true
		}
	}
	if shipped {
		types = append(types, TypeShipmentShipped)
	}
	if changed {
		types = append(types, TypeShipmentUpdated)
	}
	if !equalMember(before, after, "deliveryStatus") {
		types = append(types, TypeShipmentDeliveryStatusUpdated)
	}
	return types
}

// shipmentDiffers reports whether two states of a shipment differ in anything
// but the fields apart.
func shipmentDiffers(before, after *jsondoc.Object, apart []string) bool {
	for _, name := range order.MemberNames(before, after) {
		if slices.ContainsFunc(apart, func(n string) bool { return spelling.SameField(n, name) }) {
			continue
		}
		if !equalMember(before, after, name) {
			return true
		}
	}
	return false
}

// equalMember compares a member of two objects. One that is absent equals null.
func equalMember(a, b *jsondoc.Object, name string) bool {
	x, _ := a.Get(name)
	y, _ := b.Get(name)
	return jsondoc.Equal(x, y)
}

// eventsOf makes the events of one shipment, which is encoded once for all of them.
func (w *OrderWrite) eventsOf(shipment *jsondoc.Object, types []string) []*Event {
	if len(types) == 0 {
		return nil
	}
	id := schema.KeyText(shipment, "shipmentId")
	data := jsontext.Value(shipmentData(shipment, w.After.ID).JSON())
	related := w.related()
	related.ShipmentID = id
	events := make([]*Event, len(types))
	for i, t := range types {
		events[i] = &Event{ID: ids.New(ids.Event), Type: t, Subject: Subject{SubjectShipment, id}, Related: related, Timestamp: w.At, Data: data}
	}
	return events
}

// shipmentData is a shipment as events carry it: with the order that it is of.
func shipmentData(shipment *jsondoc.Object, orderID string) *jsondoc.Object {
	data := jsondoc.NewObject(shipment.Members()...)
	data.Set("orderId", orderID)
	return data
}
