package admission

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// DefaultWork is how many bytes of large bodies are worked on at a time. While a
// document is read, completed and compared it takes up to thirty times the room
// of its body, so that this many take some 700 MiB.
var DefaultWork = Limit{All: 24 << 20, PerTenant: 12 << 20}

// Work has large bodies worked on in turn. Nobody is refused: who came in waits,
// for its own tenant first, and only one tenant's share of them for the others.
// It is safe for concurrent use.
type Work struct {
	limit Limit
	all   *semaphore.Weighted

	mu      sync.Mutex
	tenants map[string]*share // of those that have work under way, or waiting
}

// share is one tenant's part of the work.
type share struct {
	room  *semaphore.Weighted
	users int
}

// NewWork returns a Work of which nothing is under way.
func NewWork(l Limit) *Work {
	return &Work{limit: l, all: semaphore.NewWeighted(l.All), tenants: map[string]*share{}}
}

// Begin waits until a body of n bytes may be worked on; done ends that. The error
// is that of ctx, if it ends before.
func (w *Work) Begin(ctx context.Context, tenant string, n int64) (done func(), err error) {
	n = min(n, w.limit.PerTenant, w.limit.All)
	mine := w.share(tenant)
	if err := mine.room.Acquire(ctx, n); err != nil {
		w.leave(tenant)
		return nil, err
	}
	if err := w.all.Acquire(ctx, n); err != nil {
		mine.room.Release(n)
		w.leave(tenant)
		return nil, err
	}
	return sync.OnceFunc(func() {
		w.all.Release(n)
		mine.room.Release(n)
		w.leave(tenant)
	}), nil
}

func (w *Work) share(tenant string) *share {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.tenants[tenant]
	if s == nil {
		s = &share{room: semaphore.NewWeighted(w.limit.PerTenant)}
		w.tenants[tenant] = s
	}
	s.users++
	return s
}

func (w *Work) leave(tenant string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.tenants[tenant]
	if s.users--; s.users == 0 {
		delete(w.tenants, tenant)
	}
}
