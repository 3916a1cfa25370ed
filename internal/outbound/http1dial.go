package outbound

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
)

// mostStale is how many idle connections a request is tried on that turn out to be closed. The
// next one is new.
const mostStale = 4

// send makes a request, and returns its answer as far as the header. What is no small request
// of HTTP/1.1 without a proxy goes to net/http. A request that was begun is made again only
// where the endpoint cannot have seen any of it.
func (p *part) send(t *watcher, m *message) (*http.Response, error) {
	s := m.to.site
	if p.tls == nil || p.http2.has(s) {
		return p.general(t.hooked(), m)
	}
	b := idleBuffers.Get().(*buffers)
	if !m.write(b) {
		b.free()
		return p.general(t.hooked(), m)
	}
	for range mostStale {
		c := p.idle.take(s)
		if c == nil {
			break
		}
		resp, err := c.do(t, b, &p.idle)
		if err != errStale {
			return resp, err
		}
		b = idleBuffers.Get().(*buffers)
		m.write(b)
	}
	c, err := p.connect(t, m.to.url)
	if err != nil {
		b.free()
		return nil, err
	}
	if c.http2 {
		b.free()
		p.http2.add(s)
		return p.generalOn(t.hooked(), m, c.conn.(*tls.Conn))
	}
	return c.do(t, b, &p.idle)
}

// general makes a request by net/http.
func (p *part) general(ctx context.Context, m *message) (*http.Response, error) {
	r, err := m.request(ctx)
	if err != nil {
		return nil, err
	}
	return p.Transport.RoundTrip(r)
}

// connect returns a new connection. If ctx ends first, the dial goes on, and the connection is
// for whichever request comes next: an endpoint that takes longer than an attempt may is
// reached in the end. setupTimeout bounds it.
func (p *part) connect(ctx context.Context, u *url.URL) (*http1Conn, error) {
	type dialed struct {
		conn *http1Conn
		err  error
	}
	came := make(chan dialed)
	go func() {
		var d dialed
		d.conn, d.err = p.dial(context.WithoutCancel(ctx), u)
		select {
		case came <- d:
		case <-ctx.Done():
			if d.err == nil {
				p.unwanted(d.conn)
			}
		}
	}()
	select {
	case d := <-came:
		return d.conn, d.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// unwanted takes a connection whose request has ended meanwhile. One of HTTP/2 is closed, since
// net/http dials for itself.
func (p *part) unwanted(c *http1Conn) {
	if c.http2 {
		c.close()
		return
	}
	p.idle.put(c)
}

// dial makes a connection, with TLS where the URL says so.
func (p *part) dial(ctx context.Context, u *url.URL) (*http1Conn, error) {
	raw, err := p.DialContext(ctx, "tcp", hostPort(u))
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" {
		return newHTTP1Conn(siteOf(u), raw, raw, nil), nil
	}
	g := &gate{Conn: raw}
	secured, err := p.secure(ctx, g, u.Hostname())
	if err != nil {
		return nil, err
	}
	return newHTTP1Conn(siteOf(u), raw, secured, g), nil
}

// secure speaks TLS on a connection, and closes it if that fails.
func (p *part) secure(ctx context.Context, conn net.Conn, host string) (*tls.Conn, error) {
	config := p.tls.Clone()
	config.ServerName = host
	secured := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	t, _ := ctx.Value(watcherKey{}).(*watcher)
	t.handshakeStart()
	err := secured.HandshakeContext(ctx)
	t.handshakeDone(secured.ConnectionState(), err)
	if err != nil {
		_ = conn.Close() // its error would explain nothing more
		return nil, err
	}
	return secured, nil
}

// madeConn is a connection of HTTP/2 that net/http is to use: which protocol an endpoint
// speaks shows only once there is a connection.
type madeConn struct {
	conn  *tls.Conn
	taken atomic.Bool
}

// madeConnKey is the key of a madeConn in a context.
type madeConnKey struct{}

// generalOn makes a request by net/http, on a connection that was just made. net/http may have
// got another one meanwhile, and not want it.
func (p *part) generalOn(ctx context.Context, m *message, conn *tls.Conn) (*http.Response, error) {
	made := &madeConn{conn: conn}
	resp, err := p.general(context.WithValue(ctx, madeConnKey{}, made), m)
	if !made.taken.Swap(true) {
		_ = conn.Close()
	}
	return resp, err
}

// dialTLS is how net/http gets connections with TLS that go through no proxy.
func (p *part) dialTLS(ctx context.Context, network, target string) (net.Conn, error) {
	if made, ok := ctx.Value(madeConnKey{}).(*madeConn); ok && !made.taken.Swap(true) {
		return made.conn, nil
	}
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	raw, err := p.DialContext(ctx, network, target)
	if err != nil {
		return nil, err
	}
	return p.secure(ctx, raw, host)
}

// mostSites bounds what is noted of sites: what comes beyond has the others looked at anew.
const mostSites = 4096

// sites are those of which something is known. The zero value is ready.
type sites struct {
	mu  sync.RWMutex
	all map[site]bool
}

// has reports whether a site is among them.
func (k *sites) has(s site) bool {
	if s.scheme == "http" {
		return false
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.all[s]
}

// add adds a site.
func (k *sites) add(s site) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil || len(k.all) >= mostSites {
		k.all = map[site]bool{}
	}
	k.all[s] = true
}
