package hook

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// wire is what was seen of an attempt on the network.
type wire struct {
	timing     oms.Timing
	remoteAddr net.Addr
	tlsVersion string
	tlsFailed  bool // a handshake ended with an error
	answering  bool // the first byte of an answer came
	reused     bool // the connection was kept from an earlier request
}

// trace watches one attempt, and is in its context, for a dial to find it. It
// needs its lock: net/http dials in a goroutine of its own, which may outlive
// the attempt.
type trace struct {
	context.Context
	start time.Time
	hooks httptrace.ClientTrace

	mu                      sync.Mutex
	dns, connect, handshake time.Time // when each began
	wire                    wire
}

type traceKey struct{}

// Value makes a trace a context that holds itself.
func (t *trace) Value(key any) any {
	if key == (traceKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// watch returns a trace, and ctx such that a request made with it reports to
// that. What only a dial has to report is left to dialing, since few requests
// need one, and each hook costs.
func watch(ctx context.Context, start time.Time) (*trace, context.Context) {
	t := &trace{Context: ctx, start: start}
	t.hooks = httptrace.ClientTrace{
		TLSHandshakeStart:    t.handshakeStart,
		TLSHandshakeDone:     t.handshakeDone,
		GotConn:              t.gotConn,
		GotFirstResponseByte: t.gotFirstByte,
	}
	return t, httptrace.WithClientTrace(t, &t.hooks)
}

// dialing returns ctx such that a dial made with it reports to the trace of
// the attempt that asked for it.
func dialing(ctx context.Context) context.Context {
	t, ok := ctx.Value(traceKey{}).(*trace)
	if !ok {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { t.begin(&t.dns) },
		DNSDone:      func(httptrace.DNSDoneInfo) { t.end(&t.dns, &t.wire.timing.DNS) },
		ConnectStart: func(string, string) { t.begin(&t.connect) },
		ConnectDone:  func(string, string, error) { t.end(&t.connect, &t.wire.timing.Connect) },
	})
}

// begin notes when a part began: the first time, where two addresses of a host
// are dialed at once.
func (t *trace) begin(at *time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.IsZero() {
		*at = time.Now()
	}
}

func (t *trace) end(began *time.Time, ms *float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*ms = milliseconds(time.Since(*began))
}

func (t *trace) handshakeStart() { t.begin(&t.handshake) }

func (t *trace) handshakeDone(_ tls.ConnectionState, err error) {
	t.end(&t.handshake, &t.wire.timing.TLS)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire.tlsFailed = err != nil
}

func (t *trace) gotConn(info httptrace.GotConnInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire.reused = info.Reused
	t.wire.remoteAddr = info.Conn.RemoteAddr()
	if conn, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		t.wire.tlsVersion = tls.VersionName(conn.ConnectionState().Version)
	}
}

func (t *trace) gotFirstByte() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire.answering = true
	t.wire.timing.FirstByte = milliseconds(time.Since(t.start))
}

// seen returns what was seen until now. A dial that this attempt began but did
// not need, since a connection came free meanwhile, is no part of it.
func (t *trace) seen() wire {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.wire
	if w.reused {
		w.timing = oms.Timing{FirstByte: w.timing.FirstByte}
	}
	return w
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
