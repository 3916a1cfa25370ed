package notify

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// healthEvery is how often an endpoint's health is written while it changes: it
// is no part of what a delivery costs. A process that dies loses that much of
// the counts, and nothing else.
const healthEvery = 10 * time.Second

// health is what became of an endpoint's attempts since it was last written.
type health struct {
	silence time.Duration // the longest that does not end a streak of failures
	change  store.HealthChange
	dirty   bool
	written time.Time
}

// attempted adds an attempt, the number-th at its delivery; failure is "" for a
// success, and more says that another attempt follows.
func (h *health) attempted(now time.Time, failure string, number int, more bool) {
	h.dirty = true
	c := &h.change
	c.Silence = h.silence
	if failure == "" {
		c.Succeeded++
		c.LastSuccess, c.Failures, c.FailingSince, c.Streak = now, 0, time.Time{}, oms.Streak{}
		return
	}
	if c.Failures++; c.Failures == 1 {
		c.FailingSince = now
	}
	one := oms.Streak{Since: now}
	if number == 1 {
		one.Deliveries, one.Beginning = 1, more
	}
	c.Streak = c.Streak.Then(c.LastFailure, one, h.silence)
	c.LastFailure, c.LastError = now, failure
}

// unjudged adds an event that the endpoint's filter could not judge.
func (h *health) unjudged(u store.Unjudged) {
	h.dirty = true
	h.change.FilterErrors++
	h.change.LastFilterError = oms.FilterError{At: u.At, EventID: u.EventID, Why: u.Why}
}

// take returns what is to be written, if it is time.
func (h *health) take(now time.Time, always bool) (store.HealthChange, bool) {
	if !h.dirty || !always && now.Sub(h.written) < healthEvery {
		return store.HealthChange{}, false
	}
	taken := h.change
	h.change, h.dirty, h.written = store.HealthChange{}, false, now
	return taken, true
}

// giveBack undoes a take whose write failed.
func (h *health) giveBack(taken store.HealthChange) {
	h.change, h.dirty = taken.Then(h.change), true
}

// Health returns how an endpoint has been doing until now.
func (d *Dispatcher) Health(ctx context.Context, tenant string, endpoint int64) (oms.Health, error) {
	h, err := d.store.Health(ctx, tenant, endpoint)
	q := d.queue(queueKey{tenant, endpoint})
	if err != nil || q == nil {
		return h, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.health.change.On(h), nil
}

// Circuit returns the state of an endpoint's breaker.
func (d *Dispatcher) Circuit(tenant string, endpoint int64) Circuit {
	q := d.queue(queueKey{tenant, endpoint})
	if q == nil {
		return CircuitClosed
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.breaker.circuit(d.clock.Now())
}
