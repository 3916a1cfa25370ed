package outbound

import (
	"cmp"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
)

// Every request begins here, with all that the place it goes to says of it: URL,
// headers, credentials, what signs it, TLS, time. Callers add what the call says:
// body, ids, numbers.

// ToConnector returns a request to where the settings say that a call goes. header
// is that of a step, which beats the connector's; since is as in [Request]. It opens
// nothing and looks nothing up.
func ToConnector(tenant string, t settings.Target, header []event.Header, since int64) Request {
	r := Request{For: fair.Key{Tenant: tenant, Member: t.URL}, URL: t.URL, Header: header, Timeout: event.DefaultTimeout, Since: since}
	// A step's own Host without a connector gets neither credentials nor a signature.
	if c := t.Connector; c != nil {
		r.For.Member, r.Timeout = cmp.Or(c.ConnectorID, c.Host), c.Timeout
		r.Header = slices.Concat(header, c.CustomHeaders)
		r.BearerToken, r.Token, r.Username, r.Password, r.SigningSecret = c.BearerToken, c.Token, c.Username, c.Password, c.SigningSecret
	}
	return r
}

// ToEndpoint returns a request to an endpoint of events that begins at a time. Without a
// signature of its own, as for the webHook section, the caller adds one.
func ToEndpoint(tenant string, e *event.Endpoint, now time.Time) Request {
	return Request{For: fair.Key{Tenant: tenant, Member: e.ID}, URL: e.URL, Header: e.Headers, SigningKeys: signingKeys(e, now), TLS: e.TLS, Timeout: e.Timeout, OneWay: true}
}

// ToURL returns a request to a URL without credentials, signature or TLS settings.
func ToURL(url string, timeout time.Duration) Request { return Request{URL: url, Timeout: timeout} }

// signingKeys returns what signs an endpoint's requests at a time: the secrets that
// are still valid, and the private key where v1a is asked for. Those of the webHook
// section are not stored. The order is that of the endpoint's signatures, the newest secret
// first.
func signingKeys(e *event.Endpoint, now time.Time) (keys []secret.Value) {
	// These have no secrets in the database.
	if e.Origin != event.OriginAPI {
		return nil
	}
	for _, kind := range e.Signatures {
		if kind == event.SignatureV1a {
			keys = append(keys, e.SigningKey)
			continue
		}
		for _, s := range e.LiveSecrets(now) {
			keys = append(keys, s.Value)
		}
	}
	return keys
}
