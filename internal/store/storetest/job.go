package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// newJob returns a running job with every field set. A higher number gives a later time
// and a higher id.
func newJob(n int) *job.Job {
	j := withEveryField(job.Job{ID: fmt.Sprintf("job_%02d", n), Status: job.JobRunning, What: job.RecoverFailed, Created: at(n)})
	// A job that runs has not ended.
	j.Ended = time.Time{}
	return &j
}

// jobID tells jobs apart in lists.
func jobID(j *job.Job) string { return j.ID }

// putJob stores a job.
func (s *suite) putJob(tenant string, j *job.Job) {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.PutJob(ctx, tenant, j) })
}

// testJobs proves that a job comes back with every field, and that the list has the
// newest first.
func testJobs(t *testing.T, s *suite) {
	var want []string
	for n := range 7 {
		j := newJob(n)
		s.putJob(acme, j)
		same(t, ok[*job.Job](t)(s.Job(ctx, acme, j.ID)), j)
		want = append(want, j.ID)
	}
	slices.Reverse(want)
	for _, limit := range []int{1, 3, 7} {
		got := pages(t, limit, func(p store.Page) (store.List[*job.Job], error) { return s.Jobs(ctx, acme, p) })
		same(t, idsOf(got, jobID), want)
	}
	_, err := s.Job(ctx, acme, "job_99")
	is(t, err, apierr.NotFound)
}

// testRunningJobs proves that RunningJobs calls for the jobs of every tenant that have
// not ended, and for no other, with the position that was stored last, and that it stops
// when its caller says so. The server begins with it: a job that it leaves out would
// never go on.
func testRunningJobs(t *testing.T, s *suite) {
	for n, status := range []job.JobStatus{job.JobRunning, job.JobSucceeded, job.JobCanceled, job.JobFailed} {
		j := newJob(n)
		s.putJob(acme, j)
		// Each job is stored while it runs, and once more with its end.
		j.Status, j.Position, j.Ended = status, 7, at(50)
		s.putJob(acme, j)
		same(t, ok[*job.Job](t)(s.Job(ctx, acme, j.ID)), j)
	}
	s.putJob(other, newJob(5))
	var running []string
	each := func(tenant string, j *job.Job) error {
		running = append(running, fmt.Sprint(tenant, " ", j.ID, " ", j.Position))
		return nil
	}
	if err := s.RunningJobs(ctx, each); err != nil {
		t.Error(err)
	}
	// The order is by tenant, and the position is the one that was stored last: from there
	// the job goes on after a crash.
	same(t, running, []string{"acme job_00 7", "other job_05 8"})

	stop, calls := errors.New("stop"), 0
	err := s.RunningJobs(ctx, func(string, *job.Job) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("stopped with %v after %d calls", err, calls)
	}
}

// testCandidates proves what a recover job is given: the events in its period whose
// delivery to the endpoint failed, or those that have none. Left out are events of other
// times, events whose data was erased, those for one endpoint alone, and those after the
// job's last. However few come at a time, each comes once.
func testCandidates(t *testing.T, s *suite) {
	// The export has no event types. It gets only what is sent to it by name.
	to, export := s.put(endpoint("ep")), endpoint("export")
	export.Origin, export.EventTypes = event.OriginConnector, nil
	s.put(export)
	events := map[string]*event.Event{}
	for _, id := range []string{"delivered", "failed", "early", "failed-2", "erased", "late", "pending", "behind"} {
		events[id] = newEvent(id, id)
		events[id].Timestamp = at(10)
	}
	// The start of the period belongs to it, and the end does not.
	events["early"].Timestamp, events["late"].Timestamp = at(9), at(20)
	exported := newEvent("exported", "o9")
	exported.Timestamp = at(10)
	s.write(func(tx store.Tx) error { return tx.AddEventFor(ctx, acme, exported, export) })
	for _, id := range []string{"delivered", "failed", "early", "failed-2", "erased", "late", "pending", "behind"} {
		s.insert(newOrder(id, 1, `{}`))
		s.add(events[id])
	}
	for _, id := range []string{"failed", "early", "failed-2", "erased", "late", "behind"} {
		s.complete(events[id], to, event.DeliveryFailed)
	}
	s.complete(events["delivered"], to, event.DeliverySucceeded)
	// Without its data an event cannot be sent, so no job needs it.
	s.erase(acme, "erased")
	// This endpoint came after all events, so all of them are missing there.
	new := s.put(endpoint("new"))

	// The last event of the job is "pending". "behind" came later, and the endpoint has
	// got it, or has failed at it, by itself.
	j := &job.Job{What: job.RecoverFailed, From: at(10), To: at(20), Last: events["pending"].Seq}
	s.wantCandidates(j, to, "failed failed-2")
	s.wantCandidates(j, new, "")
	j.What = job.RecoverMissing
	s.wantCandidates(j, to, "")
	s.wantCandidates(j, new, "delivered failed failed-2 pending")
	// A job that was interrupted goes on behind its position.
	j.Position = events["failed"].Seq
	s.wantCandidates(j, new, "failed-2 pending")
	j.Position = 0
	// The same from the newest to the oldest, which is how people are shown what an
	// endpoint has missed.
	var got []string
	for at := *j; at.Last > 0; at.Last-- {
		events, last, err := s.NewestMissing(ctx, acme, &at, new.No, 2)
		must(t, err)
		got, at.Last = append(got, idsOf(events, eventID)...), last
	}
	same(t, got, []string{"pending", "failed-2", "failed", "delivered"})
}

// wantCandidates goes through a job's candidates, one, two and a hundred at a time, and
// checks that each step makes progress.
func (s *suite) wantCandidates(j *job.Job, to *event.Endpoint, want string) {
	s.t.Helper()
	for _, limit := range []int{1, 2, 100} {
		var got []string
		s.write(func(tx store.Tx) error {
			at := *j
			// The write may run twice, so it begins with an empty list.
			for got = nil; at.Position < at.Last; {
				events, last, err := tx.Candidates(ctx, acme, &at, to.No, limit)
				if err != nil {
					return err
				}
				// A step without progress would run for ever.
				if len(events) > limit || last <= at.Position {
					s.t.Errorf("%d events at a time, up to %d from %d", len(events), last, at.Position)
					return nil
				}
				got, at.Position = append(got, idsOf(events, eventID)...), last
			}
			return nil
		})
		if got := fmt.Sprint(got); got != "["+want+"]" {
			s.t.Errorf("%s for %s, %d at a time: %s, want [%s]", j.What, to.ID, limit, got, want)
		}
	}
}

// testManyCandidates proves that a job finds its events behind five thousand others that
// it does not want. An engine looks at a limited number in one transaction, so some steps
// find nothing and still have to go on.
func testManyCandidates(t *testing.T, s *suite) {
	var last *event.Event
	s.write(func(tx store.Tx) error {
		for n := range 5000 {
			last = newEvent(fmt.Sprint("e", n), "o1")
			last.Timestamp = at(n)
			if err := tx.AddEvents(ctx, acme, last); err != nil {
				return err
			}
		}
		return nil
	})
	s.wantCandidates(&job.Job{What: job.RecoverMissing, From: at(4998), To: at(6000), Last: last.Seq}, s.put(endpoint("ep")), "e4998 e4999")
}
