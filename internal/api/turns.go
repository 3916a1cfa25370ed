package api

import (
	"context"
	"sync"

	"github.com/orderhook/orderhook/internal/admission"
)

// turns lets those who ask for one thing go one after the other. Those who wait are not
// in a row: when a turn is over all of them try again, and one gets it. There are few. It
// is safe for concurrent use; mu guards the map, which has only the turns that are taken.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the turn is over
}

// newTurns makes turns of which none is taken.
func newTurns() *turns { return &turns{taken: map[string]chan struct{}{}} }

// take waits for the turn of a key; done ends it. done must be called exactly once, also
// after a panic. If ctx ends first, the error is that of ctx, and there is no turn to
// end. While it waits it holds no slot for large documents, which the one before may
// need.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	for {
		before, done := t.try(key)
		if before == nil {
			return done, nil
		}
		admission.Pause(ctx)
		select {
		case <-before:
			if err := admission.Begin(ctx, 0); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try takes a turn that is free, or returns the one that it is not. A channel that is
// closed wakes all who wait, however many they are.
func (t *turns) try(key string) (before <-chan struct{}, done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if before := t.taken[key]; before != nil {
		return before, nil
	}
	mine := make(chan struct{})
	t.taken[key] = mine
	return nil, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.taken, key)
		close(mine)
	}
}
