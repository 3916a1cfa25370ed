package notify

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// result is an attempt that was made, to be recorded.
type result struct {
	queue   *queue
	target  *target
	it      item
	event   *oms.Event
	settled store.Settlement
	disable string     // why the endpoint is to be turned off with it; "": it is not
	refused bool       // the target guard kept the request back
	memory  *fair.Part // of the answer
}

// size is about how many bytes a result takes.
func (r *result) size() int64 {
	const least = 2 << 10 // headers, times, names
	n := int64(least)
	if d := r.settled.Attempt.Detail; d != nil && d.Response != nil {
		n += int64(len(d.Response.Body))
	}
	return n
}

// recorder makes the attempts of a tenant durable: all that wait in one write. What
// cannot be recorded is kept, and tried again until it can: what was answered is not
// sent again. While as much waits as it may hold, no attempt of the tenant begins.
//
// Each tenant has its own, for what is written with an attempt may be much: the end
// of an export changes its order, and a delivery that failed is an event.
type recorder struct {
	d      *Dispatcher
	tenant string
	start  func()        // starts the goroutine, once
	came   chan struct{} // a result came, or over became true
	ended  chan struct{}
	tick   *time.Ticker // for the health of queues that have gone quiet

	mu      sync.Mutex
	waiting []result
	count   int   // results that are not recorded yet, those that are kept included
	bytes   int64 // of them
	kept    bool  // attempts are kept back by full
	stopped bool  // no result comes any more

	// What follows is the goroutine's own.
	failing []failing
	dirty   map[*queue]bool
	over    bool // the process ends, and the database takes nothing
}

// failing is a result that the database does not take.
type failing struct {
	result
	failures int
	again    time.Time // when it is tried next
}

const (
	mostRecorded   = 512      // results in one write
	mostExported   = 8 << 20  // bytes of exports, each of which has its order read, at which no further result goes along
	mostHealth     = 200      // endpoints' health in one
	mostUnrecorded = 4096     // results that wait, at which no further attempt begins
	mostBytes      = 32 << 20 // and bytes of them
	firstTryAgain  = 50 * time.Millisecond
	longestTryWait = 2 * time.Second
	// A result that the database does not take, for another reason than that it
	// takes nothing now, is tried again after growing pauses.
	firstPause   = time.Second
	longestPause = time.Minute
)

// newRecorder returns a recorder whose goroutine starts with the first result.
func newRecorder(d *Dispatcher, tenant string) *recorder {
	r := &recorder{d: d, tenant: tenant, came: make(chan struct{}, 1), ended: make(chan struct{}), dirty: map[*queue]bool{}}
	r.start = sync.OnceFunc(func() {
		r.tick = time.NewTicker(healthEvery)
		go r.loop()
	})
	return r
}

// stop records what is left and ends. No result may come any more.
func (r *recorder) stop() {
	r.start() // what events could not be judged is to be recorded, too
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.signal()
	<-r.ended
	r.tick.Stop()
}

func (r *recorder) signal() {
	select {
	case r.came <- struct{}{}:
	default:
	}
}

// add takes a result. It does not wait: full has kept too many from coming.
func (r *recorder) add(one result) {
	r.start()
	r.mu.Lock()
	r.waiting = append(r.waiting, one)
	r.count++
	r.bytes += one.size()
	r.mu.Unlock()
	r.signal()
}

// full reports whether as much waits to be recorded as may, and half of it is not
// recorded since: no attempt is to begin. Queues that asked are woken then.
func (r *recorder) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = r.kept || r.count >= mostUnrecorded || r.bytes >= mostBytes
	return r.kept
}

// recorded ends the waiting of a result.
func (r *recorder) recorded(one *result) {
	one.memory.Give()
	one.queue.done(one.it, one.settled.Due)
	r.mu.Lock()
	r.count--
	r.bytes -= one.size()
	wake := r.kept && r.count <= mostUnrecorded/2 && r.bytes <= mostBytes/2
	r.kept = r.kept && !wake
	r.mu.Unlock()
	if wake {
		for _, q := range r.queues() {
			q.wake()
		}
	}
}

// queues are those of the tenant.
func (r *recorder) queues() []*queue {
	return slices.DeleteFunc(r.d.allQueues(), func(q *queue) bool { return q.recorder != r })
}

func (r *recorder) loop() {
	defer close(r.ended)
	for {
		group, stopped := r.gather()
		switch {
		case len(group) > 0:
			r.record(group)
			r.retry(r.d.clock.Now())
			continue
		case stopped:
			r.end()
			return
		}
		r.wait()
		r.retry(r.d.clock.Now())
	}
}

// wait returns when there is something to do.
func (r *recorder) wait() {
	again := make(chan struct{})
	if next := r.next(); !next.IsZero() {
		timer := clock.At(r.d.clock, next, func() { close(again) })
		defer timer.Stop()
	}
	select {
	case <-r.came:
	case <-again:
	case <-r.tick.C:
		r.recordHealth()
	}
}

// gather takes those that wait, as many as go into one write.
func (r *recorder) gather() (group []result, stopped bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for exported := 0; n < min(len(r.waiting), mostRecorded) && exported < mostExported; n++ {
		if one := &r.waiting[n]; one.settled.Attempt.Kind == oms.KindExport {
			exported += len(one.event.Data)
		}
	}
	group = slices.Clone(r.waiting[:n])
	clear(r.waiting[:n])
	if r.waiting = r.waiting[n:]; len(r.waiting) == 0 {
		r.waiting = nil
	}
	return group, r.stopped
}

// record writes a group. What cannot be written is kept.
func (r *recorder) record(group []result) {
	health := changes{}
	now := r.d.clock.Now()
	for _, one := range group {
		r.take(health, one.queue, now, false)
	}
	err := r.write(group, health)
	if err == nil {
		for i := range group {
			r.recorded(&group[i])
		}
		return
	}
	r.giveBack(health)
	r.over = oms.KindOf(err) == oms.Unavailable
	for i := range group { // one of it, or the health that went with it, is to blame
		r.recordAlone(failing{result: group[i]})
	}
}

// recordAlone writes one result, or keeps it until later.
func (r *recorder) recordAlone(one failing) {
	err := r.write([]result{one.result}, nil)
	if err == nil {
		r.recorded(&one.result)
		return
	}
	one.failures++
	one.again = r.d.clock.Now().Add(pauseAfter(one.failures))
	r.failing = append(r.failing, one)
	if !r.over { // then end says so
		r.d.warnings.warn(one.queue.key.tenant, "an attempt cannot be recorded yet: it is kept, and not made again",
			append(attemptIDs(one.target, one.it, one.settled.Attempt), "tries", one.failures, "because", err)...)
	}
}

// pauseAfter is how long to wait after so many failures: a second, two, four, up to
// a minute, give or take a tenth.
func pauseAfter(failures int) time.Duration {
	pause := min(firstPause<<min(failures-1, 10), longestPause)
	return time.Duration(float64(pause) * (1 + jitter*(2*rand.Float64()-1)))
}

// next is when the first of the failing results is to be tried again; zero: there
// are none.
func (r *recorder) next() time.Time {
	if len(r.failing) == 0 {
		return time.Time{}
	}
	first := slices.MinFunc(r.failing, func(a, b failing) int { return a.again.Compare(b.again) })
	return first.again
}

// retry tries to record those of the failing results whose time has come, or comes
// soon: thousands are not looked through for each of them.
func (r *recorder) retry(now time.Time) {
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

// end is the last that a recorder does. What cannot be recorded even now is made
// again after the next start.
func (r *recorder) end() {
	left := r.failing
	r.failing = nil
	for _, one := range left {
		r.recordAlone(one)
	}
	r.noteDirty()
	r.recordHealth()
	for _, one := range r.failing {
		r.d.log.Error("an attempt was not recorded before the end: it will be made again",
			append([]any{"tenant", one.queue.key.tenant}, attemptIDs(one.target, one.it, one.settled.Attempt)...)...)
	}
}

// recordHealth writes the health of queues that have gone quiet since it
// changed, of a few at a time: others want to write, too.
func (r *recorder) recordHealth() {
	now := r.d.clock.Now()
	for quiet := slices.Collect(maps.Keys(r.dirty)); len(quiet) > 0 && !r.over; {
		some := quiet[:min(len(quiet), mostHealth)]
		quiet = quiet[len(some):]
		health := changes{}
		for _, q := range some {
			r.take(health, q, now, true)
		}
		if err := r.write(nil, health); err != nil {
			r.d.log.Warn("the health of endpoints cannot be recorded", "error", err)
			r.giveBack(health)
			return
		}
	}
}

// noteDirty finds the queues whose health changed without an attempt since.
func (r *recorder) noteDirty() {
	for _, q := range r.queues() {
		q.mu.Lock()
		if q.health.dirty {
			r.dirty[q] = true
		}
		q.mu.Unlock()
	}
}

// changes is what queues have to say about their endpoints' health.
type changes map[*queue]store.HealthChange

// take adds a queue's, if it is time for it or always.
func (r *recorder) take(health changes, q *queue, now time.Time, always bool) {
	if _, taken := health[q]; taken {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if c, ok := q.health.take(now, always); ok {
		health[q] = c
		delete(r.dirty, q)
	} else if q.health.dirty {
		r.dirty[q] = true
	}
}

// giveBack undoes a take whose write failed.
func (r *recorder) giveBack(health changes) {
	for q, taken := range health {
		q.mu.Lock()
		q.health.giveBack(taken)
		q.mu.Unlock()
		r.dirty[q] = true
	}
}

// write is one write, tried again while the database is not available.
// At the end of the process it is tried but once more.
func (r *recorder) write(group []result, health changes) error {
	for wait := firstTryAgain; ; wait = min(2*wait, longestTryWait) {
		if r.over {
			return errOver
		}
		var off []turnedOff
		err := r.d.store.Write(context.Background(), func(tx store.Tx) (err error) {
			off, err = r.settle(tx, group, health)
			return err
		})
		if err == nil {
			r.d.tell(group, off)
			return nil
		}
		if oms.KindOf(err) != oms.Unavailable || r.d.ctx.Err() != nil {
			return err
		}
		r.d.log.Warn("attempts wait to be recorded", "attempts", len(group), "error", err)
		_ = clock.Pause(r.d.ctx, r.d.clock, wait)
	}
}

// turnedOff is an endpoint that was turned off, and why.
type turnedOff struct{ tenant, endpoint, reason string }

// settle writes what came of attempts, and returns the endpoints that it turned
// off.
func (r *recorder) settle(tx store.Tx, group []result, health changes) (off []turnedOff, err error) {
	d := r.d
	settled := make([]store.Settlement, len(group))
	for i := range group {
		settled[i] = group[i].settled
	}
	if len(settled) > 0 {
		if err := tx.Settle(d.ctx, r.tenant, settled...); err != nil {
			return nil, err
		}
	}
	for i := range group {
		if off, err = d.conclude(tx, &group[i], off); err != nil {
			return nil, err
		}
	}
	for q, change := range health {
		h, err := tx.AddHealth(d.ctx, r.tenant, q.key.endpoint, change)
		if err != nil {
			return nil, err
		}
		about := q.current()
		if about == nil || !d.hopeless(about.Endpoint, h, change.LastFailure) {
			continue
		}
		off, err = d.disable(tx, about, r.tenant, reasonFailing(h.Streak.Since), h.Streak.Since, change.LastFailure, off)
		if err != nil {
			return nil, err
		}
	}
	return off, nil
}

// conclude writes what an attempt means beyond its delivery, and adds to off the
// endpoint, if it is turned off.
func (d *Dispatcher) conclude(tx store.Tx, r *result, off []turnedOff) ([]turnedOff, error) {
	tenant := r.queue.key.tenant
	if r.settled.Attempt.Kind == oms.KindExport && r.settled.Status != oms.DeliveryPending {
		if err := d.concludeExport(tx, tenant, r); err != nil {
			return nil, err
		}
	}
	if r.settled.Status == oms.DeliveryFailed {
		if err := d.tellOfFailure(tx, tenant, r); err != nil {
			return nil, err
		}
	}
	if r.disable == "" {
		return off, nil
	}
	return d.disable(tx, r.target, tenant, r.disable, time.Time{}, r.settled.At, off)
}

// tellOfFailure adds the event of a delivery that was given up, for the
// endpoints that name its type: without any there is none. Nobody is told of a
// delivery that was canceled while the attempt was made, nor of one of such an
// event itself.
func (d *Dispatcher) tellOfFailure(tx store.Tx, tenant string, r *result) error {
	if r.event.Type == oms.TypeDeliveryFailed {
		return nil
	}
	subscriptions, err := tx.Subscriptions(d.ctx, tenant)
	if err != nil || !subscriptions.Named(oms.TypeDeliveryFailed) {
		return err
	}
	delivery, err := tx.Delivery(d.ctx, tenant, r.settled.Key)
	if oms.KindOf(err) == oms.NotFound || err == nil && delivery.Status != oms.DeliveryFailed {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.AddEvents(d.ctx, tenant, oms.DeliveryFailedEvent(delivery, r.settled.At))
}

var (
	errGone = errors.New("the endpoint is gone")
	errOver = errors.New("the process ends, and the database takes no writes")
)
