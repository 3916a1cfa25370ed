package notify

import (
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// reasonGone is why an endpoint that answered 410 is off.
const reasonGone = "the endpoint answered 410 Gone"

func reasonFailing(since time.Time) string {
	return "nothing but failures since " + since.UTC().Format(time.RFC3339)
}

// leastSilence is a silence that ends no streak of failures, however soon an
// endpoint is to be turned off: deliveries wait that long for an open breaker.
const leastSilence = 2 * breakerMost

// longestSilence is the longest time between two failures of which an endpoint's
// streak is made: they are to be spread over the time after which it is turned
// off, not to lie at its two ends.
func longestSilence(disableAfter time.Duration) time.Duration {
	return max(disableAfter/2, leastSilence)
}

// hopeless reports whether an endpoint has failed for so long, and at so many
// deliveries, that it is to be turned off: at as many as it has attempts for one
// (CONTRACT.md, "Event notifications").
func (d *Dispatcher) hopeless(e *oms.Endpoint, h oms.Health, lastFailure time.Time) bool {
	s := h.Streak
	return h.Consecutive > 0 && s.Failed() >= 1+len(e.Schedule) && lastFailure.Sub(s.Since) >= d.disableAfter
}

// disable turns an endpoint off, has the others know, and adds it to off. What is
// pending waits until somebody turns it on again.
//
// An endpoint that was deleted, turned off or moved to another URL meanwhile is
// no longer the one that the reason is about.
func (d *Dispatcher) disable(tx store.Tx, about *target, tenant, reason string, failingSince, at time.Time, off []turnedOff) ([]turnedOff, error) {
	was, err := tx.Endpoint(d.ctx, tenant, about.ID)
	if oms.KindOf(err) == oms.NotFound {
		return off, nil
	}
	if err != nil || !was.Enabled || was.URL != about.URL || was.Origin == oms.OriginConnector {
		return off, err
	}
	next := *was
	next.Enabled, next.Disabled, next.Updated = false, reason, at
	if err := tx.PutEndpoint(d.ctx, tenant, &next); err != nil {
		return nil, err
	}
	if err = tx.AddEvents(d.ctx, tenant, oms.DisabledEvent(&next, reason, failingSince, at)); err != nil {
		return nil, fmt.Errorf("the event of a disabled endpoint: %w", err)
	}
	return append(off, turnedOff{tenant, next.ID, reason}), nil
}
