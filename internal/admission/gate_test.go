package admission

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
)

var small = Limits{Requests: Limit{All: 5, PerTenant: 3}, Bytes: Limit{All: 50, PerTenant: 30}}

func enter(t *testing.T, g *Gate, tenant string) *Ticket {
	t.Helper()
	ticket, err := g.Enter(tenant)
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

// refused wants an error of a kind that names a limit, and how long to wait
// where waiting helps.
func refused(t *testing.T, err error, kind apierr.Kind, words ...string) {
	t.Helper()
	e, ok := err.(*apierr.Error)
	if !ok || e.Kind != kind || (e.RetryAfter > 0) != (kind == apierr.TooMany) {
		t.Fatalf("%#v, want kind %v", err, kind)
	}
	for _, word := range words {
		if !strings.Contains(e.Detail, word) {
			t.Errorf("%q does not say %q", e.Detail, word)
		}
	}
}

func TestRequestsAtOnce(t *testing.T) {
	g := New(small)
	first := enter(t, g, "a")
	enter(t, g, "a")
	enter(t, g, "a")
	_, err := g.Enter("a")
	refused(t, err, apierr.TooMany, "requests at once", "your tenant may have 3", "--max-requests")
	b := enter(t, g, "b") // its share is not the other's to use
	enter(t, g, "b")
	_, err = g.Enter("b")
	refused(t, err, apierr.TooMany, "requests at once", "all tenants may have 5", "--max-requests")
	_, err = g.Enter("c")
	refused(t, err, apierr.TooMany, "all tenants")
	first.Leave()
	enter(t, g, "c")
	b.Leave()
	enter(t, g, "a")
	if f := g.Figures(); f != (Figures{Requests: 5, MostRequests: 5, RefusedRequests: 3}) {
		t.Errorf("%+v", f)
	}
}

func TestBytesInFlight(t *testing.T) {
	g := New(small)
	a1, a2, b := enter(t, g, "a"), enter(t, g, "a"), enter(t, g, "b")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(a1.Grow(20))
	must(a2.Grow(10))
	refused(t, a2.Grow(1), apierr.TooMany, "bytes of requests in flight", "your tenant may have 30", "--max-request-bytes-in-flight")
	must(b.Grow(20))
	refused(t, b.Grow(1), apierr.TooMany, "all tenants may have 50", "--max-request-bytes-in-flight")
	refused(t, a1.Grow(11), apierr.TooLarge, "30 bytes", "--max-request-bytes-in-flight") // alone over it: 31
	a1.Leave()
	must(b.Grow(10))
	must(a2.Grow(10))
	refused(t, a2.Grow(11), apierr.TooLarge)
	a2.Leave()
	b.Leave()
	if f := g.Figures(); f != (Figures{MostRequests: 3, MostBytes: 50, RefusedBytes: 4}) {
		t.Errorf("%+v", f)
	}
	if len(g.tenants) != 0 {
		t.Errorf("%d tenants are remembered", len(g.tenants))
	}
}

// A limit for all that is below that of a tenant bounds a request, too.
func TestTheSmallerLimitBoundsOneRequest(t *testing.T) {
	g := New(Limits{Requests: small.Requests, Bytes: Limit{All: 10, PerTenant: 30}})
	refused(t, enter(t, g, "a").Grow(11), apierr.TooLarge, "10 bytes")
}

// TestNoTenantIsEverOverItsLimits has many requests come and go at once.
func TestNoTenantIsEverOverItsLimits(t *testing.T) {
	g := New(small)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 500 {
				ticket, err := g.Enter(fmt.Sprint(i % 3))
				if err != nil {
					continue
				}
				_ = ticket.Grow(9)
				ticket.Leave()
			}
		})
	}
	all.Wait()
	f := g.Figures()
	if f.Requests != 0 || f.Bytes != 0 || f.MostRequests > 5 || f.MostBytes > 50 || len(g.tenants) != 0 {
		t.Errorf("%+v with %d tenants", f, len(g.tenants))
	}
}

func BenchmarkGate(b *testing.B) {
	g := New(DefaultLimits)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			t, err := g.Enter("default")
			if err != nil {
				b.Fatal(err)
			}
			_ = t.Grow(300)
			t.Leave()
		}
	})
}
