package checkup

import (
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// eventKind sends events to an endpoint.
type eventKind struct {
	now       func() time.Time
	endpoints [signings]*event.Endpoint
}

// newEventKind makes the endpoint that subscribes to everything.
func newEventKind(o *Options, checks event.EndpointChecks, secrets *memorySecrets) (kind, error) {
	k := &eventKind{now: o.Now}
	for s := range signings {
		doc := jsondoc.NewObject(jsondoc.Pair("url", o.URL), jsondoc.Pair("eventTypes", []any{"*"}), jsondoc.Pair("timeout", timetext.FormatDuration(o.Timeout)))
		text := signingSecret(o, s)
		if s == genuine && text == "" {
			text = outbound.NewSecret()
		}
		if text != "" {
			doc.Set("secret", text)
		}
		headers := &jsondoc.Object{}
		for _, h := range o.Headers {
			headers.Put(h.Name, h.Value)
		}
		if headers.Len() > 0 {
			doc.Set("headers", headers)
		}
		e, err := event.NewEndpoint(doc, checks, o.Now())
		if err != nil {
			return nil, err
		}
		if s == unsigned {
			e.Signatures = nil
		}
		k.endpoints[s] = e.WithSecrets(func(place string, origins []string, v secret.Value) secret.Value {
			return secrets.seal(place, origins, v).Reference()
		})
	}
	return k, nil
}

// example implements kind.
func (k *eventKind) example() *jsondoc.Object { return exampleOrder() }

// begin implements kind: the event is that of an order that is created.
func (k *eventKind) begin(doc *jsondoc.Object) (*call, error) {
	events, err := k.events(doc)
	if err != nil {
		return nil, err
	}
	return k.deliver(events[0], doc), nil
}

// events returns two events of an order, as the server makes them: that it was created, and
// that it has entered a status since.
func (k *eventKind) events(doc *jsondoc.Object) ([]*event.Event, error) {
	f := decide.Facts{Now: k.now().UTC(), Today: settings.Empty(), MaxOrderBytes: order.DefaultOrderBytes, NewID: ids.New}
	created, err := decide.Create(f, decide.Document{Object: doc.Clone()}, false)
	if err != nil {
		return nil, err
	}
	f.Order = created.Order
	status := "Accepted"
	if f.Order.Status() == status {
		status = "Completed"
	}
	entered, err := decide.Enter(f, decide.StatusChange{Status: status, SkipRun: true})
	if err != nil {
		return nil, err
	}
	return []*event.Event{created.Events[0], entered.Events[0]}, nil
}

// deliver returns the call that sends an event.
func (k *eventKind) deliver(e *event.Event, doc *jsondoc.Object) *call {
	return &call{
		doc: doc,
		request: func(v variation) (outbound.Request, error) {
			return delivery.StandaloneRequest(tenant, k.endpoints[v.signing], e, v.attempt, k.now()), nil
		},
		effect: k.effect,
	}
}

// effect says what becomes of the delivery.
func (k *eventKind) effect(r outbound.Request, x outbound.Exchange) effect {
	schedule := k.endpoints[genuine].Schedule
	e := effect{Decision: rerun.DecideDelivery(x, r.Attempt <= len(schedule), false)}
	switch {
	case e.answered():
		e.text = "the event is delivered"
	case e.TurnsOff:
		e.text = "the endpoint is turned off at once, and gets no event any more"
	default:
		var within time.Duration
		for _, pause := range schedule[r.Attempt-1:] {
			within += pause
		}
		e.text = fmt.Sprintf("the event is sent again %s within %s; if all fail alike, the delivery has failed", spelling.Times(len(schedule)+1-r.Attempt), within)
	}
	return e
}
