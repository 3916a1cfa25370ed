package oms

import (
	"cmp"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Event is something that happened and that endpoints are notified of.
type Event struct {
	// Seq numbers the events in the order of their commits; the store sets it.
	Seq int64
	ID  string // the publisher's, or made here
	// WebhookID is made here for an event that has its publisher's id; "" where ID
	// was made here.
	WebhookID string
	Type      string
	Subject   Subject
	Related
	Timestamp time.Time
	// Data is the payload: the order, the shipment, the stock item, or what was
	// published. It is JSON as it is sent, nil once it was erased.
	Data jsontext.Value
}

// MessageID is the webhook-id of all deliveries of the event. A publisher has no
// say in it, for it is signed (CONTRACT.md, "Event notifications").
func (e *Event) MessageID() string { return cmp.Or(e.WebhookID, e.ID) }

// Related is the things that an event, or an attempt, is about; "" where it is
// about none.
type Related struct {
	OrderID        string `json:"orderId,omitempty"`
	ShipmentID     string `json:"shipmentId,omitempty"`
	ReturnID       string `json:"returnId,omitempty"`
	CartID         string `json:"cartId,omitempty"`
	SubscriptionID string `json:"subscriptionId,omitempty"`
	StockItemID    string `json:"stockItemId,omitempty"`
}

// Subject is the one thing that an event is about. An endpoint with `ordering:
// subject` gets the events of one subject in their order.
type Subject struct {
	Kind string `json:"kind" expr:"kind"`
	ID   string `json:"id" expr:"id"`
}

// Kinds of subjects that orderhook knows; published events may have others.
const (
	SubjectOrder        = "order"
	SubjectShipment     = "shipment"
	SubjectReturn       = "return"
	SubjectCart         = "cart"
	SubjectSubscription = "subscription"
	SubjectStockItem    = "stockItem"
)

// Format is the body that an endpoint gets (CONTRACT.md, "Event notifications").
type Format string

// The formats.
const (
	FormatFull Format = "full" // the event with its data
	FormatThin Format = "thin" // the order-state webhook's body: ids alone
	FormatData Format = "data" // the data alone, as an ExportOrder step sends it
)

// Body returns what is sent of the event, nil once its data was erased.
func (e *Event) Body(f Format) []byte {
	switch {
	case e.Data == nil:
		return nil
	case f == FormatThin:
		return e.thinBody()
	case f == FormatData:
		return e.Data
	}
	b := make([]byte, 0, len(e.Data)+len(e.ID)+len(e.Type)+80)
	b = append(b, `{"id":`...)
	b = appendText(b, e.ID)
	b = append(b, `,"type":`...)
	b = appendText(b, e.Type)
	b = append(b, `,"timestamp":"`...)
	b = e.Timestamp.UTC().AppendFormat(b, timeLayout)
	b = append(b, `","data":`...)
	b = append(b, e.Data...)
	return append(b, '}')
}

// thinBody is exactly the body of order-state-webhook.txt ("Getting started")
// for what has an order; else the subject takes the order's place, or, where
// there is none, the event's own id.
func (e *Event) thinBody() []byte {
	about := Member{"orderId", e.OrderID}
	switch {
	case e.OrderID != "":
	case e.Subject.ID != "":
		about = Member{"subject", NewObject(Member{"kind", e.Subject.Kind}, Member{"id", e.Subject.ID})}
	default:
		about = Member{"eventId", e.ID}
	}
	return NewObject(about, Member{"eventType", e.Type}).JSON()
}
