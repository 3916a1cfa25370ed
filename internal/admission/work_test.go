package admission

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// begun is what became of a call of Begin that runs in a goroutine of its own.
type begun struct {
	done func()
	err  error
	ok   bool // it has returned
}

func begin(ctx context.Context, w *Work, tenant string, n int64) *begun {
	b := &begun{}
	go func() {
		b.done, b.err = w.Begin(ctx, tenant, n)
		b.ok = true
	}()
	synctest.Wait()
	return b
}

func TestLargeBodiesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWork(Limit{All: 25, PerTenant: 10})
		states := func(want string, all ...*begun) {
			t.Helper()
			synctest.Wait()
			got := ""
			for _, b := range all {
				got += map[bool]string{true: "+", false: "-"}[b.ok && b.err == nil]
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		a1, a2 := begin(t.Context(), w, "a", 6), begin(t.Context(), w, "a", 6)
		a3 := begin(t.Context(), w, "a", 5)
		b1 := begin(t.Context(), w, "b", 99)
		states("+--+", a1, a2, a3, b1)
		c1 := begin(t.Context(), w, "c", 9)
		states("+", c1)
		d1, e1 := begin(t.Context(), w, "d", 1), begin(t.Context(), w, "e", 1)
		states("--", d1, e1) // 25 are under way
		a1.done()
		a1.done()                      // a second time is nothing
		states("++--", d1, e1, a2, a3) // who asked first is first
		b1.done()
		states("+-", a2, a3)
		a2.done()
		states("+", a3)
		for _, b := range []*begun{a3, c1, d1, e1} {
			b.done()
		}
		if len(w.tenants) != 0 || !w.all.TryAcquire(25) {
			t.Errorf("something is not given back: %v", w.tenants)
		}
	})
}

func TestWhoHangsUpWaitsNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWork(Limit{All: 15, PerTenant: 10})
		ctx, hangUp := context.WithCancel(t.Context())
		a, own := begin(t.Context(), w, "a", 10), begin(ctx, w, "a", 10)
		others := begin(ctx, w, "b", 10)
		hangUp()
		synctest.Wait()
		for _, b := range []*begun{own, others} {
			if !b.ok || !errors.Is(b.err, context.Canceled) {
				t.Errorf("%+v", b)
			}
		}
		a.done()
		if len(w.tenants) != 0 || !w.all.TryAcquire(15) {
			t.Errorf("something is not given back: %v", w.tenants)
		}
	})
}
