// Package admission decides which requests the server accepts. It limits what all callers
// together, and each tenant, may have in the server at one moment. It slows down callers
// that try keys. It does not know HTTP.
package admission

import (
	"fmt"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
)

// Limit is the most of something at one moment: for all tenants together, and for each of
// them. A tenant never gets more than its own limit, so what is above that is always left
// for others.
type Limit struct{ All, PerTenant int64 }

// Limits of a [Gate] (docs/contract.md#limits).
type Limits struct {
	Requests Limit // requests that have not been answered yet
	Bytes    Limit // bytes of their bodies in memory
}

// DefaultLimits are the limits of a server without other settings.
var DefaultLimits = Limits{Requests: Limit{All: 1024, PerTenant: 256}, Bytes: Limit{All: 256 << 20, PerTenant: 64 << 20}}

// retryAfter is how long a refused caller should wait before it tries again. It is short,
// because requests end all the time.
const retryAfter = time.Second

// Gate counts the requests in flight. It is safe for concurrent use.
//
// One lock guards all counters. It is held for about ten nanoseconds, so it costs less
// than several locks would, and every decision is exact.
type Gate struct {
	mu      sync.Mutex
	limits  Limits
	figures Figures
	tenants map[string]*usage // the tenants that have a request in flight
}

// usage is what one tenant has in flight.
type usage struct{ requests, bytes int64 }

// Figures are the counters of a [Gate].
type Figures struct {
	Requests, Bytes         int64 // in flight now
	MostRequests, MostBytes int64 // the most that were in flight at one moment
	// RefusedRequests and RefusedBytes are how many requests were refused because of each
	// limit.
	RefusedRequests, RefusedBytes int64
}

// New returns a gate without any request.
func New(l Limits) *Gate { return &Gate{limits: l, tenants: map[string]*usage{}} }

// SetLimits has other limits hold from now on. Requests that are over them already may
// end as they are; what they want beyond is refused.
func (g *Gate) SetLimits(l Limits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limits = l
}

// Figures returns the counters as they are now.
func (g *Gate) Figures() Figures {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.figures
}

// Ticket is a request that was accepted. Only one goroutine may use it.
type Ticket struct {
	gate   *Gate
	tenant string
	bytes  int64
}

// Enter accepts a request of a tenant. The caller must call Leave of the ticket in the
// end. The error is [apierr.TooMany].
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

// Grow takes n more bytes of the memory budget for the body of the request. It must be
// called before the memory is used. The error is [apierr.TooLarge] if this request alone is
// over the limit, so that waiting does not help, and otherwise [apierr.TooMany].
func (t *Ticket) Grow(n int64) error {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	u := g.tenants[t.tenant]
	if most := min(g.limits.Bytes.All, g.limits.Bytes.PerTenant); t.bytes+n > most {
		g.figures.RefusedBytes++
		return apierr.Errorf(apierr.TooLarge, "the body is larger than all bodies of a tenant together may be, %d bytes (--max-request-bytes-in-flight)", most)
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

// Leave ends the request, after it was answered.
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

// check refuses n more if all tenants together, or this tenant, would be over their
// limit.
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
	return &apierr.Error{Kind: apierr.TooMany, Detail: fmt.Sprintf("too many %s: %s may have %d (%s)", what, whose, most, flag), RetryAfter: retryAfter}
}
