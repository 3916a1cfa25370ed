package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func explanations(a *api) {
	example := map[string]any{"endpointId": "ep_019aa4c27d3e7f0c9b61d2e8f4a05b37", "newest": 10, "filter": "data.orderForm.total > 500"}
	handle(a, oms.Reader, huma.Operation{OperationID: "explain-endpoint", Method: http.MethodPost, Path: "/api/endpoints/explain", Tags: []string{"Endpoints"},
		Summary: "Say which events an endpoint gets, and why not the others", DefaultStatus: http.StatusOK,
		Description: "Of an event that is named, or of the newest ones: whether the endpoint would get it if it happened now, each condition of the filter with the values that it looks at, and what became of it when it happened. " +
			"`filter` and `eventTypes` take the place of the endpoint's own, or of one that is not stored yet. Nothing is stored or sent. " +
			"Events are looked at until their data comes to 16 MiB.",
		Errors:      []int{http.StatusNotFound},
		RequestBody: bodyOf[explainBody](a, "What to explain", example)}, a.explain)
}

// explainBody says what to explain.
type explainBody struct {
	EndpointID string   `json:"endpointId,omitempty" doc:"The endpoint; without it, one that is on, with the filter and the eventTypes of this body"`
	EventID    string   `json:"eventId,omitempty" doc:"The event; without it, the newest ones"`
	Newest     int      `json:"newest,omitempty" minimum:"1" maximum:"50" default:"20"`
	Filter     string   `json:"filter,omitempty" maxLength:"4096" doc:"Instead of the endpoint's; null for none"`
	EventTypes []string `json:"eventTypes,omitempty" nullable:"false" maxItems:"100" doc:"Instead of the endpoint's"`
}

const (
	mostExplained      = 50
	usuallyExplained   = 20
	mostExplainedBytes = 16 << 20 // of the data of events
)

// explanation is why an endpoint gets an event, or does not.
type explanation struct {
	EventID     string      `json:"eventId"`
	EventType   string      `json:"eventType"`
	Timestamp   time.Time   `json:"timestamp"`
	OrderID     string      `json:"orderId,omitempty"`
	Wanted      bool        `json:"wanted" doc:"Whether the endpoint would get it if it happened now"`
	Reasons     []string    `json:"reasons" nullable:"false" doc:"Why it would not: disabled, eventType, noOrder (the webHook section gets events of orders alone), filter"`
	Unjudged    string      `json:"unjudged,omitempty" doc:"Why the filter cannot judge the event, which is sent then"`
	Conditions  []condition `json:"conditions" nullable:"false" doc:"Of the filter, in their order, each judged by itself"`
	MadeLater   bool        `json:"madeLater,omitempty" doc:"The endpoint was made after the event happened"`
	DeliveryID  string      `json:"deliveryId,omitempty" doc:"Of the event to the endpoint; absent if it never went there"`
	Delivery    string      `json:"deliveryStatus,omitempty" enum:"pending,succeeded,failed,canceled"`
	DataMissing bool        `json:"dataErased,omitempty" doc:"The data was removed, so that a filter that looks at it cannot judge it"`
}

// condition is a part of a filter that is true or false by itself.
type condition struct {
	Text  string       `json:"text" example:"data.orderForm.total > 500"`
	Holds bool         `json:"holds"`
	Error string       `json:"error,omitempty" doc:"Why it cannot be judged"`
	Found []foundValue `json:"found" nullable:"false" doc:"The values of the event that it looks at"`
}

type foundValue struct {
	Name  string `json:"name" example:"data.orderForm.total"`
	Value string `json:"value,omitempty" doc:"As JSON, the beginning of it where it is long" example:"349.90"`
	Error string `json:"error,omitempty" doc:"Why there is none"`
}

func (a *api) explain(ctx context.Context, _ *struct{}) (*listOf[explanation], error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	f := &fields{doc: doc}
	f.only("endpointId", "eventId", "newest", "filter", "eventTypes")
	endpoint, event, newest := f.text("endpointId"), f.text("eventId"), f.number("newest", 1, mostExplained, usuallyExplained)
	e := &oms.Endpoint{Enabled: true, Origin: oms.OriginAPI, EventTypes: []string{"*"}}
	if err := f.err(); err != nil {
		return nil, err
	}
	if endpoint != "" {
		stored, err := a.Store.Endpoint(ctx, tenantOf(ctx), endpoint)
		if err != nil {
			return nil, err
		}
		same := *stored
		e = &same
	}
	if _, given := doc.Get("filter"); given {
		if e.Filter = f.text("filter"); e.Filter != "" {
			if _, err := filter.Parse(e.Filter); err != nil {
				f.wrong("filter", "%v", err)
			}
		}
	}
	if types := f.texts("eventTypes"); len(types) > 0 {
		e.EventTypes = types
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return a.explained(ctx, e, event, newest)
}

// explained explains one event, or the newest.
func (a *api) explained(ctx context.Context, e *oms.Endpoint, event string, newest int) (*listOf[explanation], error) {
	list := store.List[explanation]{}
	if event != "" {
		one, err := a.Store.Event(ctx, tenantOf(ctx), event)
		if err == nil {
			list.Items, err = a.explainOne(ctx, e, one, filter.NewEffort(), list.Items)
		}
		return answerList(list, err, asIs)
	}
	found, err := a.Store.Events(ctx, tenantOf(ctx), store.EventFilter{}, store.Page{Limit: newest})
	effort, bytes := filter.NewEffort(), 0
	for _, one := range found.Items {
		if err == nil && e.Filter != "" {
			one, err = a.Store.EventBySeq(ctx, tenantOf(ctx), one.Seq)
			if oms.KindOf(err) == oms.NotFound { // retention took it meanwhile
				err = nil
				continue
			}
		}
		if err == nil {
			list.Items, err = a.explainOne(ctx, e, one, effort, list.Items)
		}
		if err != nil {
			break
		}
		if bytes += len(one.Data); bytes >= mostExplainedBytes {
			break
		}
	}
	return answerList(list, err, asIs)
}

func (a *api) explainOne(ctx context.Context, e *oms.Endpoint, event *oms.Event, effort *filter.Effort, to []explanation) ([]explanation, error) {
	m := e.Explain(event, effort)
	out := explanation{EventID: event.ID, EventType: event.Type, Timestamp: event.Timestamp, OrderID: event.OrderID, Wanted: m.Wanted, Reasons: append([]string{}, m.Reasons...),
		Unjudged: m.Unjudged, Conditions: []condition{}, MadeLater: e.Created.After(event.Timestamp), DataMissing: e.Filter != "" && event.Data == nil}
	for _, c := range m.Conditions {
		shown := condition{Text: c.Text, Holds: c.Holds, Error: c.Error, Found: []foundValue{}}
		for _, v := range c.Found {
			shown.Found = append(shown.Found, foundValue{v.Name, v.Value, v.Error})
		}
		out.Conditions = append(out.Conditions, shown)
	}
	if e.No == 0 {
		return append(to, out), nil
	}
	d, err := a.Store.Delivery(ctx, tenantOf(ctx), oms.DeliveryKey{Event: event.Seq, Endpoint: e.No})
	if oms.KindOf(err) == oms.NotFound {
		return append(to, out), nil
	}
	if err == nil {
		out.DeliveryID, out.Delivery = d.ID(), string(d.Status)
	}
	return append(to, out), err
}
