package sqlite

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/store/core"
)

// write is a batch that waits for its turn, or is being committed.
type write struct {
	*core.Batch
	since time.Time
	state atomic.Int32
	err   error         // the answer, once done is closed
	done  chan struct{} // closed when there is an answer
}

// The states of a write. A caller whose context ends takes a waiting write back;
// one that has begun will be answered with what became of it.
const (
	waiting int32 = iota
	begun
	takenBack
)

// queue is the writes that wait. It gives them out tenant by tenant, one of each
// in turn: so nobody waits for all that another has sent.
type queue struct {
	mu      sync.Mutex
	arrived sync.Cond // there is a write, or closed became true
	tenants map[string][]*write
	turns   []string // the tenants that have a write here, each once; the first is next
	closed  bool
	length  int
}

func newQueue() *queue {
	q := &queue{tenants: map[string][]*write{}}
	q.arrived.L = &q.mu
	return q
}

// put adds a write. It reports false once the queue was closed.
func (q *queue) put(w *write) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	if len(q.tenants[w.Tenant]) == 0 {
		q.turns = append(q.turns, w.Tenant)
	}
	q.tenants[w.Tenant] = append(q.tenants[w.Tenant], w)
	q.length++
	q.arrived.Signal()
	return true
}

// wait returns the next write, nil when there is none and will be none.
func (q *queue) wait() *write {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if w := q.pop(); w != nil {
			return w
		}
		if q.closed {
			return nil
		}
		q.arrived.Wait()
	}
}

// next returns the next write, nil when none waits.
func (q *queue) next() *write {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pop()
}

// pop takes the first write of the tenant whose turn it is. Writes that may be run
// as one with it and stand right behind it keep the turn (see nextAlike).
func (q *queue) pop() *write {
	for len(q.turns) > 0 {
		w := q.take(q.turns[0])
		q.passTurn()
		if w.state.CompareAndSwap(waiting, begun) {
			return w
		}
	}
	return nil
}

// nextAlike returns the next write of a tenant if it may be run as one with those
// that were taken last; nil if it may not.
func (q *queue) nextAlike(tenant, alike string) *write {
	q.mu.Lock()
	defer q.mu.Unlock()
	for list := q.tenants[tenant]; len(list) > 0 && list[0].Alike == alike; list = q.tenants[tenant] {
		w := q.take(tenant)
		if len(q.tenants[tenant]) == 0 {
			q.leave(tenant)
		}
		if w.state.CompareAndSwap(waiting, begun) {
			return w
		}
	}
	return nil
}

func (q *queue) take(tenant string) *write {
	list := q.tenants[tenant]
	w := list[0]
	list[0] = nil
	q.tenants[tenant] = list[1:]
	q.length--
	return w
}

// passTurn puts the tenant whose turn it was behind the others.
func (q *queue) passTurn() {
	tenant := q.turns[0]
	q.turns = q.turns[1:]
	if len(q.tenants[tenant]) == 0 {
		delete(q.tenants, tenant)
		return
	}
	q.turns = append(q.turns, tenant)
}

// leave takes out a tenant that has no write here any more.
func (q *queue) leave(tenant string) {
	delete(q.tenants, tenant)
	for i, t := range q.turns {
		if t == tenant {
			q.turns = append(q.turns[:i:i], q.turns[i+1:]...)
			return
		}
	}
}

// close has wait return nil once the queue is empty.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.arrived.Signal()
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length
}

// await waits for a write's answer, or for ctx as long as it was not begun.
func (w *write) await(ctx context.Context) error {
	select {
	case <-w.done:
	case <-ctx.Done():
		if w.state.CompareAndSwap(waiting, takenBack) {
			return ctx.Err()
		}
		<-w.done
	}
	return w.err
}
