package delivery

import (
	"time"

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/store"
)

const (
	loadSize = 256      // deliveries that one reading of the table returns
	loadData = 16 << 10 // the largest data of an event, in bytes, that is read with its delivery
)

// mostReadings is how many queues read at the same time. It is half of the database
// connections for work, so that runs and writes need not wait for readings.
const mostReadings = 4

// lookAgain is how long a queue waits when its table could not be read.
const lookAgain = time.Second

// lookEvery is how often a busy queue reads its table. A retry, or a delivery that was
// left in the table, must not wait until the queue is empty: a queue that always gets
// new deliveries never is.
const lookEvery = time.Second

// table is what an endpoint queue knows of its rows in the database. The lock of the queue
// guards it.
type table struct {
	reading   reading
	completed map[int64]bool // what was completed while the table is being read: the reading may still show it as due
	looked    time.Time      // when it was last read
	low       int            // the table is read again when this few deliveries wait
	dueAt     time.Time      // when the next delivery is due that is not held; zero: none that is known
}

// is notes an event, by which the state of the reading changes (state.go).
func (t *table) is(e readEvent) { t.reading = t.reading.after(e) }

// complete notes that a delivery has changed. A reading that is under way may still show
// it as it was before.
func (t *table) complete(event int64) {
	if t.reading.underWay() {
		put(&t.completed, event)
	}
}

// look begins a reading of the table, if the queue is behind and it is time for one. The
// lock is held.
func (q *queue) look() {
	if q.table.reading != readBehind || q.target == nil || q.d.stopping.Load() {
		return
	}
	now := q.d.clock.Now()
	if next := q.table.looked.Add(lookEvery); len(q.backlog.items) > q.table.low && now.Before(next) {
		q.alarm.by(q, next)
		return
	}
	// Few queues read at the same time. Until its turn comes, this one goes on with what it
	// has.
	turn, _ := q.d.readings.Ask(q.target.caller(q.key.tenant), 1, q.mayRead)
	if turn == nil {
		q.table.is(linedUp)
		return
	}
	q.read(now, turn)
}

// mayRead is called when it is this queue's turn to read. It reads the table, if the queue
// still needs that.
func (q *queue) mayRead(turn *fair.Part) {
	if !q.readInTurn(turn) {
		turn.Give()
	}
}

// readInTurn does the work of mayRead, and reports whether it has used the turn.
func (q *queue) readInTurn(turn *fair.Part) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.target == nil || q.d.stopping.Load() {
		q.table.is(passed)
		return false
	}
	q.read(q.d.clock.Now(), turn)
	return true
}

// read starts a reading of the table in the background. The lock is not held while the
// database answers, so that attempts may begin and end.
func (q *queue) read(now time.Time, turn *fair.Part) {
	q.table.is(begun)
	q.table.looked, q.table.completed = now, nil
	most := max(1, min(loadSize, q.d.memory.budget(len(q.backlog.items)))) // do not read more than the queue may hold
	q.d.work.Go(func() {
		list, err := q.d.store.DueDeliveries(q.d.ctx, q.key.tenant,
			store.DueQuery{Endpoint: q.key.endpoint, Now: now, Limit: most, Skip: q.holds, MostData: loadData})
		turn.Give()
		q.loaded(now, list, err)
	})
}

// loaded takes the result of a reading that began at the time now: the due deliveries that
// were not held. Those with small events have the events with them. It runs on the
// goroutine that has read the table.
func (q *queue) loaded(now time.Time, list store.DueList, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.table.low = loadSize / 2
	switch stale := q.table.reading == readStale || q.target == nil; {
	case err != nil:
		q.table.is(failed)
		q.lookBy(now.Add(lookAgain))
		if q.d.ctx.Err() == nil {
			q.d.log.Warn("the deliveries that are due cannot be read", "tenant", q.key.tenant, "endpoint", q.key.endpoint, "error", err)
		}
	// The rows were changed while they were read, so they are read again.
	case stale:
		q.table.is(showedSome)
	case !q.takeAll(list.Due):
		q.table.is(showedSome)
		// There is no room for more. The queue first works off half of what it has.
		q.table.low = len(q.backlog.items) / 2
	case list.More:
		q.table.is(showedSome)
	default:
		q.table.is(showedAll)
		// The queue has all that is due. The alarm wakes it for what is due next.
		if !list.Next.IsZero() {
			q.lookBy(list.Next)
		}
	}
	q.table.completed = nil
	q.pump()
}

// holds reports whether a queue has a delivery. The reading asks this of each row that it
// finds.
func (q *queue) holds(event int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.backlog.held[event]
}

// takeAll queues what was read, and reports whether all of it could be queued. If not, the
// deliveries that are due last stay in the table. The lock is held.
func (q *queue) takeAll(due []store.Due) (all bool) {
	all = q.backlog.takeAll(q.d.memory, due, q.table.completed)
	for _, it := range q.backlog.overflow() {
		q.forget(it)
		all = false
	}
	return all
}

// lookBy makes the queue read its table at the given time, or earlier.
func (q *queue) lookBy(at time.Time) {
	if q.table.dueAt.IsZero() || at.Before(q.table.dueAt) {
		q.table.dueAt = at
	}
	q.alarm.by(q, at)
}
