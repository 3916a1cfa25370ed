package core

import (
	"slices"
	"testing"
)

// TestCallsAreCountedInOneOrder, in whichever order those stand in the batches: so of two
// transactions neither waits for a count of the other while that waits for one of its own.
func TestCallsAreCountedInOneOrder(t *testing.T) {
	var counts []CallCount
	for _, tenant := range []string{"acme", "other"} {
		for start := range int64(2) {
			for _, kind := range []string{"event", "step"} {
				for _, outcome := range []string{"failed", "succeeded"} {
					counts = append(counts, CallCount{callSpan: callSpan{1, start, kind, outcome}, tenant: tenant, calls: 1})
				}
			}
		}
	}
	order := func(all []CallCount) (keys [][5]any) {
		var batches []*Batch
		for _, c := range all {
			batches = append(batches, &Batch{Calls: []CallCount{c}})
		}
		for _, c := range CountCalls(&Dialect{Pieces: map[string]string{"callkey": ""}}, batches) {
			keys = append(keys, [5]any(c.Args[:5]))
		}
		return keys
	}
	one := order(counts)
	if len(one) != len(counts) {
		t.Errorf("%d counts of %d", len(one), len(counts))
	}
	for first := range counts { // each is once the first, and the last
		turned := slices.Concat(counts[first:], counts[:first])
		if other := order(turned); !slices.Equal(one, other) {
			t.Fatalf("%v are counted in the order %v", one, other)
		}
		slices.Reverse(turned)
		if other := order(turned); !slices.Equal(one, other) {
			t.Fatalf("%v are counted in the order %v", one, other)
		}
	}
}
