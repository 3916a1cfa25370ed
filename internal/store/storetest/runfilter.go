package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// runFilters is a filter of each kind, and which runs of [manyRuns] it picks.
var runFilters = map[string]struct {
	set   func(f *store.RunFilter)
	picks func(i int) bool
}{
	"aborted":      {func(f *store.RunFilter) { f.Status = oms.RunAborted }, func(i int) bool { return i%5 == 0 }},
	"canceled":     {func(f *store.RunFilter) { f.Canceled = new(true) }, func(i int) bool { return i%5 == 1 }},
	"not canceled": {func(f *store.RunFilter) { f.Canceled = new(false) }, func(i int) bool { return i%5 != 1 }},
	"order":        {func(f *store.RunFilter) { f.OrderID = "o1" }, func(i int) bool { return i%3 == 1 }},
	"step":         {func(f *store.RunFilter) { f.Step = "WEBHOOKSTEP" }, func(i int) bool { return i%5 != 4 && i%4 == 0 }},
	"step's name":  {func(f *store.RunFilter) { f.Step = "åtgärd" }, func(i int) bool { return i%5 != 4 && i%4 == 1 }},
	"from":         {func(f *store.RunFilter) { f.From = at(10) }, func(i int) bool { return i >= 10 }},
	"to":           {func(f *store.RunFilter) { f.To = at(40) }, func(i int) bool { return i < 40 }},
}

// manyRuns makes 50 runs, one a second. They end, but for every fifth one, at
// the second of their steps.
func manyRuns(s *suite) {
	statuses := []oms.RunStatus{oms.RunAborted, oms.RunCanceled, oms.RunWaiting, oms.RunSuperseded, oms.RunSucceeded}
	s.write(func(tx store.Tx) error {
		for i := range 50 {
			r := &oms.Run{ID: fmt.Sprintf("run-%02d", i), OrderID: fmt.Sprint("o", i%3), Created: at(i), Status: oms.RunRunning,
				Results: []oms.StepResult{{Step: "First"}, {Step: "Other"}}, Position: oms.Position{Step: 0}}
			if i%4 == 0 {
				r.Results[1].Step = "WebhookStep"
			} else if i%4 == 1 {
				r.Results[1].DisplayName = "ÅTGÄRD"
			}
			if err := tx.InsertRun(ctx, acme, r); err != nil {
				return err
			}
			r.Status, r.Position.Step = statuses[i%5], 1
			if err := tx.UpdateRun(ctx, acme, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// testRunFilterPairs holds every filter alone, and in a pair with every other,
// against what it is to pick, on pages of several sizes.
func testRunFilterPairs(t *testing.T, s *suite) {
	manyRuns(s)
	for first, a := range runFilters {
		for second, b := range runFilters {
			var f store.RunFilter
			a.set(&f)
			if was := f; first != second {
				b.set(&f)
				if was.Step != "" && f.Step != was.Step || was.Canceled != nil && *f.Canceled != *was.Canceled {
					continue // of one field
				}
			}
			var want []string
			for i := range 50 {
				if a.picks(i) && b.picks(i) {
					want = append(want, fmt.Sprintf("run-%02d", i))
				}
			}
			slices.Reverse(want)
			for _, limit := range []int{3, 50} {
				count, err := s.RunCount(ctx, acme, f)
				wantCount(t, f, len(want), count, err)
				if got := ids(pages(t, limit, runsLike(s, f)), runID); !slices.Equal(got, want) {
					t.Errorf("%s and %s, %d a page: %q, want %q", first, second, limit, got, want)
				}
			}
		}
	}
}
