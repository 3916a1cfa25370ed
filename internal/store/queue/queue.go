// Package queue holds the writes that wait for an engine, and gives them out tenant by
// tenant, so that one tenant's load is not another's (docs/design.md#group-commits). Both
// engines use it. It knows neither of them, and nothing of what a write is about. Start
// reading at [Queue.Put] and [Queue.Wait].
package queue

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store/core"
)

// Write is a batch that waits for its turn, or is being committed. The goroutine of its
// caller makes it and waits for the answer; a goroutine that writes gives the answer.
type Write struct {
	*core.Batch
	// Since is when it began to wait, for the figures.
	Since time.Time
	Err   error // the answer, once there is one
	state atomic.Int32
	done  chan struct{} // closed when there is an answer
}

// NewWrite returns a write of a batch. It is for one call of [Queue.Put].
func NewWrite(b *core.Batch) *Write {
	return &Write{Batch: b, Since: time.Now(), done: make(chan struct{})}
}

// Answered is closed once Err is the answer.
func (w *Write) Answered() <-chan struct{} { return w.done }

// Answer tells whoever waits that Err is the answer. It is called once, and Err must not be
// changed after it.
func (w *Write) Answer() { close(w.done) }

// The states of a write. If the context of its caller ends, the caller takes a waiting
// write back; one that has begun will be answered with what became of it.
const (
	waiting int32 = iota
	begun
	takenBack
)

// Queue is the writes that wait. It gives them out tenant by tenant, one of each in turn:
// so nobody waits for all that another has sent. It is safe for concurrent use.
type Queue struct {
	// mu guards everything below, and the lines.
	mu      sync.Mutex
	arrived sync.Cond // signals that there is a write, or that the queue was closed
	tenants map[string]*line
	turns   []string // the tenants that have waiting writes, each once; the first one is the next
	closed  bool
	// length and bytes are those of all lines. Writes that were taken back count until they
	// are come across.
	length int
	bytes  int
}

// line is the waiting writes of one tenant, in the order in which they came.
type line struct {
	writes []*Write
	bytes  int
}

// New returns an empty queue.
func New() *Queue {
	q := &Queue{tenants: map[string]*line{}}
	q.arrived.L = &q.mu
	return q
}

// MostInGroup bounds what is committed together, and with it how long the first write of
// a group waits for the last.
const MostInGroup = 128

// MostBytesInGroup bounds what is committed together, as MostInGroup does. One write may be
// larger: an order of 10 MiB is.
const MostBytesInGroup = 4 << 20

// How much may wait, for all and per tenant. It is far more than what the API lets in at
// once: the rest are steps of workflows, and records of attempts. So the bounds are there
// for the memory of the process, and are hardly ever reached.
const (
	mostWaiting, mostWaitingOf = 65_536, 16_384
	mostBytes, mostBytesOf     = 256 << 20, 64 << 20
)

// Put adds a write behind the others of its tenant. It is [apierr.TooMany] if too much
// waits already, and [core.ErrClosed] once the queue was closed. A write that would wait
// alone is taken however large it is.
func (q *Queue) Put(w *Write) error {
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

// Begin lets a write begin that nobody has put into the queue, if no other one waits: then
// its caller may commit it at once. It reports whether it does; not once the queue was
// closed.
func (q *Queue) Begin(w *Write) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.closed && q.length == 0 && w.state.CompareAndSwap(waiting, begun)
}

// tooMany is the error for a queue that is full. It passes soon, so the caller may try
// again after a second.
func tooMany(format string, args ...any) error {
	err := apierr.Errorf(apierr.TooMany, format, args...)
	err.RetryAfter = time.Second
	return err
}

// Wait returns the next write. It waits for one if there is none, and returns nil once the
// queue was closed and is empty. Several goroutines may wait.
func (q *Queue) Wait() *Write {
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

// Arrived waits until there is a write, without taking it. It returns false once the queue
// was closed and is empty.
func (q *Queue) Arrived() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.length == 0 && !q.closed {
		q.arrived.Wait()
	}
	return q.length > 0
}

// Next returns the next write, nil when none waits. A writer fills up its group with it.
func (q *Queue) Next() *Write {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pop()
}

// pop takes the first write of the tenant whose turn it is, and puts that tenant behind the
// others, if it has more. It drops what was taken back.
func (q *Queue) pop() *Write {
	for len(q.turns) > 0 {
		tenant := q.turns[0]
		w := q.take(tenant)
		if q.turns = q.turns[1:]; len(q.tenants[tenant].writes) > 0 {
			q.turns = append(q.turns, tenant)
		} else {
			delete(q.tenants, tenant)
		}
		if w.state.CompareAndSwap(waiting, begun) {
			return w
		}
	}
	return nil
}

// NextAlike returns the next write of a tenant if it may be run as one with those that were
// taken last; nil if it may not. The tenant's turn stays where it is: [Queue.Share] bounds
// how many are taken so.
func (q *Queue) NextAlike(tenant, alike string) *Write {
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

// Share is how many writes of a group a tenant may have at a time, so that the others that
// wait have theirs: the group divided by the tenants that wait.
func (q *Queue) Share(tenant string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	others := len(q.turns)
	if q.tenants[tenant] != nil {
		others--
	}
	return MostInGroup / (1 + min(others, MostInGroup-1))
}

// take removes the first write of a tenant, which must have one.
func (q *Queue) take(tenant string) *Write {
	t := q.tenants[tenant]
	w := t.writes[0]
	t.writes[0] = nil
	t.writes, t.bytes = t.writes[1:], t.bytes-w.Size
	q.length, q.bytes = q.length-1, q.bytes-w.Size
	return w
}

// leave removes a tenant that has no write here any more from the turns.
func (q *Queue) leave(tenant string) {
	delete(q.tenants, tenant)
	for i, t := range q.turns {
		if t == tenant {
			q.turns = append(q.turns[:i:i], q.turns[i+1:]...)
			return
		}
	}
}

// Close has the queue take no more. Those who wait get what is left, and then nil.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.arrived.Broadcast()
}

// Closed reports whether the queue takes no more.
func (q *Queue) Closed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// Len is how many writes wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length
}

// Await waits for a write's answer. If ctx ends before the write has begun, it is taken
// back and nothing is written; after that, Await goes on waiting, so that the caller learns
// what became of it.
func (w *Write) Await(ctx context.Context) error {
	select {
	case <-w.done:
	case <-ctx.Done():
		if w.state.CompareAndSwap(waiting, takenBack) {
			return ctx.Err()
		}
		<-w.done
	}
	return w.Err
}

// Together makes one batch of those that are alike: they have the same checks and insert
// into the same tables, and have neither leases nor calls ([core.Batch.Alike]).
func Together(some []*Write) *core.Batch {
	all := &core.Batch{Locks: some[0].Locks, Checks: some[0].Checks, Changes: make([]core.Change, len(some[0].Changes))}
	for i := range all.Changes {
		all.Changes[i].Insertion = some[0].Changes[i].Insertion
		for _, one := range some {
			all.Changes[i].Values = append(all.Changes[i].Values, one.Changes[i].Values...)
		}
	}
	return all
}
