package api

import (
	"context"
	"slices"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// requestToday is where an attempt's like would go today, with today's secrets.
// It has no URL where the endpoint, the step or the connector is gone.
func (a *api) requestToday(ctx context.Context, at *oms.Attempt) (r hook.Request, err error) {
	switch {
	case at.EndpointID != "":
		r, err = a.eventToday(ctx, at)
	case at.RunID != "":
		r, err = a.stepToday(ctx, at)
	default:
		r, err = a.validatorToday(ctx, at)
	}
	if oms.KindOf(err) == oms.NotFound {
		return hook.Request{}, nil
	}
	return r, err
}

func (a *api) eventToday(ctx context.Context, at *oms.Attempt) (hook.Request, error) {
	e, err := a.Store.Endpoint(ctx, tenantOf(ctx), at.EndpointID) // not one that was deleted
	if err != nil {
		return hook.Request{}, err
	}
	event := &oms.Event{} // of a test call
	if at.Delivery.Event > 0 {
		if event, err = a.Store.EventBySeq(ctx, tenantOf(ctx), at.Delivery.Event); err != nil {
			return hook.Request{}, err
		}
	}
	return a.Notify.Request(ctx, tenantOf(ctx), e, event, at.Number)
}

func (a *api) stepToday(ctx context.Context, at *oms.Attempt) (hook.Request, error) {
	run, err := a.Store.Run(ctx, tenantOf(ctx), at.RunID)
	if err != nil {
		return hook.Request{}, err
	}
	order, err := a.Store.Order(ctx, tenantOf(ctx), run.OrderID)
	if err != nil {
		return hook.Request{}, err
	}
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return hook.Request{}, err
	}
	step := stepOf(s, run, at.CallID)
	if step == nil {
		return hook.Request{}, nil
	}
	t, _ := s.Target(step, order.Doc.Text("marketId"))
	r := hook.Request{URL: t.URL, Header: step.RequestHeaders, Timeout: settings.DefaultTimeout}
	if t.Connector != nil {
		useConnector(&r, t.Connector)
	}
	return r, nil
}

// stepOf returns the step of today's settings that made a call of a run: the
// one of its name and place, else the first of its name; nil if there is none.
func stepOf(s *settings.Settings, run *oms.Run, callID string) *settings.Step {
	i := slices.IndexFunc(run.Results, func(r oms.StepResult) bool { return r.CallID == callID })
	status := s.ReturnStatus(run.EnteredStatus)
	if run.ReturnID == "" {
		status = s.OrderType(run.OrderType).Status(run.EnteredStatus)
	}
	if i < 0 || status == nil {
		return nil
	}
	result, steps := run.Results[i], status.Steps
	is := func(st settings.Step) bool { return st.Name == result.Step && st.DisplayName == result.DisplayName }
	at := result.ConfigIndex
	if at >= len(steps) || !is(steps[at]) {
		at = slices.IndexFunc(steps, is)
	}
	if at < 0 {
		return nil
	}
	return &steps[at]
}

func (a *api) validatorToday(ctx context.Context, at *oms.Attempt) (hook.Request, error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return hook.Request{}, err
	}
	for i := range s.Connectors {
		c := &s.Connectors[i]
		byURL := at.ConnectorID == "" && oms.PublicURL(c.Host) == oms.PublicURL(at.URL)
		if c.IsValidator() && (byURL || at.ConnectorID != "" && c.ConnectorID == at.ConnectorID) {
			r := hook.Request{URL: c.Host}
			useConnector(&r, c)
			return r, nil
		}
	}
	return hook.Request{}, nil
}

// useConnector gives a request what a connector has for it.
func useConnector(r *hook.Request, c *settings.Connector) {
	r.Header = slices.Concat(r.Header, c.CustomHeaders)
	r.BearerToken, r.Token, r.Username, r.Password = c.BearerToken, c.Token, c.Username, c.Password
	r.SigningSecret, r.Timeout = c.SigningSecret, c.Timeout
}
