package delivery

import (
	"math/rand/v2"
	"time"

	"github.com/orderhook/orderhook/internal/event"
)

// jitter is the part by which a delay is longer or shorter than the schedule says, at
// random (docs/contract.md#delivery). So deliveries that failed together are not all
// retried together.
const jitter = 0.1

// delay returns how long to wait before the next attempt at a delivery after one that
// failed, and whether there is a next one. retryAfter is what the endpoint asked for. It
// counts up to twice the scheduled delay, so that an endpoint cannot stop its deliveries.
// The schedule is that of the endpoint as it is today.
func delay(schedule []time.Duration, d *event.Delivery, retryAfter time.Duration) (time.Duration, bool) {
	left := d.MaxAttempts - d.Attempts // d.Attempts counts the one that failed just now
	if left <= 0 || len(schedule) == 0 {
		return 0, false
	}
	// The schedule may have been changed after the delivery was made. The delays are
	// counted from the end: the last delay is before the last attempt.
	planned := schedule[max(0, len(schedule)-left)]
	// What the endpoint asks for never makes the delay shorter.
	return max(jittered(planned), min(retryAfter, 2*planned)), true
}

// jittered returns a time that is longer or shorter by chance, by a tenth at most.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*rand.Float64()-1)))
}
