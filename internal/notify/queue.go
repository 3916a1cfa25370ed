package notify

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

type queueKey struct {
	tenant   string
	endpoint int64
}

// queue is an endpoint queue: one endpoint's deliveries on their way, those due
// that it holds in memory, and up to the endpoint's concurrency of attempts. A
// slow endpoint fills its own queue and no other. What it does, its state says
// (state.go); a queue that waits has no goroutine.
//
// It holds a delivery from when it is queued until its attempt is durable;
// nothing else in this process attempts it meanwhile.
type queue struct {
	d        *Dispatcher
	key      queueKey
	recorder *recorder // of its tenant

	mu       sync.Mutex
	state    state   // as pump found it last
	target   *target // nil: nothing is sent, as to an endpoint that is off
	backlog  backlog
	table    table
	underWay int  // attempts
	asked    bool // for a slot that was not granted yet
	breaker  breaker
	limiter  *rate.Limiter // nil: no limit
	paused   time.Time     // no attempt begins before, since this server had trouble of its own
	alarm    alarm
	health   health
}

func newQueue(d *Dispatcher, key queueKey, r *recorder) *queue {
	q := &queue{d: d, key: key, recorder: r, table: table{reading: readCurrent, low: loadSize / 2}}
	q.health.written, q.health.silence = d.clock.Now(), longestSilence(d.disableAfter)
	return q
}

// change gives the queue another target, nil for an endpoint that is off, and
// has it look at its table.
func (q *queue) change(t *target) {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := q.target
	q.target = t
	q.table.is(fellBehind)
	if t == nil || was != nil && (was.Ordering != t.Ordering || was.Reordering != t.Reordering) {
		q.drop()
	}
	if t != nil && (was == nil || was.URL != t.URL) { // it begins anew
		q.breaker = breaker{}
		q.health.change.Failures, q.health.change.FailingSince, q.health.change.Streak = 0, time.Time{}, oms.Streak{}
	}
	if t == nil {
		q.backlog.trials = nil
		q.state = stateOff
		return
	}
	q.limit(t.RateLimit)
	q.pump()
}

// readAnew has the queue forget what it holds, and look at its table: what is due
// has changed there without a word.
func (q *queue) readAnew() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	q.pump()
}

// drop forgets what is queued: it stays in the table, where another matter is due
// by now.
func (q *queue) drop() {
	for _, it := range q.backlog.items {
		q.forget(it)
	}
	q.backlog.items = nil
	q.table.is(changedAll)
}

// limit sets the rate, in attempts a second; 0 is none.
func (q *queue) limit(perSecond float64) {
	switch {
	case perSecond == 0:
		q.limiter = nil
	case q.limiter != nil:
		q.limiter.SetLimitAt(q.d.clock.Now(), rate.Limit(perSecond))
	default:
		q.limiter = rate.NewLimiter(rate.Limit(perSecond), 1)
		if q.d.starting.Load() { // nobody knows when the process before this one sent its last
			q.limiter.ReserveN(q.d.clock.Now(), 1)
		}
	}
}

// offer takes a delivery that became due, if there is room.
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

// ended takes a delivery that was canceled out of the queue. One under way is
// past that.
func (q *queue) ended(event int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.table.settle(event)
	if it, ok := q.backlog.cancel(event); ok {
		q.forget(it)
		q.pump()
	}
}

// forget ends the holding of a delivery. If it is still to be tried by hand, the
// next reading of the table finds it so.
func (q *queue) forget(it item) {
	if q.backlog.forget(q.d.memory, it) {
		q.table.is(fellBehind)
	}
}

// situation is what the state depends on, now.
func (q *queue) situation(now time.Time) situation {
	s := situation{
		now: now, stopping: q.d.stopping.Load(), on: q.target != nil, underWay: q.underWay,
		unwritten: q.recorder.full(), paused: q.paused, asked: q.asked,
	}
	if !s.on {
		return s
	}
	if s.most = q.target.Concurrency; s.underWay >= s.most {
		return s // whatever it holds
	}
	at, byHand := q.backlog.next()
	s.work, s.byHand = at >= 0, byHand
	s.admitted, s.circuit = q.breaker.admits(now)
	s.rate = q.nextOfRate(now)
	return s
}

// nextOfRate returns when the rate has an attempt to give.
func (q *queue) nextOfRate(now time.Time) time.Time {
	if q.limiter == nil {
		return time.Time{}
	}
	missing := 1 - q.limiter.TokensAt(now)
	if missing <= 0 {
		return time.Time{}
	}
	wait := time.Duration(missing / float64(q.limiter.Limit()) * float64(time.Second))
	return now.Add(wait + time.Microsecond) // never a wait of nothing, for what is missing to the last digit
}

// pump begins as many attempts as may begin now, sees to it that it is called
// again when more may, and has the table read when the queue runs low.
func (q *queue) pump() {
	for slot := q.slot(); slot != nil; slot = q.slot() {
		it := q.begin()
		q.d.work.Go(func() { q.run(it, slot) })
	}
	q.look()
}

// slot returns a slot for the next attempt if that may begin now. If only the slot
// is wanting, granted is called with it later.
func (q *queue) slot() (slot *fair.Part) {
	now, until := q.d.clock.Now(), time.Time{}
	if q.state, until = q.situation(now).state(); q.state != stateReady {
		if !until.IsZero() {
			q.alarm.by(q, until)
		}
		return nil
	}
	if slot, _ = q.d.slots.Ask(q.target.caller(q.key.tenant), 1, q.granted); slot == nil {
		q.asked, q.state = true, stateSlot
	}
	return slot
}

// granted begins the attempt that waited for a slot, if there still is one.
func (q *queue) granted(slot *fair.Part) {
	if !q.beginGranted(slot) {
		slot.Give() // without the lock: others get it now
	}
}

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

// begin takes the next delivery for an attempt that begins now.
func (q *queue) begin() item {
	now := q.d.clock.Now()
	if q.limiter != nil {
		q.limiter.AllowN(now, 1)
	}
	admitted, _ := q.breaker.admits(now)
	it := q.backlog.take()
	it.trial = admitted && q.breaker.begin()
	q.underWay++
	return it
}

// run makes an attempt, and goes on with others for as long as there are any, and
// it is this endpoint's turn.
func (q *queue) run(it item, slot *fair.Part) {
	for slot != nil {
		if target := q.current(); target != nil {
			q.d.attempt(q, target, it, slot)
		} else {
			q.release(it, time.Time{})
		}
		slot.Give()
		it, slot = q.another()
	}
}

func (q *queue) current() *target {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.target
}

// another ends an attempt, and returns the next one and its slot, nil if none may
// begin now.
func (q *queue) another() (it item, slot *fair.Part) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.underWay--
	if slot = q.slot(); slot == nil {
		q.look()
		return item{}, nil
	}
	it = q.begin()
	q.pump()
	return it, slot
}

// wake has a queue look for work that the recorder kept back.
func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state == stateUnwritten {
		q.pump()
	}
}

// unjudged notes an event that the endpoint's filter could not judge.
func (q *queue) unjudged(u store.Unjudged) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.health.unjudged(u)
}

// answered lets breaker and health know of an attempt at a target, and of whether
// more follow. If the endpoint has moved since, it says nothing of where that is
// now.
func (q *queue) answered(t *target, it item, a *oms.Attempt, now time.Time, more bool) {
	if q.opens(t, it, a, now, more) {
		q.d.warnings.warn(q.key.tenant, "the circuit of an endpoint opened: its deliveries wait", append(attemptIDs(t, it, a), "failures", breakerFailures)...)
	}
}

// opens is answered, and reports whether the breaker has opened with it.
func (q *queue) opens(t *target, it item, a *oms.Attempt, now time.Time, more bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.target != nil && q.target.URL != t.URL {
		return false
	}
	q.health.attempted(now, a.Error, a.Number, more)
	return q.breaker.end(now, a.Error == "", it.trial)
}

// release lets go of a delivery that was not attempted, to be read from the
// table again: at a time, or, if that is zero, when the queue next looks.
func (q *queue) release(it item, again time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.letGo(it, again)
}

// pause is release for an attempt at which this server had trouble of its own: no
// other is begun before that time either.
func (q *queue) pause(it item, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.paused = until
	q.letGo(it, until)
}

func (q *queue) letGo(it item, again time.Time) {
	q.forget(it)
	q.backlog.leave(it)
	q.breaker.giveBack(it.trial)
	if again.IsZero() {
		q.table.is(fellBehind)
	} else {
		q.lookBy(again)
	}
}

// done lets go of a delivery whose attempt is durable, and comes back for it
// when it is due again; zero: it has ended.
func (q *queue) done(it item, again time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(it)
	q.backlog.leave(it)
	q.table.settle(it.Delivery.Event)
	if !again.IsZero() {
		q.lookBy(again)
	}
	q.pump()
}

// stop ends the queue's timer.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.alarm.stop()
}
