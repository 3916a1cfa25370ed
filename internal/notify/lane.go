package notify

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// Bounds of what lanes keep in memory. What they have no room for stays in its
// table, due, and is read from there later.
const (
	laneRoom  = 8192     // deliveries that came straight from a commit, per lane
	totalRoom = 64 << 10 // and of all lanes together
	totalData = 64 << 20 // bytes of their events' data
	leastRoom = 32       // what a lane has in any case
	loadSize  = 256      // deliveries that are read from the table at once
	loadData  = 16 << 10 // bytes of data that an event has at most to be read with them
)

// mostWorkers is how many attempts all lanes make at the same time before each
// has but one: thousands of endpoints that wait for much, with the concurrency
// that each of them may have, would take all connections there are.
const mostWorkers = 2048

// lookAgain is how long a lane waits when its table could not be read.
const lookAgain = time.Second

// lookEvery is how often a lane looks at its table while it has enough to do: a
// repeat, or what there was no room for, must not wait for the end of a queue
// that always has more coming.
const lookEvery = time.Second

type laneKey struct {
	tenant   string
	endpoint int64
}

// item is a delivery that a lane holds.
type item struct {
	store.Due
	trial bool // it is the one attempt of a breaker that is half open
}

// lane is one endpoint's deliveries on their way: those due that it holds in
// memory, and up to the endpoint's concurrency of workers that attempt them. A
// slow endpoint fills its own lane and no other.
//
// A lane holds a delivery from when it is queued until its attempt is durable;
// nothing else in this process attempts it meanwhile.
type lane struct {
	d   *Dispatcher
	key laneKey

	mu      sync.Mutex
	target  *target         // nil: nothing is sent, as to an endpoint that is off
	queue   []item          // the longest due first
	held    map[int64]bool  // by the event's Seq
	again   map[int64]bool  // of those held, the ones that became due once more meanwhile
	groups  map[string]bool // those of which one is under way
	trials  map[int64]bool  // by the event's Seq: sent again by hand, and not attempted since
	workers int
	breaker breaker
	limiter *rate.Limiter // nil: no limit

	behind  bool           // the table may have due ones that are not held
	loading bool           // it is being read
	stale   bool           // what is being read is no longer what is due
	settled map[int64]bool // what was settled meanwhile: the reading may still show it as due
	looked  time.Time      // when it was last read
	low     int            // it is read again when the queue is as short as that
	dueAt   time.Time      // when the table has to be looked at again; zero: not by itself
	wake    clock.Timer    // for dueAt, the breaker, or the rate
	wakeAt  time.Time

	health health
}

// change gives the lane another target, nil for an endpoint that is off, and
// has it look at its table.
func (l *lane) change(t *target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.target
	l.target = t
	l.behind = true
	if t == nil || was != nil && (was.Ordering != t.Ordering || was.Reordering != t.Reordering) { // what is due is another matter now
		l.drop()
	}
	if t != nil && (was == nil || was.URL != t.URL) { // it begins anew
		l.breaker = breaker{}
		l.health.change.Failures, l.health.change.FailingSince, l.health.change.Streak = 0, time.Time{}, oms.Streak{}
	}
	if t == nil {
		clear(l.trials)
		return
	}
	l.limit(t.RateLimit)
	l.pump()
}

// readAnew has the lane forget what is queued, and look at its table: what is due
// has changed there without a word.
func (l *lane) readAnew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
	l.behind = true
	l.pump()
}

// limit sets the rate, in attempts a second; 0 is none.
func (l *lane) limit(perSecond float64) {
	switch {
	case perSecond == 0:
		l.limiter = nil
	case l.limiter != nil:
		l.limiter.SetLimitAt(l.d.clock.Now(), rate.Limit(perSecond))
	default:
		l.limiter = rate.NewLimiter(rate.Limit(perSecond), 1)
		if l.d.starting.Load() { // nobody knows when the process before this one sent its last
			l.limiter.ReserveN(l.d.clock.Now(), 1)
		}
	}
}

// drop forgets what is queued: it stays in the table.
func (l *lane) drop() {
	for _, it := range l.queue {
		l.forget(it)
	}
	l.queue = nil
	l.stale = l.loading
}

// forget ends the holding of a delivery. If it is still to be tried by hand, the
// next reading of the table finds it so.
func (l *lane) forget(it item) {
	if l.again[it.Delivery.Event] {
		delete(l.again, it.Delivery.Event)
		l.behind = true
	}
	delete(l.held, it.Delivery.Event)
	l.d.room.give(it.Due)
}

// offer takes a delivery that became due, if there is room.
func (l *lane) offer(due store.Due) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.target == nil {
		return
	}
	event := due.Delivery.Event
	if due.Trial {
		l.trials[event] = true
	}
	switch {
	case l.held[event]:
		if !due.Trial || !l.queued(event) { // sent again while its attempt is being recorded
			l.again[event] = true
		}
	case len(l.queue) >= laneRoom && !due.Trial, !l.push(due):
		l.behind = true
	}
	l.pump()
}

func (l *lane) queued(event int64) bool {
	return slices.ContainsFunc(l.queue, func(it item) bool { return it.Delivery.Event == event })
}

// ended takes a delivery that was canceled out of the queue. One under way is
// past that.
func (l *lane) ended(event int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.again, event)
	delete(l.trials, event)
	if l.loading {
		l.settled[event] = true
	}
	i := slices.IndexFunc(l.queue, func(it item) bool { return it.Delivery.Event == event })
	if i >= 0 {
		l.forget(l.queue[i])
		l.queue = slices.Delete(l.queue, i, i+1)
		l.pump()
	}
}

// push queues a delivery, if there is room. A lane whose queue is short always
// has some: others must not starve it. So has one that somebody sent by hand,
// and waits for.
func (l *lane) push(due store.Due) bool {
	if !l.d.room.take(&due, len(l.queue) < leastRoom || due.Trial) {
		return false
	}
	l.held[due.Delivery.Event] = true
	l.queue = append(l.queue, item{Due: due})
	return true
}

// pump starts as many workers as there is work for, and a reading of the table
// when the queue runs low.
func (l *lane) pump() {
	if l.target == nil || l.d.stopping.Load() {
		return
	}
	for want := min(l.target.Concurrency, l.workers+len(l.queue)); l.workers < want; {
		if l.workers > 0 && l.d.workers.Load() >= mostWorkers {
			break
		}
		it, ok := l.next()
		if !ok {
			break
		}
		l.workers++
		l.d.workers.Add(1)
		l.d.work.Go(func() { l.run(it) })
	}
	l.look()
}

// look begins to read the table if there is reason to, and it is time.
func (l *lane) look() {
	if !l.behind || l.loading {
		return
	}
	now := l.d.clock.Now()
	if next := l.looked.Add(lookEvery); len(l.queue) > l.low && now.Before(next) {
		l.wakeBy(next)
		return
	}
	l.behind, l.loading, l.looked, l.settled = false, true, now, map[int64]bool{}
	l.d.work.Go(l.load)
}

// next takes the next delivery to attempt now, if there is one and breaker and
// rate admit it. One that was sent again by hand comes first, and needs no leave
// of the breaker (CONTRACT.md, "Event notifications").
func (l *lane) next() (item, bool) {
	if l.target == nil || l.d.stopping.Load() {
		return item{}, false
	}
	now := l.d.clock.Now()
	i := l.nextTrial()
	admitted, again := l.breaker.admits(now)
	if i < 0 {
		if i = slices.IndexFunc(l.queue, l.free); i < 0 {
			return item{}, false
		}
		if !admitted {
			if !again.IsZero() {
				l.wakeBy(again)
			}
			return item{}, false
		}
	}
	if again := l.reserve(now); !again.IsZero() {
		l.wakeBy(again)
		return item{}, false
	}
	it := l.take(i)
	it.trial = admitted && l.breaker.begin()
	return it, true
}

// nextTrial returns where in the queue the next one is that was sent again by
// hand, -1 if there is none.
func (l *lane) nextTrial() int {
	if len(l.trials) == 0 {
		return -1
	}
	return slices.IndexFunc(l.queue, func(it item) bool { return l.trials[it.Delivery.Event] && l.free(it) })
}

// free reports whether no other of a delivery's group is under way.
func (l *lane) free(it item) bool { return !l.groups[it.Delivery.Group] }

// take takes a delivery out of the queue.
func (l *lane) take(i int) item {
	it := l.queue[i]
	copy(l.queue[1:i+1], l.queue[:i]) // i is 0 as a rule
	l.queue[0] = item{}
	l.queue = l.queue[1:]
	if it.Delivery.Group != "" {
		l.groups[it.Delivery.Group] = true
	}
	delete(l.trials, it.Delivery.Event)
	return it
}

// reserve takes one attempt from the rate; if that has none to give, it returns
// when it will.
func (l *lane) reserve(now time.Time) (again time.Time) {
	if l.limiter == nil {
		return time.Time{}
	}
	r := l.limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return time.Time{}
	}
	r.CancelAt(now)
	return now.Add(wait)
}

// run is a worker: it attempts one delivery after the other while there are any.
func (l *lane) run(it item) {
	for ok := true; ok; it, ok = l.another() {
		if target := l.current(); target != nil {
			l.d.attempt(l, target, it)
		} else {
			l.release(it, time.Time{})
		}
	}
}

func (l *lane) current() *target {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.target
}

// another is next for a worker, which ends if there is none, or if it is one
// too many by now.
func (l *lane) another() (item, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.target != nil && l.workers <= l.target.Concurrency && (l.workers == 1 || l.d.workers.Load() <= mostWorkers) {
		if it, ok := l.next(); ok {
			l.pump() // for the reading of the table
			return it, true
		}
	}
	l.workers--
	l.d.workers.Add(-1)
	l.pump()
	return item{}, false
}

// unjudged notes an event that the endpoint's filter could not judge.
func (l *lane) unjudged(u store.Unjudged) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.health.unjudged(u)
}

// answered lets breaker and health know of an attempt at a target, and of whether
// more follow. If the endpoint has moved since, it says nothing of where that is
// now.
func (l *lane) answered(t *target, it item, a *oms.Attempt, now time.Time, more bool) {
	if l.opens(t, it, a, now, more) {
		l.d.warnings.warn(l.key.tenant, "the circuit of an endpoint opened: its deliveries wait", append(attemptIDs(t, it, a), "failures", breakerFailures)...)
	}
}

// opens is answered, and reports whether the breaker has opened with it.
func (l *lane) opens(t *target, it item, a *oms.Attempt, now time.Time, more bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.target != nil && l.target.URL != t.URL {
		return false
	}
	l.health.attempted(now, a.Error, a.Number, more)
	return l.breaker.end(now, a.Error == "", it.trial)
}

// release lets go of a delivery that was not attempted, to be read from the
// table again: at a time, or, if that is zero, when the lane next looks.
func (l *lane) release(it item, again time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(it)
	delete(l.groups, it.Delivery.Group)
	l.breaker.giveBack(it.trial)
	if again.IsZero() {
		l.behind = true
	} else {
		l.lookBy(again)
	}
}

// done lets go of a delivery whose attempt is durable, and comes back for it
// when it is due again; zero: it has ended.
func (l *lane) done(it item, again time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(it)
	delete(l.groups, it.Delivery.Group)
	if l.loading {
		l.settled[it.Delivery.Event] = true
	}
	if !again.IsZero() {
		l.lookBy(again)
	}
	l.pump()
}

// load reads what is due from the table and not held, with the events as far as
// they are not large.
func (l *lane) load() {
	now := l.d.clock.Now()
	list, err := l.d.store.DueDeliveries(l.d.ctx, l.key.tenant,
		store.DueQuery{Endpoint: l.key.endpoint, Now: now, Limit: loadSize, Skip: l.holds, MostData: loadData})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loading = false
	l.low = loadSize / 2
	switch {
	case err != nil:
		l.lookBy(now.Add(lookAgain))
		if l.d.ctx.Err() == nil {
			l.d.log.Warn("the deliveries that are due cannot be read", "tenant", l.key.tenant, "endpoint", l.key.endpoint, "error", err)
		}
	case l.stale:
		l.behind = true
	case !l.takeAll(list.Due):
		l.behind, l.low = true, len(l.queue)/2
	case list.More:
		l.behind = true
	case !list.Next.IsZero():
		l.lookBy(list.Next)
	}
	l.settled, l.stale = nil, false
	l.pump()
}

func (l *lane) holds(event int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held[event]
}

// takeAll queues the deliveries that were read, but those that are held or were
// settled after they had been read, and has all of them wait in the order that
// they are due, behind those that were sent by hand. It reports whether there was room for all.
func (l *lane) takeAll(due []store.Due) (all bool) {
	all = true
	was := len(l.queue)
	for _, one := range due {
		if e := one.Delivery.Event; l.target == nil || l.held[e] || l.settled[e] {
			continue
		}
		if !l.push(one) {
			all = false
			break
		}
	}
	if len(l.queue) == was {
		return all
	}
	slices.SortStableFunc(l.queue, func(a, b item) int {
		return cmp.Or(l.byHand(b)-l.byHand(a), a.Delivery.Due.Compare(b.Delivery.Due), cmp.Compare(a.Delivery.Event, b.Delivery.Event))
	})
	for n := len(l.queue); n > laneRoom; n-- { // the last to be due go back to the table
		l.forget(l.queue[n-1])
		l.queue = l.queue[:n-1]
		all = false
	}
	return all
}

// byHand is 1 for a delivery that was sent again by hand, else 0.
func (l *lane) byHand(it item) int {
	if l.trials[it.Delivery.Event] {
		return 1
	}
	return 0
}

// lookBy has the lane look at its table at a time, if not earlier.
func (l *lane) lookBy(at time.Time) {
	if l.dueAt.IsZero() || at.Before(l.dueAt) {
		l.dueAt = at
	}
	l.wakeBy(at)
}

// wakeBy has the lane look for work at a time, if not earlier.
func (l *lane) wakeBy(at time.Time) {
	if !l.wakeAt.IsZero() && !at.Before(l.wakeAt) || l.d.stopping.Load() {
		return
	}
	if l.wake != nil {
		l.wake.Stop()
	}
	l.wakeAt = at
	l.wake = l.d.clock.AfterFunc(max(0, at.Sub(l.d.clock.Now())), func() { l.woken(at) })
}

func (l *lane) woken(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.wakeAt.Equal(at) {
		return // it was set anew meanwhile
	}
	l.wakeAt, l.wake = time.Time{}, nil
	switch {
	case l.dueAt.IsZero():
	case l.d.clock.Now().Before(l.dueAt):
		l.wakeBy(l.dueAt)
	default:
		l.dueAt, l.behind = time.Time{}, true
	}
	l.pump()
}

// stop ends the lane's timer.
func (l *lane) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wake != nil {
		l.wake.Stop()
	}
}
