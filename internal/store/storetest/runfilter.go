package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// runFilters has one filter for each field of [store.RunFilter] except Current, and says
// in plain Go which of the runs of [manyRuns] it picks.
// The numbers in picks are those of the runs, from 0 to 49.
var runFilters = map[string]struct {
	set   func(f *store.RunFilter)
	picks func(i int) bool
}{
	"aborted":      {func(f *store.RunFilter) { f.Status = run.RunAborted }, func(i int) bool { return i%5 == 0 }},
	"canceled":     {func(f *store.RunFilter) { f.Canceled = new(true) }, func(i int) bool { return i%5 == 1 }},
	"not canceled": {func(f *store.RunFilter) { f.Canceled = new(false) }, func(i int) bool { return i%5 != 1 }},
	"order":        {func(f *store.RunFilter) { f.OrderID = "o1" }, func(i int) bool { return i%3 == 1 }},
	"step":         {func(f *store.RunFilter) { f.Step = "WEBHOOKSTEP" }, func(i int) bool { return i%5 != 4 && i%4 == 0 }},
	"step's name":  {func(f *store.RunFilter) { f.Step = "åtgärd" }, func(i int) bool { return i%5 != 4 && i%4 == 1 }},
	"from":         {func(f *store.RunFilter) { f.From = at(10) }, func(i int) bool { return i >= 10 }},
	"to":           {func(f *store.RunFilter) { f.To = at(40) }, func(i int) bool { return i < 40 }},
}

// manyRuns makes 50 runs, one a second. Each is stored at its first step and then
// changed: it stands at its second step, and has ended, except every fifth, which waits.
// The filter by step finds a run by the step that it waits or stopped at, and those that
// succeeded by none.
func manyRuns(s *suite) {
	statuses := []run.RunStatus{run.RunAborted, run.RunCanceled, run.RunWaiting, run.RunSuperseded, run.RunSucceeded}
	s.write(func(tx store.Tx) error {
		for i := range 50 {
			r := &run.Run{ID: fmt.Sprintf("run-%02d", i), OrderID: fmt.Sprint("o", i%3), Created: at(i), Status: run.RunRunning,
				Results: []run.StepResult{{Step: "First"}, {Step: "Other"}}, Position: run.Position{Step: 0}}
			// A step is found by its type or by its display name, so some runs have the one
			// and some the other.
			if i%4 == 0 {
				r.Results[1].Step = "WebhookStep"
			} else if i%4 == 1 {
				r.Results[1].DisplayName = "ÅTGÄRD"
			}
			if err := tx.InsertRun(ctx, acme, r); err != nil {
				return err
			}
			r.Status, r.Position.Step = statuses[i%5], 1
			// The change moves the run to another step, so what an engine has stored for the
			// filter has to move, too.
			if err := tx.UpdateRun(ctx, acme, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// testRunFilterPairs proves that every filter of runs, alone and together with every
// other one, picks what it says, in pages of several sizes.
func testRunFilterPairs(t *testing.T, s *suite) {
	manyRuns(s)
	for first, a := range runFilters {
		for second, b := range runFilters {
			// A filter together with itself is the filter alone.
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
			// A list begins with the newest.
			slices.Reverse(want)
			for _, limit := range []int{3, 50} {
				count, err := s.RunCount(ctx, acme, f)
				wantCount(t, f, len(want), count, err)
				if got := idsOf(pages(t, limit, runsLike(s, f)), runID); !slices.Equal(got, want) {
					t.Errorf("%s and %s, %d a page: %q, want %q", first, second, limit, got, want)
				}
			}
		}
	}
}
