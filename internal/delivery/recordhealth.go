package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// recordHealth writes the health of the queues that have had no attempt since it
// changed. Each write takes only some of them, so that other writers get their turn. After
// an error what is left waits for the next time.
func (r *completer) recordHealth() {
	now := r.d.clock.Now()
	for quiet := slices.Collect(maps.Keys(r.dirty)); len(quiet) > 0 && !r.over; {
		some := quiet[:min(len(quiet), mostHealth)]
		quiet = quiet[len(some):]
		if err := r.recordHealthOf(some, now); err != nil {
			r.d.log.Warn("the health of endpoints cannot be recorded", "error", err)
			return
		}
	}
}

// recordHealthOf writes the health of some queues. That of an endpoint which another node
// has taken over is dropped.
func (r *completer) recordHealthOf(some []*queue, now time.Time) error {
	health := healthChanges{}
	for _, q := range some {
		r.take(health, q, now, always)
	}
	err := r.write(nil, health)
	switch {
	case err == nil:
		return nil
	// This is the only lease in the write, so it is the one that was lost.
	case errors.Is(err, nodes.ErrLost) && len(health) == 1:
		for q := range health {
			q.retire()
			delete(r.unsure, q)
		}
		return nil
	}
	r.giveBack(health)
	if !errors.Is(err, nodes.ErrLost) {
		return err
	}
	// One of several leases was lost. Each endpoint by itself shows whether it was its own.
	for q := range health {
		if err := r.recordHealthOf([]*queue{q}, now); err != nil {
			return err
		}
	}
	return nil
}

// noteDirty finds the queues whose health changed after their last attempt: a filter that
// failed changes it, too.
func (r *completer) noteDirty() {
	for _, q := range r.queues() {
		q.mu.Lock()
		if q.health.dirty {
			r.dirty[q] = true
		}
		q.mu.Unlock()
	}
}

// healthChanges is the changes of endpoints' health that are in one write.
type healthChanges map[*queue]store.HealthChange

// take adds the health of a queue, when it is due or always.
func (r *completer) take(health healthChanges, q *queue, now time.Time, when takenWhen) {
	if _, taken := health[q]; taken {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if c, ok := q.health.take(now, when); ok {
		health[q] = c
		delete(r.dirty, q)
	} else if q.health.dirty {
		r.dirty[q] = true
	}
}

// unsureHealth is a change of an endpoint's health whose last write was not answered: it may
// have been committed. It is kept until a write of the endpoint's health is answered, however
// many fail before, and the next try finds out from the stored health whether it was.
type unsureHealth struct {
	change store.HealthChange
	made   event.Health // what is stored if it was committed
	off    []turnedOff  // the endpoint, if it was turned off with it
}

// giveBack undoes take after a write that failed. What has changed since is added to what
// was taken. What may have been committed is not given back: it is unsure.
func (r *completer) giveBack(health healthChanges) {
	for q, taken := range health {
		q.mu.Lock()
		q.health.giveBack(taken)
		q.mu.Unlock()
		r.dirty[q] = true
	}
}

// unanswered notes that the health of a try may have been committed. It is in health no more.
func (r *completer) unanswered(health healthChanges, try writeTry) {
	maps.Copy(r.unsure, try.health)
	for q := range health {
		health[q] = store.HealthChange{}
	}
}

// addHealth writes the change of an endpoint's health, and turns the endpoint off if that is
// hopeless. What is unsure of it is added first, unless it was committed.
func (r *completer) addHealth(ctx context.Context, tx store.Tx, q *queue, change store.HealthChange, now *writeTry) error {
	var off []turnedOff // with what was committed, which nobody was told yet
	if before, unsure := r.unsure[q]; unsure {
		is, err := tx.StoredHealth(ctx, r.tenant, q.key.endpoint)
		if err != nil {
			return fmt.Errorf("read the health of an endpoint: %w", err)
		}
		switch committed := counted(is) == counted(before.made); {
		case committed && change == (store.HealthChange{}):
			now.health[q] = before
			return nil
		case committed:
			off = before.off
		default:
			change = before.change.Then(change)
		}
	}
	h, err := tx.AddHealth(ctx, r.tenant, q.key.endpoint, change)
	if err != nil {
		return fmt.Errorf("store the health of an endpoint: %w", err)
	}
	about := q.current()
	if about != nil && r.d.hopeless(about.Endpoint, h, change.LastFailure) {
		var more []turnedOff
		more, err = r.d.disable(ctx, tx, r.tenant, about, disabling{reasonFailing(h.Streak.Since), h.Streak.Since, change.LastFailure})
		off = append(off, more...)
	}
	now.health[q] = unsureHealth{change, h, off}
	return err
}

// counted returns the fields that every change of health alters. If two healths have the
// same values here, the same changes led to them.
func counted(h event.Health) [4]int64 {
	return [4]int64{h.Succeeded, h.FilterErrors, h.LastSuccess.UnixMicro(), h.LastFailure.UnixMicro()}
}
