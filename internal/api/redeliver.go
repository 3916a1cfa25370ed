package api

import (
	"context"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func (a *api) redeliver(ctx context.Context, in *deliveryRequest) (*deliveryAnswer, error) {
	_, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		d, e, err := deliveryOf(ctx, tx, in.ID)
		if err != nil {
			return "", err
		}
		to, err := tx.Endpoint(ctx, tenantOf(ctx), d.EndpointID)
		if err := sendable(to, err); err != nil {
			return "", err
		}
		return in.ID, tx.SendAgain(ctx, tenantOf(ctx), e, to, now, true)
	})
	if err != nil {
		return nil, err
	}
	return a.getDelivery(ctx, &in.DeliveryID)
}

// sendable judges an endpoint that something is to be sent to.
func sendable(e *oms.Endpoint, err error) error {
	switch {
	case oms.KindOf(err) == oms.NotFound:
		return oms.Errorf(oms.Conflict, "the endpoint was removed")
	case err == nil && !e.Enabled:
		return oms.Errorf(oms.Conflict, "the endpoint is off; turn it on first")
	}
	return err
}

// redelivery is the body that says to which endpoint an event is sent.
type redelivery struct {
	EndpointID string `json:"endpointId,omitempty" doc:"All that the event went to and that are on, if it is left out"`
}

// redeliverEvent sends an event to one endpoint, or again to all it went to.
func (a *api) redeliverEvent(ctx context.Context, in *struct {
	EventID
	OnceParams
}) (*listOf[delivery], error) {
	doc, err := givenBody(ctx)
	if err != nil {
		return nil, err
	}
	f := fields{doc: doc}
	f.only("endpointId")
	to := f.text("endpointId")
	if to == "" && doc.Has("endpointId") && len(f.mistakes) == 0 {
		f.wrong("endpointId", "must not be empty")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	var sent store.List[*oms.Delivery]
	var keys []oms.DeliveryKey
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
// and that may get it now.
func receivers(ctx context.Context, tx store.Tx, e *oms.Event, id string) ([]*oms.Endpoint, error) {
	if id != "" {
		to, err := tx.Endpoint(ctx, tenantOf(ctx), id)
		if oms.KindOf(err) == oms.NotFound {
			return nil, oms.Wrong("body.endpointId", "there is no such endpoint")
		}
		if err = sendable(to, err); err == nil {
			err = itsOwn(ctx, tx, e, to)
		}
		return []*oms.Endpoint{to}, err
	}
	all, err := deliveriesOf(ctx, tx, e)
	var out []*oms.Endpoint
	for _, d := range all {
		to, err := tx.Endpoint(ctx, tenantOf(ctx), d.EndpointID)
		if err := sendable(to, err); oms.KindOf(err) == oms.Conflict {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, to)
	}
	if err == nil && len(out) == 0 {
		return nil, oms.Errorf(oms.Conflict, "the event went to no endpoint that is on now; name one as endpointId")
	}
	return out, err
}

// itsOwn judges an event that somebody wants to send to an endpoint by name. One
// that the API made gets whatever it is sent; the others are for the events of
// the contract alone: those that they get by themselves, or got before.
func itsOwn(ctx context.Context, tx store.Tx, e *oms.Event, to *oms.Endpoint) error {
	if to.Origin == oms.OriginAPI {
		return nil
	}
	if len(oms.NewSubscriptions([]*oms.Endpoint{to}).Match(e, filter.NewEffort())) > 0 {
		return nil
	}
	_, err := tx.Delivery(ctx, tenantOf(ctx), oms.DeliveryKey{Event: e.Seq, Endpoint: to.No})
	switch {
	case oms.KindOf(err) != oms.NotFound:
		return err
	case to.Origin == oms.OriginWebHook:
		return oms.Errorf(oms.Conflict, "this endpoint is the webHook section of the config file, and gets its seven events of orders alone")
	}
	return oms.Errorf(oms.Conflict, "this endpoint belongs to an ExportOrder step of the settings, and gets what that exports alone")
}

// deliveriesOf returns all deliveries of an event.
func deliveriesOf(ctx context.Context, r store.Reader, e *oms.Event) (all []*oms.Delivery, err error) {
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

func sendAgain(ctx context.Context, tx store.Tx, e *oms.Event, to []*oms.Endpoint, now time.Time) (sent []oms.DeliveryKey, err error) {
	for _, endpoint := range to {
		if err := tx.SendAgain(ctx, tenantOf(ctx), e, endpoint, now, true); err != nil {
			return nil, err
		}
		sent = append(sent, oms.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No})
	}
	return sent, nil
}

// sentNow returns deliveries that were just sent, as they are now.
func (a *api) sentNow(ctx context.Context, keys []oms.DeliveryKey) (sent []*oms.Delivery, err error) {
	for _, key := range keys {
		d, err := a.Store.Delivery(ctx, tenantOf(ctx), key)
		if oms.KindOf(err) == oms.NotFound {
			continue // its order was erased meanwhile
		}
		if err != nil {
			return nil, err
		}
		sent = append(sent, d)
	}
	return sent, nil
}

// sentEarlier returns what a POST with the same Idempotency-Key sent, as it is now.
func (a *api) sentEarlier(ctx context.Context, eventID, endpointID string) ([]*oms.Delivery, error) {
	e, err := a.Store.Event(ctx, tenantOf(ctx), eventID)
	if err != nil {
		return nil, err
	}
	all, err := deliveriesOf(ctx, a.Store, e)
	return slices.DeleteFunc(all, func(d *oms.Delivery) bool { return endpointID != "" && d.EndpointID != endpointID }), err
}
