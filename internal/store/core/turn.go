package core

import (
	"context"
	"sync"

	"github.com/orderhook/orderhook/internal/admission"
)

// turns makes writes that are about the same thing wait for each other. Without that,
// each would decide on a version that the one before it is about to replace, and would
// have to decide again; with 64 of them, up to 64 times. Turns only save time. The checks
// make a write right. So it is enough to have turns within one process, even if there are
// several.
type turns struct {
	// mu is held for moments only, never while somebody waits for a turn.
	mu    sync.Mutex
	taken map[key]*turnQueue
}

// turnQueue is the one that has a turn, and the number of those that wait for it.
type turnQueue struct {
	free chan struct{} // has one value while nobody has the turn
	many int           // how many have it or wait for it
}

// turn is the turn that a write has taken. A write takes at most one, and takes it before
// anything else that it could wait for. So two writes cannot wait for each other.
//
// Only the goroutine of the write uses it.
type turn struct {
	turns *turns
	ctx   context.Context // the context of the write: when it ends, the waiting ends
	has   *turnQueue
	of    key

	waited bool // it has waited for another write, which may have changed the thing
}

// take waits for the turn of a thing, unless the write has one already: the checks take care
// of whatever else it changes. While it waits, the task that the write belongs to gives
// up its slot for large documents, since the one who has the turn may need one.
func (t *turn) take(of key) error {
	if t.has != nil {
		return nil
	}
	t.turns.mu.Lock()
	q := t.turns.taken[of]
	if q == nil {
		q = &turnQueue{free: make(chan struct{}, 1)}
		q.free <- struct{}{}
		if t.turns.taken == nil {
			t.turns.taken = map[key]*turnQueue{}
		}
		t.turns.taken[of] = q
	}
	q.many++
	t.turns.mu.Unlock()
	t.has, t.of = q, of
	select {
	case <-q.free:
		return nil
	default:
	}
	admission.Pause(t.ctx)
	t.waited = true
	select {
	case <-q.free:
		return admission.Begin(t.ctx, 0)
	case <-t.ctx.Done():
		t.leave()
		return t.ctx.Err()
	}
}

// end frees the turn, and lets the next one have it. It is called once the write has its
// answer.
func (t *turn) end() {
	if t.has != nil {
		t.has.free <- struct{}{}
		t.leave()
	}
}

// leave takes the write out of the queue. The last one removes the queue, so that the
// memory does not grow with the number of things.
func (t *turn) leave() {
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	if t.has.many--; t.has.many == 0 {
		delete(t.turns.taken, t.of)
	}
	t.has = nil
}
