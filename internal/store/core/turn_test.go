package core

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/orderhook/orderhook/internal/admission"
)

var ctx = context.Background()

func take(t *testing.T, all *turns, ctx context.Context, of key) *turn {
	t.Helper()
	one := &turn{turns: all, ctx: ctx}
	if err := one.take(of); err != nil {
		t.Fatal(err)
	}
	return one
}

// TestTurns: who writes about a thing waits for whoever does so already, those who
// write about others do not, and of nobody anything is left in the end.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := &turns{}
		o1, o2 := key{"acme", "order/o1"}, key{"acme", "order/o2"}
		first := take(t, all, ctx, o1)
		take(t, all, ctx, o2).end()
		take(t, all, ctx, key{"other", "order/o1"}).end()
		under, most, done := 0, 0, 0
		for range 64 {
			go func() {
				one := take(t, all, ctx, o1)
				under++
				most = max(most, under)
				synctestYield()
				under--
				done++
				one.end()
			}()
		}
		synctest.Wait()
		if under != 0 || done != 0 {
			t.Errorf("%d had the turn while another had it", under+done)
		}
		first.end()
		synctest.Wait()
		if most != 1 || done != 64 {
			t.Errorf("%d of 64, %d at a time", done, most)
		}
		if len(all.taken) != 0 {
			t.Errorf("left: %v", all.taken)
		}
	})
}

// synctestYield lets all others do what they can.
func synctestYield() {
	other := make(chan struct{})
	go close(other)
	<-other
}

// TestOneTurnOfAWrite: a write that has a turn takes no other, or two could wait
// for each other.
func TestOneTurnOfAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which to wait for each other is an error
		all := &turns{}
		a, b := key{"acme", "a"}, key{"acme", "b"}
		first, second := take(t, all, ctx, a), take(t, all, ctx, b)
		for range 2 {
			if err := errors.Join(first.take(b), second.take(a)); err != nil {
				t.Error(err)
			}
		}
		if len(all.taken) != 2 || all.taken[a].many != 1 {
			t.Errorf("taken: %v", all.taken)
		}
		first.end()
		second.end()
		first.end() // of a write that has none any more
		if len(all.taken) != 0 {
			t.Errorf("left: %v", all.taken)
		}
	})
}

// TestATurnThatIsNotAwaited: a write whose context ends gives up its place, and
// leaves the others theirs.
func TestATurnThatIsNotAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, of := &turns{}, key{"acme", "order/o1"}
		first := take(t, all, ctx, of)
		ends, cancel := context.WithCancel(ctx)
		gone, waits := make(chan error, 1), make(chan *turn, 1)
		given := &turn{turns: all, ctx: ends}
		go func() { gone <- given.take(of) }()
		synctest.Wait()
		go func() { waits <- take(t, all, ctx, of) }()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		given.end()
		first.end()
		(<-waits).end()
		if len(all.taken) != 0 {
			t.Errorf("left: %v", all.taken)
		}
	})
}

// TestWhoWaitsForATurnGivesUpItsSlot for large documents: who has the turn may need it, and
// gets it back with the turn.
func TestWhoWaitsForATurnGivesUpItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, of, work := &turns{}, key{"acme", "order/o1"}, admission.NewWork(1)
		waits, ended := work.Task(ctx, "acme")
		if err := admission.Begin(waits, admission.Large); err != nil {
			t.Fatal(err)
		}
		first, got := take(t, all, ctx, of), make(chan *turn, 1)
		go func() { got <- take(t, all, waits, of) }()
		synctest.Wait()
		if f := work.Figures(); f != (admission.WorkFigures{}) {
			t.Errorf("while it waits: %+v", f)
		}
		first.end()
		one := <-got
		if f := work.Figures(); f.Working != 1 {
			t.Errorf("when it has the turn: %+v", f)
		}
		one.end()
		ended()
	})
}
