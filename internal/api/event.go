package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// publishPath is where events come in, thousands a second. It is the only path whose keys
// are remembered (keyOf).
const publishPath = "/api/events"

// events registers the operations on events: to publish, to look at and to send again
// (docs/contract.md#publishing).
func events(a *api) {
	handle(a, access.Publisher, huma.Operation{OperationID: "publish-events", Method: http.MethodPost, Path: publishPath, Tags: []string{"Events"},
		Summary: "Publish an event, or a list of up to 1,000", DefaultStatus: http.StatusAccepted,
		Description: "202 once they are durable: all of a list, or none. An id seen before is accepted and not sent twice; an Idempotency-Key is not used. " +
			"Without a subject an event with an orderId is about that order; an event about nothing has no place in an order per subject.",
		RequestBody: publication(a)}, a.publishEvents)
	handle(a, access.Reader, huma.Operation{OperationID: "list-events", Method: http.MethodGet, Path: "/api/events", Tags: []string{"Events"},
		Summary: "List events, the newest first"}, a.listEvents)
	handle(a, access.Reader, huma.Operation{OperationID: "get-event", Method: http.MethodGet, Path: "/api/events/{id}", Tags: []string{"Events"},
		Summary: "Read an event with its data and its deliveries"}, a.getEvent)
	handle(a, access.Operator, huma.Operation{OperationID: "redeliver-event", Method: http.MethodPost, Path: "/api/events/{id}/redeliver", Tags: []string{"Events"},
		Summary: "Send an event again", DefaultStatus: http.StatusAccepted,
		Description: "To the endpoint that is named, whether the event went there before or not; else to all that it went to and that are on. 202 with the deliveries.",
		RequestBody: optionalBody(bodyOf(a, redeliveryShape, "The endpoint", map[string]any{"endpointId": "ep_019aa4c27d3e7f0c9b61d2e8f4a05b37"}))}, a.redeliverEvent)
	handle(a, access.Reader, huma.Operation{OperationID: "list-event-types", Method: http.MethodGet, Path: "/api/event-types", Tags: []string{"Events"},
		Summary: "List the types of events that orderhook makes", Description: "Others may be published."}, a.listEventTypes)
}

// publication describes the body of a publication: one event, or a list. Huma does not
// read it: package event does, without building a tree of it. So the schema is made here,
// of the same shape that it is read by.
func publication(a *api) *huma.RequestBody {
	example := map[string]any{"type": "loyalty.points_earned", "orderId": "ORD-12345", "data": map[string]any{"customerId": "C-881", "points": 120}}
	a.schemaOf(reflect.TypeFor[event.Subject]()) // which answers have, too
	schemas := shapeSchemas(a.huma.OpenAPI().Components.Schemas.Map())
	schemas.body(event.EventShape, false)
	one := schemaRef(event.EventShape.Name)
	least, most := 1, event.MaxPublished
	list := &huma.Schema{Type: huma.TypeArray, Items: one, MinItems: &least, MaxItems: &most}
	schemas["Publication"] = &huma.Schema{OneOf: []*huma.Schema{one, list}}
	return documentBody("Publication", "An event, or a list of events", example)
}

// published says the ids of what was published. One of the two is set, as the request had
// one event or a list.
type published struct {
	ID  string   `json:"id,omitempty" doc:"Of the one event"`
	IDs []string `json:"ids,omitempty" nullable:"false" doc:"Of the events of a list, in its order"`
}

// publishEvents stores events and their deliveries, all or none, and answers when they
// are durable. The deliveries begin after that; the answer does not wait for them. An
// event whose id was seen before is answered like a new one, so a publisher that got no
// answer may simply send again.
func (a *api) publishEvents(ctx context.Context, _ *struct{}) (*struct{ Body published }, error) {
	list, single, err := event.ParseEvents(callOf(ctx).body, a.now())
	if err != nil {
		return nil, within(err)
	}
	if err := a.Store.Publish(ctx, tenantOf(ctx), list...); err != nil {
		return nil, err
	}
	if single {
		return &struct{ Body published }{published{ID: list[0].ID}}, nil
	}
	ids := make([]string, len(list))
	for i, e := range list {
		ids[i] = e.ID
	}
	return &struct{ Body published }{published{IDs: ids}}, nil
}

// EventID is the event that a path names.
type EventID struct {
	ID string `path:"id" doc:"The event's id" example:"evt_019aa4c1f2b07d3e8a6c94e05b7f1d22"`
}

// Event is an event as the API shows it. Lists show it without its data, which may be
// large. Related has the ids of what the event is about.
type Event struct {
	ID        string         `json:"id"`
	Type      string         `json:"type"`
	Subject   *event.Subject `json:"subject,omitempty"`
	Timestamp time.Time      `json:"timestamp"`
	WebhookID string         `json:"webhookId" doc:"The webhook-id of all its deliveries. It is made by orderhook, also where the id is the publisher's"`
	event.Related
}

// showEvent shows an event, without its data. The zero subject means that the event is
// about nothing, and is left out.
func showEvent(e *event.Event) Event {
	out := Event{ID: e.ID, Type: e.Type, Timestamp: e.Timestamp, WebhookID: e.MessageID(), Related: e.Related}
	if e.Subject != (event.Subject{}) {
		out.Subject = &e.Subject
	}
	return out
}

// EventWithData is an event with its data, and without where it went. `orderhook export`
// writes it as a line.
type EventWithData struct {
	Event
	Data       jsontext.Value `json:"data,omitzero"`
	DataErased bool           `json:"dataErased,omitempty"`
	Trace      string         `json:"trace,omitempty"` // that the event came of: traceparent, and tracestate behind a space
}

// ShowEventWithData returns an event as the API shows it, with its data.
func ShowEventWithData(e *event.Event) EventWithData {
	return EventWithData{Event: showEvent(e), Data: e.Data, DataErased: e.Data == nil, Trace: e.Trace}
}

// fullEvent is an event with its data and where it went. A page of deliveries is enough
// for nearly every event; the others are in a list of their own.
type fullEvent struct {
	Event
	Data       payload    `json:"data,omitzero"`
	DataErased bool       `json:"dataErased,omitempty" doc:"The data was removed, with its order or by its age"`
	Deliveries []Delivery `json:"deliveries" nullable:"false" doc:"At most 200"`
	NextCursor string     `json:"nextCursor,omitempty" doc:"There are more deliveries: GET /api/deliveries with this eventId and cursor"`
}

// payload is the data of an event, as it was published. It goes out byte for byte as it
// came in.
type payload struct{ jsontext.Value }

// Schema implements huma.SchemaProvider.
func (payload) Schema(huma.Registry) *huma.Schema { return freeObject("The payload") }

// IsZero leaves out what was erased.
func (p payload) IsZero() bool { return p.Value == nil }

// listEvents lists events. An event matches the filter of an order if it is about the
// order, or about something of it, as a shipment.
func (a *api) listEvents(ctx context.Context, in *struct {
	CountParams
	Type           string `query:"type"`
	OrderID        string `query:"orderId"`
	ShipmentID     string `query:"shipmentId"`
	ReturnID       string `query:"returnId"`
	CartID         string `query:"cartId"`
	SubscriptionID string `query:"subscriptionId"`
	StockItemID    string `query:"stockItemId"`
	From           string `query:"from" doc:"Happened at or after this time"`
	To             string `query:"to" doc:"Happened before this time"`
}) (*listOf[Event], error) {
	from, to, err := span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	f := store.EventFilter{Type: in.Type, From: from, To: to, Related: event.Related{OrderID: in.OrderID,
		ShipmentID: in.ShipmentID, ReturnID: in.ReturnID, CartID: in.CartID, SubscriptionID: in.SubscriptionID, StockItemID: in.StockItemID}}
	list, err := listed(ctx, a, in.page(), func(p store.Page) (store.List[*event.Event], error) { return a.Store.Events(ctx, tenantOf(ctx), f, p) }, showEvent)
	return withCount(in.CountParams, list, err, func() (store.Count, error) { return a.Store.EventCount(ctx, tenantOf(ctx), f) })
}

// getEvent reads an event with its data, and with its deliveries up to one page. Where
// the data was erased, the event says so.
func (a *api) getEvent(ctx context.Context, in *EventID) (*struct{ Body fullEvent }, error) {
	e, err := a.Store.Event(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	list, err := a.Store.Deliveries(ctx, tenantOf(ctx), store.DeliveryFilter{Event: e.Seq}, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	went, err := a.showDeliveries(ctx, list.Items)
	if err != nil {
		return nil, err
	}
	return &struct{ Body fullEvent }{fullEvent{Event: showEvent(e), Data: payload{e.Data}, DataErased: e.Data == nil, Deliveries: went, NextCursor: marked(deliveriesPath, list.NextCursor)}}, nil
}

// listEventTypes lists the built-in types. They are part of the program, so no question
// to the database is needed.
func (a *api) listEventTypes(context.Context, *struct{}) (*listOf[eventType], error) {
	return answerList(store.List[event.EventType]{Items: event.EventTypes()}, nil, func(t event.EventType) eventType {
		return eventType{t.Name, t.Subject, t.Description, payload{t.Example}, t.OnlyByName}
	})
}

// eventType is a type of events as the API shows it. The schemas of the OpenAPI document
// come from the same table (webhookevents.go).
type eventType struct {
	Name        string  `json:"name"`
	Subject     string  `json:"subject" doc:"The kind of what such an event is about"`
	Description string  `json:"description"`
	Example     payload `json:"example" doc:"The data of such an event"`
	OnlyByName  bool    `json:"onlyByName,omitempty" doc:"Sent only to endpoints that name the type; no wildcard stands for it"`
}
