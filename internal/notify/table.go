package notify

import (
	"time"

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/store"
)

const (
	loadSize = 256      // deliveries that are read from the table at once
	loadData = 16 << 10 // bytes of data that an event has at most to be read with them
)

// mostReadings is how many queues read at the same time: half of the connections
// that there are for work, so that runs and writes do not wait for them.
const mostReadings = 4

// lookAgain is how long a queue waits when its table could not be read.
const lookAgain = time.Second

// lookEvery is how often a queue looks at its table while it has enough to do: a
// repeat, or what there was no room for, must not wait for the end of a queue
// that always has more coming.
const lookEvery = time.Second

// table is what an endpoint queue knows of its rows in the database.
type table struct {
	reading reading
	settled map[int64]bool // while it is being read, what was settled meanwhile: it may still show as due
	looked  time.Time      // when it was last read
	low     int            // it is read again when the queue is as short as that
	dueAt   time.Time      // when it has to be looked at again; zero: not by itself
}

// is notes what happened.
func (t *table) is(e readEvent) { t.reading = t.reading.after(e) }

// settle notes that a delivery is no longer as a reading may show it.
func (t *table) settle(event int64) {
	if t.reading.underWay() {
		put(&t.settled, event)
	}
}

// look begins to read the table if there is reason to, and it is time.
func (q *queue) look() {
	if q.table.reading != readBehind || q.target == nil || q.d.stopping.Load() {
		return
	}
	now := q.d.clock.Now()
	if next := q.table.looked.Add(lookEvery); len(q.backlog.items) > q.table.low && now.Before(next) {
		q.alarm.by(q, next)
		return
	}
	turn, _ := q.d.readings.Ask(q.target.caller(q.key.tenant), 1, q.mayRead)
	if turn == nil {
		q.table.is(linedUp)
		return
	}
	q.read(now, turn)
}

// mayRead reads the table when it is this queue's turn, if it still needs to.
func (q *queue) mayRead(turn *fair.Part) {
	if !q.readInTurn(turn) {
		turn.Give()
	}
}

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

func (q *queue) read(now time.Time, turn *fair.Part) {
	q.table.is(begun)
	q.table.looked, q.table.settled = now, nil
	most := max(1, min(loadSize, q.d.memory.room(len(q.backlog.items)))) // no more than it may hold
	q.d.work.Go(func() {
		list, err := q.d.store.DueDeliveries(q.d.ctx, q.key.tenant,
			store.DueQuery{Endpoint: q.key.endpoint, Now: now, Limit: most, Skip: q.holds, MostData: loadData})
		turn.Give()
		q.loaded(now, list, err)
	})
}

// loaded takes what was read from the table as due at a time: what is not held, with
// the events as far as they are not large.
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
	case stale:
		q.table.is(showedSome)
	case !q.takeAll(list.Due):
		q.table.is(showedSome)
		q.table.low = len(q.backlog.items) / 2
	case list.More:
		q.table.is(showedSome)
	default:
		q.table.is(showedAll)
		if !list.Next.IsZero() {
			q.lookBy(list.Next)
		}
	}
	q.table.settled = nil
	q.pump()
}

func (q *queue) holds(event int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.backlog.held[event]
}

// takeAll queues what was read, and reports whether there was room for all. If not,
// the last to be due go back to the table.
func (q *queue) takeAll(due []store.Due) (all bool) {
	all = q.backlog.takeAll(q.d.memory, due, q.table.settled)
	for _, it := range q.backlog.overflow() {
		q.forget(it)
		all = false
	}
	return all
}

// lookBy has the queue look at its table at a time, if not earlier.
func (q *queue) lookBy(at time.Time) {
	if q.table.dueAt.IsZero() || at.Before(q.table.dueAt) {
		q.table.dueAt = at
	}
	q.alarm.by(q, at)
}
