package oms

import (
	"strconv"
	"time"
)

// DeliveryFailedEvent tells that a delivery was given up, with what its last
// attempt came to. It is about the endpoint, and belongs to the order that the
// event was about.
func DeliveryFailedEvent(d *Delivery, now time.Time) *Event {
	data := NewObject(Member{"deliveryId", d.ID()}, Member{"eventId", d.EventID}, Member{"eventType", d.EventType}, Member{"endpointId", d.EndpointID})
	if d.OrderID != "" {
		data.Set("orderId", d.OrderID)
	}
	data.Set("attempts", Number(strconv.Itoa(d.Attempts)))
	if d.LastStatus != 0 {
		data.Set("lastStatus", Number(strconv.Itoa(d.LastStatus)))
	}
	data.Set("lastError", d.LastError)
	return &Event{ID: NewID(EventID), Type: TypeDeliveryFailed, Subject: Subject{SubjectEndpoint, d.EndpointID}, Related: Related{OrderID: d.OrderID},
		Timestamp: now, Data: data.JSON()}
}
