package admission

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// worker is a task with a goroutine of its own, which does what it is told.
type worker struct {
	ctx  context.Context
	end  func()
	err  error
	busy bool // it waits in Begin
}

func workerOf(ctx context.Context, w *Work, tenant string) *worker {
	k := &worker{}
	k.ctx, k.end = w.Task(ctx, tenant)
	return k
}

func (k *worker) begin(bytes int) *worker {
	k.busy = true
	go func() {
		k.err = Begin(k.ctx, bytes)
		k.busy = false
	}()
	synctest.Wait()
	return k
}

// states wants of each worker that it works (+), or that it waits (-).
func states(t *testing.T, want string, all ...*worker) {
	t.Helper()
	synctest.Wait()
	got := ""
	for _, k := range all {
		got += map[bool]string{true: "-", false: "+"}[k.busy]
	}
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func nothingHeld(t *testing.T, w *Work, atOnce int64) {
	t.Helper()
	if f := w.Figures(); f != (WorkFigures{}) {
		t.Errorf("%+v", f)
	}
	if len(w.tenants) != 0 || !w.all.TryAcquire(atOnce) {
		t.Errorf("something is not given back: %v", w.tenants)
	}
}

func TestLargeDocumentsInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWork(4)
		task := func(tenant string) *worker { return workerOf(t.Context(), w, tenant) }
		a1, a2, a3 := task("a").begin(Large), task("a").begin(9*Large), task("a").begin(Large)
		states(t, "++-", a1, a2, a3) // half of the slots at most
		b1, c1 := task("b").begin(Large), task("c").begin(Large)
		states(t, "++", b1, c1)
		if f := w.Figures(); f != (WorkFigures{Working: 4, Waiting: 1}) {
			t.Errorf("%+v", f)
		}
		d1, small := task("d").begin(Large), task("d").begin(Large-1)
		states(t, "-+", d1, small)
		a1.end()
		a1.end()                     // a second time is nothing
		states(t, "+-", d1, a3)      // who is not behind its own tenant's is first
		Pause(b1.ctx)                // it waits for something
		states(t, "+", a3)           // which is another's turn
		states(t, "-", b1.begin(10)) // it goes on with what is large, whatever it does then
		c1.end()
		states(t, "+", b1)
		states(t, "+", b1.begin(Large)) // it has a slot
		for _, k := range []*worker{a2, a3, b1, d1, small} {
			k.end()
		}
		nothingHeld(t, w, 4)
	})
}

func TestOneSlotIsEverybodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWork(1)
		a, b := workerOf(t.Context(), w, "a").begin(Large), workerOf(t.Context(), w, "b").begin(Large)
		states(t, "+-", a, b)
		a.end()
		states(t, "+", b)
		b.end()
		nothingHeld(t, w, 1)
	})
}

func TestWhoHangsUpWaitsNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWork(1)
		ctx, hangUp := context.WithCancel(t.Context())
		a, own, other := workerOf(t.Context(), w, "a").begin(Large), workerOf(ctx, w, "a").begin(Large), workerOf(ctx, w, "b").begin(Large)
		states(t, "+--", a, own, other)
		hangUp()
		states(t, "++", own, other)
		for _, k := range []*worker{own, other} {
			if !errors.Is(k.err, context.Canceled) {
				t.Errorf("%v", k.err)
			}
			k.end()
		}
		a.end()
		nothingHeld(t, w, 1)
	})
}

func TestWhatIsNoTaskNeverWaits(t *testing.T) {
	if err := Begin(t.Context(), 100*Large); err != nil {
		t.Error(err)
	}
	Pause(t.Context())
}

// The collector is told of large documents for as long as somebody works on one, and
// for a while afterwards.
func TestWhetherLargeDocumentsAreWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		worked.Store(0) // by what other tests did, at other times
		is := func(when string, want bool) {
			t.Helper()
			if got := WorkedSince(time.Second); got != want {
				t.Errorf("%s: %v", when, got)
			}
		}
		ctx, end := NewWork(1).Task(t.Context(), "acme")
		is("before", false)
		if err := Begin(ctx, Large); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		is("while it goes on", true)
		end()
		is("just after it", true)
		time.Sleep(time.Second)
		is("later", false)
	})
}

// TestWhoHangsUpHoldsUpNobodyOfItsTenant: it has its tenant's slot already, and waits for one
// of those that all share.
func TestWhoHangsUpHoldsUpNobodyOfItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWork(1)
		ctx, hangUp := context.WithCancel(t.Context())
		other := workerOf(t.Context(), w, "a").begin(Large)
		first, second := workerOf(ctx, w, "b").begin(Large), workerOf(t.Context(), w, "b").begin(Large)
		states(t, "+--", other, first, second)
		hangUp()
		states(t, "++-", other, first, second)
		if !errors.Is(first.err, context.Canceled) {
			t.Errorf("who hung up got %v", first.err)
		}
		other.end()
		states(t, "+", second)
		second.end()
		nothingHeld(t, w, 1)
	})
}
