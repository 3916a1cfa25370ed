package attempt_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/attempt"
)

// TestQuantile: what is said of a quantile lies between the same bounds as the exact
// one, however the durations are spread, and added counts say the same.
func TestQuantile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 100), rapid.Float64Range(0, 70_000), rapid.SampledFrom(attempt.DurationBounds[:])), 1, 200).Draw(rt, "ms")
		var one, other attempt.Durations
		for i, ms := range all {
			if i%3 == 0 {
				other.Count(ms)
			} else {
				one.Count(ms)
			}
		}
		one.Add(&other)
		slices.Sort(all)
		for _, q := range []float64{0.01, 0.5, 0.99, 1} {
			exact := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
			at, _ := slices.BinarySearch(attempt.DurationBounds[:], exact)
			low, high := 0.0, math.Inf(1)
			if at > 0 {
				low = attempt.DurationBounds[at-1]
			}
			if at < len(attempt.DurationBounds) {
				high = attempt.DurationBounds[at]
			}
			if got := one.Quantile(q); got < low || got > high {
				rt.Errorf("quantile %v is said to be %v, and is %v, between %v and %v", q, got, exact, low, high)
			}
		}
	})
	var none, long, even attempt.Durations
	long.Count(90_000)
	for range 100 {
		even.Count(150)
	}
	if none.Quantile(0.5) != 0 || long.Quantile(0.5) != 60_000 || even.Quantile(0.5) != 125 || even.Quantile(1) != 150 {
		t.Errorf("none: %v, long: %v, even: %v, %v", none.Quantile(0.5), long.Quantile(0.5), even.Quantile(0.5), even.Quantile(1))
	}
}
