package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// deliveries registers the operations on single deliveries. Those on all that a filter
// picks are in redeliverbulk.go.
func deliveries(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "list-deliveries", Method: http.MethodGet, Path: deliveriesPath, Tags: []string{"Events"},
		Summary: "List deliveries of events to endpoints, those of the newest events first"}, a.listDeliveries)
	handle(a, access.Reader, huma.Operation{OperationID: "get-delivery", Method: http.MethodGet, Path: "/api/deliveries/{id}", Tags: []string{"Events"},
		Summary: "Read a delivery"}, a.getDelivery)
	handle(a, access.Operator, huma.Operation{OperationID: "redeliver-delivery", Method: http.MethodPost, Path: "/api/deliveries/{id}/redeliver", Tags: []string{"Events"},
		Summary: "Send a delivery again", DefaultStatus: http.StatusAccepted, Description: "With as many attempts as the endpoint's schedule has. One that is pending is attempted now."}, a.redeliver)
	handle(a, access.Operator, huma.Operation{OperationID: "cancel-delivery", Method: http.MethodPost, Path: "/api/deliveries/{id}/cancel", Tags: []string{"Events"},
		Summary: "End a delivery that is pending", DefaultStatus: http.StatusOK, Description: "An attempt that is under way ends, and is recorded."}, a.cancelDelivery)
}

// DeliveryID is the delivery that a path names. The id is made of the event's id and the
// endpoint's number, so it is the same before and after a redelivery.
type DeliveryID struct {
	ID string `path:"id" doc:"The delivery's id" example:"dlv_evt_019aa4c1f2b07d3e8a6c94e05b7f1d22.3"`
}

// Delivery is a delivery as the API shows it. A delivery that succeeded has no row of its
// own (docs/design.md#the-shape-of-a-delivery). It is shown in the same form, made of the
// attempt that succeeded. Only a pending delivery that is not due at any time has
// WaitsFor.
type Delivery struct {
	ID              string               `json:"id"`
	EventID         string               `json:"eventId"`
	EventType       string               `json:"eventType"`
	EndpointID      string               `json:"endpointId"`
	EndpointURL     string               `json:"endpointUrl,omitempty" doc:"Where the endpoint is now, as every role may see it; absent once it was removed, and where a connector has it"`
	EndpointRemoved bool                 `json:"endpointRemoved,omitempty" doc:"The endpoint was removed: this cannot be sent again"`
	EndpointOff     bool                 `json:"endpointOff,omitempty" doc:"The endpoint is off: nothing is sent to it before it is turned on"`
	OrderID         string               `json:"orderId,omitempty"`
	Status          event.DeliveryStatus `json:"status" enum:"pending,succeeded,failed,canceled"`
	Attempts        int                  `json:"attempts" doc:"Made so far"`
	MaxAttempts     int                  `json:"maxAttempts" doc:"Made in all, when it fails for good"`
	LastStatus      int                  `json:"lastStatus,omitempty" doc:"Of the answer to the last attempt; absent where none came, or no attempt was made"`
	LastError       string               `json:"lastError,omitempty" doc:"Why the last attempt failed; absent where it succeeded"`
	NextAttemptAt   *time.Time           `json:"nextAttemptAt,omitempty"`
	WaitsFor        string               `json:"waitsFor,omitempty" doc:"The subject, of which an earlier event has not been delivered" example:"order/ORD-12345"`
	Created         time.Time            `json:"created" doc:"When the event happened"`
	Updated         time.Time            `json:"updated"`
}

// deliveriesPath is where deliveries are listed. An event has a cursor of that list.
const deliveriesPath = "/api/deliveries"

// showDelivery returns what shows deliveries, with where their endpoints are now. The
// states of all endpoints of the tenant are asked for once, so that a list needs no
// question for each delivery.
func (a *api) showDelivery(ctx context.Context) (func(*event.Delivery) Delivery, error) {
	stateOf, err := a.Store.EndpointStates(ctx, tenantOf(ctx))
	return func(d *event.Delivery) Delivery { return deliveryAt(d, stateOf(d.Endpoint)) }, err
}

// deliveryAt shows a delivery, and where its endpoint is. A pending delivery that is not
// due at any time waits for an earlier one of its subject; the Group is that subject.
func deliveryAt(d *event.Delivery, to store.EndpointState) Delivery {
	// The public URL alone is shown: the other may have secrets in it.
	out := Delivery{EndpointRemoved: !to.Exists, EndpointOff: to.Exists && !to.Enabled, ID: d.ID(), EventID: d.EventID, EventType: d.EventType, EndpointID: d.EndpointID, EndpointURL: to.URL, OrderID: d.OrderID, Status: d.Status,
		Attempts: d.Attempts, MaxAttempts: d.MaxAttempts, LastStatus: d.LastStatus, LastError: d.LastError, Created: d.Created, Updated: d.Updated}
	// A delivery that has ended waits for nothing.
	if d.Status == event.DeliveryPending {
		out.NextAttemptAt = timeOrNil(d.Due)
		if d.Due.IsZero() {
			out.WaitsFor = d.Group
		}
	}
	return out
}

// showDeliveries shows deliveries that are in memory already, for an answer that has them
// beside other things.
func (a *api) showDeliveries(ctx context.Context, all []*event.Delivery) ([]Delivery, error) {
	show, err := a.showDelivery(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Delivery, len(all))
	for i, d := range all {
		out[i] = show(d)
	}
	return out, nil
}

// listDeliveries lists deliveries. A filter that names an endpoint or event that does not
// exist picks nothing, and is no error, as in listAttempts.
func (a *api) listDeliveries(ctx context.Context, in *struct {
	CountParams
	EndpointID string               `query:"endpointId"`
	EventID    string               `query:"eventId"`
	Status     event.DeliveryStatus `query:"status" enum:"pending,succeeded,failed,canceled"`
	EventType  string               `query:"eventType"`
	OrderID    string               `query:"orderId"`
	LastStatus string               `query:"lastStatus" doc:"Of the last attempt: as 500, 5xx, or none where no answer came"`
	From       string               `query:"from" doc:"Of events that happened at or after this time"`
	To         string               `query:"to" doc:"Of events that happened before this time"`
}) (*listOf[Delivery], error) {
	// The parameters are checked before the store is asked for anything.
	from, to, err := span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	if _, ok := store.ParseStatus(in.LastStatus); !ok {
		return nil, apierr.Wrong("query.lastStatus", "%s", store.StatusForm)
	}
	f, err := store.DeliveriesOf(ctx, a.Store, tenantOf(ctx), event.DeliveryQuery{EndpointID: in.EndpointID, EventID: in.EventID, Status: in.Status,
		EventType: in.EventType, OrderID: in.OrderID, LastStatus: in.LastStatus, From: from, To: to})
	if apierr.KindOf(err) == apierr.NotFound {
		return nothing[Delivery](in.CountParams)
	}
	if err != nil {
		return nil, err
	}
	// Where the endpoints are is asked for once for the whole page.
	show, err := a.showDelivery(ctx)
	if err != nil {
		return nil, err
	}
	list, err := listed(ctx, a, in.page(), func(p store.Page) (store.List[*event.Delivery], error) {
		return a.Store.Deliveries(ctx, tenantOf(ctx), f, p)
	}, show)
	return withCount(in.CountParams, list, err, func() (store.Count, error) { return a.Store.DeliveryCount(ctx, tenantOf(ctx), f) })
}

// deliveryOf reads the delivery that an id names, with its event. It reads from a store
// or within a write. The error is [apierr.NotFound], in the same words, whether the id is
// none, the event is gone, or the event was never meant for that endpoint.
func deliveryOf(ctx context.Context, r store.Reader, id string) (*event.Delivery, *event.Event, error) {
	eventID, endpoint, err := event.ParseDeliveryID(id)
	if err != nil {
		return nil, nil, err
	}
	// The same words for all three cases: the caller has an id, and needs to know only
	// that nothing has it.
	missing := apierr.Errorf(apierr.NotFound, "no delivery %q", id)
	e, err := r.Event(ctx, tenantOf(ctx), eventID)
	if apierr.KindOf(err) == apierr.NotFound {
		return nil, nil, missing
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := r.Delivery(ctx, tenantOf(ctx), event.DeliveryKey{Event: e.Seq, Endpoint: endpoint})
	if apierr.KindOf(err) == apierr.NotFound {
		return nil, nil, missing
	}
	return d, e, err
}

// deliveryAnswer is the answer of one delivery.
type deliveryAnswer struct{ Body Delivery }

// getDelivery reads one delivery as it is now.
func (a *api) getDelivery(ctx context.Context, in *DeliveryID) (*deliveryAnswer, error) {
	d, _, err := deliveryOf(ctx, a.Store, in.ID)
	if err != nil {
		return nil, err
	}
	show, err := a.showDelivery(ctx)
	if err != nil {
		return nil, err
	}
	return &deliveryAnswer{show(d)}, nil
}

// deliveryRequest is a POST about a delivery. It has no body: the path says all.
type deliveryRequest struct {
	DeliveryID
	OnceParams
}

// cancelDelivery ends a pending delivery, and answers with it; 409 if it has ended. Where
// the endpoint wants its events in order, the next one of the subject becomes due by
// that. An attempt that is under way cannot be called back, and is recorded; if it
// succeeds, the delivery has succeeded after all.
func (a *api) cancelDelivery(ctx context.Context, in *deliveryRequest) (*deliveryAnswer, error) {
	_, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		d, _, err := deliveryOf(ctx, tx, in.ID)
		if err != nil {
			return "", err
		}
		return in.ID, tx.CancelDelivery(ctx, tenantOf(ctx), d.DeliveryKey, now)
	})
	if err != nil {
		return nil, err
	}
	return a.getDelivery(ctx, &in.DeliveryID)
}
