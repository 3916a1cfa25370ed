package outbound

import (
	"crypto/tls"
	"hash/maphash"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultConnectionAge is how long connections are used, however busy they are, where
// nobody says otherwise: a name that has moved to another address is followed within that
// time, and a new member behind a load balancer gets its share.
const DefaultConnectionAge = 90 * time.Second

// partCount is how many parts the connections are in. Each host's are in one
// of them, and each part is replaced at a time of its own, so that never all
// connections have to be made anew at once. Eight means that an eighth of them is new every
// eleven seconds or so.
const partCount = 8

// connections is those of requests that verify TLS alike. Once a part of them is as
// old as connections may become, another one takes its place. What is under way
// on the old one ends there, and closes its connection.
type connections struct {
	fresh func() *http.Transport
	now   func() time.Time
	age   time.Duration // the longest
	began time.Time
	seed  maphash.Seed
	parts [partCount]atomic.Pointer[part] // nil: no host of it was called yet
}

// part is the connections of some hosts, for as long as requests may begin on them: those of
// HTTP/1.1 that send uses itself, and those of net/http.
type part struct {
	*http.Transport
	until time.Time // no request begins on it from then on

	tls   *tls.Config // nil: all requests go through a proxy, and so to net/http
	idle  idleConns
	http2 sites // that speak HTTP/2
}

// newPart returns a part without connections.
func newPart(t *http.Transport, until time.Time) *part {
	p := &part{Transport: t, until: until}
	if t.Proxy == nil {
		p.tls = t.TLSClientConfig.Clone()
		p.tls.NextProtos = []string{"h2", "http/1.1"}
		t.DialTLSContext = p.dialTLS
	}
	return p
}

// CloseIdleConnections closes the connections that no request is using, and those that become
// idle before the next request begins.
func (p *part) CloseIdleConnections() {
	p.idle.close()
	p.Transport.CloseIdleConnections()
}

// newConnections makes no connection and no transport. The seed is random, so nobody
// outside can choose hosts that all fall into one part.
func newConnections(fresh func() *http.Transport, now func() time.Time, age time.Duration) *connections {
	return &connections{fresh: fresh, now: now, age: age, began: now(), seed: maphash.MakeSeed()}
}

// transport returns what makes the requests to a host now. It takes no lock. If two replace
// a part at once, both use what the first one has put there.
func (p *connections) transport(host string) *part {
	i := maphash.String(p.seed, host) % partCount
	now, current := p.now(), p.parts[i].Load()
	if current != nil && now.Before(current.until) {
		return current
	}
	next := newPart(p.fresh(), p.end(i, now))
	if !p.parts[i].CompareAndSwap(current, next) {
		return p.parts[i].Load() // somebody else has just replaced it
	}
	if current != nil {
		current.CloseIdleConnections() // and those that come back to it
	}
	return next
}

// end returns when a part that begins now is to be replaced: each part at times
// of its own, the parts one after the other.
func (p *connections) end(i uint64, now time.Time) time.Time {
	apart := p.age / partCount
	late := (now.Sub(p.began) + time.Duration(i)*apart) % p.age
	return now.Add(p.age - late)
}

// close closes the connections that no request is using. They may be used again: the next
// request dials.
func (p *connections) close() {
	for i := range p.parts {
		if current := p.parts[i].Load(); current != nil {
			current.CloseIdleConnections()
		}
	}
}

// closePart closes the connections of one part that no request is using. Which number
// belongs to which part does not matter.
func (p *connections) closePart(i int64) {
	if current := p.parts[i%partCount].Load(); current != nil {
		current.CloseIdleConnections()
	}
}

// count counts a connection that was just made, until it is closed. Where too many are
// open, those that are idle are closed, part by part until there is room, of another one
// first each time: nobody knows which of them will be used again.
func (c *Client) count(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	// It counts from now on until it is closed, idle or not.
	c.open.Add(1)
	for range partCount {
		if c.open.Load() <= c.mostOpen {
			break
		}
		c.network.Load().closePart(c.closed.Add(1))
	}
	return &counted{Conn: conn, open: &c.open}, nil
}

// counted is a connection that is one of those that are open.
type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

// Close counts the connection no more, however often it is called.
func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
