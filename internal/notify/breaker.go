package notify

import "time"

// A breaker keeps deliveries from an endpoint that does nothing but fail: they
// wait, and use up no attempt. It opens after breakerFailures in a row, for
// breakerWait; then one attempt tries, and if that fails too, it opens for
// twice as long, up to breakerMost.
type breaker struct {
	failures int // in a row
	wait     time.Duration
	until    time.Time // open until then; zero: closed
	trying   bool      // the one attempt is under way
}

const (
	breakerFailures = 30
	breakerWait     = 5 * time.Second
	breakerMost     = 5 * time.Minute
)

// Circuit is what a breaker is like (API.md, "Webhook endpoints and events").
type Circuit string

// The states of a circuit.
const (
	CircuitClosed   Circuit = "closed"
	CircuitOpen     Circuit = "open"
	CircuitHalfOpen Circuit = "halfOpen" // one attempt may try
)

func (b *breaker) circuit(now time.Time) Circuit {
	switch {
	case b.until.IsZero():
		return CircuitClosed
	case now.Before(b.until):
		return CircuitOpen
	}
	return CircuitHalfOpen
}

// admits reports whether an attempt may begin; if not, and no other event will
// change that, when to ask again.
func (b *breaker) admits(now time.Time) (ok bool, again time.Time) {
	switch b.circuit(now) {
	case CircuitOpen:
		return false, b.until
	case CircuitHalfOpen:
		return !b.trying, time.Time{}
	}
	return true, time.Time{}
}

// begin notes that an attempt begins that was admitted, and reports whether it
// is the one that tries.
func (b *breaker) begin() (trial bool) {
	b.trying = !b.until.IsZero()
	return b.trying
}

// end notes what became of an attempt, and reports whether the breaker has opened
// that was closed. Attempts that began before it opened do not prolong it.
func (b *breaker) end(now time.Time, succeeded, trial bool) (opened bool) {
	if succeeded {
		*b = breaker{}
		return false
	}
	b.failures++
	switch {
	case trial && !b.until.IsZero(): // else it was closed meanwhile
		b.trying, b.wait = false, max(breakerWait, min(2*b.wait, breakerMost))
		b.until = now.Add(b.wait)
	case b.until.IsZero() && b.failures >= breakerFailures:
		b.wait = breakerWait
		b.until = now.Add(b.wait)
		return true
	}
	return false
}

// giveBack is end for an attempt that was not made.
func (b *breaker) giveBack(trial bool) {
	if trial {
		b.trying = false
	}
}
