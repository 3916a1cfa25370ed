package oms

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// The types of events that orderhook itself makes (CONTRACT.md, "Event
// notifications"; the spellings are those of order-state-webhook.txt and
// event-notifications.txt). Others are published through the API.
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
// (order-state-webhook.txt, "Order event subscriptions"). It must not be changed.
var WebHookTypes = []string{TypeOrderCreated, TypeOrderAccepted, TypeOrderSigned, TypeOrderRejected, TypeOrderCanceled, TypeOrderExpired, TypeOrderDueDateUpdated}

// SubjectEndpoint is the kind of the subject of endpoint_disabled and
// delivery_failed.
const SubjectEndpoint = "endpoint"

// EventType describes a type of events (API.md, `GET /api/event-types`).
type EventType struct {
	Name        string         `json:"name"`
	Subject     string         `json:"subject"` // the kind of its subject
	Description string         `json:"description"`
	Example     jsontext.Value `json:"example"` // data as an event of the type carries it
	// OnlyByName says that no wildcard of an endpoint stands for the type: it gets
	// such events only if it names them (CONTRACT.md, "Event notifications").
	OnlyByName bool `json:"onlyByName,omitempty"`
}

// EventTypes lists the types that endpoints can count on; it is shared and must
// not be changed.
var EventTypes = sync.OnceValue(func() []EventType {
	order := func(name, status, description string) EventType {
		return EventType{Name: name, Subject: SubjectOrder, Description: description, Example: exampleOrder(status).JSON()}
	}
	shipment := func(name, status, description string) EventType {
		return EventType{Name: name, Subject: SubjectShipment, Description: description, Example: exampleShipment(status).JSON()}
	}
	stock := func(name string, available Number, description string) EventType {
		return EventType{Name: name, Subject: SubjectStockItem, Description: description, Example: exampleStock(available).JSON()}
	}
	return []EventType{
		order(TypeOrderCreated, StatusNew, "An order is stored for the first time."),
		order(TypeOrderAccepted, "Accepted", "An order enters the status Accepted."),
		order(TypeOrderSigned, "Signed", "An order enters the status Signed."),
		order(TypeOrderRejected, "Rejected", "An order enters the status Rejected."),
		order(TypeOrderCanceled, "Canceled", "An order enters "+cancelStatuses+"."),
		order(TypeOrderExpired, "Expired", "An order enters the status Expired."),
		order(TypeOrderDueDateUpdated, "Accepted", "The dueDate of an order changes."),
		order(TypeOrderCompleted, "Completed", "An order enters the status Completed."),
		order(TypeOrderCancelled, "Canceled", "An order enters "+cancelStatuses+"; it comes with OrderCanceled."),
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
// are compared without regard to case (CONTRACT.md, "Event notifications").
func KnownEventType(name string) (EventType, bool) {
	for _, t := range EventTypes() {
		if sameName(t.Name, name) {
			return t, true
		}
	}
	return EventType{}, false
}

// ExampleEvent is an event of a type as it might come, for trying an endpoint
// out. A type that [EventTypes] does not list has the data of an order; one that
// it lists has the spelling of that list.
func ExampleEvent(eventType string, now time.Time) *Event {
	t, known := KnownEventType(eventType)
	if !known {
		t = EventTypes()[0]
		t.Name = eventType
	}
	e := &Event{ID: NewID(EventID), Type: t.Name, Timestamp: now, Data: t.Example}
	order, shipment := exampleOrder(StatusNew), exampleShipment(statusShipped)
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

const (
	exampleStockID    = "oslo-1:ULL-SOKK-39"
	exampleEndpointID = "ep_019aa4c27d3e7f0c9b61d2e8f4a05b37"
)

// exampleTime is when the examples happen.
var exampleTime = time.Date(2026, 11, 21, 8, 43, 57, 318204000, time.UTC)

func exampleOrder(status string) *Object {
	order, _, err := ParseOrder(orderExample)
	if err != nil {
		panic(err) // it is part of the program
	}
	order.Set("status", status)
	return order
}

func exampleShipment(status string) *Object {
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

func exampleStock(available Number) *Object {
	s := &StockItem{ID: exampleStockID, SKU: "ULL-SOKK-39", WarehouseCode: "oslo-1", Available: available,
		Version: 118, Created: exampleTime.AddDate(0, -3, 0), Updated: exampleTime}
	return s.Doc()
}

func exampleDisabled() jsontext.Value {
	e := &Endpoint{ID: exampleEndpointID, Description: "Lager i Oslo"}
	return DisabledEvent(e, "nothing but failures for 5 days", exampleTime.AddDate(0, 0, -5), exampleTime).Data
}

// DisabledEvent tells that an endpoint was turned off, and since when it had
// failed, where that is why. It does not tell the endpoint's URL, in which there
// may be a secret.
func DisabledEvent(e *Endpoint, reason string, failingSince, now time.Time) *Event {
	data := NewObject(Member{"endpointId", e.ID}, Member{"description", e.Description}, Member{"reason", reason})
	if !failingSince.IsZero() {
		data.Set("failingSince", FormatTime(failingSince))
	}
	data.Set("disabled", FormatTime(now))
	return &Event{ID: NewID(EventID), Type: TypeEndpointDisabled, Subject: Subject{SubjectEndpoint, e.ID}, Timestamp: now, Data: data.JSON()}
}

// maxType bounds the name of a type, in bytes; maxPatterns an endpoint's list.
const (
	maxType     = 200
	maxPatterns = 1000
)

// CheckEventType returns what is wrong with the name of a type (CONTRACT.md,
// "Event notifications": letters, digits, `_`, `-`, `.`), if anything, at the
// given path.
func CheckEventType(name, path string) []FieldError {
	if name == "" {
		return []FieldError{{path, "must name a type of events"}}
	}
	return checkTypeText(name, path, "")
}

// CheckPublishedType is CheckEventType for an event that somebody publishes. The
// types that orderhook itself makes are not for publishers: whoever receives one
// may rely on what it says (CONTRACT.md, "Event notifications").
func CheckPublishedType(name, path string) []FieldError {
	known, reserved := KnownEventType(name)
	if sameName(name, TypeExportOrder) {
		known.Name, reserved = TypeExportOrder, true
	}
	if reserved {
		return []FieldError{{path, known.Name + " is a type that orderhook alone makes; publish a type of your own"}}
	}
	return CheckEventType(name, path)
}

// CheckTypePatterns is CheckEventType for the list of an endpoint, which holds
// names, `*`, and beginnings of names as `order_*`.
func CheckTypePatterns(patterns []string, path string) []FieldError {
	switch n := len(patterns); {
	case n == 0:
		return []FieldError{{path, "must name at least one type of events, or be [\"*\"] for all"}}
	case n > maxPatterns:
		return []FieldError{{path, fmt.Sprintf("must have at most %d entries", maxPatterns)}}
	}
	c := checker{}
	for i, p := range patterns {
		at := fmt.Sprintf("%s[%d]", path, i)
		if p == "" {
			c.add(at, "must name a type of events")
			continue
		}
		for _, wrong := range checkTypeText(strings.TrimSuffix(p, "*"), at, "; a * may only end it") {
			c.add(wrong.Location, wrong.Message)
		}
	}
	return c.errors
}

func checkTypeText(name, path, more string) []FieldError {
	switch {
	case len(name) > maxType:
		return []FieldError{{path, fmt.Sprintf("must be at most %d bytes long", maxType)}}
	case strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.", r)
	}):
		return []FieldError{{path, "must be of letters, digits, _, - and ." + more}}
	}
	return nil
}
