package oms

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

const statusShipped = "Shipped"

// shipmentEvents compares the shipments. One that is added is a change of it
// from nothing; those that come with a new order are announced with it, unless
// they are in Shipped already. One that is gone has no events.
func (w *OrderWrite) shipmentEvents() []*Event {
	is := shipmentsOf(w.After.Doc)
	if len(is) == 0 {
		return nil
	}
	was := map[string][]*Object{}
	for _, s := range shipmentsOf(w.Before) {
		id := keyText(s, "shipmentId")
		was[id] = append(was[id], s)
	}
	var events []*Event
	for _, s := range is {
		var before *Object
		// What has no id of its own is known by its order among those.
		if id := keyText(s, "shipmentId"); len(was[id]) > 0 {
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

func shipmentsOf(order *Object) []*Object { return order.Object("orderForm").Objects("shipments") }

// shipmentTypes returns what a change of a shipment is, which may be several
// things at once: shipped, and with it a tracking number ("updated"), and a
// first deliveryStatus.
func shipmentTypes(before, after *Object) (types []string) {
	apart := append([]string{"deliveryStatus"}, shipmentStatuses...)
	if !SameName(before.Text("orderStatus"), after.Text("orderStatus")) {
		apart = append(apart, "prevStatus") // it repeats what that was
	}
	changed := before == nil || shipmentDiffers(before, after, apart)
	shipped := false
	for _, name := range shipmentStatuses {
		switch status := after.Text(name); {
		case SameName(before.Text(name), status):
		case SameName(status, statusShipped):
			shipped = true
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
func shipmentDiffers(before, after *Object, apart []string) bool {
	for _, name := range memberNames(before, after) {
		if slices.ContainsFunc(apart, func(n string) bool { return sameName(n, name) }) {
			continue
		}
		if !equalMember(before, after, name) {
			return true
		}
	}
	return false
}

func equalMember(a, b *Object, name string) bool {
	x, _ := a.Get(name)
	y, _ := b.Get(name)
	return equal(x, y)
}

func (w *OrderWrite) eventsOf(shipment *Object, types []string) []*Event {
	if len(types) == 0 {
		return nil
	}
	id := keyText(shipment, "shipmentId")
	data := jsontext.Value(shipmentData(shipment, w.After.ID).JSON())
	related := w.related()
	related.ShipmentID = id
	events := make([]*Event, len(types))
	for i, t := range types {
		events[i] = &Event{ID: NewID(EventID), Type: t, Subject: Subject{SubjectShipment, id}, Related: related, Timestamp: w.At, Data: data}
	}
	return events
}

// shipmentData is a shipment as events carry it: with the order that it is of.
func shipmentData(shipment *Object, orderID string) *Object {
	data := NewObject(shipment.Members()...)
	data.Set("orderId", orderID)
	return data
}
