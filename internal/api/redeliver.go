package api

import (
	"context"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// redeliver sends a delivery again. It is a trial: somebody waits for the result, so it
// is attempted even while the circuit is open. It gets as many further attempts as the
// endpoint's schedule has. 409 where the endpoint is off or was removed, or where the
// data of the event was erased.
func (a *api) redeliver(ctx context.Context, in *deliveryRequest) (*deliveryAnswer, error) {
	_, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		d, e, err := deliveryOf(ctx, tx, in.ID)
		if err != nil {
			return "", err
		}
		// The endpoint is read within the write, so nobody can turn it off before the
		// delivery is due.
		to, err := tx.Endpoint(ctx, tenantOf(ctx), d.EndpointID)
		if err := sendable(to, err); err != nil {
			return "", err
		}
		return in.ID, tx.SendAgain(ctx, tenantOf(ctx), e, to, now, true)
	})
	if err != nil {
		return nil, err
	}
	// It is read after the write, so an attempt may have been made by now.
	return a.getDelivery(ctx, &in.DeliveryID)
}

// sendable checks an endpoint that something is to be sent to. It takes the error of
// reading the endpoint along: an endpoint that was removed is a conflict here, and not a
// 404, because the caller named a delivery or an event, which is there.
func sendable(e *event.Endpoint, err error) error {
	switch {
	case apierr.KindOf(err) == apierr.NotFound:
		return apierr.Errorf(apierr.Conflict, "the endpoint was removed")
	case err == nil && !e.Enabled:
		return errOff
	case err == nil && e.FeedOnly():
		return errFeedOnly
	}
	return err
}

// errFeedOnly is why nothing is sent to an endpoint.
var errFeedOnly = apierr.Errorf(apierr.Conflict, "nothing is sent to this endpoint: it is read from its feed")

// redeliveryShape is the body that says to which endpoint an event is sent.
var redeliveryShape = &schema.Shape{Name: "Redelivery", Noun: "the request", Fields: []schema.ShapeField{
	{Name: "endpointId", Limits: schema.Limits{MinLength: 1}, Doc: "All that the event went to and that are on, if it is left out"},
}}

// redeliverEvent sends an event to one endpoint, or again to all it went to. All
// deliveries become due in one write, or none does. The answer is read after it, so it
// shows the deliveries as they are then: an attempt may have been made already. A
// repeated request shows what the first one sent, as it is by now.
func (a *api) redeliverEvent(ctx context.Context, in *struct {
	EventID
	OnceParams
}) (*listOf[Delivery], error) {
	body, err := readGivenBody(ctx, redeliveryShape)
	if err == nil {
		err = within(body.Err())
	}
	if err != nil {
		return nil, err
	}
	to := body.Text("endpointId")
	var sent store.List[*event.Delivery]
	var keys []event.DeliveryKey
	earlier, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		e, err := tx.Event(ctx, tenantOf(ctx), in.ID)
		if err != nil {
			return "", err
		}
		endpoints, err := receivers(ctx, tx, e, to)
		if err != nil {
			return "", err
		}
		keys, err = sendAgain(ctx, tx, e, endpoints, now)
		return in.ID, err
	})
	// A failed write has nothing to show. The error is returned below.
	switch {
	case err != nil:
	case earlier != nil:
		sent.Items, err = a.sentEarlier(ctx, in.ID, to)
	default:
		sent.Items, err = a.sentNow(ctx, keys)
	}
	if err != nil {
		return nil, err
	}
	show, err := a.showDelivery(ctx)
	return answerList(sent, err, show)
}

// receivers returns the endpoint that is named, or all that an event went to
// and that may get it now. A caller that names an endpoint hears why it cannot get the event.
// Without a name, endpoints that are off or were removed are left out, and it is an error
// only if none remains.
func receivers(ctx context.Context, tx store.Tx, e *event.Event, id string) ([]*event.Endpoint, error) {
	if id != "" {
		to, err := tx.Endpoint(ctx, tenantOf(ctx), id)
		if apierr.KindOf(err) == apierr.NotFound {
			return nil, apierr.Wrong("body.endpointId", "there is no such endpoint")
		}
		if err = sendable(to, err); err == nil {
			err = itsOwn(ctx, tx, e, to)
		}
		return []*event.Endpoint{to}, err
	}
	all, err := deliveriesOf(ctx, tx, e)
	var out []*event.Endpoint
	for _, d := range all {
		to, err := tx.Endpoint(ctx, tenantOf(ctx), d.EndpointID)
		if err := sendable(to, err); apierr.KindOf(err) == apierr.Conflict {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, to)
	}
	if err == nil && len(out) == 0 {
		return nil, apierr.Errorf(apierr.Conflict, "the event went to no endpoint that is on now; name one as endpointId")
	}
	return out, err
}

// itsOwn checks an event that somebody wants to send to an endpoint by name. One
// that the API made gets whatever it is sent; the others are for the events of
// the contract alone: those that they get by themselves, or got before. So the endpoint
// of the webHook section never gets an event that its specification does not know, and an
// export's never one of another order (docs/contract.md#order-state-webhook).
func itsOwn(ctx context.Context, tx store.Tx, e *event.Event, to *event.Endpoint) error {
	if to.Origin == event.OriginAPI {
		return nil
	}
	if len(event.NewSubscriptions([]*event.Endpoint{to}).Match(e, filter.NewEffort())) > 0 {
		return nil
	}
	_, err := tx.Delivery(ctx, tenantOf(ctx), event.DeliveryKey{Event: e.Seq, Endpoint: to.No})
	switch {
	case apierr.KindOf(err) != apierr.NotFound:
		return err
	case to.Origin == event.OriginWebHook:
		return apierr.Errorf(apierr.Conflict, "this endpoint is the webHook section of the config file, and gets its seven events of orders alone")
	}
	return apierr.Errorf(apierr.Conflict, "this endpoint belongs to an ExportOrder step of the settings, and gets what that exports alone")
}

// deliveriesOf returns all deliveries of an event. An event may have gone to thousands of
// endpoints, so it reads page after page.
func deliveriesOf(ctx context.Context, r store.Reader, e *event.Event) (all []*event.Delivery, err error) {
	page := store.Page{Limit: store.MaxLimit}
	for {
		list, err := r.Deliveries(ctx, tenantOf(ctx), store.DeliveryFilter{Event: e.Seq}, page)
		if err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return all, nil
		}
	}
}

// sendAgain makes the deliveries of an event to these endpoints due now, and returns
// which they are.
// An error fails the whole write, and then none of them is due.
func sendAgain(ctx context.Context, tx store.Tx, e *event.Event, to []*event.Endpoint, now time.Time) (sent []event.DeliveryKey, err error) {
	for _, endpoint := range to {
		if err := tx.SendAgain(ctx, tenantOf(ctx), e, endpoint, now, true); err != nil {
			return nil, err
		}
		sent = append(sent, event.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No})
	}
	return sent, nil
}

// sentNow returns deliveries that were just sent, as they are now.
func (a *api) sentNow(ctx context.Context, keys []event.DeliveryKey) (sent []*event.Delivery, err error) {
	for _, key := range keys {
		d, err := a.Store.Delivery(ctx, tenantOf(ctx), key)
		if apierr.KindOf(err) == apierr.NotFound {
			continue // its order was erased meanwhile
		}
		if err != nil {
			return nil, err
		}
		sent = append(sent, d)
	}
	return sent, nil
}

// sentEarlier returns what a POST with the same Idempotency-Key sent, as it is now. Which
// endpoints those were is not stored; without a name it is all that the event went to.
func (a *api) sentEarlier(ctx context.Context, eventID, endpointID string) ([]*event.Delivery, error) {
	e, err := a.Store.Event(ctx, tenantOf(ctx), eventID)
	if err != nil {
		return nil, err
	}
	all, err := deliveriesOf(ctx, a.Store, e)
	return slices.DeleteFunc(all, func(d *event.Delivery) bool { return endpointID != "" && d.EndpointID != endpointID }), err
}
