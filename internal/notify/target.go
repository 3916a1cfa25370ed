package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// target is an endpoint with what its requests need, made ready once for many
// attempts. It is replaced when the endpoint changes.
type target struct {
	*oms.Endpoint
	headers []settings.Header
	trust   *hook.Trust
	bodyKey *hook.Signer // of the webHook section, for X-Signature

	mu     sync.Mutex
	signer *hook.Signer
	until  time.Time // when the first of the signer's secrets ends; zero: never
}

// prepare makes a target. What is stored has been checked, so an error is
// nobody's mistake; the endpoint's attempts fail with it. The section's secret and
// certificate are for the tenant alone that the section is of today.
func (d *Dispatcher) prepare(tenant string, e *oms.Endpoint) (*target, error) {
	t := &target{Endpoint: e}
	if e.Origin == oms.OriginWebHook {
		if d.webHook == nil || d.webHook.Tenant != tenant {
			return nil, errNoWebHook
		}
		t.trust, t.bodyKey = d.webHook.Trust, d.webHook.signer()
		return t, nil
	}
	for _, h := range e.Headers {
		t.headers = append(t.headers, settings.Header{Name: h.Name, Value: h.Value})
	}
	if e.TLS == nil {
		return t, nil
	}
	var err error
	t.trust, err = hook.NewTrust(hook.TrustOptions{CA: e.TLS.CA, Certificate: e.TLS.Certificate, Key: e.TLS.Key})
	return t, err
}

var errNoWebHook = errors.New("the config file has no webHook section")

// signerAt returns what signs a request at a time: the secrets that are still
// valid, and the private key where v1a is asked for.
func (t *target) signerAt(now time.Time) (*hook.Signer, error) {
	if t.Origin != oms.OriginAPI {
		return t.bodyKey, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.signer != nil && (t.until.IsZero() || now.Before(t.until)) {
		return t.signer, nil
	}
	keys, until := signingKeys(t.Endpoint, now)
	signer, err := hook.NewSigner(keys...)
	t.signer, t.until = signer, until
	return signer, err
}

// signingKeys returns an endpoint's keys at a time, and when that changes.
func signingKeys(e *oms.Endpoint, now time.Time) (keys []string, until time.Time) {
	for _, kind := range e.Signatures {
		if kind == oms.SignatureV1a {
			keys = append(keys, e.SigningKey)
			continue
		}
		for _, s := range e.Secrets {
			switch {
			case s.Until.IsZero():
			case !now.Before(s.Until):
				continue
			case until.IsZero() || s.Until.Before(until):
				until = s.Until
			}
			keys = append(keys, s.Text)
		}
	}
	return keys, until
}

// request is what one attempt sends.
func (d *Dispatcher) request(ctx context.Context, tenant string, t *target, e *oms.Event, number int) (hook.Request, error) {
	signer, err := t.signerAt(d.clock.Now())
	if err != nil {
		return hook.Request{}, err
	}
	r := hook.Request{
		URL: t.URL, Header: t.headers, Body: e.Body(t.Format), ID: e.MessageID(), Attempt: number,
		Signer: signer, Trust: t.trust, Timeout: t.Timeout, OneWay: true,
	}
	if t.Origin == oms.OriginConnector {
		r.IdempotencyKey = e.MessageID() // where nothing is signed, it is all that tells a repeat from another export
		return r, d.toConnector(ctx, tenant, t, e, &r)
	}
	return r, nil
}
