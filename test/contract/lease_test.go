package contract

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// An orderhook takes a while to start, which is its encryption key's, and a
// table has many rows. So tests that need nothing but a tenant of their own
// take turns on one.

var leased struct {
	idle    *rig // between two tests
	folder  string
	tenants int
}

// lease returns a running orderhook with a tenant, a clock and a log of the
// test's own.
func lease(t *testing.T) *rig {
	t.Helper()
	r := leased.idle
	leased.idle = nil
	if r == nil {
		r = newRig(t, lastingDatabase(t, fmt.Sprint(leased.tenants, ".db")))
		r.leased = true
		r.run()
	}
	leased.tenants++
	own := *r
	own.t, own.clock, own.tenants, own.key = t, newFake(), &[]string{}, fmt.Sprint(adminKey, "-", leased.tenants)
	own.hands.use(own.clock)
	own.log.Reset()
	own.spans.Reset()
	own.addKey(own.key, fmt.Sprint("tenant-", leased.tenants), access.Admin)
	t.Cleanup(func() { own.ownOutput(); own.ownOrders(); own.recycle() })
	return &own
}

// ownOrders has the orders of a test's tenants happen once more.
func (r *rig) ownOrders() {
	r.t.Helper()
	for _, tenant := range slices.Compact(slices.Sorted(slices.Values(*r.tenants))) {
		if err := r.happenAgain(context.Background(), tenant); err != nil {
			r.t.Error(err)
		}
	}
}

// recycle keeps an orderhook for the next test, unless it still has work.
func (r *rig) recycle() {
	if r.unfinished() || r.t.Failed() || leased.idle != nil {
		r.end(0)
		return
	}
	leased.idle = r
}

// unfinished reports whether there are runs or deliveries to come, whose waits
// would take the next test's time.
func (r *rig) unfinished() bool {
	ctx, left := context.Background(), 0
	runs := r.store.UnfinishedOrders(ctx, func(string, string) error { left++; return nil })
	endpoints := r.store.EveryEndpoint(ctx, func(tenant string, e *event.Endpoint, _ int64) error {
		h, err := r.store.Health(ctx, tenant, e.No)
		left += int(h.Pending)
		return err
	})
	return runs != nil || endpoints != nil || left > 0
}

// ending runs the tests and ends the orderhook that is left.
type ending struct{ *testing.M }

func (e ending) Run() int {
	code := e.M.Run()
	if leased.idle != nil {
		if err := leased.idle.stop(patience); err != nil {
			fmt.Println("the orderhook that tests took turns on:", err)
			code = max(code, 1)
		}
	}
	return code
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if leased.folder, err = os.MkdirTemp("", "orderhook-contract-"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(leased.folder)
		return pgtest.Run(ending{m})
	}())
}

func newFake() *clocktest.Fake {
	return clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
}

// inTime is lease with the machine's clock, which breakers go by too: the waits
// of a workflow take their time.
func inTime(t *testing.T) *rig {
	t.Helper()
	r := lease(t)
	r.hands.use(clock.Real{})
	return r
}

// hands show the time of the test at work.
type hands struct {
	mu    sync.Mutex
	clock clock.Clock
}

func (h *hands) use(c clock.Clock) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = c
}

func (h *hands) now() clock.Clock {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

// Now and AfterFunc implement clock.Clock.
func (h *hands) Now() time.Time                                  { return h.now().Now() }
func (h *hands) AfterFunc(d time.Duration, f func()) clock.Timer { return h.now().AfterFunc(d, f) }
