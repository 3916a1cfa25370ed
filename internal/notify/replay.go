package notify

import (
	"context"
	"errors"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
)

// Request is what an attempt at an endpoint sends today: to its URL, with its
// secrets. It has no URL where there is nothing of the endpoint any more, as
// when its connector was taken out of the settings.
func (d *Dispatcher) Request(ctx context.Context, tenant string, e *oms.Endpoint, event *oms.Event, number int) (hook.Request, error) {
	t, err := d.prepare(tenant, e)
	r := hook.Request{}
	if err == nil {
		r, err = d.request(ctx, tenant, t, event, number)
	}
	if errors.Is(err, errNoWebHook) || errors.Is(err, errNoConnector) || errors.Is(err, errNoStep) {
		return hook.Request{}, nil
	}
	return r, err
}
