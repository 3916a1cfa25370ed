package workflow

import (
	"context"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/nodes"
)

// orderKey names an order across tenants.
type orderKey struct{ tenant, order string }

// orderQueues gives each order of this node's shards a queue: an order's runs come one
// after the other, those of different orders side by side. A queue that waits for a time
// costs a timer and no goroutine. An orderQueue exists while it runs, is held, or has a
// timer. An order with nothing to do has none.
type orderQueues struct {
	clock clock.Clock
	// turn does what an order's runs need now and returns when to look again;
	// the zero time is "not before somebody wakes it". What was just committed comes
	// with it, if anything was.
	turn func(orderKey, *nodes.Share, fresh) time.Time
	// elsewhere is called for an order of a shard that this node does not have.
	elsewhere func(orderKey)

	mu      sync.Mutex
	shares  nodes.Shares
	queues  map[orderKey]*orderQueue
	stopped bool
	running sync.WaitGroup // counts the queues that run
}

// orderQueue is the queue of one order. The lock of orderQueues guards its fields.
type orderQueue struct {
	share   *nodes.Share
	running bool  // or held
	woken   bool  // while it ran
	next    fresh // for its next turn
	timer   clock.Timer
}

// fresh is what was just committed, so that it need not be read.
type fresh struct {
	snapshot
	first bool // nothing has moved the run since, and none comes before it
}

func newOrderQueues(c clock.Clock, turn func(orderKey, *nodes.Share, fresh) time.Time, elsewhere func(orderKey)) *orderQueues {
	return &orderQueues{clock: c, turn: turn, elsewhere: elsewhere, shares: nodes.Shares{}, queues: map[orderKey]*orderQueue{}}
}

// wake makes an order's queue look at its runs, wherever it is. What was just committed of
// them may come with it. The other node reads for itself what was committed.
func (o *orderQueues) wake(key orderKey, f fresh) {
	if !o.wakeHere(key, f) {
		o.elsewhere(key)
	}
}

// wakeHere is wake for an order of a shard that this node has; it reports whether it is
// one. This is where the goroutine of a queue begins, of which there is one at most.
func (o *orderQueues) wakeHere(key orderKey, f fresh) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.shares[nodes.OfOrder(key.tenant, key.order)]
	if of == nil || o.stopped {
		return of != nil
	}
	q := o.queues[key]
	if q == nil {
		q = &orderQueue{share: of}
		o.queues[key] = q
	}
	if f.run != nil {
		q.next = f
	}
	// The turn under way may have read before the commit that this wake is about, so
	// another turn follows it.
	if q.running {
		q.woken = true
		return true
	}
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
	q.running = true
	o.begin(q)
	go o.run(key, q)
	return true
}

// begin counts a queue that runs, and end counts it no more. The queues of a shard are
// counted for themselves, so that giving back a shard waits for its own alone.
func (o *orderQueues) begin(q *orderQueue) {
	o.running.Add(1)
	q.share.Work.Add(1)
}

func (o *orderQueues) end(q *orderQueue) {
	q.share.Work.Done()
	o.running.Done()
}

// heldQueue is a queue that does not look at its runs until it is freed. See
// [Engine.change] for what it is good for.
type heldQueue struct {
	*orderQueue
	of  *orderQueues
	key orderKey
}

// hold holds the queue of an order that is about to be stored; nil if the order has
// a queue already, or its runs are another node's. The caller that holds it must free it, whatever
// happens: until then a stop waits for it.
func (o *orderQueues) hold(key orderKey) *heldQueue {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.shares[nodes.OfOrder(key.tenant, key.order)]
	if o.stopped || of == nil || o.queues[key] != nil {
		return nil
	}
	q := &orderQueue{share: of, running: true}
	o.queues[key] = q
	o.begin(q)
	return &heldQueue{q, o, key}
}

// free gives a queue that is held the run that its first turn begins with, whoever
// woke it meanwhile. Without a run, nothing is looked at unless somebody woke it. Where the
// shard was given back meanwhile, whoever has it now may have looked for runs before this
// one was stored, and is told of it.
func (h *heldQueue) free(first snapshot) {
	if h == nil {
		return
	}
	// The order was not stored, or it has no run that goes on.
	if first.run == nil && h.of.pause(h.key, h.orderQueue, time.Time{}) {
		h.of.end(h.orderQueue)
		return
	}
	h.of.mu.Lock()
	if first.run != nil {
		h.next = fresh{snapshot: first, first: true}
	}
	lost := h.of.queues[h.key] != h.orderQueue
	h.of.mu.Unlock()
	if lost {
		h.of.end(h.orderQueue)
		h.of.wake(h.key, fresh{})
		return
	}
	go h.of.run(h.key, h.orderQueue)
}

// run is the goroutine of a queue: turn after turn, until nothing is to be done before a
// time or a wake.
func (o *orderQueues) run(key orderKey, q *orderQueue) {
	defer o.end(q)
	for {
		o.mu.Lock()
		f := q.next
		q.next = fresh{}
		o.mu.Unlock()
		if o.pause(key, q, o.turn(key, q.share, f)) {
			return
		}
	}
}

// pause ends a queue's running until a time, unless it was woken meanwhile. It reports
// whether the goroutine is to end. That is decided under the lock, so a wake either finds
// the queue running and is seen here, or begins it again.
func (o *orderQueues) pause(key orderKey, q *orderQueue, until time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.queues[key] != q { // its shard was given back
		return true
	}
	if q.woken && !o.stopped {
		q.woken = false
		return false
	}
	q.running = false
	if until.IsZero() || o.stopped {
		delete(o.queues, key)
		return true
	}
	q.timer = clock.At(o.clock, until, func() { o.wake(key, fresh{}) })
	return true
}

// stop starts no more turns, and waits for those under way or for ctx. What the timers were
// for stands in the rows of the runs, and the next start reads it there.
func (o *orderQueues) stop(ctx context.Context) error {
	o.mu.Lock()
	o.stopped = true
	for _, q := range o.queues {
		if q.timer != nil {
			q.timer.Stop()
		}
	}
	o.mu.Unlock()
	return clock.Await(ctx, o.running.Wait)
}
