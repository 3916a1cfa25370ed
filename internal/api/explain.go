package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// explanations registers the call that answers why an event did, or did not, go to an
// endpoint. It is a POST, since the filter to try is in its body; it changes nothing.
func explanations(a *api) {
	example := map[string]any{"endpointId": "ep_019aa4c27d3e7f0c9b61d2e8f4a05b37", "newest": 10, "filter": "data.orderForm.total > 500"}
	handle(a, access.Reader, huma.Operation{OperationID: "explain-endpoint", Method: http.MethodPost, Path: "/api/endpoints/explain", Tags: []string{"Endpoints"},
		Summary: "Say which events an endpoint gets, and why not the others", DefaultStatus: http.StatusOK,
		Description: "Of an event that is named, or of the newest ones: whether the endpoint would get it if it happened now, each condition of the filter with the values that it looks at, and what became of it when it happened. " +
			"`filter` and `eventTypes` take the place of the endpoint's own, or of one that is not stored yet. Nothing is stored or sent. " +
			"Events are looked at until their data comes to 16 MiB.",
		Errors:      []int{http.StatusNotFound},
		RequestBody: bodyOf(a, explainShape, "What to explain", example)}, a.explain)
}

// explainShape says what to explain.
var explainShape = &schema.Shape{Name: "ExplainBody", Noun: "the request", Fields: []schema.ShapeField{
	{Name: "endpointId", Doc: "The endpoint; without it, one that is on, with the filter and the eventTypes of this body"},
	{Name: "eventId", Doc: "The event; without it, the newest ones"},
	{Name: "newest", Type: schema.ShapeWhole, Limits: schema.Limits{Min: 1, Max: 50}, Default: 20},
	{Name: "filter", Limits: schema.Limits{MaxLength: filter.MaxLength}, Doc: "Instead of the endpoint's; null for none"},
	{Name: "eventTypes", Type: schema.ShapeTexts, Limits: schema.Limits{MaxItems: 100}, Doc: "Instead of the endpoint's"},
}}

// The data of many events is read for one call, so there is a bound on it.
const (
	mostExplainedBytes = 16 << 20 // of the data of events
)

// explanation is why an endpoint gets an event, or does not. Whether the endpoint wants
// the event is decided anew, as it is now; DeliveryID and MadeLater say what became of
// the event when it happened. The two may differ, since filters are changed, and a change
// has no effect on events of before (docs/contract.md#filters).
type explanation struct {
	EventID     string      `json:"eventId"`
	EventType   string      `json:"eventType"`
	Timestamp   time.Time   `json:"timestamp"`
	OrderID     string      `json:"orderId,omitempty"`
	Wanted      bool        `json:"wanted" doc:"Whether the endpoint would get it if it happened now"`
	Reasons     []string    `json:"reasons" nullable:"false" doc:"Why it would not: disabled, eventType, noOrder (the webHook section gets events of orders alone), filter"`
	FilterError string      `json:"unjudged,omitempty" doc:"Why the filter cannot judge the event, which is sent then"`
	Conditions  []condition `json:"conditions" nullable:"false" doc:"Of the filter, in their order, each judged by itself"`
	MadeLater   bool        `json:"madeLater,omitempty" doc:"The endpoint was made after the event happened"`
	DeliveryID  string      `json:"deliveryId,omitempty" doc:"Of the event to the endpoint; absent if it never went there"`
	Delivery    string      `json:"deliveryStatus,omitempty" enum:"pending,succeeded,failed,canceled"`
	DataMissing bool        `json:"dataErased,omitempty" doc:"The data was removed, so that a filter that looks at it cannot judge it"`
}

// condition is a part of a filter that is true or false by itself. In `a && b || c` each
// of a, b and c is one. It is evaluated also where the filter as a whole would not come
// to it.
type condition struct {
	Text  string       `json:"text" example:"data.orderForm.total > 500"`
	Holds bool         `json:"holds"`
	Error string       `json:"error,omitempty" doc:"Why it cannot be judged"`
	Found []foundValue `json:"found" nullable:"false" doc:"The values of the event that it looks at"`
}

// foundValue is what a name of a condition stands for in the event.
type foundValue struct {
	Name  string `json:"name" example:"data.orderForm.total"`
	Value string `json:"value,omitempty" doc:"As JSON, the beginning of it where it is long" example:"349.90"`
	Error string `json:"error,omitempty" doc:"Why there is none"`
}

// explain answers why events do, or do not, go to an endpoint. The filter and the types
// of the request take the place of those of the endpoint, so that one can try them.
// Without an endpoint it is one that takes every type, so that the filter alone decides.
// Nothing of the endpoint is stored: it is a copy.
func (a *api) explain(ctx context.Context, _ *struct{}) (*listOf[explanation], error) {
	body, err := readBody(ctx, explainShape)
	if err != nil {
		return nil, err
	}
	if err := body.Err(); err != nil {
		return nil, within(err)
	}
	endpoint := body.Text("endpointId")
	e := &event.Endpoint{Enabled: true, Origin: event.OriginAPI, EventTypes: []string{"*"}}
	if endpoint != "" {
		stored, err := a.Store.Endpoint(ctx, tenantOf(ctx), endpoint)
		if err != nil {
			return nil, err
		}
		// The filter and the types of the body go into a copy, so nobody else ever sees
		// them.
		same := *stored
		e = &same
	}
	if body.Given("filter") {
		if e.Filter = body.Text("filter"); e.Filter != "" {
			// An error in the filter is reported here, and not once for each event.
			if _, err := filter.Parse(e.Filter); err != nil {
				return nil, apierr.Wrong("body.filter", "%v", err)
			}
		}
	}
	if body.Has("eventTypes") {
		e.EventTypes = body.Texts("eventTypes")
		// They are those that an endpoint may have.
		if wrong := event.CheckTypePatterns(e.EventTypes, "body.eventTypes"); len(wrong) > 0 {
			return nil, &apierr.Error{Kind: apierr.Invalid, Detail: "the eventTypes are not valid", Fields: wrong}
		}
	}
	return a.explained(ctx, e, body.Text("eventId"), body.Whole("newest"))
}

// explained explains one event, or the newest. All the newest events share one effort,
// which bounds what their filters cost together. Without a filter the data is not read,
// because nothing looks at it.
func (a *api) explained(ctx context.Context, e *event.Endpoint, event string, newest int) (*listOf[explanation], error) {
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
			if apierr.KindOf(err) == apierr.NotFound { // retention took it meanwhile
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
		// The bound is looked at after an event was read, so the last event may exceed it.
		if bytes += len(one.Data); bytes >= mostExplainedBytes {
			break
		}
	}
	return answerList(list, err, asIs)
}

// explainOne appends the explanation for one event, with the delivery that the endpoint
// got of it, if any. An endpoint without a number is not stored, and never got anything.
func (a *api) explainOne(ctx context.Context, e *event.Endpoint, ev *event.Event, effort *filter.Effort, to []explanation) ([]explanation, error) {
	m := e.Explain(ev, effort)
	out := explanation{EventID: ev.ID, EventType: ev.Type, Timestamp: ev.Timestamp, OrderID: ev.OrderID, Wanted: m.Wanted, Reasons: append([]string{}, m.Reasons...),
		FilterError: m.FilterError, Conditions: []condition{}, MadeLater: e.Created.After(ev.Timestamp), DataMissing: e.Filter != "" && ev.Data == nil}
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
	d, err := a.Store.Delivery(ctx, tenantOf(ctx), event.DeliveryKey{Event: ev.Seq, Endpoint: e.No})
	// The event never went to this endpoint, or retention has removed the delivery. Both
	// are an answer, and no error.
	if apierr.KindOf(err) == apierr.NotFound {
		return append(to, out), nil
	}
	if err == nil {
		out.DeliveryID, out.Delivery = d.ID(), string(d.Status)
	}
	return append(to, out), err
}
