package sqlite

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
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
	tenants map[string]*line
	turns   []string // the tenants that have a write here, each once; the first is next
	closed  bool
	length  int
	bytes   int
}

// line is the writes of one tenant that wait, in the order they came.
type line struct {
	writes []*write
	bytes  int
}

func newQueue() *queue {
	q := &queue{tenants: map[string]*line{}}
	q.arrived.L = &q.mu
	return q
}

// How much may wait, for all and per tenant. It is far more than what the API lets
// in at once: the rest are steps of workflows, and records of attempts.
const (
	mostWaiting, mostWaitingOf = 65_536, 16_384
	mostBytes, mostBytesOf     = 256 << 20, 64 << 20
)

// put adds a write. It is [oms.TooMany] if too much waits already, and
// [core.ErrClosed] once the queue was closed.
func (q *queue) put(w *write) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return core.ErrClosed
	}
	t := q.tenants[w.Tenant]
	if t == nil {
		t = &line{}
	}
	switch {
	case len(t.writes) > 0 && (len(t.writes) >= mostWaitingOf || t.bytes+w.Size > mostBytesOf):
		return tooMany("as many writes of this tenant wait as may: %d, or %d MiB", mostWaitingOf, mostBytesOf>>20)
	case q.length > 0 && (q.length >= mostWaiting || q.bytes+w.Size > mostBytes):
		return tooMany("as many writes wait as may: %d, or %d MiB", mostWaiting, mostBytes>>20)
	}
	if len(t.writes) == 0 {
		q.tenants[w.Tenant] = t
		q.turns = append(q.turns, w.Tenant)
	}
	t.writes, t.bytes = append(t.writes, w), t.bytes+w.Size
	q.length, q.bytes = q.length+1, q.bytes+w.Size
	q.arrived.Signal()
	return nil
}

func tooMany(format string, args ...any) error {
	err := oms.Errorf(oms.TooMany, format, args...)
	err.RetryAfter = time.Second
	return err
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

// pop takes the first write of the tenant whose turn it is.
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
	for t := q.tenants[tenant]; t != nil && len(t.writes) > 0 && t.writes[0].Alike == alike; {
		w := q.take(tenant)
		if len(t.writes) == 0 {
			q.leave(tenant)
		}
		if w.state.CompareAndSwap(waiting, begun) {
			return w
		}
	}
	return nil
}

// share is how many writes of a group a tenant may have at a time, so that the
// others that wait have theirs.
func (q *queue) share(tenant string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	others := len(q.turns)
	if q.tenants[tenant] != nil {
		others--
	}
	return mostInGroup / (1 + min(others, mostInGroup-1))
}

func (q *queue) take(tenant string) *write {
	t := q.tenants[tenant]
	w := t.writes[0]
	t.writes[0] = nil
	t.writes, t.bytes = t.writes[1:], t.bytes-w.Size
	q.length, q.bytes = q.length-1, q.bytes-w.Size
	return w
}

// passTurn puts the tenant whose turn it was behind the others.
func (q *queue) passTurn() {
	tenant := q.turns[0]
	q.turns = q.turns[1:]
	if len(q.tenants[tenant].writes) == 0 {
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
