// Package admission decides which requests the server takes on. It bounds what
// all callers together, and each tenant alone, may have the server hold at one
// moment, and it slows down those who try keys. It knows no HTTP.
package admission

import (
	"fmt"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// Limit is the most of something at one moment: of all tenants together, and of
// each of them. Since no tenant gets more than its own limit, what is left to
// the others is never its to use.
type Limit struct{ All, PerTenant int64 }

// Limits of a [Gate] (API.md, "Limits").
type Limits struct {
	Requests Limit // that have not been answered yet
	Bytes    Limit // of their bodies, in memory
}

// DefaultLimits are those of a server that was told nothing else.
var DefaultLimits = Limits{Requests: Limit{All: 1024, PerTenant: 256}, Bytes: Limit{All: 256 << 20, PerTenant: 64 << 20}}

// retryAfter is when a caller that was refused may try again. What is in flight
// ends at any moment, so it is short.
const retryAfter = time.Second

// Gate counts the requests that are in flight. It is safe for concurrent use.
//
// One lock guards all counters: it is held for some ten nanoseconds, so it costs
// less than counters that are spread out, and a refusal is always right.
type Gate struct {
	limits Limits

	mu      sync.Mutex
	figures Figures
	tenants map[string]*usage // those that have a request in flight
}

// usage is what one tenant has in flight.
type usage struct{ requests, bytes int64 }

// Figures are what a [Gate] has counted.
type Figures struct {
	Requests, Bytes         int64 // in flight now
	MostRequests, MostBytes int64 // in flight at any one moment
	// RefusedRequests and RefusedBytes are how many requests were refused because
	// of each of the limits.
	RefusedRequests, RefusedBytes int64
}

// New returns a gate that nobody has passed.
func New(l Limits) *Gate { return &Gate{limits: l, tenants: map[string]*usage{}} }

// Figures returns what has been counted until now.
func (g *Gate) Figures() Figures {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.figures
}

// Ticket is a request that was let in. It is used by one goroutine.
type Ticket struct {
	gate   *Gate
	tenant string
	bytes  int64
}

// Enter lets a tenant's request in, until its ticket is given back with Leave.
// The error is [oms.TooMany].
func (g *Gate) Enter(tenant string) (*Ticket, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	u := g.tenants[tenant]
	if u == nil {
		u = &usage{}
	}
	if err := g.limits.Requests.check(g.figures.Requests, u.requests, 1, "requests at once", "--max-requests"); err != nil {
		g.figures.RefusedRequests++
		return nil, err
	}
	g.tenants[tenant] = u
	u.requests++
	g.figures.Requests++
	g.figures.MostRequests = max(g.figures.MostRequests, g.figures.Requests)
	return &Ticket{gate: g, tenant: tenant}, nil
}

// Grow takes room for n bytes more of the request's body, before they are kept.
// The error is [oms.TooLarge] where the request alone is over the limit, so that
// waiting does not help, and else [oms.TooMany].
func (t *Ticket) Grow(n int64) error {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	u := g.tenants[t.tenant]
	if most := min(g.limits.Bytes.All, g.limits.Bytes.PerTenant); t.bytes+n > most {
		g.figures.RefusedBytes++
		return oms.Errorf(oms.TooLarge, "the body is larger than all bodies of a tenant together may be, %d bytes (--max-request-bytes-in-flight)", most)
	}
	if err := g.limits.Bytes.check(g.figures.Bytes, u.bytes, n, "bytes of requests in flight", "--max-request-bytes-in-flight"); err != nil {
		g.figures.RefusedBytes++
		return err
	}
	t.bytes += n
	u.bytes += n
	g.figures.Bytes += n
	g.figures.MostBytes = max(g.figures.MostBytes, g.figures.Bytes)
	return nil
}

// Leave gives the ticket back, once the request has been answered.
func (t *Ticket) Leave() {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	u := g.tenants[t.tenant]
	u.requests--
	u.bytes -= t.bytes
	g.figures.Requests--
	g.figures.Bytes -= t.bytes
	if u.requests == 0 {
		delete(g.tenants, t.tenant)
	}
}

// check refuses n more where all, or the tenant, have as much as they may.
func (l Limit) check(all, tenants, n int64, what, flag string) error {
	var whose string
	var most int64
	switch {
	case tenants+n > l.PerTenant:
		whose, most = "your tenant", l.PerTenant
	case all+n > l.All:
		whose, most = "all tenants", l.All
	default:
		return nil
	}
	return &oms.Error{Kind: oms.TooMany, Detail: fmt.Sprintf("too many %s: %s may have %d (%s)", what, whose, most, flag), RetryAfter: retryAfter}
}
