package notify

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

// target is an endpoint with what its requests need, made ready once for many
// attempts. It is replaced when the endpoint changes.
type target struct {
	*oms.Endpoint
	trust   *hook.Trust  // of the webHook section
	bodyKey *hook.Signer // of the webHook section, for X-Signature
}

// prepare makes a target. The section's secret and certificate are for the tenant
// alone that the section is of today.
func (d *Dispatcher) prepare(tenant string, e *oms.Endpoint) (*target, error) {
	if e.Origin != oms.OriginWebHook {
		return &target{Endpoint: e}, nil
	}
	if d.webHook == nil || d.webHook.Tenant != tenant {
		return nil, errNoWebHook
	}
	return &target{e, d.webHook.Trust, d.webHook.signer()}, nil
}

var errNoWebHook = errors.New("the config file has no webHook section")

// signingKeys returns what signs an endpoint's requests at a time: the secrets that
// are still valid, and the private key where v1a is asked for.
func signingKeys(e *oms.Endpoint, now time.Time) (keys []secret.Value) {
	for _, kind := range e.Signatures {
		if kind == oms.SignatureV1a {
			keys = append(keys, e.SigningKey)
			continue
		}
		for _, s := range e.LiveSecrets(now) {
			keys = append(keys, s.Value)
		}
	}
	return keys
}

// request is what one attempt sends.
func (d *Dispatcher) request(ctx context.Context, tenant string, t *target, e *oms.Event, number int) (hook.Request, error) {
	r := hook.Request{
		For: t.caller(tenant), URL: t.URL, Header: t.Headers, Body: e.Body(t.Format), ID: e.MessageID(), Attempt: number,
		Signer: t.bodyKey, Trust: t.trust, TLS: t.TLS, Timeout: t.Timeout, OneWay: true,
	}
	switch t.Origin {
	case oms.OriginAPI:
		r.SigningKeys = signingKeys(t.Endpoint, d.clock.Now())
	case oms.OriginConnector:
		r.IdempotencyKey = e.MessageID() // where nothing is signed, it is all that tells a repeat from another export
		return r, d.toConnector(ctx, tenant, t, e, &r)
	}
	return r, nil
}
