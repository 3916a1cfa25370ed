package outbound

import (
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/ids"
)

// Record returns the record of an exchange, an attempt of a kind (docs/contract.md#attempts).
// failure says why it failed, which may be for what its answer says; "" if it did not.
// Callers add what the attempt is about. Should the store find the id taken, they give the
// attempt another.
func (x Exchange) Record(kind, failure string) *attempt.Attempt {
	a := &attempt.Attempt{
		ID: ids.Numbered(ids.Attempt, x.StartedAt), Kind: kind, Number: 1, MaxNumber: 1,
		StartedAt: x.StartedAt, DurationMs: float64(x.Duration.Microseconds()) / 1000,
		URL: x.URL, Host: x.Host, Status: x.Status, Outcome: attempt.OutcomeSucceeded, Error: failure, Detail: x.Detail(),
	}
	// The place that the settings name was not called.
	if x.listener != nil {
		a.URL, a.Host = attempt.ListenerScheme+x.listener.InterceptionID, ""
	}
	if failure != "" {
		a.Outcome = attempt.OutcomeFailed
	}
	return a
}
