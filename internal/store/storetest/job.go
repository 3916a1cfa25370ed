package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// job returns a running job with every field set; later ones have higher ids.
func job(n int) *oms.Job {
	j := withEveryField(oms.Job{ID: fmt.Sprintf("job_%02d", n), Status: oms.JobRunning, What: oms.RecoverFailed, Created: at(n)})
	j.Ended = time.Time{}
	return &j
}

func jobID(j *oms.Job) string { return j.ID }

func (s *suite) putJob(tenant string, j *oms.Job) {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.PutJob(ctx, tenant, j) })
}

func testJobs(t *testing.T, s *suite) {
	var want []string
	for n := range 7 {
		j := job(n)
		s.putJob(acme, j)
		same(t, ok[*oms.Job](t)(s.Job(ctx, acme, j.ID)), j)
		want = append(want, j.ID)
	}
	slices.Reverse(want)
	for _, limit := range []int{1, 3, 7} {
		got := pages(t, limit, func(p store.Page) (store.List[*oms.Job], error) { return s.Jobs(ctx, acme, p) })
		same(t, ids(got, jobID), want)
	}
	_, err := s.Job(ctx, acme, "job_99")
	is(t, err, oms.NotFound)
}

func testRunningJobs(t *testing.T, s *suite) {
	for n, status := range []oms.JobStatus{oms.JobRunning, oms.JobSucceeded, oms.JobCanceled, oms.JobFailed} {
		j := job(n)
		s.putJob(acme, j)
		j.Status, j.Position, j.Ended = status, 7, at(50)
		s.putJob(acme, j)
		same(t, ok[*oms.Job](t)(s.Job(ctx, acme, j.ID)), j)
	}
	s.putJob(other, job(5))
	var running []string
	each := func(tenant string, j *oms.Job) error {
		running = append(running, fmt.Sprint(tenant, " ", j.ID, " ", j.Position))
		return nil
	}
	if err := s.RunningJobs(ctx, each); err != nil {
		t.Error(err)
	}
	same(t, running, []string{"acme job_00 7", "other job_05 8"})

	stop, calls := errors.New("stop"), 0
	err := s.RunningJobs(ctx, func(string, *oms.Job) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("stopped with %v after %d calls", err, calls)
	}
}

// testCandidates goes through what failed and what is missing, a few at a time.
func testCandidates(t *testing.T, s *suite) {
	to, export := s.put(endpoint("ep")), endpoint("export")
	export.Origin, export.EventTypes = oms.OriginConnector, nil
	s.put(export)
	events := map[string]*oms.Event{}
	for _, id := range []string{"delivered", "failed", "early", "failed-2", "erased", "late", "pending", "behind"} {
		events[id] = event(id, id)
		events[id].Timestamp = at(10)
	}
	events["early"].Timestamp, events["late"].Timestamp = at(9), at(20)
	exported := event("exported", "o9")
	exported.Timestamp = at(10)
	s.write(func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, exported, export) })
	for _, id := range []string{"delivered", "failed", "early", "failed-2", "erased", "late", "pending", "behind"} {
		s.insert(order(id, 1, `{}`))
		s.add(events[id])
	}
	for _, id := range []string{"failed", "early", "failed-2", "erased", "late", "behind"} {
		s.settle(events[id], to, oms.DeliveryFailed)
	}
	s.settle(events["delivered"], to, oms.DeliverySucceeded)
	s.erase(acme, "erased")
	new := s.put(endpoint("new"))

	j := &oms.Job{What: oms.RecoverFailed, From: at(10), To: at(20), Last: events["pending"].Seq}
	s.wantCandidates(j, to, "failed failed-2")
	s.wantCandidates(j, new, "")
	j.What = oms.RecoverMissing
	s.wantCandidates(j, to, "")
	s.wantCandidates(j, new, "delivered failed failed-2 pending")
	j.Position = events["failed"].Seq
	s.wantCandidates(j, new, "failed-2 pending")
}

// wantCandidates goes through a job's candidates, however many come at a time.
func (s *suite) wantCandidates(j *oms.Job, to *oms.Endpoint, want string) {
	s.t.Helper()
	for _, limit := range []int{1, 2, 100} {
		var got []string
		s.write(func(tx store.Tx) error {
			at := *j
			for got = nil; at.Position < at.Last; {
				events, last, err := tx.Candidates(ctx, acme, &at, to.No, limit)
				if err != nil {
					return err
				}
				if len(events) > limit || last <= at.Position {
					s.t.Errorf("%d events at a time, up to %d from %d", len(events), last, at.Position)
					return nil
				}
				got, at.Position = append(got, ids(events, eventID)...), last
			}
			return nil
		})
		if got := fmt.Sprint(got); got != "["+want+"]" {
			s.t.Errorf("%s for %s, %d at a time: %s, want [%s]", j.What, to.ID, limit, got, want)
		}
	}
}

// testManyCandidates has more to look at than is looked at in one transaction.
func testManyCandidates(t *testing.T, s *suite) {
	var last *oms.Event
	s.write(func(tx store.Tx) error {
		for n := range 5000 {
			last = event(fmt.Sprint("e", n), "o1")
			last.Timestamp = at(n)
			if err := tx.AddEvents(ctx, acme, last); err != nil {
				return err
			}
		}
		return nil
	})
	s.wantCandidates(&oms.Job{What: oms.RecoverMissing, From: at(4998), To: at(6000), Last: last.Seq}, s.put(endpoint("ep")), "e4998 e4999")
}
