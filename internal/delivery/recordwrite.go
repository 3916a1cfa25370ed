package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
)

// errOver is the error of a write that is not made, because the process ends.
var errOver = errors.New("the process ends, and the database takes no writes")

// write makes one write, and repeats it while the database is unavailable. Once the
// process ends it is tried only one more time, so that the end is not held up.
func (r *completer) write(group []result, health healthChanges) error {
	ctx := nodes.Under(context.WithoutCancel(r.d.ctx), leasesOf(group, health)...) // Stop may have broken off other attempts: this one was made, and is recorded
	var last writeTry                                                              // of the try before this one, which may have been committed
	for wait := firstTryAgain; ; wait = min(2*wait, longestTryWait) {
		if r.over {
			return errOver
		}
		var now writeTry
		err := r.d.store.Write(ctx, func(tx store.Tx) (err error) {
			now, err = r.complete(ctx, tx, group, health, last)
			return err
		})
		if err == nil {
			r.d.tell(group, &now)
			for q := range health { // nothing of it is unsure any more
				delete(r.unsure, q)
			}
			return nil
		}
		if now.decided {
			last = now
			r.unanswered(health, now)
		}
		if apierr.KindOf(err) != apierr.Unavailable || r.d.ctx.Err() != nil {
			return err
		}
		r.d.log.Warn("attempts wait to be recorded", "attempts", len(group), "error", err)
		_ = clock.Pause(r.d.ctx, r.d.clock, wait)
	}
}

// turnedOff is an endpoint that was turned off in a write, and why. It is logged after
// the commit.
type turnedOff struct{ tenant, endpoint, reason string }

// writeTry is what one try of a write comes to, besides the results themselves.
type writeTry struct {
	decided bool        // all of it was, and the commit may have been tried
	off     []turnedOff // with results
	health  map[*queue]unsureHealth
}

// complete writes the results of attempts, and the changes of health. The last try to write
// the same may have been committed, though nobody was told: then its results are recorded,
// the health is what that try made of it, and nothing is written a second time.
func (r *completer) complete(ctx context.Context, tx store.Tx, group []result, health healthChanges, last writeTry) (now writeTry, err error) {
	now.health = map[*queue]unsureHealth{}
	completions := make([]store.Completion, len(group))
	for i := range group {
		completions[i] = group[i].completion
	}
	if len(completions) > 0 {
		before, err := tx.CompleteDeliveries(ctx, r.tenant, completions...)
		if err != nil {
			return now, fmt.Errorf("store what %d attempts came to: %w", len(completions), err)
		}
		// These read what has become of the deliveries, so they come after the completions.
		for i := range group {
			// From a success that is no export's nothing follows.
			if c := &group[i].completion; before[i] || c.Status == event.DeliverySucceeded && c.Attempt.Kind != attempt.KindExport {
				continue
			}
			off, err := r.d.conclude(ctx, tx, &group[i])
			if err != nil {
				return now, err
			}
			now.off = append(now.off, off...)
		}
		if len(before) > 0 {
			now.off = append(now.off, last.off...) // they are still to be logged
		}
	}
	for q, change := range health {
		if err := r.addHealth(ctx, tx, q, change, &now); err != nil {
			return now, err
		}
	}
	now.decided = true
	return now, nil
}

// conclude writes what follows from an attempt besides its delivery: the end of an
// export, the event of a delivery that failed, the turning off of the endpoint. It
// returns an endpoint that it turned off.
func (d *Dispatcher) conclude(ctx context.Context, tx store.Tx, r *result) ([]turnedOff, error) {
	tenant := r.queue.key.tenant
	// What follows from an attempt belongs to the trace that its event came of.
	ctx = trace.WithText(ctx, r.event.Trace)
	if r.completion.Attempt.Kind == attempt.KindExport && r.completion.Status != event.DeliveryPending {
		if err := d.concludeExport(ctx, tx, tenant, r); err != nil {
			return nil, err
		}
	}
	if r.completion.Status == event.DeliveryFailed {
		if err := d.tellOfFailure(ctx, tx, tenant, r); err != nil {
			return nil, err
		}
	}
	if r.disable == "" {
		return nil, nil
	}
	return d.disable(ctx, tx, tenant, r.target, disabling{reason: r.disable, at: r.completion.At})
}

// tellOfFailure adds the event that a delivery failed for good. It is only added if an
// endpoint subscribes to its type by name. There is none for a delivery that was
// canceled while the attempt was made, and none for the delivery of such an event: that
// would never end.
func (d *Dispatcher) tellOfFailure(ctx context.Context, tx store.Tx, tenant string, r *result) error {
	if r.event.Type == event.TypeDeliveryFailed {
		return nil
	}
	subscriptions, err := tx.Subscriptions(ctx, tenant)
	if err != nil {
		return fmt.Errorf("read who hears of a delivery that failed: %w", err)
	}
	if !subscriptions.Named(event.TypeDeliveryFailed) {
		return nil
	}
	delivery, err := tx.Delivery(ctx, tenant, r.completion.Key)
	// It is gone, or was canceled meanwhile.
	if apierr.KindOf(err) == apierr.NotFound || err == nil && delivery.Status != event.DeliveryFailed {
		return nil
	}
	if err == nil {
		err = tx.AddEvents(ctx, tenant, event.DeliveryFailedEvent(delivery, r.completion.At))
	}
	if err != nil {
		return fmt.Errorf("tell of a delivery that failed: %w", err)
	}
	return nil
}
