package api

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// Names of the schemas of events. The schemas of built-in types are named after the type
// (eventSchema).
const (
	thinEvent       = "ThinEvent"
	orderStateEvent = "OrderStateEvent"
	shipmentData    = "ShipmentOfOrder"
	customEvent     = "CustomEvent"
)

// eventSchemas describes the body of every type of events, and of those that
// are published. Receivers make their types of these, so each type of events has a schema
// of its own, in which `type` allows one value.
func eventSchemas(s shapeSchemas) {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	s[shipmentData] = &huma.Schema{Description: "A shipment, and the order that it is of",
		AllOf: []*huma.Schema{schemaRef(shipmentSchema), sent(map[string]*huma.Schema{"orderId": text("")}, "orderId")}}
	s[thinEvent] = sent(map[string]*huma.Schema{"eventType": text(""), "orderId": text("The order, where it is about one"),
		"subject": sent(map[string]*huma.Schema{"kind": text(""), "id": text("")}, "kind", "id"), "eventId": text("Where it is about nothing that has an id")}, "eventType")
	s[thinEvent].Description = "What an endpoint of the format thin gets"
	state := text("")
	state.Enum = enum(event.WebHookTypes...)
	s[orderStateEvent] = sent(map[string]*huma.Schema{"orderId": text(""), "eventType": state}, "orderId", "eventType")
	s[customEvent] = fullEventSchema(text("Letters, digits, _, - and ."), freeObject("The payload, as it was published"))
	for _, t := range event.EventTypes() {
		kind := text("")
		kind.Enum = enum(t.Name)
		s[eventSchema(t.Name)] = fullEventSchema(kind, dataSchema(t))
	}
}

// fullEventSchema is the schema of an event in the format full.
func fullEventSchema(kind, data *huma.Schema) *huma.Schema {
	return sent(map[string]*huma.Schema{"id": {Type: huma.TypeString}, "type": kind,
		"timestamp": {Type: huma.TypeString, Format: "date-time"}, "data": data}, "id", "type", "timestamp", "data")
}

// dataSchema is the schema of the data of a type of events. What is about an order, a
// shipment or a stock item has the schema of that. For the others only an example is
// known, and the schema is made of it.
func dataSchema(t event.EventType) *huma.Schema {
	switch {
	case t.OnlyByName: // of orderhook's own doings, whatever their subject
	case t.Subject == event.SubjectOrder:
		return schemaRef(orderSchema)
	case t.Subject == event.SubjectShipment:
		return schemaRef(shipmentData)
	case t.Subject == event.SubjectStockItem:
		return schemaRef(stockSchema)
	}
	example, err := schema.ParseStored(t.Example)
	if err != nil {
		panic(fmt.Sprintf("the example of %s: %v", t.Name, err)) // it is part of the program
	}
	return exampleSchema(example)
}

// exampleSchema is the schema of what looks like an example. A list is described by its
// first element. Everything that is neither a truth, a number, a list nor an object is a text.
func exampleSchema(v any) *huma.Schema {
	switch v := v.(type) {
	case bool:
		return &huma.Schema{Type: huma.TypeBoolean}
	case jsondoc.Number:
		return &huma.Schema{Type: huma.TypeNumber}
	case []any:
		list := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{}}
		if len(v) > 0 {
			list.Items = exampleSchema(v[0])
		}
		return list
	case *jsondoc.Object:
		fields := map[string]*huma.Schema{}
		for _, m := range v.Members() {
			fields[m.Name] = exampleSchema(m.Value)
		}
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Properties: fields}
	}
	return &huma.Schema{Type: huma.TypeString}
}

// eventSchema names the schema of a type of events: order_completed has
// OrderCompletedEvent. A name in CamelCase is a good one for a type, in every language
// that code is generated for.
func eventSchema(eventType string) string {
	words := strings.FieldsFunc(eventType, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "") + "Event"
}

// formats is what the descriptions of all events end with.
const formats = " The body is the event, or its ids alone where the endpoint's format is thin."

// eventHeaders are the headers of the request of an event.
func eventHeaders() []*huma.Param {
	return append(signatureHeaders(), attemptHeader(),
		sentHeader("webhook-position", huma.TypeString, "Where the event stands in the endpoint's feed (read-feed); absent where the endpoint was not given it when it happened"),
		sentHeader("webhook-previous-position", huma.TypeString, "The position of the event before it in the same feed, 0 where there is none: who has not had that has missed something"))
}

// anyEvent is the request of an event of any type. It is the callback of the operation
// that makes an endpoint: which of the types will come depends on what the endpoint
// subscribes to.
func anyEvent() *huma.PathItem {
	body := &huma.Schema{AnyOf: []*huma.Schema{schemaRef(customEvent), schemaRef(thinEvent), schemaRef(orderStateEvent)}}
	for _, t := range event.EventTypes() {
		body.AnyOf = append(body.AnyOf, schemaRef(eventSchema(t.Name)))
	}
	return oneWay("receive-event", "An event", "Of a type that the endpoint subscribed to."+formats, body, eventHeaders()...)
}

// eventWebhooks adds the requests of events to the others. An endpoint gets either the
// whole event or the thin one, as its format says; that of the webHook section gets a
// body of its own.
func eventWebhooks(all map[string]*huma.PathItem) {
	either := func(schema string) *huma.Schema {
		return &huma.Schema{OneOf: []*huma.Schema{schemaRef(schema), schemaRef(thinEvent)}}
	}
	for _, t := range event.EventTypes() {
		all[t.Name] = oneWay("event-"+t.Name, "Event "+t.Name, t.Description+formats, either(eventSchema(t.Name)), eventHeaders()...)
	}
	all["customEvent"] = oneWay("custom-event", "An event that was published through the API", "Its type is any that was published."+formats, either(customEvent), eventHeaders()...)
	all["orderState"] = oneWay("order-state", "An order changed its state", "To the endpoint of the webHook section of the config file.", schemaRef(orderStateEvent),
		append(eventHeaders(), sentHeader("X-Signature", huma.TypeString, "The HMAC-SHA256 of the body in hex, where the section has a secret"))...)
}
