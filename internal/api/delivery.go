package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func deliveries(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "list-deliveries", Method: http.MethodGet, Path: "/api/deliveries", Tags: []string{"Events"},
		Summary: "List deliveries of events to endpoints, those of the newest events first"}, a.listDeliveries)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-delivery", Method: http.MethodGet, Path: "/api/deliveries/{id}", Tags: []string{"Events"},
		Summary: "Read a delivery"}, a.getDelivery)
	handle(a, oms.Operator, huma.Operation{OperationID: "redeliver-delivery", Method: http.MethodPost, Path: "/api/deliveries/{id}/redeliver", Tags: []string{"Events"},
		Summary: "Send a delivery again", DefaultStatus: http.StatusAccepted, Description: "With as many attempts as the endpoint's schedule has. One that is pending is attempted now."}, a.redeliver)
	handle(a, oms.Operator, huma.Operation{OperationID: "cancel-delivery", Method: http.MethodPost, Path: "/api/deliveries/{id}/cancel", Tags: []string{"Events"},
		Summary: "End a delivery that is pending", DefaultStatus: http.StatusOK, Description: "An attempt that is under way ends, and is recorded."}, a.cancelDelivery)
}

// DeliveryID is the delivery that a path names.
type DeliveryID struct {
	ID string `path:"id" doc:"The delivery's id" example:"dlv_evt_019aa4c1f2b07d3e8a6c94e05b7f1d22.3"`
}

// delivery is a delivery as the API shows it.
type delivery struct {
	ID            string             `json:"id"`
	EventID       string             `json:"eventId"`
	EventType     string             `json:"eventType"`
	EndpointID    string             `json:"endpointId"`
	EndpointURL   string             `json:"endpointUrl,omitempty" doc:"Where the endpoint is now, as every role may see it; absent once it was removed, and where a connector has it"`
	OrderID       string             `json:"orderId,omitempty"`
	Status        oms.DeliveryStatus `json:"status" enum:"pending,succeeded,failed,canceled"`
	Attempts      int                `json:"attempts" doc:"Made so far"`
	MaxAttempts   int                `json:"maxAttempts" doc:"Made in all, when it fails for good"`
	LastStatus    int                `json:"lastStatus,omitempty" doc:"Of the answer to the last attempt; absent where none came, or no attempt was made"`
	LastError     string             `json:"lastError,omitempty" doc:"Why the last attempt failed; absent where it succeeded"`
	NextAttemptAt *time.Time         `json:"nextAttemptAt,omitempty"`
	WaitsFor      string             `json:"waitsFor,omitempty" doc:"The subject, of which an earlier event has not been delivered" example:"order/ORD-12345"`
	Created       time.Time          `json:"created" doc:"When the event happened"`
	Updated       time.Time          `json:"updated"`
}

// showDelivery returns what shows deliveries, with where their endpoints are now.
func (a *api) showDelivery(ctx context.Context) (func(*oms.Delivery) delivery, error) {
	urls, err := a.Store.EndpointURLs(ctx, tenantOf(ctx))
	return func(d *oms.Delivery) delivery { return deliveryAt(d, urls(d.Endpoint)) }, err
}

func deliveryAt(d *oms.Delivery, url string) delivery {
	out := delivery{ID: d.ID(), EventID: d.EventID, EventType: d.EventType, EndpointID: d.EndpointID, EndpointURL: url, OrderID: d.OrderID, Status: d.Status,
		Attempts: d.Attempts, MaxAttempts: d.MaxAttempts, LastStatus: d.LastStatus, LastError: d.LastError, Created: d.Created, Updated: d.Updated}
	if d.Status == oms.DeliveryPending {
		out.NextAttemptAt = timeOrNil(d.Due)
		if d.Due.IsZero() {
			out.WaitsFor = d.Group
		}
	}
	return out
}

func (a *api) showDeliveries(ctx context.Context, all []*oms.Delivery) ([]delivery, error) {
	show, err := a.showDelivery(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]delivery, len(all))
	for i, d := range all {
		out[i] = show(d)
	}
	return out, nil
}

func (a *api) listDeliveries(ctx context.Context, in *struct {
	CountParams
	EndpointID string             `query:"endpointId"`
	EventID    string             `query:"eventId"`
	Status     oms.DeliveryStatus `query:"status" enum:"pending,succeeded,failed,canceled"`
	EventType  string             `query:"eventType"`
	OrderID    string             `query:"orderId"`
	LastStatus string             `query:"lastStatus" doc:"Of the last attempt: as 500, 5xx, or none where no answer came"`
	From       string             `query:"from" doc:"Of events that happened at or after this time"`
	To         string             `query:"to" doc:"Of events that happened before this time"`
}) (*listOf[delivery], error) {
	from, to, err := span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	if _, ok := store.ParseStatus(in.LastStatus); !ok {
		return nil, oms.Wrong("query.lastStatus", "%s", store.StatusForm)
	}
	f, err := store.DeliveriesOf(ctx, a.Store, tenantOf(ctx), oms.DeliveryQuery{EndpointID: in.EndpointID, EventID: in.EventID, Status: in.Status,
		EventType: in.EventType, OrderID: in.OrderID, LastStatus: in.LastStatus, From: from, To: to})
	if oms.KindOf(err) == oms.NotFound {
		return nothing[delivery](in.CountParams)
	}
	if err != nil {
		return nil, err
	}
	show, err := a.showDelivery(ctx)
	if err != nil {
		return nil, err
	}
	list, err := listed(ctx, a, in.page(), func(p store.Page) (store.List[*oms.Delivery], error) {
		return a.Store.Deliveries(ctx, tenantOf(ctx), f, p)
	}, show)
	return counted(in.CountParams, list, err, func() (store.Count, error) { return a.Store.DeliveryCount(ctx, tenantOf(ctx), f) })
}

// deliveryOf reads the delivery that an id names, with its event.
func deliveryOf(ctx context.Context, r store.Reader, id string) (*oms.Delivery, *oms.Event, error) {
	eventID, endpoint, err := oms.ParseDeliveryID(id)
	if err != nil {
		return nil, nil, err
	}
	missing := oms.Errorf(oms.NotFound, "no delivery %q", id)
	e, err := r.Event(ctx, tenantOf(ctx), eventID)
	if oms.KindOf(err) == oms.NotFound {
		return nil, nil, missing
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := r.Delivery(ctx, tenantOf(ctx), oms.DeliveryKey{Event: e.Seq, Endpoint: endpoint})
	if oms.KindOf(err) == oms.NotFound {
		return nil, nil, missing
	}
	return d, e, err
}

type deliveryAnswer struct{ Body delivery }

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

// deliveryRequest is a POST about a delivery.
type deliveryRequest struct {
	DeliveryID
	OnceParams
}

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
