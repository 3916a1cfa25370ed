package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
)

// target is an endpoint, with what its requests need. It is made once and used for many
// attempts. When the endpoint changes, a new target takes its place. So attempts that began
// with the old one end with it.
type target struct {
	*event.Endpoint
	trust   *outbound.Trust  // of the webHook section
	bodyKey *outbound.Signer // of the webHook section, for X-Signature
}

// prepare makes a target. The secret and certificate of the webHook section are used only
// for the tenant that the section names today. It reads nothing: what a request needs
// beyond that is read when it is made.
func (d *Dispatcher) prepare(tenant string, e *event.Endpoint) (*target, error) {
	if e.Origin != event.OriginWebHook {
		return &target{Endpoint: e}, nil
	}
	if d.webHook == nil || d.webHook.Tenant != tenant {
		return nil, errNoWebHook
	}
	return &target{e, d.webHook.Trust, d.webHook.signer()}, nil
}

// errNoWebHook is why nothing is sent to an endpoint that an earlier config file has made.
var errNoWebHook = errors.New("the config file has no webHook section")

// request returns the request of an attempt. It opens no secret: that happens where the
// request is sent.
func (d *Dispatcher) request(ctx context.Context, tenant string, t *target, e *event.Event, number int) (r outbound.Request, err error) {
	switch t.Origin {
	case event.OriginConnector:
		r, err = d.toConnector(ctx, tenant, t, e)
		r.IdempotencyKey = e.MessageID() // without a signature there is no webhook-id, and only this key tells the receiver that it is a retry
	default:
		r = outbound.ToEndpoint(tenant, t.Endpoint, d.clock.Now())
		r.Signer, r.Trust = t.bodyKey, t.trust
	}
	t.complete(&r, tenant, e, number)
	return r, err
}

// complete adds what the event and the attempt say to a request.
func (t *target) complete(r *outbound.Request, tenant string, e *event.Event, number int) {
	r.For, r.OneWay, r.Kind = t.caller(tenant), true, t.kind()
	r.About = outbound.About{OrderID: e.OrderID, EventID: e.ID, EventType: e.Type, EndpointID: t.ID}
	r.Body, r.ID, r.Attempt = e.Body(t.Format), e.MessageID(), number
}

// StandaloneRequest is what a dispatcher would send to an endpoint of the API as the attempt
// of a number, for who has no store.
func StandaloneRequest(tenant string, to *event.Endpoint, e *event.Event, number int, now time.Time) outbound.Request {
	r := outbound.ToEndpoint(tenant, to, now)
	(&target{Endpoint: to}).complete(&r, tenant, e, number)
	return r
}
