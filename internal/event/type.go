package event

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/stock"
	"github.com/orderhook/orderhook/internal/timetext"
)

// The types of events that orderhook itself makes (docs/contract.md#event-types).
// Their spellings are those of the specifications. Others are published through the API.
const (
	TypeOrderCreated                  = "OrderCreated"
	TypeOrderAccepted                 = "OrderAccepted"
	TypeOrderSigned                   = "OrderSigned"
	TypeOrderRejected                 = "OrderRejected"
	TypeOrderCanceled                 = "OrderCanceled"
	TypeOrderExpired                  = "OrderExpired"
	TypeOrderDueDateUpdated           = "OrderDueDateUpdated"
	TypeOrderCompleted                = "order_completed"
	TypeOrderCancelled                = "order_cancelled"
	TypeShipmentShipped               = "shipment_shipped"
	TypeShipmentUpdated               = "shipment_updated"
	TypeShipmentDeliveryStatusUpdated = "shipment_delivery_status_updated"
	TypeStockItemBackInStock          = "stock_item_back_in_stock"
	TypeStockItemOutOfStock           = "stock_item_out_of_stock"
	TypeEndpointDisabled              = "endpoint_disabled" // not in the table: of orderhook's own doings
	TypeWorkflowFailed                = "workflow_failed"   // for endpoints that name it, as delivery_failed
	TypeDeliveryFailed                = "delivery_failed"
	TypeExportOrder                   = "ExportOrder" // of the step of that name, for its connector alone
)

// WebHookTypes is the types that the webHook section's endpoint gets
// (docs/contract.md#order-state-webhook). It must not be changed.
var WebHookTypes = []string{TypeOrderCreated, TypeOrderAccepted, TypeOrderSigned, TypeOrderRejected, TypeOrderCanceled, TypeOrderExpired, TypeOrderDueDateUpdated}

// SubjectEndpoint is the kind of the subject of endpoint_disabled and
// delivery_failed.
const SubjectEndpoint = "endpoint"

// EventType describes a type of events (docs/contract.md#event-types). `GET
// /api/event-types` shows it.
type EventType struct {
	Name        string         `json:"name"`
	Subject     string         `json:"subject"` // the kind of its subject
	Description string         `json:"description"`
	Example     jsontext.Value `json:"example"` // data as an event of the type carries it
	// OnlyByName says that no wildcard of an endpoint stands for the type: it gets
	// such events only if it names them (docs/contract.md#event-types).
	OnlyByName bool `json:"onlyByName,omitempty"`
}

// EventTypes lists the types that endpoints can count on; it is shared and must
// not be changed. It is made when it is first asked for.
var EventTypes = sync.OnceValue(func() []EventType {
	// The example of each type is made as a real event's data is.
	o := func(name, status, description string) EventType {
		return EventType{Name: name, Subject: SubjectOrder, Description: description, Example: exampleOrder(status).JSON()}
	}
	shipment := func(name, status, description string) EventType {
		return EventType{Name: name, Subject: SubjectShipment, Description: description, Example: exampleShipment(status).JSON()}
	}
	stock := func(name string, available jsondoc.Number, description string) EventType {
		return EventType{Name: name, Subject: SubjectStockItem, Description: description, Example: exampleStock(available).JSON()}
	}
	return []EventType{
		o(TypeOrderCreated, order.StatusNew, "An order is stored for the first time."),
		o(TypeOrderAccepted, "Accepted", "An order enters the status Accepted."),
		o(TypeOrderSigned, "Signed", "An order enters the status Signed."),
		o(TypeOrderRejected, "Rejected", "An order enters the status Rejected."),
		o(TypeOrderCanceled, "Canceled", "An order enters "+cancelStatuses+"."),
		o(TypeOrderExpired, "Expired", "An order enters the status Expired."),
		o(TypeOrderDueDateUpdated, "Accepted", "The dueDate of an order changes."),
		o(TypeOrderCompleted, "Completed", "An order enters the status Completed."),
		o(TypeOrderCancelled, "Canceled", "An order enters "+cancelStatuses+"; it comes with OrderCanceled."),
		shipment(TypeShipmentShipped, statusShipped, "A shipment enters the status Shipped."),
		shipment(TypeShipmentUpdated, "Packed", "A shipment is added, or changes in anything but that it is shipped and its deliveryStatus: another status, tracking details. One event for each write."),
		shipment(TypeShipmentDeliveryStatusUpdated, statusShipped, "The deliveryStatus of a shipment changes."),
		stock(TypeStockItemBackInStock, "12", "The available quantity of a stock item rises above 0."),
		stock(TypeStockItemOutOfStock, "0", "The available quantity of a stock item falls to 0 or below."),
		{Name: TypeEndpointDisabled, Subject: SubjectEndpoint, Example: exampleDisabled(),
			Description: "An endpoint was turned off: it answered 410, or nothing but failures came of it for long. The other endpoints are told."},
		{Name: TypeWorkflowFailed, Subject: SubjectOrder, Example: exampleWorkflowFailed(), OnlyByName: true,
			Description: "A workflow run was aborted, or it ended with a step that failed."},
		{Name: TypeDeliveryFailed, Subject: SubjectEndpoint, Example: exampleDeliveryFailed(), OnlyByName: true,
			Description: "The last attempt to deliver an event to an endpoint failed, and the delivery was given up. It does not tell of deliveries of its own type."},
	}
})

// KnownEventType returns the type of that name in [EventTypes]. Names of types
// are compared without regard to case (docs/contract.md#endpoints). Settings, publications
// and endpoints all ask it.
func KnownEventType(name string) (EventType, bool) {
	for _, t := range EventTypes() {
		if spelling.SameField(t.Name, name) {
			return t, true
		}
	}
	return EventType{}, false
}

// ExampleEvent is an event of a type as it might come, for trying an endpoint
// out. A type that [EventTypes] does not list has the data of an order; one that
// it lists has the spelling of that list. It is never stored.
func ExampleEvent(eventType string, now time.Time) *Event {
	t, known := KnownEventType(eventType)
	if !known {
		t = EventTypes()[0]
		t.Name = eventType
	}
	e := &Event{ID: ids.New(ids.Event), Type: t.Name, Timestamp: now, Data: t.Example}
	// The ids are those in the data, so the event is about what its data shows.
	order, shipment := exampleOrder(order.StatusNew), exampleShipment(statusShipped)
	switch t.Subject {
	case SubjectOrder:
		e.Subject = Subject{SubjectOrder, order.Text("id")}
		e.Related = Related{OrderID: order.Text("id"), SubscriptionID: order.Text("subscriptionId")}
	case SubjectShipment:
		e.Subject = Subject{SubjectShipment, shipment.Text("shipmentId")}
		e.Related = Related{OrderID: order.Text("id"), ShipmentID: shipment.Text("shipmentId"), SubscriptionID: order.Text("subscriptionId")}
	case SubjectStockItem:
		e.Subject = Subject{SubjectStockItem, exampleStockID}
		e.Related = Related{StockItemID: exampleStockID}
	case SubjectEndpoint:
		e.Subject = Subject{SubjectEndpoint, exampleEndpointID}
	}
	return e
}

//go:embed examples/order.json
var orderExample []byte

// These ids are in examples alone.
const (
	exampleStockID    = "oslo-1:ULL-SOKK-39"
	exampleEndpointID = "ep_019aa4c27d3e7f0c9b61d2e8f4a05b37"
)

// exampleTime is when the examples happen.
var exampleTime = time.Date(2026, 11, 21, 8, 43, 57, 318204000, time.UTC)

// exampleOrder returns the order of the examples in a status, a new one each time.
func exampleOrder(status string) *jsondoc.Object {
	order, _, err := schema.ParseOrder(orderExample)
	if err != nil {
		panic(err) // it is part of the program
	}
	order.Set("status", status)
	return order
}

// exampleShipment returns a shipment of that order in a status, on its way to the customer.
func exampleShipment(status string) *jsondoc.Object {
	order := exampleOrder("Accepted")
	s := order.Object("orderForm").Objects("shipments")[0]
	s.Set("status", status)
	s.Set("shipmentTrackingNumber", "370438101234567896")
	s.Set("shipmentTrackingLink", "https://sporing.example.no/370438101234567896")
	if status == statusShipped {
		s.Set("deliveryStatus", "InTransit")
	}
	return shipmentData(s, order.Text("id"))
}

// exampleStock returns a stock item of which so much is available.
func exampleStock(available jsondoc.Number) *jsondoc.Object {
	s := &stock.StockItem{ID: exampleStockID, SKU: "ULL-SOKK-39", WarehouseCode: "oslo-1", Available: available,
		Version: 118, Created: exampleTime.AddDate(0, -3, 0), Updated: exampleTime}
	return s.Doc()
}

// exampleDisabled is the data of an endpoint_disabled.
func exampleDisabled() jsontext.Value {
	e := &Endpoint{ID: exampleEndpointID, Description: "Lager i Oslo"}
	return DisabledEvent(e, "nothing but failures for 5 days", exampleTime.AddDate(0, 0, -5), exampleTime).Data
}

// DisabledEvent tells that an endpoint was turned off, and since when it had
// failed, where that is why. It does not tell the endpoint's URL, in which there
// may be a secret.
func DisabledEvent(e *Endpoint, reason string, failingSince, now time.Time) *Event {
	data := jsondoc.NewObject(jsondoc.Pair("endpointId", e.ID), jsondoc.Pair("description", e.Description), jsondoc.Pair("reason", reason))
	if !failingSince.IsZero() {
		data.Set("failingSince", timetext.FormatTime(failingSince))
	}
	data.Set("disabled", timetext.FormatTime(now))
	return &Event{ID: ids.New(ids.Event), Type: TypeEndpointDisabled, Subject: Subject{SubjectEndpoint, e.ID}, Timestamp: now, Data: data.JSON()}
}

// maxType bounds the name of a type, in bytes; maxPatterns an endpoint's list.
const (
	maxType     = 200
	maxPatterns = 1000
)

// CheckEventType returns what is wrong with the name of a type
// (docs/contract.md#publishing: letters, digits, `_`, `-`, `.`), if anything, at
// the given path.
func CheckEventType(name, path string) []apierr.FieldError {
	if name == "" {
		return []apierr.FieldError{{Location: path, Message: "must name a type of events"}}
	}
	return checkTypeText(name, path, "")
}

// CheckPublishedType is CheckEventType for an event that somebody publishes. The
// types that orderhook itself makes are not for publishers: whoever receives one
// may rely on what it says (docs/contract.md#publishing). The case of the name does not
// matter.
func CheckPublishedType(name, path string) []apierr.FieldError {
	known, reserved := KnownEventType(name)
	if spelling.SameField(name, TypeExportOrder) {
		known.Name, reserved = TypeExportOrder, true
	}
	if reserved {
		return []apierr.FieldError{{Location: path, Message: known.Name + " is a type that orderhook alone makes; publish a type of your own"}}
	}
	return CheckEventType(name, path)
}

// CheckTypePatterns is CheckEventType for the list of an endpoint, which holds
// names, `*`, and beginnings of names as `order_*`. A pattern that can match nothing is no
// error: see [WarnTypes].
func CheckTypePatterns(patterns []string, path string) []apierr.FieldError {
	switch n := len(patterns); {
	case n == 0:
		return []apierr.FieldError{{Location: path, Message: "must name at least one type of events, or be [\"*\"] for all"}}
	case n > maxPatterns:
		return []apierr.FieldError{{Location: path, Message: fmt.Sprintf("must have at most %d entries", maxPatterns)}}
	}
	c := schema.Checker{}
	for i, p := range patterns {
		at := fmt.Sprintf("%s[%d]", path, i)
		if p == "" {
			c.Add(at, "must name a type of events")
			continue
		}
		// A * anywhere else is a letter that no name may have.
		for _, wrong := range checkTypeText(strings.TrimSuffix(p, "*"), at, "; a * may only end it") {
			c.Add(wrong.Location, wrong.Message)
		}
	}
	return c.Errors
}

// checkTypeText returns what is wrong with a name or its beginning. more is added to a
// message about its letters.
func checkTypeText(name, path, more string) []apierr.FieldError {
	switch {
	case len(name) > maxType:
		return []apierr.FieldError{{Location: path, Message: fmt.Sprintf("must be at most %d bytes long", maxType)}}
	case strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.", r)
	}):
		return []apierr.FieldError{{Location: path, Message: "must be of letters, digits, _, - and ." + more}}
	}
	return nil
}
