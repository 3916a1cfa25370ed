package event

import (
	"cmp"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/timetext"
)

// Event is something that happened and that endpoints are notified of. It is made in the
// write that causes it, is stored once for all its deliveries, and never changes, except
// that its data may be erased. The deliveries of one event share it in memory.
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
	// Trace is the trace that the event came of, which the requests to its endpoints
	// belong to, as the package trace writes it; "" if it came of none.
	Trace string
	// Data is the payload: the order, the shipment, the stock item, or what was
	// published. It is JSON as it is sent, nil once it was erased.
	Data jsontext.Value
}

// MessageID is the webhook-id of all deliveries of the event. A publisher has no
// say in it, for it is signed (docs/contract.md#publishing).
func (e *Event) MessageID() string { return cmp.Or(e.WebhookID, e.ID) }

// Related is the things that an event, or an attempt, is about; "" where it is
// about none. People find events and attempts by them.
type Related struct {
	OrderID        string `json:"orderId,omitempty"`
	ShipmentID     string `json:"shipmentId,omitempty"`
	ReturnID       string `json:"returnId,omitempty"`
	CartID         string `json:"cartId,omitempty"`
	SubscriptionID string `json:"subscriptionId,omitempty"`
	StockItemID    string `json:"stockItemId,omitempty"`
}

// Subject is the one thing that an event is about. An endpoint with `ordering:
// subject` gets the events of one subject in their order. A shipment is another subject
// than its order. A published event may have none.
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

// Format is the body that an endpoint gets (docs/contract.md#endpoints). The endpoints of
// exports alone have the last one.
type Format string

// The formats.
const (
	FormatFull Format = "full" // the event with its data
	FormatThin Format = "thin" // the order-state webhook's body: ids alone
	FormatData Format = "data" // the data alone, as an ExportOrder step sends it
)

// Body returns what is sent of the event, nil once its data was erased. Each attempt has
// the same body: it is made of what is stored.
func (e *Event) Body(f Format) []byte {
	switch {
	// An order that was erased took the data of its events along.
	case e.Data == nil:
		return nil
	case f == FormatThin:
		return e.thinBody()
	case f == FormatData:
		return e.Data
	}
	// The data goes in as it is, byte for byte: a publisher's own signature may cover it
	// (docs/contract.md#publishing).
	b := make([]byte, 0, len(e.Data)+len(e.ID)+len(e.Type)+80)
	b = append(b, `{"id":`...)
	b = jsondoc.AppendText(b, e.ID)
	b = append(b, `,"type":`...)
	b = jsondoc.AppendText(b, e.Type)
	b = append(b, `,"timestamp":"`...)
	b = e.Timestamp.UTC().AppendFormat(b, timetext.Layout)
	b = append(b, `","data":`...)
	b = append(b, e.Data...)
	return append(b, '}')
}

// thinBody is exactly the body of docs/contract.md#order-state-webhook
// for what has an order; else the subject takes the order's place, or, where
// there is none, the event's own id. It is the same for all deliveries of the event.
func (e *Event) thinBody() []byte {
	about := jsondoc.Pair("orderId", e.OrderID)
	switch {
	case e.OrderID != "":
	case e.Subject.ID != "":
		about = jsondoc.Pair("subject", jsondoc.NewObject(jsondoc.Pair("kind", e.Subject.Kind), jsondoc.Pair("id", e.Subject.ID)))
	default:
		about = jsondoc.Pair("eventId", e.ID)
	}
	return jsondoc.NewObject(about, jsondoc.Pair("eventType", e.Type)).JSON()
}
