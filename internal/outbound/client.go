// Package outbound makes orderhook's outgoing requests, and is the only package
// that does: it puts them together, writes the headers, signs, refuses addresses
// that they must not reach, bounds what an endpoint can cost, and says what an
// outcome means.
//
// It knows no order, run or queue and stores nothing: what an outcome means for a step or a
// delivery is decided by whoever asked for the request. Begin to read with [Request], which
// target.go makes, and [Client.Post]; what goes over the wire begins in http1dial.go.
package outbound

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/trace"
	"github.com/orderhook/orderhook/internal/weburl"
)

// MaxBody is how much of a response is read, in bytes: a longer one is no
// valid answer (docs/contract.md#outcomes).
const MaxBody = 5 << 20

// Options configure a [Client]. What is left out has its default.
type Options struct {
	Version   string         // of orderhook, for the default UserAgent
	UserAgent string         // instead of OmniumOms/{Version}
	Secrets   *secret.Opener // nil: no request has any that is stored

	// What follows may be changed while the client is in use: see [Client.Reload].

	Guard   Guard
	RootCAs *x509.CertPool // nil: those of the system
	Proxy   *Proxy         // nil: none, whatever the environment's variables say
	// MaxConnectionAge is how long a connection is used, however busy it is; 0:
	// DefaultConnectionAge.
	MaxConnectionAge time.Duration
	Resolver         *net.Resolver // nil: Go's

	// Outgoing is the slots that all calls at once share; nil: DefaultMaxOutgoing
	// of the client's own.
	Outgoing *fair.Budget
	// MaxAnswerBytes is how many bytes of answers may be read at once, and how many
	// the answers may take whose Memory callers have; 0: DefaultMaxAnswerBytes.
	MaxAnswerBytes int64
	// Observer is told of every attempt; nil: nobody is.
	Observer Observer
	// Now is the time that attempts begin at, and are signed by; nil: the machine's. Nodes
	// of one database have that of the database, so that attempts of all sort by it.
	Now func() time.Time
	// Tracer makes a span of every attempt; nil: nobody does.
	Tracer trace.Tracer
}

// Observer counts attempts. Kinds are those of [attempt.Attempt]. Each attempt calls it, so
// it must not wait for anything.
type Observer interface {
	// Call is an attempt that was made, and whether its answer was taken as one.
	Call(tenant, kind string, succeeded bool, took time.Duration)
	// OwnTrouble is one that this server could not make.
	OwnTrouble(kind string)
}

// Client makes outgoing requests, over connections that the next ones use again. It
// is safe for concurrent use. One client makes all requests of the process, so that all of
// them share its bounds.
type Client struct {
	userAgent string
	now       func() time.Time // of the outside: what attempts and signatures show
	age       func() time.Time // of this process: how old connections and looked-up names are
	secrets   secretCache
	known     destinations
	network   atomic.Pointer[network]
	mostOpen  int64        // connections, before idle ones are closed
	open      atomic.Int64 // connections
	closed    atomic.Int64 // how often idle ones were closed to make room
	outgoing  *fair.Budget // calls
	reading   *fair.Budget // bytes of answers that are being read, or retained as they came
	observer  Observer
	tracer    trace.Tracer
	parsing   *fair.Budget // bytes that answers take in their callers' hands

	mu        sync.Mutex
	endpoints map[weak.Pointer[event.EndpointTLS]]*Trust
}

// New returns a client that reaches what the guard in o lets through. A
// connection that is used again has been checked when it was dialed. It makes no connection
// yet.
func New(o Options) *Client { return newAt(o, time.Now) }

// newAt is New with a clock for the age of connections. Tests make connections old by it.
func newAt(o Options, now func() time.Time) *Client {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.UserAgent == "" {
		o.UserAgent = DefaultUserAgent(o.Version)
	}
	if o.Outgoing == nil {
		o.Outgoing = fair.New(DefaultMaxOutgoing)
	}
	if o.MaxAnswerBytes == 0 {
		o.MaxAnswerBytes = DefaultMaxAnswerBytes
	}
	c := &Client{
		userAgent: o.UserAgent, now: o.Now, age: now, secrets: secretCache{opener: o.Secrets},
		observer: o.Observer, tracer: o.Tracer, outgoing: o.Outgoing, reading: fair.New(o.MaxAnswerBytes), parsing: fair.New(o.MaxAnswerBytes),
		mostOpen: MostOpen, endpoints: map[weak.Pointer[event.EndpointTLS]]*Trust{},
	}
	c.network.Store(c.newNetwork(o))
	return c
}

// DefaultUserAgent is the User-Agent of requests of a version that was told no other.
func DefaultUserAgent(version string) string { return "OmniumOms/" + version }

// Reload has requests from now on go by what o says of the guard, the authorities, the proxy
// and the connections; all else stays as it is. What is under way ends as it began.
func (c *Client) Reload(o Options) { c.network.Swap(c.newNetwork(o)).close() }

// Guard returns the guard of the requests that are made now.
func (c *Client) Guard() Guard { return c.network.Load().guard }

// Answers returns the budget of the bytes of answers that are being read.
func (c *Client) Answers() *fair.Budget { return c.reading }

// Close closes the connections that no request is using.
func (c *Client) Close() { c.network.Load().close() }

// Post makes one attempt: one request on the wire, never redirected. It waits for
// a slot, which is no part of the attempt and ends with ctx alone. The attempt ends
// when the answer is read, when r.Timeout is over, or with ctx. Whoever is done
// with the answer gives its Memory back. A task of [admission.Work] pauses
// meanwhile, and takes its turn for a large answer.
func (c *Client) Post(ctx context.Context, r Request) Exchange {
	admission.Pause(ctx)
	var own *fair.Part // slot
	if r.Slot == nil && r.Carrier == nil {
		var err error
		if own, err = c.outgoing.Take(ctx, r.For, 1); err != nil {
			return Exchange{StartedAt: c.now(), OneWay: r.OneWay, Err: ErrCanceled, body: r.Body}
		}
	}
	var x Exchange
	if c.tracer == nil {
		x = c.postInSlot(ctx, &r)
	} else {
		x = c.traced(ctx, &r)
	}
	own.Give()
	// The observer counts an attempt that was made, or could not be.
	if c.observer != nil && x.Err != ErrCanceled {
		if class := x.Class(); class == OwnTrouble {
			c.observer.OwnTrouble(r.Kind)
		} else {
			c.observer.Call(r.For.Tenant, r.Kind, class == Answered, x.Duration)
		}
	}
	// The answer is here, so waiting for memory or a turn is no part of the attempt: only
	// ctx ends it.
	if x.Err != ErrCanceled && (c.hold(ctx, r.For, &x) != nil || admission.Begin(ctx, len(x.Body)) != nil) {
		x.Err = ErrCanceled
		// What was not searched for secrets is not shown.
		if len(x.unhidden) > 0 {
			x.Body = nil
		}
	}
	// This costs the most of all that is done with a large answer, and so it is done in turn.
	x.hideBody()
	return x
}

// postInSlot is Post once there is a slot for it. It always returns an exchange, and says in
// Err what went wrong.
func (c *Client) postInSlot(ctx context.Context, r *Request) Exchange {
	x := Exchange{StartedAt: c.now(), OneWay: r.OneWay, body: r.Body}
	began := time.Now() // durations go by the machine's clock, which nobody puts right
	if r.Timeout <= 0 {
		r.Timeout = event.DefaultTimeout
	}
	timed, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	t := &watcher{Context: timed, start: began}
	err := c.exchange(t, r, &x)
	x.Duration = time.Since(began)
	x.wire = t.seen()
	own := OwnTroubleError("")
	// This is asked at once, while what this server is short of still is.
	if err != nil {
		own = ownTroubleIn(err, x.wire.remoteAddr != nil)
	}
	if own == "" && err != nil && r.Carrier == nil {
		own = proxySilence(err, x.wire, timed.Err() != nil)
	}
	switch {
	case err == nil && x.OneWay && x.TooLarge:
		x.Err = errTooLarge
	case err == nil:
	case unsendable(err) != nil:
		x.Err = unsendable(err)
	case errors.Is(err, ErrUnread):
		x.Err = ErrUnread
	case errors.Is(err, ErrBrokenOff):
		x.Err = ErrBrokenOff
	case ctx.Err() != nil:
		x.Err = ErrCanceled
	case own != "":
		x.Err = own
	case carrierFailure(err) != "":
		x.Err = carrierFailure(err)
	case timed.Err() != nil:
		x.Err = failure(TimedOutAfter + r.Timeout.String())
	default:
		x.Err = networkFailure(err, x.wire)
	}
	return x
}

// exchange sends r and reads the answer into x, as far as one comes. Its error is what
// net/http or the system said, and is not fit to be shown.
func (c *Client) exchange(t *watcher, r *Request, x *Exchange) error {
	m, err := c.build(t, r, x.StartedAt)
	if err != nil {
		// Nothing was sent. The record says nevertheless where it would have gone.
		x.target, x.URL = r.URL, weburl.PublicURL(r.URL)
		if u, ok := weburl.ParseURL(r.URL); ok {
			x.Host = u.Host
		}
		return err
	}
	x.target, x.URL, x.Host, x.sent, x.secret = r.URL, m.to.shown, m.to.url.Host, m.header.Header, m.header.secret
	resp, err := c.send(t, r, m, x)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// The answer has begun. Whatever goes wrong from here on, its status counts.
	x.Status, x.Header = resp.StatusCode, resp.Header
	if resp.StatusCode != http.StatusSwitchingProtocols { // what follows that is no body, and would not end
		err = c.read(t, r.For, x, resp)
	}
	x.length = int64(len(x.Body)) + x.dropped
	// From here on no secret of the request is in what came back.
	// Most answers are too short to repeat a secret, and are not looked through.
	secrets := secretsOf(m)
	if broke := err != nil || x.dropped > 0 || x.TooLarge; broke || x.mayRepeat(secrets) || x.mayRepeat(m.to.secrets) {
		// What the body says as it is recorded is no secret: the endpoint is to know it. The body
		// names the URL without its secrets, and so nothing else that stands there makes them known.
		x.hide(append(secrets.unknownTo(x.shownBody()), m.to.secrets...), err != nil)
	}
	return err
}

// send sends a message over the network, or has its carrier take it. The caller closes the
// body of the answer.
func (c *Client) send(t *watcher, r *Request, m *message, x *Exchange) (*http.Response, error) {
	if r.Carrier != nil {
		listener := r.Carrier.Listener()
		x.listener = &listener
		req, err := m.request(t)
		if err != nil {
			return nil, err
		}
		return r.Carrier.RoundTrip(req)
	}
	network := c.network.Load()
	transport, err := network.transport(t, r.For.Tenant, r.Trust, m.to.url)
	if err != nil {
		return nil, err
	}
	resp, err := transport.send(t, m)
	if err != nil {
		return nil, err
	}
	if err := network.proxy.refusal(m.to.url, resp.StatusCode); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}
