package outbound

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"syscall"
	"time"
)

// http1Conn is a connection on which requests of HTTP/1.1 are made by the goroutine that wants
// their answer: it writes the request, and then reads the answer. [http.Transport] has two
// goroutines for each connection, and hands a request from one to the next, which costs more
// than the request itself (docs/design.md#a-request-of-http11).
//
// One request at a time uses it: from take or dial until end or abort.
type http1Conn struct {
	site       site
	raw        net.Conn // beneath TLS
	conn       net.Conn // raw, or TLS on it
	gate       *gate    // between TLS and raw; nil without TLS
	tlsVersion string   // "" without TLS
	http2      bool     // the peer speaks HTTP/2 on it, which is for net/http
	interrupt  func()   // ends what waits for the peer, at once

	socket syscall.RawConn  // nil: raw is not known to have one
	look   func(fd uintptr) // lookAt, made once
	silent bool             // what it has seen last

	reused bool      // an earlier request has had an answer on it
	since  time.Time // when it became idle

	left int // how many bytes of the answer's header may come yet; -1: what comes is its body
}

// longAgo is a deadline that is over.
var longAgo = time.Unix(1, 0)

// newHTTP1Conn returns a connection on which nothing was sent yet. conn is raw or *tls.Conn.
func newHTTP1Conn(s site, raw, conn net.Conn, g *gate) *http1Conn {
	c := &http1Conn{site: s, raw: raw, conn: conn, gate: g, socket: socketOf(raw)}
	c.interrupt, c.look = func() { _ = raw.SetDeadline(longAgo) }, c.lookAt
	if secured, ok := conn.(*tls.Conn); ok {
		state := secured.ConnectionState()
		c.tlsVersion, c.http2 = tls.VersionName(state.Version), state.NegotiatedProtocol == "h2"
	}
	return c
}

// buffers are what a request needs while it is under way. An idle connection has none.
type buffers struct {
	out []byte        // the request, head and body
	in  *bufio.Reader // of the answer
}

// idleBuffers are those that no request has.
var idleBuffers = sync.Pool{New: func() any { return &buffers{in: bufio.NewReaderSize(nil, 4<<10)} }}

// free gives buffers back. Nobody may use them any more.
func (b *buffers) free() {
	b.in.Reset(nil) // not to hold the connection
	idleBuffers.Put(b)
}

// errStale says that a connection that was used before took not a byte of a request. So the
// request may be made again, on another one: the peer cannot have seen it.
var errStale = errors.New("the idle connection was closed by the other side")

// errHeader is what an answer is whose header has more than maxHeader.
const errHeader = failure("response headers over 64 KiB")

// do makes a request, and returns its answer as far as the header. The connection and the
// buffers are the answer's then, until its body is closed. After an error nobody has them.
func (c *http1Conn) do(t *watcher, b *buffers, idle *idleConns) (*http.Response, error) {
	a := &answering{conn: c, buffers: b, idle: idle, stop: context.AfterFunc(t, c.interrupt)}
	t.using(c.raw.RemoteAddr(), c.tlsVersion, c.reused)
	n, sent := c.conn.Write(b.out)
	if sent != nil && n == 0 && c.reused && t.Err() == nil {
		a.end()
		return nil, errStale
	}
	// A peer that hung up while the request was written may have answered before that, as one
	// that does not want all of it.
	err := sent
	var resp *http.Response
	if sent == nil || hungUp(sent) {
		resp, err = c.read(t, b.in)
	}
	if err != nil {
		a.end()
		if err == io.EOF && sent != nil {
			err = sent // which says more
		}
		return nil, err
	}
	// No other request may come where this one was not written whole, or either side ends it.
	a.last = sent != nil || resp.Close || resp.StatusCode < 200
	if resp.Body == http.NoBody {
		a.whole = true
		a.end()
	} else {
		a.ReadCloser, resp.Body = resp.Body, a
	}
	return resp, nil
}

// hungUp reports whether the peer has closed the connection, and so reads nothing more.
func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// read reads the header of the answer. Answers of 1xx before it are passed over, and count
// in what the header may have.
func (c *http1Conn) read(t *watcher, in *bufio.Reader) (*http.Response, error) {
	in.Reset(c)
	c.left = maxHeader
	if _, err := in.Peek(1); err != nil {
		return nil, err
	}
	t.gotFirstByte()
	if callers := httptrace.ContextClientTrace(t); callers != nil && callers.GotFirstResponseByte != nil {
		callers.GotFirstResponseByte()
	}
	for {
		resp, err := http.ReadResponse(in, nil)
		switch {
		case err != nil && c.left == 0:
			return nil, errHeader // whatever the line looked like that was cut off
		case err != nil:
			return nil, err
		}
		if resp.StatusCode < 100 || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			c.left = -1
			return resp, nil
		}
	}
}

// Read implements io.Reader. It reads at most maxHeader bytes of what comes before the
// body.
func (c *http1Conn) Read(p []byte) (int, error) {
	if c.left < 0 {
		return c.conn.Read(p)
	}
	if c.left == 0 {
		return 0, errHeader
	}
	n, err := c.conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// answering is a connection while an answer comes on it. It is the answer's body, where it
// has one.
type answering struct {
	io.ReadCloser // the body

	conn    *http1Conn
	buffers *buffers // nil: it has ended
	idle    *idleConns
	stop    func() bool // of what interrupts it; false: it was interrupted
	whole   bool        // the end of the body was seen, or there is none
	last    bool        // no other request may be made on the connection
}

// Read implements io.Reader.
func (a *answering) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	a.whole = a.whole || err == io.EOF
	return n, err
}

// Close ends the use of the connection, also before all of the body was read.
func (a *answering) Close() error {
	a.end()
	return nil
}

// end gives the connection to the next request, or closes it where none may use it: since not
// all of the answer was read, something came behind it, or either side has said so. It may be
// called again.
func (a *answering) end() {
	if a.buffers == nil {
		return
	}
	again := a.stop() && a.whole && !a.last && a.buffers.in.Buffered() == 0 && (a.conn.gate == nil || a.conn.drained())
	a.buffers.free()
	a.buffers = nil
	if !again {
		a.conn.abort()
		return
	}
	a.conn.reused = true
	a.idle.put(a.conn)
}

// drained reports, for a connection with TLS, whether TLS holds nothing that has come behind
// the answer.
func (c *http1Conn) drained() bool {
	c.gate.shut = true
	defer func() { c.gate.shut = false }()
	var one [1]byte
	n, err := c.conn.Read(one[:])
	return n == 0 && err == error(errShut)
}

// abort closes a connection at once. TLS would say goodbye first, and could wait for a peer
// that reads nothing.
func (c *http1Conn) abort() { _ = c.raw.Close() }

// close closes an idle connection.
func (c *http1Conn) close() { _ = c.conn.Close() }

// usable reports whether an idle connection may be used: the peer has neither closed it nor
// sent anything, which would be taken for the answer to the next request. Nothing is read.
func (c *http1Conn) usable() bool {
	if c.socket == nil {
		return true // which its first write will tell
	}
	c.silent = false
	return c.socket.Control(c.look) == nil && c.silent
}

// lookAt notes whether a socket has nothing to read, and is open.
func (c *http1Conn) lookAt(fd uintptr) {
	var one [1]byte
	_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	c.silent = err == syscall.EAGAIN
}

// socketOf returns the socket of a connection; nil if it has none of its own.
func socketOf(conn net.Conn) syscall.RawConn {
	if c, ok := conn.(*counted); ok {
		conn = c.Conn
	}
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// gate is between TLS and its connection. While it is shut TLS gets nothing more to read, so
// that what it has read already shows.
type gate struct {
	net.Conn
	shut bool // by who uses the connection, and so reads from it
}

// Read implements net.Conn.
func (g *gate) Read(p []byte) (int, error) {
	if g.shut {
		return 0, errShut
	}
	return g.Conn.Read(p)
}

// shutError is that of a gate. It is temporary, since TLS would go on returning another one.
type shutError struct{}

// errShut is what reading from a gate that is shut returns.
var errShut net.Error = shutError{}

func (shutError) Error() string   { return "nothing more is read now" }
func (shutError) Timeout() bool   { return true }
func (shutError) Temporary() bool { return true }
