package outbound

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
)

// wire is what was seen of an attempt on the network. It is a value that nobody changes
// once the attempt has ended.
// The zero value is an attempt of which nothing has been seen.
type wire struct {
	timing     attempt.Timing
	remoteAddr net.Addr
	tlsVersion string
	tlsFailed  bool // a handshake ended with an error
	answering  bool // the first byte of an answer came
	reused     bool // the connection is of an earlier request
	// awaitsProxy is what has gone wrong if nothing more is seen of the proxy; "": it has
	// answered, or there is none.
	awaitsProxy string
}

// watcher watches one attempt. It is a context, too: a request is made with it, and a dial
// finds it there. It
// needs its lock: net/http dials in a goroutine of its own, which may outlive
// the attempt.
type watcher struct {
	context.Context
	start time.Time

	mu                      sync.Mutex
	dns, connect, handshake time.Time // when each began
	wire                    wire
}

// watcherKey is the key of the watcher in a context. No other package can make this key.
type watcherKey struct{}

// Value makes a watcher a context that holds itself.
func (t *watcher) Value(key any) any {
	if key == (watcherKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// hooked returns the watcher such that a request which net/http makes with it reports to it.
// What only a dial has to report is left to dialing, since few requests need one, and each
// hook costs.
func (t *watcher) hooked() context.Context {
	return httptrace.WithClientTrace(t, &httptrace.ClientTrace{
		TLSHandshakeStart:    t.handshakeStart,
		TLSHandshakeDone:     t.handshakeDone,
		GotConn:              t.gotConn,
		GotFirstResponseByte: t.gotFirstByte,
	})
}

// dialing returns ctx such that a dial made with it reports to the watcher of
// the attempt that asked for it.
func dialing(ctx context.Context) context.Context {
	t, ok := ctx.Value(watcherKey{}).(*watcher)
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
func (t *watcher) begin(at *time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.IsZero() {
		*at = time.Now()
	}
}

// end notes how long a part took, in milliseconds. Where two addresses are dialed at
// once, the one that ends later replaces the time of the other.
func (t *watcher) end(began *time.Time, ms *float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*ms = milliseconds(time.Since(*began))
}

// handshakeStart is called where the way to the endpoint is there, through a proxy or not.
func (t *watcher) handshakeStart() {
	t.awaitProxy("")
	t.begin(&t.handshake)
}

// handshakeDone notes how long the handshake took, and whether it failed. By that a
// failure of TLS is told from one of HTTP later on.
func (t *watcher) handshakeDone(_ tls.ConnectionState, err error) {
	t.end(&t.handshake, &t.wire.timing.TLS)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire.tlsFailed = err != nil
}

// gotConn notes which connection the request has got. A reused connection has no
// handshake, so the version of TLS is read here.
func (t *watcher) gotConn(info httptrace.GotConnInfo) {
	version := ""
	if conn, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		version = tls.VersionName(conn.ConnectionState().Version)
	}
	t.using(info.Conn.RemoteAddr(), version, info.Reused)
}

// using notes whom the connection leads to that the request has got.
func (t *watcher) using(remote net.Addr, tlsVersion string, reused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire.remoteAddr, t.wire.tlsVersion, t.wire.reused = remote, tlsVersion, reused
}

// gotFirstByte notes that an answer has begun. A connection that breaks from now on
// leaves an incomplete answer, and no longer a missing one.
func (t *watcher) gotFirstByte() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire.answering = true
	t.wire.timing.FirstByte = milliseconds(time.Since(t.start))
}

// seen returns what was seen until now. A dial that this attempt began but did
// not need, since a connection came free meanwhile, is no part of it.
func (t *watcher) seen() wire {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.wire
	if w.reused {
		w.timing = attempt.Timing{FirstByte: w.timing.FirstByte}
	}
	return w
}

// milliseconds is a length of time as the record has it.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// awaitProxy notes what has gone wrong if the proxy does nothing more; "" where it has done its
// part. The nil watcher notes nothing.
func (t *watcher) awaitProxy(failure string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire.awaitsProxy = failure
}
