package notify

import (
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// alarm has an endpoint queue look for work at a time: the table's next repeat, the
// end of a breaker's wait, the rate.
type alarm struct {
	timer clock.Timer
	at    time.Time // zero: it is not set
}

// by sets the alarm of a queue to a time, if it is not set to an earlier one.
func (a *alarm) by(q *queue, at time.Time) {
	if !a.at.IsZero() && !at.Before(a.at) || q.d.stopping.Load() {
		return
	}
	a.stop()
	a.at = at
	a.timer = clock.At(q.d.clock, at, func() { q.woken(at) })
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

func (q *queue) woken(at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.alarm.at.Equal(at) {
		return // it was set anew meanwhile
	}
	q.alarm = alarm{}
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
