package event

import (
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// DeliveryFailedEvent tells that a delivery was given up, with what its last
// attempt came to. It is about the endpoint, and belongs to the order that the
// event was about. The store gives it its Seq. Only endpoints that name the type in full
// get it.
func DeliveryFailedEvent(d *Delivery, now time.Time) *Event {
	data := jsondoc.NewObject(jsondoc.Pair("deliveryId", d.ID()), jsondoc.Pair("eventId", d.EventID), jsondoc.Pair("eventType", d.EventType), jsondoc.Pair("endpointId", d.EndpointID))
	if d.OrderID != "" {
		data.Set("orderId", d.OrderID)
	}
	data.Set("attempts", jsondoc.Number(strconv.Itoa(d.Attempts)))
	// Without an answer there is no status, and the error says why.
	if d.LastStatus != 0 {
		data.Set("lastStatus", jsondoc.Number(strconv.Itoa(d.LastStatus)))
	}
	data.Set("lastError", d.LastError)
	return &Event{ID: ids.New(ids.Event), Type: TypeDeliveryFailed, Subject: Subject{SubjectEndpoint, d.EndpointID}, Related: Related{OrderID: d.OrderID},
		Timestamp: now, Data: data.JSON()}
}
