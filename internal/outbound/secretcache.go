package outbound

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"weak"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/weburl"
)

// SecretError says that a request was not made, since a secret that belongs to it
// may not be opened for it: a request without would be another one. It holds
// nothing of the secret.
type SecretError struct {
	What   string // as `header X-Api-Key`
	Why    error  // one of package secret's
	Secret secret.Value
}

// Error says of which place the secret is, and why it does not open.
func (e *SecretError) Error() string {
	return "the secret of " + e.What + " cannot be opened: " + e.Why.Error()
}

// ErrUnread is the failure of a request that was not made, since the database
// could not be read.
var ErrUnread = errors.New("the secrets of the request cannot be read now")

// mostOpened is how many secrets are cached, open, of about 1 KB each with their
// signing keys: those of the endpoints that are busy.
const mostOpened = 16_384

// secretCache has secrets open between requests, until any of the database's is
// removed, retired, or taken into use again. It says nothing about who may have one: that
// is asked for each request.
type secretCache struct {
	opener *secret.Opener // nil: there are none

	mu      sync.RWMutex
	changes uint64 // of the opener, when what is cached was opened
	opened  map[cacheKey]*openSecret
}

// cacheKey is all that a secret is bound to but its origins.
type cacheKey struct {
	tenant string
	secret.Value
}

// openSecret is a secret in the clear, and what signs with it, made once. Requests share it,
// and nobody changes it.
type openSecret struct {
	secret.Opened
	connectors func() (*Signer, error) // as the signingSecret of a connector
	endpoints  func() (*Signer, error) // as a secret or key of an endpoint
}

// get returns a secret, whether or not it may go anywhere. Its error is one of package
// secret's, or of the database.
func (v *secretCache) get(ctx context.Context, key cacheKey) (*openSecret, error) {
	if v.opener == nil {
		return nil, secret.ErrGone
	}
	// The count is taken before the secret is read. If one is removed in between, what is
	// cached is out of date at once.
	now := v.opener.Changes()
	v.mu.RLock()
	found := v.opened[key]
	fresh := v.changes == now
	v.mu.RUnlock()
	// A secret that was cached at another count may have been removed since, so it is
	// read again.
	if found != nil && fresh {
		return found, nil
	}
	text, err := v.opener.Reveal(ctx, key.tenant, key.Value)
	if err != nil {
		return nil, err
	}
	o := &openSecret{
		Opened:     text,
		connectors: sync.OnceValues(func() (*Signer, error) { return stepSigner(text.Text) }),
		endpoints:  sync.OnceValues(func() (*Signer, error) { return NewSigner(text.Text) }),
	}
	v.put(key, o, now)
	return o, nil
}

// put caches a secret that was opened at a count of changes. What was cached at another count goes.
func (v *secretCache) put(key cacheKey, o *openSecret, at uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	// A full cache is emptied as a whole. To look for the oldest secret would need a note
	// of each use, and so a lock for writing.
	if v.opened == nil || v.changes != at || len(v.opened) >= mostOpened {
		v.changes, v.opened = at, map[cacheKey]*openSecret{}
	}
	v.opened[key] = o
}

// requestSecrets opens the secrets of one request. After an error it opens no more.
// since and origin are what [secret.Opened] is asked with, before the text is used.
type requestSecrets struct {
	*secretCache
	ctx    context.Context
	tenant string
	host   string
	origin string
	since  int64
	err    error // the first
}

// open returns a secret if the request may have it; nil where there is none, or
// with an error in err.
func (o *requestSecrets) open(what string, v secret.Value) *openSecret {
	if v.IsZero() || o.err != nil {
		return nil
	}
	found, err := o.secretCache.get(o.ctx, cacheKey{o.tenant, v})
	if err == nil {
		err = found.Allow(o.origin, o.since)
	}
	if err == nil {
		return found
	}
	// These say that the secret is not for this request, however often it is tried.
	// Anything else is about the database, and passes.
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

// text returns the text of a secret; "" where open returns nil.
func (o *requestSecrets) text(what string, v secret.Value) string {
	if found := o.open(what, v); found != nil {
		return found.Text
	}
	return ""
}

// credentials are the secrets of a request, in the clear.
// The value lives for one request only. It is never written to a log or a record.
type credentials struct {
	header                       []plainHeader
	bearerToken, token, password string
	tlsKey                       string
	signer                       *Signer // nil: nothing is signed
}

// plainHeader is a header with its value in the clear.
type plainHeader struct{ name, value string }

// credentials opens what a request carries.
func (o *requestSecrets) credentials(r *Request) (c credentials, err error) {
	// After the first error each of these returns "" at once, so the error is looked at
	// only at the end.
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

// fail notes the first error.
func (o *requestSecrets) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// signer returns what signs a request. A request has the secret of a connector or the keys
// of an endpoint, and never both.
func (o *requestSecrets) signer(r *Request) *Signer {
	if found := o.open("signingSecret", r.SigningSecret); found != nil {
		s, err := found.connectors()
		// A secret of another form than signing needs is an error of the request, and not
		// of the cache.
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
func (c *Client) trust(t *event.EndpointTLS, key string) (*Trust, error) {
	at := weak.Make(t)
	c.mu.Lock()
	made := c.endpoints[at]
	c.mu.Unlock()
	if made != nil {
		return made, nil
	}
	// It is made without the lock, since parsing certificates takes a while.
	made, err := NewTrust(TrustOptions{CA: t.CA, Certificate: t.Certificate, Key: key})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Another request may have made one at the same time. That one stays, with the
	// connections that it has by now.
	if other := c.endpoints[at]; other != nil {
		return other, nil
	}
	c.endpoints[at] = made
	runtime.AddCleanup(t, func(at weak.Pointer[event.EndpointTLS]) {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.endpoints, at)
	}, at)
	return made, nil
}

// CheckTLS says what is wrong with the TLS of an endpoint, whose key was just
// given, or is stored for requests to the URL. The error is a [*TrustError], a
// [*SecretError], or [ErrUnread].
func (c *Client) CheckTLS(ctx context.Context, tenant, url string, t event.EndpointTLS) error {
	key := t.Key.Unsealed()
	if key == "" {
		o := &requestSecrets{secretCache: &c.secrets, ctx: ctx, tenant: tenant, origin: weburl.URLOrigin(url)}
		// The key is not in the request, so it is the stored one, which is sealed.
		if key = o.text("tls.key", t.Key); o.err != nil {
			return o.err
		}
	}
	_, err := NewTrust(TrustOptions{CA: t.CA, Certificate: t.Certificate, Key: key})
	return err
}

// PublicKey is [PublicKey] of an endpoint's stored private key. The private one stays here.
func (c *Client) PublicKey(ctx context.Context, tenant string, v secret.Value) (string, error) {
	o := &requestSecrets{secretCache: &c.secrets, ctx: ctx, tenant: tenant}
	// There is no origin: nothing is sent.
	private := o.text("signingKey", v)
	if o.err != nil {
		return "", o.err
	}
	return PublicKey(private)
}
