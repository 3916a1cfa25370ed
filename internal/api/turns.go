package api

import (
	"context"
	"sync"

	"github.com/orderhook/orderhook/internal/admission"
)

// turns lets those who ask for one thing go one after the other.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the turn is over
}

func newTurns() *turns { return &turns{taken: map[string]chan struct{}{}} }

// take waits for the turn of a key; done ends it.
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

// try takes a turn that is free, or returns the one that it is not.
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
