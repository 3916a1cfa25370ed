package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// reasonGone is the reason for turning off an endpoint that answered 410 Gone.
const reasonGone = "the endpoint answered 410 Gone"

// reasonFailing is the reason for turning off an endpoint whose attempts all failed.
func reasonFailing(since time.Time) string {
	return "nothing but failures since " + since.UTC().Format(time.RFC3339)
}

// leastSilence is the time without attempts that never ends a streak of failures:
// deliveries wait that long for an open breaker.
const leastSilence = 2 * breakerMost

// longestSilence returns the longest time between two failures that belong to one streak.
// The failures must be spread over the whole time after which an endpoint is turned off.
// Two failures, one at its beginning and one at its end, do not mean that the endpoint
// failed all the time.
func longestSilence(disableAfter time.Duration) time.Duration {
	return max(disableAfter/2, leastSilence)
}

// hopeless reports whether an endpoint is to be turned off: it has failed for so long,
// and at as many deliveries as one delivery has attempts (docs/contract.md#delivery). The
// latest attempt must have failed, too.
func (d *Dispatcher) hopeless(e *event.Endpoint, h event.Health, lastFailure time.Time) bool {
	s := h.Streak
	return h.Consecutive > 0 && s.Failed() >= 1+len(e.Schedule) && lastFailure.Sub(s.Since) >= d.disableAfter
}

// disabling is why an endpoint is to be turned off.
type disabling struct {
	reason       string
	failingSince time.Time // zero: it was no streak of failures
	at           time.Time // of the attempt that was the last straw
}

// disable turns an endpoint off, publishes the event that says so, and returns the endpoint
// that it turned off, if it did. The pending deliveries wait until somebody turns it on again.
//
// If the endpoint was deleted, turned off or moved to another URL meanwhile, nothing
// happens: the reason is not true of it any more.
func (d *Dispatcher) disable(ctx context.Context, tx store.Tx, tenant string, about *target, why disabling) ([]turnedOff, error) {
	was, err := tx.Endpoint(ctx, tenant, about.ID)
	if apierr.KindOf(err) == apierr.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the endpoint that is to be turned off: %w", err)
	}
	// The endpoint of an export is never turned off so: the settings say whether it is
	// used.
	if !was.Enabled || was.URL != about.URL || was.Origin == event.OriginConnector {
		return nil, nil
	}
	// The stored endpoint is shared, so a copy of it is turned off.
	next := *was
	next.Enabled, next.Disabled, next.DisabledAt, next.Updated = false, why.reason, why.at, why.at
	if err := tx.PutEndpoint(ctx, tenant, &next); err != nil {
		return nil, fmt.Errorf("turn endpoint %s off: %w", next.ID, err)
	}
	if err = tx.AddEvents(ctx, tenant, event.DisabledEvent(&next, why.reason, why.failingSince, why.at)); err != nil {
		return nil, fmt.Errorf("the event of a disabled endpoint: %w", err)
	}
	return []turnedOff{{tenant, next.ID, why.reason}}, nil
}
