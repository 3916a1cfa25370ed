package outbound

import (
	"net/url"
	"sync"
	"time"
)

// idleTimeout is how long a connection may be idle. It is below the 60 s after which common
// load balancers close one.
const idleTimeout = 55 * time.Second

// site is what requests must have in common to share a connection, beside how TLS is
// verified.
type site struct{ scheme, host string }

// siteOf returns the site of a URL.
func siteOf(u *url.URL) site { return site{u.Scheme, u.Host} }

// idleConns are the connections of a part that no request is using. How many there may be is
// what [MostOpen] says of all connections. The zero value is ready.
type idleConns struct {
	mu      sync.Mutex
	of      map[site][]*http1Conn // the one that was used last is the last
	sweep   *time.Timer           // closes those that have been idle for too long; nil: none is
	closing bool                  // those that become idle are closed, until a request begins
}

// take returns an idle connection, the one that was used last; nil if there is none that may
// be used.
func (i *idleConns) take(s site) *http1Conn {
	for {
		c := i.pop(s)
		if c == nil || time.Since(c.since) < idleTimeout && c.usable() {
			return c
		}
		c.abort()
	}
}

// pop removes an idle connection.
func (i *idleConns) pop(s site) *http1Conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closing = false
	all := i.of[s]
	if len(all) == 0 {
		return nil
	}
	n := len(all) - 1
	c := all[n]
	all[n] = nil
	// An empty list stays for the next connection, and goes with the sweep.
	i.of[s] = all[:n]
	return c
}

// put takes a connection that the next request to its site may use. Without the lock it is
// closed where it may not, which takes a system call or two.
func (i *idleConns) put(c *http1Conn) {
	c.since = time.Now()
	i.mu.Lock()
	if i.closing {
		i.mu.Unlock()
		c.close()
		return
	}
	defer i.mu.Unlock()
	if i.of == nil {
		i.of = map[site][]*http1Conn{}
	}
	i.of[c.site] = append(i.of[c.site], c)
	if i.sweep == nil {
		i.sweep = time.AfterFunc(idleTimeout, i.closeOld)
	}
}

// closeOld closes what has been idle for too long, and comes again as long as anything is.
func (i *idleConns) closeOld() {
	now := time.Now()
	closeAll(i.remove(func(c *http1Conn) bool { return now.Sub(c.since) >= idleTimeout }))
}

// close closes all, and those that become idle before the next request begins.
func (i *idleConns) close() {
	i.mu.Lock()
	i.closing = true
	i.mu.Unlock()
	closeAll(i.remove(func(*http1Conn) bool { return true }))
}

// remove removes some, and returns them. It sets the timer to when the next one will have
// been idle for too long.
func (i *idleConns) remove(which func(*http1Conn) bool) (removed []*http1Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var oldest time.Time
	for s, all := range i.of {
		stay := all[:0]
		for _, c := range all {
			if which(c) {
				removed = append(removed, c)
				continue
			}
			stay = append(stay, c)
			if oldest.IsZero() || c.since.Before(oldest) {
				oldest = c.since
			}
		}
		clear(all[len(stay):])
		if i.of[s] = stay; len(stay) == 0 {
			delete(i.of, s)
		}
	}
	switch {
	case i.sweep == nil:
	case oldest.IsZero():
		i.sweep.Stop()
		i.sweep = nil
	default:
		i.sweep.Reset(time.Until(oldest.Add(idleTimeout)))
	}
	return removed
}

// closeAll closes connections. It is called without a lock, since each takes a system call or
// two.
func closeAll(all []*http1Conn) {
	for _, c := range all {
		c.close()
	}
}
