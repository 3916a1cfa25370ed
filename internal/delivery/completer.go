package delivery

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// result is what an attempt came to. It waits for the completer to write it. classify fills
// it in, and nobody changes it from then on.
type result struct {
	queue      *queue
	target     *target
	it         item
	event      *event.Event
	completion store.Completion
	disable    string     // why the endpoint is to be turned off in the same write; "": it stays on
	refused    bool       // the target guard refused the request
	memory     *fair.Part // what the answer has of the memory budget
	slot       *fair.Part // of the call; a result that fails gives it back
}

// size returns about how many bytes a result takes in memory. The completer bounds what
// waits by it.
func (r *result) size() int64 {
	const least = 2 << 10 // headers, times, names
	n := int64(least)
	if d := r.completion.Attempt.Detail; d != nil && d.Response != nil {
		n += int64(len(d.Response.Body))
	}
	return n
}

// completer writes the results of a tenant's attempts to the database. It takes all
// results that wait and writes them in one transaction, because a commit costs the same
// for one result as for hundreds.
//
// A result that the database does not take stays in memory, and its write is tried
// again until it succeeds: a request that was answered must not be sent twice. While as
// many results wait as may (mostUnrecorded, mostBytes), no attempt of the tenant begins.
//
// Each tenant has a completer of its own, so that no tenant waits for the writes of
// another. What is written with an attempt may be much: the end of an export changes
// its order, and a delivery that failed for good makes an event.
type completer struct {
	d      *Dispatcher
	tenant string
	start  func()        // starts the goroutine, once
	came   chan struct{} // a result came, or stop was called
	ended  chan struct{} // the goroutine has ended
	tick   *time.Ticker  // when to write the health of queues in which nothing happens

	intake  intake
	stopped atomic.Bool // no result comes any more

	mu      sync.Mutex
	leaving []leaving // queues that another node gets

	// The fields below are used by the goroutine alone, without the lock.
	waiting []result
	failing []failing
	dirty   map[*queue]bool
	unsure  map[*queue]unsureHealth
	over    bool // the process ends, and the database takes nothing
}

// failing is a result whose write failed by itself, so that it does not hold up others.
type failing struct {
	result
	failures int
	again    time.Time // when it is tried next
}

const (
	// These bound one write, and what waits for one. A larger write costs hardly more to
	// commit, and holds up other writers for longer.
	mostRecorded   = 512      // results in one write
	mostExported   = 8 << 20  // bytes of exports in one write: each of them reads its order
	mostHealth     = 200      // endpoints whose health is written in one write
	mostUnrecorded = 4096     // results that may wait before no further attempt begins
	mostBytes      = 32 << 20 // bytes of results that may wait before no further attempt begins
	firstTryAgain  = 50 * time.Millisecond
	longestTryWait = 2 * time.Second
	// The pauses before a failing result is tried again. It is not a failing result
	// if the whole database is unavailable: then all results wait (firstTryAgain).
	firstPause   = time.Second
	longestPause = time.Minute
)

// newCompleter returns a completer. Its goroutine starts with the first result, because
// most endpoints of a large installation are quiet.
func newCompleter(d *Dispatcher, tenant string) *completer {
	r := &completer{d: d, tenant: tenant, came: make(chan struct{}, 1), ended: make(chan struct{}), dirty: map[*queue]bool{}, unsure: map[*queue]unsureHealth{}}
	r.start = sync.OnceFunc(func() {
		r.tick = time.NewTicker(healthEvery)
		go r.loop()
	})
	return r
}

// stop writes the results that are left and ends the goroutine. The caller must not add
// a result any more.
func (r *completer) stop() {
	r.start() // the goroutine writes the health, too, even where there was no result
	r.stopped.Store(true)
	r.signal()
	<-r.ended
	r.tick.Stop()
}

// signal wakes the goroutine. One signal is enough for all that came since it looked last.
func (r *completer) signal() {
	select {
	case r.came <- struct{}{}:
	default:
	}
}

// add takes a result. It never waits: that there are not too many results is assured by
// full, which is asked before an attempt begins.
func (r *completer) add(one result) {
	r.start()
	r.intake.put(one)
	r.signal()
}

// full reports whether too many results wait to be written, so that no attempt may
// begin. Once that is so, it stays so until only half as many wait: otherwise attempts
// would begin one by one at the limit. The tenant's queues are woken then. Queues ask it
// with their lock held.
func (r *completer) full() bool {
	full, first := r.intake.full()
	if first {
		r.signal() // if nothing is left to be written by now, nobody else would let the queues go on
	}
	return full
}

// recorded is called once a result is written: the queue may forget its delivery.
func (r *completer) recorded(one *result) {
	one.memory.Give()
	one.slot.Give()
	one.queue.done(one.it, one.completion.Due)
	r.intake.remove(one)
	r.goOnIfLittleWaits()
}

// goOnIfLittleWaits wakes the tenant's queues if they wait for results to be written, and
// little enough is left. It runs on the goroutine of the completer.
func (r *completer) goOnIfLittleWaits() {
	if r.intake.reopened() {
		for _, q := range r.queues() {
			q.wake()
		}
	}
}

// queues returns the endpoint queues of the tenant. The list is a copy.
func (r *completer) queues() []*queue {
	return slices.DeleteFunc(r.d.allQueues(), func(q *queue) bool { return q.completer != r })
}

// loop is the goroutine of the completer. It writes all results that wait, then retries
// the failing ones, and then waits for more.
func (r *completer) loop() {
	defer close(r.ended)
	for {
		// Queues that leave come first, since another node waits for them.
		r.recordLeaving()
		r.goOnIfLittleWaits()
		group, stopped := r.gather()
		switch {
		case len(group) > 0:
			r.record(group)
			if len(r.failing) > 0 {
				r.retry(r.d.clock.Now())
			}
			// A busy tenant comes to no wait, so the failing results are tried again here.
			continue
		case stopped:
			r.end()
			return
		}
		r.wait()
		if len(r.failing) > 0 {
			r.retry(r.d.clock.Now())
		}
	}
}

// wait returns when a result came, when a failing result is to be tried again, or after
// the health was written. The signal may be of what was gathered before; then the loop
// comes back here.
func (r *completer) wait() {
	again := make(chan struct{})
	if len(r.failing) > 0 {
		next := slices.MinFunc(r.failing, func(a, b failing) int { return a.again.Compare(b.again) })
		timer := clock.At(r.d.clock, next.again, func() { close(again) })
		defer timer.Stop()
	}
	select {
	case <-r.came:
	case <-again:
	case <-r.tick.C:
		r.recordHealth()
	}
}

// gather takes waiting results, as many as one write may have. The oldest come first.
func (r *completer) gather() (group []result, stopped bool) {
	stopped = r.stopped.Load() // before the results are taken: no other one comes after it
	r.waiting = r.intake.take(r.waiting)
	n := 0
	for exported := 0; n < min(len(r.waiting), mostRecorded) && exported < mostExported; n++ {
		if one := &r.waiting[n]; one.completion.Attempt.Kind == attempt.KindExport {
			exported += len(one.event.Data)
		}
	}
	group = slices.Clone(r.waiting[:n])
	// What was taken must not be kept in memory by what still waits.
	clear(r.waiting[:n])
	if r.waiting = r.waiting[n:]; len(r.waiting) == 0 {
		r.waiting = nil
	}
	return group, stopped
}

// record writes a group of results, with the health of their endpoints. If the write
// fails, each result is written by itself: one bad result must not hold up the others. It
// runs on the goroutine of the completer, as all that writes does.
func (r *completer) record(group []result) {
	health := healthChanges{}
	now := r.d.clock.Now()
	for _, one := range group {
		r.take(health, one.queue, now, whenDue)
	}
	err := r.write(group, health)
	if err == nil {
		for i := range group {
			r.recorded(&group[i])
		}
		return
	}
	// The health goes back to its queues, and is written with a later group.
	r.giveBack(health)
	if errors.Is(err, nodes.ErrLost) {
		r.recordByLease(group)
		return
	}
	// Only when the process ends does write give up an unavailable database.
	r.over = apierr.KindOf(err) == apierr.Unavailable
	for i := range group { // one of the results, or the health that was written with them, caused the error
		r.recordAlone(failing{result: group[i]})
	}
}

// recordByLease writes a group of results of which some are by a lease that another node
// has: the results of each lease by themselves. If all have one lease, that is the one
// which was lost.
func (r *completer) recordByLease(group []result) {
	byLease := map[nodes.Lease][]result{}
	for _, one := range group {
		byLease[one.queue.lease] = append(byLease[one.queue.lease], one)
	}
	for _, some := range byLease {
		if len(byLease) > 1 {
			r.record(some)
			continue
		}
		for i := range some {
			r.lost(&some[i])
		}
	}
}

// recordAlone writes one result, or notes it as failing, to be tried again. The health of
// its endpoint is not in this write, since that may have caused the error.
func (r *completer) recordAlone(one failing) {
	err := r.write([]result{one.result}, nil)
	if errors.Is(err, nodes.ErrLost) {
		r.lost(&one.result)
		return
	}
	if err == nil {
		r.recorded(&one.result)
		return
	}
	one.slot.Give()
	one.failures++
	one.again = r.d.clock.Now().Add(pauseAfter(one.failures))
	r.failing = append(r.failing, one)
	if !r.over { // else the method end logs it
		r.d.warnings.warn(one.queue.key.tenant, "an attempt cannot be recorded yet: it is kept, and not made again",
			append(attemptIDs(one.target, one.it, one.completion.Attempt), "tries", one.failures, "because", err)...)
	}
}

// lost drops a result that is another node's to find out: it makes the attempt again. The
// answer that came is dropped: only one node may decide what becomes of the delivery.
func (r *completer) lost(one *result) {
	r.d.warnings.warn(r.tenant, "an attempt is not recorded: another node has taken over its endpoint, and makes it again",
		attemptIDs(one.target, one.it, one.completion.Attempt)...)
	one.queue.retire()
	delete(r.unsure, one.queue)
	r.recorded(one)
}

// pauseAfter returns how long to wait after so many failures: 1 s, 2 s, 4 s, up to a
// minute, each a tenth longer or shorter by chance.
func pauseAfter(failures int) time.Duration {
	return jittered(min(firstPause<<min(failures-1, 10), longestPause))
}

// retry tries to write the failing results that are due, and those that are due soon:
// there may be thousands, and the whole list is read for each call.
func (r *completer) retry(now time.Time) {
	now = now.Add(firstPause / 10)
	later := r.failing[:0:0]
	var due []failing
	for _, one := range r.failing {
		if now.Before(one.again) {
			later = append(later, one)
		} else {
			due = append(due, one)
		}
	}
	r.failing = later
	for _, one := range due {
		r.recordAlone(one)
	}
}

// end is the last thing that a completer does. A result that still cannot be written is
// lost, and its attempt is made again after the next start. The database gets one more try
// for each, so that the end is not held up.
func (r *completer) end() {
	left := r.failing
	r.failing = nil
	for _, one := range left {
		r.recordAlone(one)
	}
	r.noteDirty()
	r.recordHealth()
	for _, one := range r.failing {
		r.d.log.Error("an attempt was not recorded before the end: it will be made again",
			append([]any{"tenant", one.queue.key.tenant}, attemptIDs(one.target, one.it, one.completion.Attempt)...)...)
	}
}
