package delivery

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// queueKey identifies an endpoint queue. endpoint is the No of the endpoint.
type queueKey struct {
	tenant   string
	endpoint int64
}

// queue is an endpoint queue. It has the next due deliveries of one endpoint in memory,
// and makes as many attempts at a time as the endpoint's concurrency allows. A slow
// endpoint fills its own queue and no other. state.go says what a queue does, and why it
// waits; a queue that waits has no goroutine.
//
// A queue holds a delivery from when it is queued until its attempt is written. Nothing
// else in this process attempts the delivery meanwhile.
//
// What comes from other goroutines, as offer, change and done, takes the lock. Where a
// method changes the queue without taking it, as drop, forget, pump and begin, it is called
// with the lock held.
type queue struct {
	d         *Dispatcher
	key       queueKey
	lease     nodes.Lease // of its shard
	completer *completer  // of its tenant

	mu       sync.Mutex
	version  int64         // of the tenant's endpoints, that of target
	retired  bool          // another node has the endpoint, or gets it
	drained  chan struct{} // closed once it is retired, and nothing is under way or is being written
	state    queueState    // as it was when pump looked last
	target   *target       // nil: nothing is sent, because the endpoint is off
	backlog  backlog
	table    table
	underWay int  // attempts
	asked    bool // it has asked for a slot, and has not got it yet
	breaker  breaker.Breaker
	limiter  *rate.Limiter // nil: no limit
	paused   time.Time     // no attempt begins before this, because this server had a problem of its own
	alarm    alarm
	health   health
}

// newQueue returns a queue that is off, and knows of no delivery, until change gives it a
// target.
func newQueue(d *Dispatcher, key queueKey, lease nodes.Lease, r *completer) *queue {
	q := &queue{d: d, key: key, lease: lease, completer: r, drained: make(chan struct{}), table: table{reading: readCurrent, low: loadSize / 2}, breaker: newBreaker(d.clock.Now())}
	q.health.since, q.health.silence = d.clock.Now(), longestSilence(d.disableAfter)
	return q
}

// change gives the queue a new target after its endpoint was made or changed; nil turns
// it off. Then the queue reads its table: other deliveries may be due now. What comes
// later than a later version is ignored.
func (q *queue) change(t *target, version int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	// Where several nodes change endpoints, an earlier version may be heard of after a
	// later one.
	if q.retired || version < q.version {
		return
	}
	was := q.target
	q.target, q.version = t, version
	q.table.is(fellBehind)
	// The rows that wait have another order from now on, or are about to get one from a
	// job.
	if t == nil || was != nil && (was.Ordering != t.Ordering || was.Reordering != t.Reordering) {
		q.drop()
	}
	if t != nil && (was == nil || was.URL != t.URL) { // what failed at the old URL says nothing about the new one
		q.breaker = newBreaker(q.d.clock.Now())
		q.health.change.Failures, q.health.change.FailingSince, q.health.change.Streak = 0, time.Time{}, event.Streak{}
	}
	if t == nil {
		q.backlog.trials = nil
		q.state = stateOff
		return
	}
	q.limit(t.RateLimit)
	q.pump()
}

// readAnew makes the queue forget its waiting deliveries and read its table: the rows
// have changed, and the queue was not told how. What is under way is not touched.
func (q *queue) readAnew() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	q.pump()
}

// drop forgets the waiting deliveries. They stay in the table, where others may be due
// by now.
func (q *queue) drop() {
	for _, it := range q.backlog.items {
		q.forget(it)
	}
	q.backlog.items = nil
	q.table.is(changedAll)
}

// limit sets the rate limit, in attempts a second; 0 is no limit. A limit that changes
// keeps what was left of the one before.
func (q *queue) limit(perSecond float64) {
	switch {
	case perSecond == 0:
		q.limiter = nil
	case q.limiter != nil:
		q.limiter.SetLimitAt(q.d.clock.Now(), rate.Limit(perSecond))
	default:
		q.limiter = rate.NewLimiter(rate.Limit(perSecond), 1)
		if q.d.starting.Load() > 0 { // the process before this one may have sent a request just now
			q.limiter.ReserveN(q.d.clock.Now(), 1)
		}
	}
}

// offer takes a delivery that became due. If the queue is full, it stays in the table,
// and the queue notes that it is behind. For an endpoint that is off, what is due only
// waits in the table.
func (q *queue) offer(due store.Due) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.target == nil {
		return
	}
	if !q.backlog.offer(q.d.memory, due) {
		q.table.is(fellBehind)
	}
	q.pump()
}

// ended removes a delivery that was canceled. An attempt that is under way cannot be
// taken back. Its result is stored nevertheless.
func (q *queue) ended(event int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.table.complete(event)
	if it, ok := q.backlog.cancel(event); ok {
		q.forget(it)
		q.pump()
	}
}

// forget stops holding a delivery. If it became due again meanwhile, because somebody
// sent it again, the queue notes that it is behind, and the next reading of the table
// finds it.
func (q *queue) forget(it item) {
	if q.backlog.forget(q.d.memory, it) {
		q.table.is(fellBehind)
	}
	q.noteDrained()
}

// situation returns all that the state depends on, as it is now. A queue that is full is
// asked for nothing else, since next goes through the backlog.
func (q *queue) situation(now time.Time) situation {
	s := situation{
		now: now, stopping: q.d.stopping.Load() || q.retired || !q.d.node.Sure(), on: q.target != nil, underWay: q.underWay,
		unwritten: q.completer.full(), paused: q.paused, asked: q.asked,
	}
	if !s.on {
		return s
	}
	if s.most = q.target.Concurrency; s.underWay >= s.most {
		return s // full, whatever else there is
	}
	at, byHand := q.backlog.next()
	s.work, s.byHand = at >= 0, byHand
	s.admitted, s.circuit = q.breaker.Admits(now)
	if q.limiter != nil {
		s.rate = q.nextOfRate(now)
	}
	return s
}

// nextOfRate returns when the rate limit of a queue that has one allows the next attempt;
// zero: now. It takes nothing from the limit.
func (q *queue) nextOfRate(now time.Time) time.Time {
	missing := 1 - q.limiter.TokensAt(now)
	if missing <= 0 {
		return time.Time{}
	}
	wait := time.Duration(missing / float64(q.limiter.Limit()) * float64(time.Second))
	return now.Add(wait + time.Microsecond) // by rounding, the wait could be 0, and the queue would look again at once, without end
}

// pump begins as many attempts as may begin now. If more may begin at a later time, it
// sets the alarm for that. If the queue runs low, it has the table read. It is called
// after every change of the queue, with the lock held.
func (q *queue) pump() {
	// Each of these goroutines goes on with further deliveries when its attempt has ended:
	// see run.
	for slot := q.slot(); slot != nil; slot = q.slot() {
		it := q.begin()
		q.d.work.Go(func() { q.run(it, slot) })
	}
	q.look()
}

// slot returns a slot for the next attempt, if the attempt may begin now. If there is no
// free slot, it returns nil, and granted is called with one later. The state stays as it
// was found until the next look: the metrics and wake go by it.
func (q *queue) slot() (slot *fair.Part) {
	now, until := q.d.clock.Now(), time.Time{}
	if q.state, until = q.situation(now).state(); q.state != stateReady {
		if !until.IsZero() {
			q.alarm.by(q, until)
		}
		return nil
	}
	// granted waits for the lock that is held here, so it finds that the queue has asked.
	if slot, _ = q.d.slots.Ask(q.target.caller(q.key.tenant), 1, q.granted); slot == nil {
		q.asked, q.state = true, stateSlot
	}
	return slot
}

// granted is called with the slot that the queue asked for. It begins an attempt, if
// there still is something to attempt. It is called on the goroutine of whoever gave the
// slot back.
func (q *queue) granted(slot *fair.Part) {
	if !q.beginGranted(slot) {
		slot.Give() // after the lock was freed: this calls granted of another queue, which takes its own lock
	}
}

// beginGranted begins an attempt in a granted slot, and reports whether it did. Since the
// queue asked for the slot, its endpoint may have been turned off, or its deliveries
// canceled.
func (q *queue) beginGranted(slot *fair.Part) (ready bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked = false
	q.state, _ = q.situation(q.d.clock.Now()).state()
	if ready = q.state == stateReady; ready {
		it := q.begin()
		q.d.work.Go(func() { q.run(it, slot) })
	}
	q.pump()
	return ready
}

// begin takes the next delivery out of the backlog, for an attempt that begins now. The
// state is ready, so there is one, and the caller has a slot for it.
func (q *queue) begin() item {
	now := q.d.clock.Now()
	if q.limiter != nil {
		q.limiter.AllowN(now, 1)
	}
	it := q.backlog.take()
	// An attempt by hand may begin while the circuit is open. The breaker has not begun it,
	// but hears how it ended: a success closes the circuit all the same.
	if admitted, _ := q.breaker.Admits(now); admitted {
		it.call = q.breaker.Begin(now)
	}
	q.underWay++
	return it
}

// run is a goroutine of the queue. It makes an attempt, and then others, as long as there
// are deliveries and it is this endpoint's turn.
func (q *queue) run(it item, slot *fair.Part) {
	for slot != nil {
		made := false
		// The endpoint may have been turned off after the delivery was taken.
		if target := q.current(); target != nil {
			made = q.d.attempt(q, target, it, slot)
		} else {
			q.returnToTable(it, time.Time{})
		}
		if !made {
			slot.Give()
		}
		it, slot = q.another()
	}
}

// current returns the target; nil if the endpoint is off. A target never changes, so its
// user needs no lock.
func (q *queue) current() *target {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.target
}

// another ends an attempt. It returns the next delivery and its slot; the slot is nil if
// no attempt may begin now.
func (q *queue) another() (it item, slot *fair.Part) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.underWay--
	if slot = q.slot(); slot == nil {
		q.look()
		return item{}, nil
	}
	it = q.begin()
	// Others may begin beside this one.
	q.pump()
	return it, slot
}

// wake is called when the completer is not full any more: a queue that waited for that
// looks for work again.
func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state == stateUnwritten {
		q.pump()
	}
}

// filterFailed notes an event that the endpoint's filter could not evaluate.
func (q *queue) filterFailed(u store.FilterFailure) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.health.filterFailed(u)
}

// answered tells the breaker and the health what an attempt came to; more says whether
// the delivery will be attempted again. If the URL of the endpoint was changed since, the
// attempt says nothing about the new one, and is left out. The log is written without the
// lock.
func (q *queue) answered(t *target, it item, a *attempt.Attempt, now time.Time, more bool) {
	q.mu.Lock()
	if q.target != nil && q.target.URL != t.URL {
		q.mu.Unlock()
		return
	}
	q.health.attempted(now, a.Error, a.Number, more)
	was := q.breaker.State(now)
	opened := q.breaker.End(now, it.call, a.Error == "")
	if opened || was != q.breaker.State(now) {
		q.tellCircuit(now)
	}
	q.mu.Unlock()
	if opened && was == breaker.Closed {
		q.d.warnings.warn(q.key.tenant, "the circuit of an endpoint opened: its deliveries wait", append(attemptIDs(t, it, a), "failures", breakerFailures)...)
	}
}

// returnToTable forgets a delivery that was not attempted. It is still due, and is read
// from the table again: at the given time or, if that is zero, when the queue looks next.
func (q *queue) returnToTable(it item, again time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.letGo(it, again)
}

// pause is returnToTable after an attempt that failed by a problem of this server: no
// other attempt of the queue begins before that time either.
func (q *queue) pause(it item, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.paused = until
	q.letGo(it, until)
}

// letGo does the work of returnToTable and pause. If the attempt was the circuit's trial,
// another one may be that. It begins nothing: its caller is a goroutine of the queue, which
// looks for the next delivery itself.
func (q *queue) letGo(it item, again time.Time) {
	q.forget(it)
	q.backlog.leave(it)
	q.breaker.Cancel(it.call)
	if again.IsZero() {
		q.table.is(fellBehind)
	} else {
		q.lookBy(again)
	}
}

// done forgets a delivery whose attempt is written. If the delivery is due again at a
// later time, the queue reads its table then; zero: the delivery has ended. Until now
// nothing else could attempt the delivery.
func (q *queue) done(it item, again time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(it)
	q.backlog.leave(it)
	// A reading that began before the write may still show the delivery as due.
	q.table.complete(it.Delivery.Event)
	if !again.IsZero() {
		q.lookBy(again)
	}
	q.pump()
}

// stop ends the queue's timer. No attempt begins any more, so there is nothing to wake the
// queue for.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.alarm.stop()
}
