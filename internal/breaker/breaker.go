// Package breaker keeps calls from an endpoint that does nothing but fail. After
// a while it has one call try, and goes by what came of that.
//
// A breaker is given the time and has no lock: it belongs to whoever owns it.
package breaker

import "time"

// Policy says when a breaker opens, and for how long.
type Policy struct {
	Failures int           // as many failed calls …
	Window   time.Duration // … that began within this time open it; 0: as many in a row
	Wait     time.Duration // how long it is open at first …
	MostWait time.Duration // … and at most: a trial that fails doubles the wait. 0: Wait each time
}

// State is what a breaker does, as the API spells it.
type State string

// The states of a breaker.
const (
	Closed   State = "closed"   // it lets all calls through
	Open     State = "open"     // it lets none through
	HalfOpen State = "halfOpen" // it lets one call through, the trial
)

// Breaker is one endpoint's, made by [New].
type Breaker struct {
	policy Policy
	since  time.Time     // when it was made, or closed last
	until  time.Time     // open until then; zero: it is closed
	wait   time.Duration // the present one
	trying bool          // the trial is under way
	early  bool          // the trial need not wait until then
	inARow int           // failures
	window window        // failures, where the policy has one
}

// New makes a breaker that is closed.
func New(p Policy, now time.Time) Breaker { return Breaker{policy: p, since: now} }

// Call is what a breaker has to know of a call that it let through.
type Call struct {
	Began time.Time
	Trial bool
}

// State returns what the breaker does at a time.
func (b *Breaker) State(now time.Time) State {
	switch {
	case b.until.IsZero():
		return Closed
	case now.Before(b.until) && !b.early:
		return Open
	}
	return HalfOpen
}

// Admits reports whether a call may begin; if not, and no call that ends will
// change that, when to ask again.
func (b *Breaker) Admits(now time.Time) (ok bool, again time.Time) {
	switch b.State(now) {
	case Open:
		return false, b.until
	case HalfOpen:
		// While the trial is under way, only its end changes the answer. So there is no
		// time to ask again at.
		return !b.trying, time.Time{}
	}
	return true, time.Time{}
}

// Begin notes that a call begins that was admitted.
// Admits must have admitted the call.
func (b *Breaker) Begin(now time.Time) Call {
	b.trying = !b.until.IsZero()
	return Call{Began: now, Trial: b.trying}
}

// End notes what became of a call, and reports whether the breaker has opened, or
// opened again. A call that began before it opened does not prolong the wait, and
// closes it only where a success ends the row that opened it.
func (b *Breaker) End(now time.Time, c Call, succeeded bool) (opened bool) {
	if succeeded {
		if c.Trial || b.policy.Window == 0 {
			*b = New(b.policy, now)
		}
		return false
	}
	switch {
	case b.until.IsZero():
		if b.failures(now, c) < b.policy.Failures {
			return false
		}
		b.wait = b.policy.Wait
	case c.Trial:
		// With a MostWait of 0 this is the Wait of the policy each time.
		b.wait = min(2*b.wait, max(b.policy.Wait, b.policy.MostWait))
	default:
		return false
	}
	b.until, b.trying, b.early = now.Add(b.wait), false, false
	return true
}

// failures counts one more, and returns how many there are.
func (b *Breaker) failures(now time.Time, c Call) int {
	if b.policy.Window == 0 {
		b.inARow++
		return b.inARow
	}
	if c.Began.Before(b.since) { // it says nothing of the time since the trial succeeded
		return 0
	}
	return b.window.add(c.Began.Sub(b.since), now.Sub(b.since), b.policy.Window)
}

// Cancel is End for a call that says nothing of the endpoint: another may try.
// Without it, a trial that came to nothing would keep out all later calls.
func (b *Breaker) Cancel(c Call) {
	if c.Trial {
		b.trying = false
	}
}

// TryNow ends the wait of a breaker that is open: the next call is the trial. It
// reports whether the breaker is not closed.
func (b *Breaker) TryNow() bool {
	b.early = !b.until.IsZero()
	return b.early
}
