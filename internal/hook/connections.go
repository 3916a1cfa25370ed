package hook

import (
	"context"
	"hash/maphash"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// longestKept is how long connections are kept, however busy they are: a name
// that has moved to another address is followed within that time, and a new
// member behind a load balancer gets its share.
const longestKept = 90 * time.Second

// shards is how many parts the kept connections are in. Each host's are in one
// of them, and each part is replaced at a time of its own, so that never all
// connections have to be made anew at once.
const shards = 8

// connections is the kept connections of requests that verify TLS alike. A part of it
// is an [http.Transport], since that knows no age of connections: once it is as
// old as connections may become, another one takes its place. What is under way
// on the old one ends there, and closes its connection.
type connections struct {
	fresh func() *http.Transport
	now   func() time.Time
	began time.Time
	seed  maphash.Seed
	parts [shards]atomic.Pointer[part] // nil: no host of it was called yet
}

type part struct {
	*http.Transport
	until time.Time // no request begins on it from then on
}

func newConnections(fresh func() *http.Transport, now func() time.Time) *connections {
	return &connections{fresh: fresh, now: now, began: now(), seed: maphash.MakeSeed()}
}

// transport returns what makes the requests to a host now.
func (p *connections) transport(host string) *http.Transport {
	i := maphash.String(p.seed, host) % shards
	now, kept := p.now(), p.parts[i].Load()
	if kept != nil && now.Before(kept.until) {
		return kept.Transport
	}
	next := &part{p.fresh(), p.end(i, now)}
	if !p.parts[i].CompareAndSwap(kept, next) {
		return p.parts[i].Load().Transport // somebody else has just replaced it
	}
	if kept != nil {
		kept.CloseIdleConnections() // and those that come back to it
	}
	return next.Transport
}

// end returns when a part that begins now is to be replaced: each part at times
// of its own, the parts one after the other.
func (p *connections) end(i uint64, now time.Time) time.Time {
	const apart = longestKept / shards
	late := (now.Sub(p.began) + time.Duration(i)*apart) % longestKept
	return now.Add(longestKept - late)
}

// close closes the connections that no request is using.
func (p *connections) close() {
	for i := range p.parts {
		if kept := p.parts[i].Load(); kept != nil {
			kept.CloseIdleConnections()
		}
	}
}

// closeShard closes the connections of one shard that no request is using.
func (p *connections) closeShard(i int64) {
	if kept := p.parts[i%shards].Load(); kept != nil {
		kept.CloseIdleConnections()
	}
}

// dial connects to target, past the guard, and counts the connection until it is
// closed. Where too many are open, those that are idle are closed, shard by shard
// until there is room, of another one first each time: nobody knows which of them
// will be used again.
func (c *Client) dial(ctx context.Context, network, target string) (net.Conn, error) {
	conn, err := c.guard.dial(ctx, network, target)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	for range shards {
		if c.open.Load() <= c.mostOpen {
			break
		}
		c.closeIdle(c.closed.Add(1))
	}
	return &counted{Conn: conn, open: &c.open}, nil
}

// closeIdle closes the idle connections of a shard, whatever they trust.
func (c *Client) closeIdle(shard int64) {
	c.kept.closeShard(shard)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.trusted {
		p.closeShard(shard)
	}
}

// counted is a connection that is one of those that are open.
type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
