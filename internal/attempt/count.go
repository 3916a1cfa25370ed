package attempt

import (
	"math"
	"slices"
	"time"
)

// CallCount is how many calls of a kind, which began within a span of time, came to
// an outcome, and how long they took. Every attempt is a call here.
type CallCount struct {
	From      time.Time // the beginning of the span
	Kind      string
	Outcome   string
	Calls     int64
	Durations Durations
}

// DurationBounds are the bounds of [Durations], in milliseconds: a duration counts at
// the first that it is not longer than. It must not be changed: stored counts go by it.
var DurationBounds = [...]float64{1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700,
	1000, 1500, 2000, 3000, 5000, 7000, 10_000, 20_000, 30_000, 60_000}

// Durations counts durations by their bounds; the last counts those that are longer
// than all of them.
type Durations [len(DurationBounds) + 1]int64

// Count adds a duration in milliseconds.
func (d *Durations) Count(ms float64) {
	at, _ := slices.BinarySearch(DurationBounds[:], ms)
	d[at]++
}

// Add adds the counts of others.
func (d *Durations) Add(more *Durations) {
	for i, n := range more {
		d[i] += n
	}
}

// Quantile returns about how many milliseconds the share q of all durations took at
// most, q being above 0 and not above 1; 0 where there are none. It lies between the
// same two bounds as the exact one, the share of those that are in between being
// taken as spread evenly. Of more than the last bound it says that bound.
func (d *Durations) Quantile(q float64) float64 {
	var all int64
	for _, n := range d {
		all += n
	}
	if all == 0 {
		return 0
	}
	rank := max(1, math.Ceil(q*float64(all))) // of the one that is looked for, from 1
	var before int64
	for i, bound := range DurationBounds {
		if n := d[i]; float64(before+n) >= rank {
			low := 0.0
			if i > 0 {
				low = DurationBounds[i-1]
			}
			return low + (bound-low)*(rank-float64(before))/float64(n)
		}
		before += d[i]
	}
	return DurationBounds[len(DurationBounds)-1]
}
