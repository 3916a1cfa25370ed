package hook

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"weak"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

// SecretError says that a request was not made, since a secret that belongs to it
// may not be opened for it: a request without would be another one. It holds
// nothing of the secret.
type SecretError struct {
	What   string // as `header X-Api-Key`
	Why    error  // one of package secret's
	Secret secret.Value
}

func (e *SecretError) Error() string {
	return "the secret of " + e.What + " cannot be opened: " + e.Why.Error()
}

// ErrUnread is the failure of a request that was not made, since the database
// could not be read.
var ErrUnread = errors.New("the secrets of the request cannot be read now")

// mostOpened is how many secrets are kept open, of about 1 KB each with their
// signing keys: those of the endpoints that are busy.
const mostOpened = 16_384

// vault keeps secrets open between requests, until any of the database's is
// removed, retired, or taken into use again.
type vault struct {
	opener *secret.Opener // nil: there are none

	mu      sync.RWMutex
	changes uint64 // of the opener, as what is kept knows it
	kept    map[vaultKey]*opened
}

// vaultKey is all that a secret is bound to but its origins.
type vaultKey struct {
	tenant string
	secret.Value
}

// opened is a secret in the clear, and what signs with it, made once.
type opened struct {
	secret.Opened
	connectors func() (*Signer, error) // as the signingSecret of a connector
	endpoints  func() (*Signer, error) // as a secret or key of an endpoint
}

// open returns a secret, whether or not it may go anywhere.
func (v *vault) open(ctx context.Context, key vaultKey) (*opened, error) {
	if v.opener == nil {
		return nil, secret.ErrGone
	}
	now := v.opener.Changes()
	v.mu.RLock()
	found := v.kept[key]
	fresh := v.changes == now
	v.mu.RUnlock()
	if found != nil && fresh {
		return found, nil
	}
	text, err := v.opener.Reveal(ctx, key.tenant, key.Value)
	if err != nil {
		return nil, err
	}
	o := &opened{
		Opened:     text,
		connectors: sync.OnceValues(func() (*Signer, error) { return stepSigner(text.Text) }),
		endpoints:  sync.OnceValues(func() (*Signer, error) { return NewSigner(text.Text) }),
	}
	v.keep(key, o, now)
	return o, nil
}

func (v *vault) keep(key vaultKey, o *opened, at uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.kept == nil || v.changes != at || len(v.kept) >= mostOpened {
		v.changes, v.kept = at, map[vaultKey]*opened{}
	}
	v.kept[key] = o
}

// opening opens the secrets of one request.
type opening struct {
	*vault
	ctx    context.Context
	tenant string
	host   string
	origin string
	since  int64
	err    error // the first
}

// open returns a secret if the request may have it; nil where there is none, or
// with an error in err.
func (o *opening) open(what string, v secret.Value) *opened {
	if v.IsZero() || o.err != nil {
		return nil
	}
	found, err := o.vault.open(o.ctx, vaultKey{o.tenant, v})
	if err == nil {
		err = found.Allow(o.origin, o.since)
	}
	if err == nil {
		return found
	}
	switch err {
	case secret.ErrGone, secret.ErrRetired, secret.ErrOrigin, secret.ErrMoved:
		o.opener.Refused(o.tenant, v, o.host, err)
		o.err = &SecretError{what, err, v}
	default:
		if o.err = ErrUnread; o.ctx.Err() != nil {
			o.err = o.ctx.Err()
		}
	}
	return nil
}

func (o *opening) text(what string, v secret.Value) string {
	if found := o.open(what, v); found != nil {
		return found.Text
	}
	return ""
}

// credentials are the secrets of a request, in the clear.
type credentials struct {
	header                       []plainHeader
	bearerToken, token, password string
	tlsKey                       string
	signer                       *Signer // nil: nothing is signed
}

type plainHeader struct{ name, value string }

// credentials opens what a request carries.
func (o *opening) credentials(r *Request) (c credentials, err error) {
	c.bearerToken = o.text("bearerToken", r.BearerToken)
	c.token = o.text("token", r.Token)
	c.password = o.text("password", r.Password)
	if len(r.Header) > 0 {
		c.header = make([]plainHeader, len(r.Header))
	}
	for i, h := range r.Header {
		c.header[i] = plainHeader{h.Name, o.text("header "+h.Name, h.Value)}
	}
	c.signer = o.signer(r)
	if r.TLS != nil {
		c.tlsKey = o.text("tls.key", r.TLS.Key)
	}
	return c, o.err
}

func (o *opening) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// signer returns what signs a request.
func (o *opening) signer(r *Request) *Signer {
	if found := o.open("signingSecret", r.SigningSecret); found != nil {
		s, err := found.connectors()
		o.fail(err)
		return s
	}
	if len(r.SigningKeys) == 0 {
		return r.Signer
	}
	var all *Signer
	for _, v := range r.SigningKeys {
		found := o.open("the endpoint", v)
		if found == nil {
			return nil
		}
		one, err := found.endpoints()
		if err != nil {
			o.fail(ErrSecret)
			return nil
		}
		all = all.with(one)
	}
	return all
}

// trust returns what verifies the TLS of an endpoint's requests, made once for as
// long as the endpoint stays as it is. The key is that of the endpoint.
func (c *Client) trust(t *oms.EndpointTLS, key string) (*Trust, error) {
	at := weak.Make(t)
	c.mu.Lock()
	made := c.endpoints[at]
	c.mu.Unlock()
	if made != nil {
		return made, nil
	}
	made, err := NewTrust(TrustOptions{CA: t.CA, Certificate: t.Certificate, Key: key})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.endpoints[at]; other != nil {
		return other, nil
	}
	c.endpoints[at] = made
	runtime.AddCleanup(t, func(at weak.Pointer[oms.EndpointTLS]) {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.endpoints, at)
	}, at)
	return made, nil
}

// CheckTLS says what is wrong with the TLS of an endpoint, whose key was just
// given, or is stored for requests to the URL. The error is a [*TrustError], a
// [*SecretError], or [ErrUnread].
func (c *Client) CheckTLS(ctx context.Context, tenant, url string, t oms.EndpointTLS) error {
	key := t.Key.Unsealed()
	if key == "" {
		o := &opening{vault: &c.secrets, ctx: ctx, tenant: tenant, origin: oms.URLOrigin(url)}
		if key = o.text("tls.key", t.Key); o.err != nil {
			return o.err
		}
	}
	_, err := NewTrust(TrustOptions{CA: t.CA, Certificate: t.Certificate, Key: key})
	return err
}

// PublicKey is [PublicKey] of an endpoint's stored private key.
func (c *Client) PublicKey(ctx context.Context, tenant string, v secret.Value) (string, error) {
	o := &opening{vault: &c.secrets, ctx: ctx, tenant: tenant}
	private := o.text("signingKey", v)
	if o.err != nil {
		return "", o.err
	}
	return PublicKey(private)
}
