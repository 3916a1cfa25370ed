package core

import (
	"context"
	"sync"

	"github.com/orderhook/orderhook/internal/admission"
)

// turns has those who write about the same thing do so one after the other: each
// would else decide on a version that the one before is about to replace, and
// decide again, and 64 of them 64 times. They are a matter of speed alone: what
// makes a write right is its checks. So turns of one process are enough, however
// many there are.
type turns struct {
	mu    sync.Mutex
	taken map[key]*queue
}

// queue is who has a turn and how many wait for it.
type queue struct {
	free chan struct{} // holds one value while nobody has the turn
	many int           // who has it, and who waits
}

// turn is what one write has taken. It takes one at most, and that before
// anything else could make it wait: so no two wait for each other.
type turn struct {
	turns *turns
	ctx   context.Context // the write's: whatever that of a question is, this one ends the waiting
	has   *queue
	of    key

	waited bool // for somebody who may have changed the thing
}

// take waits for the turn of a thing, unless the write has one already.
func (t *turn) take(of key) error {
	if t.has != nil {
		return nil
	}
	t.turns.mu.Lock()
	q := t.turns.taken[of]
	if q == nil {
		q = &queue{free: make(chan struct{}, 1)}
		q.free <- struct{}{}
		if t.turns.taken == nil {
			t.turns.taken = map[key]*queue{}
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

// end gives back what was taken.
func (t *turn) end() {
	if t.has != nil {
		t.has.free <- struct{}{}
		t.leave()
	}
}

func (t *turn) leave() {
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	if t.has.many--; t.has.many == 0 {
		delete(t.turns.taken, t.of)
	}
	t.has = nil
}
