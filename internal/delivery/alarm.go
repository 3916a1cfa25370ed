package delivery

import (
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// alarm wakes an endpoint queue at a time: when the next retry is due, when an open circuit
// allows an attempt, or when the rate limit does. Each queue has one, and the lock of the
// queue guards it. The zero value is not set.
type alarm struct {
	timer clock.Timer
	at    time.Time // zero: it is not set
}

// by sets the alarm to a time, unless it is set to an earlier one. The lock of the queue is
// held.
func (a *alarm) by(q *queue, at time.Time) {
	if !a.at.IsZero() && !at.Before(a.at) || q.d.stopping.Load() || q.retired {
		return
	}
	a.stop()
	a.at = at
	a.timer = clock.At(q.d.clock, at, func() { q.woken(at) })
}

// stop stops the timer. One that has fired by now calls woken all the same.
func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

// woken is called by the timer of the alarm. It looks for work, and has the table read if
// a delivery that is not in memory is due. It runs on a goroutine of the clock.
func (q *queue) woken(at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.alarm.at.Equal(at) {
		return // this timer was replaced by a later one while it waited for the lock
	}
	q.alarm = alarm{}
	// Without a time, the table has nothing to be read for: the alarm was for the circuit,
	// the rate or a pause.
	switch due := q.table.dueAt; {
	case due.IsZero():
	case q.d.clock.Now().Before(due):
		q.alarm.by(q, due)
	default:
		q.table.dueAt = time.Time{}
		q.table.is(fellBehind)
	}
	q.pump()
}
