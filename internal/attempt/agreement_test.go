package attempt

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// compared is the attempt of a shadow, with so many differences.
func compared(id string, result Result, differences int) *Attempt {
	c := &Comparison{Result: result}
	for i := range differences {
		c.Differences = append(c.Differences, Difference{Path: fmt.Sprint("order.f", i)})
	}
	return &Attempt{ID: id, Detail: &AttemptDetail{Comparison: c}}
}

// TestAgreementCountsEachResult: each is counted once, and what does not agree ends the row.
func TestAgreementCountsEachResult(t *testing.T) {
	at := time.Unix(1000, 0)
	a := &Agreement{}
	for i, c := range []struct {
		result Result
		want   Agreement
	}{
		{ResultSame, Agreement{Same: 1, InARow: 1}},
		{ResultSlower, Agreement{Same: 1, Slower: 1, InARow: 2}},
		{ResultDifferent, Agreement{Same: 1, Slower: 1, Different: 1}},
		{ResultSame, Agreement{Same: 2, Slower: 1, Different: 1, InARow: 1}},
		{ResultFailed, Agreement{Same: 2, Slower: 1, Different: 1, Failed: 1}},
		{ResultSlower, Agreement{Same: 2, Slower: 2, Different: 1, Failed: 1, InARow: 1}},
	} {
		now := at.Add(time.Duration(i) * time.Second)
		a.Add(compared(fmt.Sprint("att-", i), c.result, 1), now)
		got := *a
		got.Last, got.Updated = nil, time.Time{}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("after %d results (-want +got):\n%s", i+1, diff)
		}
		if a.Compared() != int64(i+1) || !a.Updated.Equal(now) {
			t.Errorf("after %d results %d were compared, the last at %v", i+1, a.Compared(), a.Updated)
		}
	}
	want := []Disagreement{{"att-4", ResultFailed, []string{"order.f0"}, at.Add(4 * time.Second)}, {"att-2", ResultDifferent, []string{"order.f0"}, at.Add(2 * time.Second)}}
	if diff := cmp.Diff(want, a.Last); diff != "" {
		t.Errorf("the last that did not agree (-want +got):\n%s", diff)
	}
}

// TestAnAgreementIsBounded: it is stored anew with each call, so neither the disagreements nor their
// paths may grow with their number.
func TestAnAgreementIsBounded(t *testing.T) {
	a := &Agreement{}
	for i := range 3 * mostLast {
		was := a.Last
		before := append([]Disagreement(nil), was...)
		a.Add(compared(fmt.Sprint("att-", i), ResultDifferent, 3*mostPaths), time.Unix(int64(i), 0))
		if diff := cmp.Diff(before, was); diff != "" {
			t.Fatalf("a write that is decided again finds its list changed:\n%s", diff)
		}
	}
	if len(a.Last) != mostLast || a.Last[0].AttemptID != fmt.Sprint("att-", 3*mostLast-1) || a.Last[mostLast-1].AttemptID != fmt.Sprint("att-", 2*mostLast) {
		t.Errorf("of %d that did not agree are left %v", 3*mostLast, a.Last)
	}
	if n := len(a.Last[0].Paths); n != mostPaths {
		t.Errorf("%d paths are left of one", n)
	}
}
