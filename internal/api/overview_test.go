package api

import (
	"context"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// TestSeries: each call is in the point that it began in, those before the first and behind
// the last are in none, and p50 and p99 are of all calls of a point.
func TestSeries(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 30, 0, time.UTC)
	at := func(before time.Duration, outcome string, ms ...float64) oms.CallCount {
		c := oms.CallCount{From: now.Truncate(time.Minute).Add(-before), Kind: oms.KindStep, Outcome: outcome, Calls: int64(len(ms))}
		for _, d := range ms {
			c.Durations.Count(d)
		}
		return c
	}
	s := series([]oms.CallCount{at(-time.Minute, oms.OutcomeFailed, 1), at(0, oms.OutcomeSucceeded, 1, 1, 1), at(0, oms.OutcomeFailed, 1000),
		at(2*time.Minute, oms.OutcomeFailed, 5), at(3*time.Minute, oms.OutcomeFailed, 5)}, now, time.Minute, 3)
	if len(s.Points) != 3 || !s.To.Equal(now.Truncate(time.Minute).Add(time.Minute)) || s.Total.Succeeded != 3 || s.Total.Failed != 2 {
		t.Fatalf("%+v", s)
	}
	first, last := s.Points[0], s.Points[2]
	if first.Failed != 1 || s.Points[1].P50Ms != nil || last.Succeeded != 3 || last.Failed != 1 {
		t.Errorf("%+v", s.Points)
	}
	if *last.P50Ms > 1 || *last.P99Ms < 700 || *last.P99Ms > 1000 {
		t.Errorf("p50 %v, p99 %v", *last.P50Ms, *last.P99Ms)
	}
}

// runsOfStatus is a store that has runs.
type runsOfStatus struct {
	store.Store
	runs map[oms.RunStatus][]*oms.Run
}

func (s runsOfStatus) Runs(_ context.Context, _ string, f store.RunFilter, _ store.Page) (store.List[*oms.Run], error) {
	return store.List[*oms.Run]{Items: s.runs[f.Status]}, nil
}

func (s runsOfStatus) RunCount(_ context.Context, _ string, f store.RunFilter) (store.Count, error) {
	return store.Count{N: len(s.runs[f.Status])}, nil
}

// TestStuckRuns are those that were aborted and those that failed, the newest first, and
// only a few of them.
func TestStuckRuns(t *testing.T) {
	began := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	run := func(id string, status oms.RunStatus, minute int) *oms.Run {
		return &oms.Run{ID: id, Status: status, Created: began.Add(time.Duration(minute) * time.Minute)}
	}
	s := runsOfStatus{runs: map[oms.RunStatus][]*oms.Run{oms.RunAborted: {run("a3", oms.RunAborted, 3), run("a1", oms.RunAborted, 1)}, oms.RunFailed: {run("f2", oms.RunFailed, 2)}, oms.RunSucceeded: {run("s", oms.RunSucceeded, 9)}}}
	a := &api{Options: Options{Store: s}}
	ctx := context.WithValue(t.Context(), callKey{}, &call{})
	stuck, err := a.stuckRuns(ctx)
	if err != nil || stuck.Count != 3 || len(stuck.Items) != 3 || stuck.Items[0].ID != "a3" || stuck.Items[1].ID != "f2" || stuck.Items[2].ID != "a1" {
		t.Errorf("%+v, %v", stuck, err)
	}
	for range mostStuck {
		s.runs[oms.RunFailed] = append(s.runs[oms.RunFailed], run("f0", oms.RunFailed, 0))
	}
	if stuck, err = a.stuckRuns(ctx); err != nil || stuck.Count != 3+mostStuck || len(stuck.Items) != mostStuck {
		t.Errorf("%d of %d, %v", len(stuck.Items), stuck.Count, err)
	}
}
