package delivery

import (
	"time"

	"github.com/orderhook/orderhook/internal/breaker"
)

// The circuit of an endpoint opens after so many failures in a row: for breakerWait, and
// after each trial that fails for twice as long as before, up to breakerMost.
const (
	breakerFailures = 30
	breakerWait     = 5 * time.Second
	breakerMost     = 5 * time.Minute
)

// newBreaker makes the breaker of an endpoint: deliveries wait for it, and use up
// no attempt (docs/contract.md#delivery).
func newBreaker(now time.Time) breaker.Breaker {
	return breaker.New(breaker.Policy{Failures: breakerFailures, Wait: breakerWait, MostWait: breakerMost}, now)
}
