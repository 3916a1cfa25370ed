// Package hook makes orderhook's outgoing requests, and is the only package
// that does: it writes the headers, signs, keeps requests away from addresses
// they must not reach, bounds what an endpoint can cost, and says what an
// outcome means.
package hook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"time"

	"github.com/orderhook/orderhook/internal/settings"
)

// MaxBody is how much of a response is read, in bytes: a longer one is no
// valid answer (CONTRACT.md, "Outcome of one attempt").
const MaxBody = 5 << 20

// maxHeader is how many bytes of headers a response may have, 1xx ones counted in.
const maxHeader = 64 << 10

// setupTimeout bounds the dial and the TLS handshake, each. An attempt's own
// timeout ends the wait for them, but net/http then goes on dialing, for
// whichever request comes next: without this a dead endpoint would gather dials.
const setupTimeout = 30 * time.Second

// Options configure a [Client].
type Options struct {
	Version   string // of orderhook, for the default UserAgent
	UserAgent string // instead of OmniumOms/{Version}
	Guard     Guard
	RootCAs   *x509.CertPool // nil: those of the system
}

// Client makes outgoing requests and keeps connections for the next ones. It
// is safe for concurrent use.
type Client struct {
	userAgent string
	transport *http.Transport
}

// New returns a client that reaches what the guard in o lets through. A kept
// connection has been judged when it was dialed.
func New(o Options) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "OmniumOms/" + o.Version
	}
	return &Client{userAgent: o.UserAgent, transport: &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, past the guard
		DialContext:            o.Guard.dial,
		ForceAttemptHTTP2:      true, // net/http leaves it out beside a DialContext
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    setupTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // recorded and measured as it was sent
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    128,
		// Below the 60 s after which common load balancers close an idle connection.
		IdleConnTimeout: 55 * time.Second,
		// A dead HTTP/2 connection would otherwise fail every request put on it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}}
}

// Close closes the connections that no request is using.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Post makes one attempt: one request on the wire, never redirected. It ends
// when the answer is read, when r.Timeout is over, or with ctx.
func (c *Client) Post(ctx context.Context, r Request) Exchange {
	x := Exchange{StartedAt: time.Now(), URL: PublicURL(r.URL), sent: http.Header{}, body: r.Body}
	if r.Timeout <= 0 {
		r.Timeout = settings.DefaultTimeout
	}
	attempt, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	t := &trace{start: x.StartedAt}
	err := c.exchange(t.on(attempt), r, &x)
	x.Duration = time.Since(x.StartedAt)
	x.wire = t.seen()
	switch {
	case err == nil:
	case unsendable(err) != nil:
		x.Err = unsendable(err)
	case ctx.Err() != nil:
		x.Err = ErrCanceled
	case attempt.Err() != nil:
		x.Err = failure("timed out after " + r.Timeout.String())
	default:
		x.Err = networkFailure(err, x.wire)
	}
	return x
}

// exchange sends r and reads the answer into x, as far as one comes.
func (c *Client) exchange(ctx context.Context, r Request, x *Exchange) error {
	req, secret, err := r.build(ctx, c.userAgent, x.StartedAt)
	if err != nil {
		return err
	}
	x.Host, x.sent, x.secrets = req.URL.Host, masked(req.Header, secret), valuesOf(req.Header, secret)
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	x.Status, x.Header = resp.StatusCode, resp.Header
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil // what follows is no body, and would not end
	}
	x.Body, err = io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if len(x.Body) > MaxBody {
		x.Body, x.TooLarge = x.Body[:MaxBody], true
		return nil
	}
	return err
}
