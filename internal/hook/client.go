// Package hook makes orderhook's outgoing requests, and is the only package
// that does: it writes the headers, signs, keeps requests away from addresses
// they must not reach, bounds what an endpoint can cost, and says what an
// outcome means.
package hook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
)

// MaxBody is how much of a response is read, in bytes: a longer one is no
// valid answer (CONTRACT.md, "Outcome of one attempt").
const MaxBody = 5 << 20

// Options configure a [Client].
type Options struct {
	Version   string // of orderhook, for the default UserAgent
	UserAgent string // instead of OmniumOms/{Version}
	Guard     Guard
	RootCAs   *x509.CertPool // nil: those of the system
	Secrets   *secret.Opener // nil: no request has any that is stored

	// Outgoing is the slots that all calls at once share; nil: DefaultMaxOutgoing
	// of the client's own.
	Outgoing *fair.Budget
	// MaxAnswerBytes is how many bytes of answers may be read at once, and how many
	// the answers may take whose Memory callers have; 0: DefaultMaxAnswerBytes.
	MaxAnswerBytes int64
}

// Client makes outgoing requests and keeps connections for the next ones. It
// is safe for concurrent use.
type Client struct {
	userAgent string
	guard     Guard
	roots     *x509.CertPool
	now       func() time.Time
	secrets   vault
	kept      *connections // of requests without a Trust
	mostOpen  int64        // connections, before idle ones are closed
	open      atomic.Int64 // connections
	closed    atomic.Int64 // how often idle ones were closed to make room
	outgoing  *fair.Budget // calls
	reading   *fair.Budget // bytes of answers that are being read, or kept as they came
	parsing   *fair.Budget // bytes that answers take in their callers' hands

	mu        sync.Mutex
	trusted   map[weak.Pointer[Trust]]*connections
	endpoints map[weak.Pointer[oms.EndpointTLS]]*Trust
}

// New returns a client that reaches what the guard in o lets through. A kept
// connection has been judged when it was dialed.
func New(o Options) *Client { return newAt(o, time.Now) }

// newAt is New with a clock for the age of connections.
func newAt(o Options, now func() time.Time) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "OmniumOms/" + o.Version
	}
	if o.Outgoing == nil {
		o.Outgoing = fair.New(DefaultMaxOutgoing)
	}
	if o.MaxAnswerBytes == 0 {
		o.MaxAnswerBytes = DefaultMaxAnswerBytes
	}
	c := &Client{
		userAgent: o.UserAgent, guard: o.Guard, roots: o.RootCAs, now: now, secrets: vault{opener: o.Secrets},
		outgoing: o.Outgoing, reading: fair.New(o.MaxAnswerBytes), parsing: fair.New(o.MaxAnswerBytes),
		mostOpen: MostOpen, trusted: map[weak.Pointer[Trust]]*connections{}, endpoints: map[weak.Pointer[oms.EndpointTLS]]*Trust{},
	}
	c.kept = newConnections(func() *http.Transport {
		return c.newTransport(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs})
	}, now)
	return c
}

// Close closes the connections that no request is using.
func (c *Client) Close() {
	c.kept.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.trusted {
		p.close()
	}
}

// Post makes one attempt: one request on the wire, never redirected. It waits for
// a slot, which is no part of the attempt and ends with ctx alone. The attempt ends
// when the answer is read, when r.Timeout is over, or with ctx. Whoever is done
// with the answer gives its Memory back. A task of [admission.Work] pauses
// meanwhile, and takes its turn for a large answer.
func (c *Client) Post(ctx context.Context, r Request) Exchange {
	admission.Pause(ctx)
	give, err := c.take(ctx, &r)
	if err != nil {
		return Exchange{StartedAt: time.Now(), OneWay: r.OneWay, Err: ErrCanceled, body: r.Body}
	}
	x := c.attempt(ctx, &r)
	give()
	if x.Err != ErrCanceled && (c.hold(ctx, r.For, &x) != nil || admission.Begin(ctx, len(x.Body)) != nil) {
		x.Err = ErrCanceled
	}
	return x
}

// attempt is Post once there is a slot for it.
func (c *Client) attempt(ctx context.Context, r *Request) Exchange {
	x := Exchange{StartedAt: time.Now(), OneWay: r.OneWay, body: r.Body}
	if r.Timeout <= 0 {
		r.Timeout = settings.DefaultTimeout
	}
	attempt, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	t, watched := watch(attempt, x.StartedAt)
	err := c.exchange(watched, r, &x)
	x.Duration = time.Since(x.StartedAt)
	x.wire = t.seen()
	own := OwnTroubleError("")
	if err != nil {
		own = ownTroubleIn(err, x.wire.remoteAddr != nil)
	}
	switch {
	case err == nil && x.OneWay && x.TooLarge:
		x.Err = errTooLarge
	case err == nil:
	case unsendable(err) != nil:
		x.Err = unsendable(err)
	case errors.Is(err, ErrUnread):
		x.Err = ErrUnread
	case ctx.Err() != nil:
		x.Err = ErrCanceled
	case own != "":
		x.Err = own
	case attempt.Err() != nil:
		x.Err = failure("timed out after " + r.Timeout.String())
	default:
		x.Err = networkFailure(err, x.wire)
	}
	return x
}

// exchange sends r and reads the answer into x, as far as one comes.
func (c *Client) exchange(ctx context.Context, r *Request, x *Exchange) error {
	req, secret, err := c.build(ctx, r, x.StartedAt)
	if err != nil {
		x.target, x.URL = r.URL, oms.PublicURL(r.URL)
		if u, ok := oms.ParseURL(r.URL); ok {
			x.Host = u.Host
		}
		return err
	}
	x.target, x.URL, x.Host, x.sent, x.secret = r.URL, oms.ShownURL(r.URL, req.URL), req.URL.Host, req.Header, secret
	resp, err := c.transportFor(r.Trust, req.URL.Host).RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	x.Status, x.Header = resp.StatusCode, resp.Header
	if resp.StatusCode != http.StatusSwitchingProtocols { // what follows that is no body, and would not end
		err = c.read(ctx, r.For, x, resp)
	}
	x.length = int64(len(x.Body)) + x.dropped
	x.hide(secretsOf(req, secret, x.shownBody()))
	return err
}
