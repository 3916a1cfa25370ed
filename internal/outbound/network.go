package outbound

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"time"
	"weak"
)

// network is what an operator says of connections, and those that were made by it. When
// the operator says something else, another network takes its place, so that no
// connection outlives the rules that it was made by.
// A network is in memory only, so a restart begins without any connection.
type network struct {
	guard    Guard
	roots    *x509.CertPool // nil: those of the system
	proxy    *Proxy         // nil: none
	resolver *net.Resolver
	age      time.Duration // of connections, the longest
	now      func() time.Time
	counted  func(net.Conn, error) (net.Conn, error) // counts a connection that was made

	general *connections // of the requests of most: those whose kind is the zero one

	mu    sync.Mutex
	kinds map[connectionKind]*connections // of all others
}

// connectionKind is what requests must have in common to share connections: net/http would
// share one whatever vouched for it, and whoever was allowed to make it.
// The zero value is the kind of most requests. A kind is the key of a map, and so it
// holds a weak pointer: the map must not keep a Trust in memory that nobody uses any
// more.
type connectionKind struct {
	trust   weak.Pointer[Trust] // nil: what the network trusts
	owner   string              // as in [Guard.owner]
	proxied bool
}

// mostSessions is how many TLS sessions of a kind of requests may be resumed, of some KB
// each: the next connection to their host then takes half of the work, and no certificate.
const mostSessions = 2048

// newNetwork makes a network of what the operator says. A zero age means
// [DefaultConnectionAge], and a nil resolver means that of the machine. Nothing is dialed
// here: the first request to a host does that.
func (c *Client) newNetwork(o Options) *network {
	n := &network{guard: o.Guard, roots: o.RootCAs, proxy: o.Proxy, resolver: o.Resolver, age: cmp.Or(o.MaxConnectionAge, DefaultConnectionAge),
		now: c.age, counted: c.counted, kinds: map[connectionKind]*connections{}}
	if n.resolver == nil {
		n.resolver = net.DefaultResolver
	}
	n.general = n.connections(connectionKind{}, nil)
	return n
}

// ResolverAt returns a resolver that asks the DNS server at an address; nil, which is Go's own,
// where that is "".
func ResolverAt(address string) *net.Resolver {
	if address == "" {
		return nil
	}
	// Dial ignores the address that it is given, which is that of the machine's own DNS
	// server. PreferGo is needed, since the resolver of the C library does not call Dial.
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
}

// transport returns what makes the requests of a tenant to a URL, verified as t says. The
// error is why none may be made: for a direct connection the guard says so when it is made,
// for one through a proxy it has to be asked before.
func (n *network) transport(ctx context.Context, tenant string, t *Trust, u *url.URL) (*part, error) {
	// A nil Proxy carries no request, so this also works without one.
	kind := connectionKind{owner: n.guard.owner(tenant), proxied: n.proxy.Carries(u)}
	// The transport will dial the proxy and not the target, so its dial cannot check the
	// target.
	if kind.proxied {
		if err := n.proxy.admit(ctx, n.guard.For(kind.owner), n.resolver, u, n.now()); err != nil {
			return nil, err
		}
	}
	// Most requests end here, and they take no lock.
	if t == nil && kind == (connectionKind{}) {
		return n.general.transport(u.Host), nil
	}
	if t != nil {
		// Two weak pointers to one Trust are equal, so they can be a key.
		kind.trust = weak.Make(t)
	}
	// The lock guards the map only. Nobody dials while it is locked.
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.kinds[kind]
	if !ok {
		p = n.connections(kind, t)
		n.kinds[kind] = p
		if t != nil { // for as long as it is in use, so that changed settings leave no connections behind
			held := weak.Make(n) // not to keep a network that another one has replaced
			runtime.AddCleanup(t, func(kind connectionKind) {
				if n := held.Value(); n != nil {
					n.forget(kind)
				}
			}, kind)
		}
	}
	return p.transport(u.Host), nil
}

// connections returns those of a kind, none of which is made yet.
func (n *network) connections(kind connectionKind, t *Trust) *connections {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.roots}
	if t != nil {
		config = t.configure(n.roots)
	}
	// Sessions that are resumed are those of one kind, so nobody gets one by another's
	// certificate, or past other authorities.
	config.ClientSessionCache = tls.NewLRUClientSessionCache(mostSessions)
	// This function runs each time that a part begins anew. Each transport gets a copy of
	// the TLS configuration, because net/http changes the one that it has.
	return newConnections(func() *http.Transport {
		if kind.proxied {
			made := newTransport(config.Clone(), func(ctx context.Context, _, _ string) (net.Conn, error) { return n.counted(n.proxy.dial(ctx, n)) })
			n.proxy.use(made)
			return made
		}
		// The owner is "" for a tenant without lists of its own. All such tenants share
		// connections.
		guard := n.guard.For(kind.owner)
		return newTransport(config.Clone(), func(ctx context.Context, network, target string) (net.Conn, error) {
			return n.counted(guard.dial(ctx, n.resolver, network, target))
		})
	}, n.now, n.age)
}

// forget drops the connections of a Trust that nobody holds any more.
// A cleanup of the runtime calls it some time after the last user has let the Trust go.
func (n *network) forget(kind connectionKind) {
	n.mu.Lock()
	p := n.kinds[kind]
	delete(n.kinds, kind)
	n.mu.Unlock()
	p.close()
}

// each calls do with all connections, kind by kind.
// do must not ask this network for a transport, since it is called with the lock held.
func (n *network) each(do func(*connections)) {
	do(n.general)
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.kinds {
		do(p)
	}
}

// close closes the connections that no request is using.
// The network stays usable: the next request dials again.
func (n *network) close() { n.each((*connections).close) }

// closePart closes those of one part, whatever their kind.
// It is called where more connections are open than [MostOpen], which counts all kinds
// together.
func (n *network) closePart(i int64) { n.each(func(p *connections) { p.closePart(i) }) }
