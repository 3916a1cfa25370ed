package delivery

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// healthEvery is how often the health of an endpoint is written while it changes. It is
// not written with each attempt, so that it does not make deliveries slower. If the
// process dies, the counts of that time are lost, and nothing else.
const healthEvery = 10 * time.Second

// health is what an endpoint's attempts came to since its health was last written. The lock
// of the queue guards it.
type health struct {
	silence time.Duration // the longest that does not end a streak of failures
	change  store.HealthChange
	dirty   bool
	since   time.Time // when it was last written
}

// attempted adds an attempt, which is the number-th at its delivery. failure is "" if it
// succeeded, and more says that the delivery will be attempted again. Attempts that do not
// count, as after trouble of this server's own, never come here.
func (h *health) attempted(now time.Time, failure string, number int, more bool) {
	h.dirty = true
	c := &h.change
	c.Silence = h.silence
	if failure == "" {
		c.Succeeded++
		c.LastSuccess, c.Failures, c.FailingSince, c.Streak = now, 0, time.Time{}, event.Streak{}
		return
	}
	if c.Failures++; c.Failures == 1 {
		c.FailingSince = now
	}
	// The first attempt at a delivery counts for the delivery, its retries do not.
	one := event.Streak{Since: now}
	if number == 1 {
		one.Deliveries, one.Beginning = 1, more
	}
	c.Streak = c.Streak.Then(c.LastFailure, one, h.silence)
	c.LastFailure, c.LastError = now, failure
}

// filterFailed adds an event that the filter of the endpoint could not evaluate. The
// endpoint gets that event, so nothing has failed to arrive.
func (h *health) filterFailed(u store.FilterFailure) {
	h.dirty = true
	h.change.FilterErrors++
	h.change.LastFilterError = event.FilterError{At: u.At, EventID: u.EventID, Why: u.Why}
}

// takenWhen says whether a health is taken if it is time to write it, or always.
type takenWhen int

const (
	whenDue takenWhen = iota
	always
)

// take returns the change that is to be written. What was taken is written by the caller, or
// given back.
func (h *health) take(now time.Time, when takenWhen) (store.HealthChange, bool) {
	if !h.dirty || when == whenDue && now.Sub(h.since) < healthEvery {
		return store.HealthChange{}, false
	}
	taken := h.change
	h.change, h.dirty, h.since = store.HealthChange{}, false, now
	return taken, true
}

// giveBack undoes a take whose write failed.
func (h *health) giveBack(taken store.HealthChange) {
	h.change, h.dirty = taken.Then(h.change), true
}

// Health returns the health of an endpoint as it is now: what is stored, and what is not
// written yet. What another node has not written yet, up to healthEvery old, is not there.
// The API and the dashboard show it.
func (d *Dispatcher) Health(ctx context.Context, tenant string, endpoint int64) (event.Health, error) {
	h, err := d.store.Health(ctx, tenant, endpoint)
	q := d.queue(queueKey{tenant, endpoint})
	if err != nil || q == nil {
		return h, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.health.change.On(h), nil
}

// Circuit returns the state of an endpoint's breaker. For an endpoint of another node it
// is what that node has told.
func (d *Dispatcher) Circuit(tenant string, endpoint int64) breaker.State {
	q := d.queue(queueKey{tenant, endpoint})
	if q == nil {
		return d.circuitElsewhere(queueKey{tenant, endpoint})
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.breaker.State(d.clock.Now())
}
