package core

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// crowd lets many in at a gate, and notes who was let in, in the order of it.
type crowd struct {
	t    *testing.T
	gate *gate
	mu   sync.Mutex
	in   []string
}

func newCrowd(t *testing.T, places int) *crowd {
	return &crowd{t: t, gate: &gate{what: "searches", places: places, wait: 5 * time.Second, waiting: map[string][]*visitor{}}}
}

// come has a tenant come to the gate, and returns once it is in or waits.
func (c *crowd) come(ctx context.Context, tenants ...string) {
	for _, tenant := range tenants {
		go func() {
			err := c.gate.enter(ctx, tenant)
			c.mu.Lock()
			defer c.mu.Unlock()
			switch {
			case err == nil:
				c.in = append(c.in, tenant)
			case apierr.KindOf(err) == apierr.TooMany:
				c.in = append(c.in, tenant+" refused")
			case errors.Is(err, context.Canceled):
				c.in = append(c.in, tenant+" gone")
			default:
				c.t.Error(err)
			}
		}()
		synctest.Wait()
	}
}

func (c *crowd) leave(n int) {
	for range n {
		c.gate.leave()
		synctest.Wait()
	}
}

func (c *crowd) want(want ...string) {
	c.t.Helper()
	if got := c.let(); !slices.Equal(got, want) {
		c.t.Fatalf("%q, want %q", got, want)
	}
}

func (c *crowd) let() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.in)
}

// empty checks that the gate holds on to nobody.
func (c *crowd) empty() {
	c.t.Helper()
	if g := c.gate; g.inside != 0 || len(g.turns) != 0 || len(g.waiting) != 0 {
		c.t.Errorf("%d are inside, waiting %v of %v", g.inside, g.turns, g.waiting)
	}
}

func TestAGateLetsTenantsInByTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 2)
		c.come(t.Context(), "a", "a", "a", "a", "a", "b", "c", "b")
		c.want("a", "a")
		c.leave(4)
		c.want("a", "a", "a", "b", "c", "a")
		c.leave(2)
		c.want("a", "a", "a", "b", "c", "a", "b", "a")
		c.leave(2)
		c.empty()
		c.come(t.Context(), "d", "d", "d")
		if c.leave(1); len(c.let()) != 11 {
			t.Errorf("%q", c.let())
		}
		c.leave(2)
		c.empty()
	})
}

func TestAGateLetsNobodyWaitForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1)
		c.come(t.Context(), "a", "b")
		time.Sleep(4 * time.Second) // of the bubble's clock
		c.come(t.Context(), "b", "c")
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		c.want("a")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		c.want("a", "b refused")
		c.leave(1)
		c.want("a", "b refused", "b") // who waits goes on to do so
		c.leave(2)
		c.want("a", "b refused", "b", "c")
		c.empty()
	})
}

func TestWhoGoesAwayFromAGateTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		c.come(ctx, "a", "b", "b", "c")
		cancel()
		synctest.Wait()
		in := c.let()
		if slices.Sort(in); !slices.Equal(in, []string{"a", "b gone", "b gone", "c gone"}) {
			t.Errorf("%q", in)
		}
		c.come(t.Context(), "d")
		c.leave(2)
		c.empty()
	})
}

// Who is let in at the very moment of going away gives the place to the next.
func TestAPlaceThatNobodyTakesIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			c := newCrowd(t, 1)
			ctx, cancel := context.WithCancel(t.Context())
			c.come(t.Context(), "a")
			c.come(ctx, "b")
			cancel()
			c.gate.leave()
			synctest.Wait()
			if c.let()[1] == "b" {
				c.leave(1)
			}
			c.empty()
		}
	})
}

// What is no caller's passes no gate, and a write waits for no caller either.
func TestOnlyCallersPassAGate(t *testing.T) {
	shut := newCrowd(t, 0).gate
	shut.wait = 0
	q := queries{shared: &shared{gates: map[store.Class]*gate{store.Search: shut}}}
	enter := func(q queries, class store.Class) (store.Class, error) {
		ctx, leave, err := q.enter(class.Mark(t.Context()), "a", store.Search)
		if err != nil {
			return 0, err
		}
		leave()
		return store.ClassOf(ctx), nil
	}
	for _, class := range []store.Class{store.Work, store.Background, store.Check} {
		if got, err := enter(q, class); got != class || err != nil {
			t.Errorf("%d: %d, %v", class, got, err)
		}
	}
	_, err := enter(q, store.Read)
	refused, _ := errors.AsType[*apierr.Error](err)
	if refused == nil || refused.Kind != apierr.TooMany || refused.Detail != "too many searches at once: this one has waited 0s for those of others" {
		t.Errorf("a caller: %v", err)
	}
	q.own = &draft{}
	if got, err := enter(q, store.Read); got != store.Read || err != nil {
		t.Errorf("a write: %d, %v", got, err)
	}
}
