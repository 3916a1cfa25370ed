package api

import (
	"context"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/weburl"
)

// requestToday returns the request that an attempt would make today, with today's
// secrets. It has no URL if the endpoint, the step or the connector does not exist any
// more. A missing one is no error, because the recorded request can still be sent, to
// the recorded URL and without secrets. The kind of the call is told by what the attempt
// is about, since a replay of a replay has the kind replay.
func (a *api) requestToday(ctx context.Context, at *attempt.Attempt) (r outbound.Request, err error) {
	switch {
	case at.EndpointID != "":
		r, err = a.eventToday(ctx, at)
	case at.RunID != "":
		r, err = a.stepToday(ctx, at)
	default:
		r, err = a.validatorToday(ctx, at)
	}
	if apierr.KindOf(err) == apierr.NotFound {
		return outbound.Request{}, nil
	}
	return r, err
}

// eventToday returns the request that would deliver the event of an attempt today. The
// number of the attempt stays, so that the endpoint sees the same X-Attempt.
func (a *api) eventToday(ctx context.Context, at *attempt.Attempt) (outbound.Request, error) {
	e, err := a.Store.Endpoint(ctx, tenantOf(ctx), at.EndpointID) // not one that was deleted
	if err != nil {
		return outbound.Request{}, err
	}
	event := &event.Event{} // of a test call
	if at.Delivery.Event > 0 {
		if event, err = a.Store.EventBySeq(ctx, tenantOf(ctx), at.Delivery.Event); err != nil {
			return outbound.Request{}, err
		}
	}
	r, err := a.Deliveries.Request(ctx, tenantOf(ctx), e, event, at.Number)
	if err == nil && event.Seq > 0 {
		r.Place, err = a.Store.Place(ctx, tenantOf(ctx), at.Delivery)
	}
	return r, err
}

// stepToday returns the request that the step of an attempt would make today. It is empty
// if the settings have no such step any more. The step is looked for by its place, its
// key and its name, since several steps of a status may be of one name. The connector is
// the one that the order would get today.
func (a *api) stepToday(ctx context.Context, at *attempt.Attempt) (outbound.Request, error) {
	run, err := a.Store.Run(ctx, tenantOf(ctx), at.RunID)
	if err != nil {
		return outbound.Request{}, err
	}
	order, err := a.Store.Order(ctx, tenantOf(ctx), run.OrderID)
	if err != nil {
		return outbound.Request{}, err
	}
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return outbound.Request{}, err
	}
	made := run.StepOf(at.CallID)
	if made == nil {
		return outbound.Request{}, nil
	}
	step := s.StatusOf(run).Step(made.ConfigIndex, made.Step, made.DisplayName)
	if step == nil {
		return outbound.Request{}, nil
	}
	t, _ := s.Target(step, order.Doc.Text("marketId"))
	return outbound.ToConnector(tenantOf(ctx), t, step.RequestHeaders, 0), nil
}

// validatorToday returns the request that the validator of an attempt would get today: of
// the connector with the same id, or, where the attempt has none, of the one at the same
// URL.
func (a *api) validatorToday(ctx context.Context, at *attempt.Attempt) (outbound.Request, error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return outbound.Request{}, err
	}
	for i := range s.Connectors {
		c := &s.Connectors[i]
		byURL := at.ConnectorID == "" && weburl.PublicURL(c.Host) == weburl.PublicURL(at.URL)
		if c.IsValidator() && (byURL || at.ConnectorID != "" && c.ConnectorID == at.ConnectorID) {
			return outbound.ToConnector(tenantOf(ctx), settings.Target{URL: c.Host, Connector: c}, nil, 0), nil
		}
	}
	return outbound.Request{}, nil
}
