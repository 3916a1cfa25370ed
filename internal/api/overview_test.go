package api

import (
	"context"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// TestSeries: each call is in the point that it began in, those before the first and behind
// the last are in none, and p50 and p99 are of all calls of a point.
func TestSeries(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 30, 0, time.UTC)
	at := func(before time.Duration, outcome string, ms ...float64) attempt.CallCount {
		c := attempt.CallCount{From: now.Truncate(time.Minute).Add(-before), Kind: attempt.KindStep, Outcome: outcome, Calls: int64(len(ms))}
		for _, d := range ms {
			c.Durations.Count(d)
		}
		return c
	}
	s := series([]attempt.CallCount{at(-time.Minute, attempt.OutcomeFailed, 1), at(0, attempt.OutcomeSucceeded, 1, 1, 1), at(0, attempt.OutcomeFailed, 1000),
		at(2*time.Minute, attempt.OutcomeFailed, 5), at(3*time.Minute, attempt.OutcomeFailed, 5)}, now, time.Minute, 3)
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

// TestIsWell: an endpoint that failed a moment ago, and that no figure shows in trouble any
// more, is not shown as failing.
func TestIsWell(t *testing.T) {
	for name, c := range map[string]struct {
		on      bool
		failed  int
		circuit breaker.State
		well    bool
	}{
		"recovered":    {true, 0, breaker.Closed, true},
		"fails":        {true, 1, breaker.Closed, false},
		"circuit open": {true, 0, breaker.Open, false},
		"being tried":  {true, 0, breaker.HalfOpen, false},
		"off":          {false, 0, breaker.Closed, false},
	} {
		if got := isWell(&event.Endpoint{Enabled: c.on}, event.Health{Consecutive: c.failed}, c.circuit); got != c.well {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// runsOfStatus is a store that has runs.
type runsOfStatus struct {
	store.Store
	runs map[run.RunStatus][]*run.Run
}

func (s runsOfStatus) Runs(_ context.Context, _ string, f store.RunFilter, _ store.Page) (store.List[*run.Run], error) {
	return store.List[*run.Run]{Items: s.runs[f.Status]}, nil
}

func (s runsOfStatus) RunCount(_ context.Context, _ string, f store.RunFilter) (store.Count, error) {
	return store.Count{N: len(s.runs[f.Status])}, nil
}

// TestStuckRuns are those that were aborted and those that failed, the newest first, and
// only a few of them.
func TestStuckRuns(t *testing.T) {
	began := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	r := func(id string, status run.RunStatus, minute int) *run.Run {
		return &run.Run{ID: id, Status: status, Created: began.Add(time.Duration(minute) * time.Minute)}
	}
	s := runsOfStatus{runs: map[run.RunStatus][]*run.Run{run.RunAborted: {r("a3", run.RunAborted, 3), r("a1", run.RunAborted, 1)}, run.RunFailed: {r("f2", run.RunFailed, 2)}, run.RunSucceeded: {r("s", run.RunSucceeded, 9)}}}
	a := &api{Options: Options{Store: s}}
	ctx := context.WithValue(t.Context(), callKey{}, &call{})
	stuck, err := a.stuckRuns(ctx)
	if err != nil || stuck.Count != 3 || len(stuck.Items) != 3 || stuck.Items[0].ID != "a3" || stuck.Items[1].ID != "f2" || stuck.Items[2].ID != "a1" {
		t.Errorf("%+v, %v", stuck, err)
	}
	for range mostStuck {
		s.runs[run.RunFailed] = append(s.runs[run.RunFailed], r("f0", run.RunFailed, 0))
	}
	if stuck, err = a.stuckRuns(ctx); err != nil || stuck.Count != 3+mostStuck || len(stuck.Items) != mostStuck {
		t.Errorf("%d of %d, %v", len(stuck.Items), stuck.Count, err)
	}
}
