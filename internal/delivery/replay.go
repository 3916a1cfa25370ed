package delivery

import (
	"context"
	"errors"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
)

// Request returns the request that an attempt at an endpoint would send today: to its
// present URL, with its present secrets. The request has no URL if the endpoint has none
// any more, for example because its connector was removed from the settings. Nothing is
// sent here.
func (d *Dispatcher) Request(ctx context.Context, tenant string, e *event.Endpoint, event *event.Event, number int) (outbound.Request, error) {
	t, err := d.prepare(tenant, e)
	r := outbound.Request{}
	if err == nil {
		r, err = d.request(ctx, tenant, t, event, number)
	}
	if errors.Is(err, errNoWebHook) || errors.Is(err, errNoConnector) || errors.Is(err, errNoStep) {
		return outbound.Request{}, nil
	}
	return r, err
}
