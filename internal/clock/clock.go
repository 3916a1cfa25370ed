// Package clock is the time as the program sees it, so that a test of a twenty-second retry
// takes no twenty seconds. It knows nothing of what is waited for. [Real] is for servers, and
// the clocks of clocktest are for tests.
package clock

import "time"

// Clock tells the time and wakes. It is safe for concurrent use.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in its own goroutine once d has passed.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that is still to come. Stop reports whether it stopped it in time; if
// not, the call is made, or has been.
type Timer interface{ Stop() bool }

// Real is the machine's clock.
type Real struct{}

// Now returns the current time.
func (Real) Now() time.Time { return time.Now() }

// AfterFunc is time.AfterFunc.
func (Real) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
