package jobrunner_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// fenced is a store that refuses what is written by a lease that is not the newest, as one
// of several nodes does.
type fenced struct {
	store.Store
	newest atomic.Int64
}

func (f *fenced) Write(ctx context.Context, do func(store.Tx) error) error {
	for _, l := range nodes.LeasesOf(ctx) {
		if l.Epoch != f.newest.Load() {
			return nodes.ErrLost
		}
	}
	return f.Store.Write(ctx, do)
}

func (f *fenced) leases(epoch int64) (all []nodes.Lease) {
	f.newest.Store(epoch)
	for _, l := range nodes.All() {
		all = append(all, nodes.Lease{Name: l.Name, Epoch: epoch})
	}
	return all
}

// TestJobsGoOnElsewhere: no step begins once the shard of a job is given back, or is another
// node's, and that one goes on where the job was.
func TestJobsGoOnElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		f, steps := &fenced{Store: r.DB}, atomic.Int32{}
		kind := func(_ context.Context, _ string, _ *job.Job) (jobrunner.Step, error) {
			time.Sleep(10 * time.Second)
			return jobrunner.Step{
				Write: func(_ context.Context, _ store.Tx, j *job.Job) error {
					if j.Examined++; j.Examined == 6 {
						j.End(job.JobSucceeded, "")
					}
					return nil
				},
				After: func() { steps.Add(1) },
			}, nil
		}
		runner := func() *jobrunner.Runner {
			made := jobrunner.New(jobrunner.Options{Store: f, Node: nodes.Alone(), Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)}, map[string]jobrunner.Kind{"count": kind})
			if err := made.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			return made
		}
		a, b := runner(), runner()
		defer func() { a.Stop(); b.Stop() }()
		takes := func(r *jobrunner.Runner, leases []nodes.Lease) {
			t.Helper()
			if err := r.Take(t.Context(), leases); err != nil {
				t.Fatal(err)
			}
		}
		j := r.put(job.NewJob("count", time.Now()))
		a.Begin(acme, j)
		time.Sleep(time.Minute)
		if n := steps.Load(); n != 0 {
			t.Fatalf("%d steps by who has no shard", n)
		}
		first := f.leases(1)
		takes(a, first)
		time.Sleep(5 * time.Second)
		a.Hear(t.Context(), []nodes.News{{Kind: nodes.Job, Tenant: acme, ID: j.ID}, {Kind: nodes.Anew}}) // it runs already
		time.Sleep(20 * time.Second)
		a.Give(t.Context(), first)
		done := steps.Load()
		time.Sleep(time.Minute)
		if n := steps.Load(); done != 2 || n != done {
			t.Errorf("%d steps were made, and %d after that", done, n-done)
		}
		takes(a, f.leases(2))
		time.Sleep(15 * time.Second)
		takes(b, f.leases(3)) // while the other does not know of it
		waits := make(chan time.Time, 1)
		go func() { a.Do(t.Context(), acme, j); waits <- time.Now() }()
		time.Sleep(time.Minute)
		if now := r.now(j); now.Status != job.JobSucceeded || now.Examined != 6 || steps.Load() != 6 {
			t.Errorf("after %d steps the job is %s at %d", steps.Load(), now.Status, now.Examined)
		}
		<-waits

		later := r.put(job.NewJob("count", time.Now())) // which another node has made
		time.Sleep(time.Minute)
		b.Hear(t.Context(), []nodes.News{{Kind: nodes.Job, Tenant: acme, ID: later.ID}})
		time.Sleep(2 * time.Minute)
		if now := r.now(later); now.Status != job.JobSucceeded {
			t.Errorf("the job of another node's caller is %s", now.Status)
		}
	})
}

// TestWhoWaitsForAJobWaitsForItsEnd, also where the shard of the job goes to another node
// meanwhile, and that one ends it.
func TestWhoWaitsForAJobWaitsForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		f := &fenced{Store: r.DB}
		kind := func(context.Context, string, *job.Job) (jobrunner.Step, error) {
			time.Sleep(10 * time.Second)
			return jobrunner.Step{Write: func(_ context.Context, _ store.Tx, j *job.Job) error {
				if j.Examined++; j.Examined == 6 {
					j.End(job.JobSucceeded, "")
				}
				return nil
			}}, nil
		}
		runner := func() *jobrunner.Runner {
			return jobrunner.New(jobrunner.Options{Store: f, Node: nodes.Alone(), Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)}, map[string]jobrunner.Kind{"count": kind})
		}
		a, b := runner(), runner()
		defer func() { a.Stop(); b.Stop() }()
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		leases := f.leases(1)
		must(a.Take(t.Context(), leases))
		j := r.put(job.NewJob("count", time.Now()))
		waited := make(chan job.JobStatus, 1)
		go func() { a.Do(t.Context(), acme, j); waited <- r.now(j).Status }()
		time.Sleep(25 * time.Second)
		a.Give(t.Context(), leases)
		must(b.Take(t.Context(), f.leases(2)))
		time.Sleep(2 * time.Minute)
		select {
		case status := <-waited:
			if status != job.JobSucceeded {
				t.Errorf("who waited goes on while the job is %s", status)
			}
		default:
			t.Error("who waits does not learn of the end")
		}
	})
}
