package notify

import (
	"math/rand/v2"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// jitter is how far a delay strays from the schedule, either way (CONTRACT.md,
// "Event notifications"): what failed together does not come back together.
const jitter = 0.1

// delay returns how long to wait before the next attempt at a delivery of
// which one more has failed, and whether there is a next one. retryAfter, what
// the endpoint asked for, counts up to twice the scheduled delay.
func delay(schedule []time.Duration, d *oms.Delivery, retryAfter time.Duration) (time.Duration, bool) {
	left := d.MaxAttempts - d.Attempts // with d.Attempts made
	if left <= 0 || len(schedule) == 0 {
		return 0, false
	}
	// The schedule may have been changed since: the last delays of it are for
	// the last attempts.
	planned := schedule[max(0, len(schedule)-left)]
	wait := time.Duration(float64(planned) * (1 + jitter*(2*rand.Float64()-1)))
	return max(wait, min(retryAfter, 2*planned)), true
}
