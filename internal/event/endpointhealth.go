package event

import "time"

// Health is how an endpoint has been doing. Success and failure mean attempts. Package
// delivery adds attempts up in memory and has them stored every few seconds, so a process
// that dies loses some of the counts. It is shown to users and decides when an endpoint is
// turned off.
type Health struct {
	// Pending and Failed count the deliveries that wait, and those that failed for
	// good. They are not counted to the end where there are very many: then there are
	// at least so many.
	Pending, Failed             int64
	PendingCapped, FailedCapped bool
	// Succeeded counts deliveries since the endpoint was made.
	Succeeded    int64
	LastSuccess  time.Time
	LastFailure  time.Time
	LastError    string
	Consecutive  int       // failures since the last success
	FailingSince time.Time // the first of them; zero: none
	// FilterErrors counts the events that the filter could not evaluate, since the
	// endpoint was made; the endpoint got them.
	FilterErrors    int64
	LastFilterError FilterError // the last of them
	Streak          Streak
}

// FilterError says why a filter could not evaluate an event. Events that a filter could not
// evaluate were delivered.
type FilterError struct {
	At      time.Time // zero: there was none
	EventID string
	Why     string // without anything of the event's data
}

// Streak is an endpoint's failures since its last success of which none is long
// after the one before: what an endpoint is turned off for
// (docs/contract.md#delivery). A failure, silence, and a failure say little.
type Streak struct {
	Since      time.Time // the first of them; zero: there is none
	Deliveries int       // that failed at their first attempt
	Beginning  bool      // the last failure was such a first one, and others are to follow
}

// Then returns the streak that s, whose last failure was at a time, and a later
// one are. If the silence between them is longer than the given one, it is the
// later one alone. So failures that lie far apart make no streak.
func (s Streak) Then(last time.Time, later Streak, silence time.Duration) Streak {
	switch {
	case later.Since.IsZero():
		return s
	case s.Since.IsZero(), later.Since.Sub(last) > silence:
		return later
	}
	return Streak{s.Since, s.Deliveries + later.Deliveries, later.Beginning}
}

// Failed returns how many deliveries have failed: one whose first attempt has
// just failed may succeed yet. It is held against the number of attempts that a delivery
// has.
func (s Streak) Failed() int {
	if s.Beginning {
		return s.Deliveries - 1
	}
	return s.Deliveries
}
