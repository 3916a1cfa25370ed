package jobrunner_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

const acme = "acme"

// rig is a database and the jobs on it; it is for a synctest bubble.
type rig struct {
	*testing.T
	*sqlite.DB
}

func newRig(t *testing.T) rig {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"), sqlite.Options{EncryptionKey: secret.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return rig{t, db}
}

func (r rig) runner(k jobrunner.Kind) *jobrunner.Runner {
	return jobrunner.New(jobrunner.Options{Store: r.DB, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)}, map[string]jobrunner.Kind{"count": k})
}

func (r rig) put(j *job.Job) *job.Job {
	r.Helper()
	if err := r.Write(r.Context(), func(tx store.Tx) error { return tx.PutJob(r.Context(), acme, j) }); err != nil {
		r.Fatal(err)
	}
	return j
}

func (r rig) now(j *job.Job) *job.Job {
	r.Helper()
	now, err := r.Job(r.Context(), acme, j.ID)
	if err != nil {
		r.Fatal(err)
	}
	return now
}

// counting counts to five, a step at a time.
func counting(after func()) jobrunner.Kind {
	return func(context.Context, string, *job.Job) (jobrunner.Step, error) {
		return jobrunner.Step{After: after, Write: func(_ context.Context, _ store.Tx, j *job.Job) error {
			if j.Position++; j.Position == 5 {
				j.End(job.JobSucceeded, "")
			}
			return nil
		}}, nil
	}
}

func TestAJobGoesToItsEndAndTellsAfterEachStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, told := newRig(t), atomic.Int64{}
		jobs := r.runner(counting(func() { told.Add(1) }))
		defer jobs.Stop()
		j := r.put(job.NewJob("count", time.Now()))
		time.Sleep(time.Minute)
		jobs.Begin(acme, j)
		synctest.Wait()
		got := r.now(j)
		if got.Status != job.JobSucceeded || got.Position != 5 || told.Load() != 5 {
			t.Errorf("it told %d times, and is %+v", told.Load(), got)
		}
		if took := got.Ended.Sub(got.Created); took != time.Minute || !got.Updated.Equal(got.Ended) {
			t.Errorf("it took %v: %+v", took, got)
		}
	})
}

func TestAJobGoesOnWhereTheLastProcessLeftIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		j := r.put(job.NewJob("count", time.Now()))
		first := r.runner(counting(nil))
		for range 3 {
			if _, err := first.RunStep(t.Context(), acme, j); err != nil {
				t.Fatal(err)
			}
		}
		first.Stop()
		first.Begin(acme, j)
		synctest.Wait()
		if got := r.now(j); got.Position != 3 {
			t.Errorf("a runner that was stopped went on: %+v", got)
		}
		steps := atomic.Int64{}
		second := r.runner(counting(func() { steps.Add(1) }))
		defer second.Stop()
		if err := second.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := r.now(j); got.Status != job.JobSucceeded || steps.Load() != 2 {
			t.Errorf("after %d more steps: %+v", steps.Load(), got)
		}
	})
}

func TestAStepThatFailedIsRepeatedAndLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, failures := newRig(t), 0
		jobs := r.runner(func(ctx context.Context, tenant string, j *job.Job) (jobrunner.Step, error) {
			step, err := counting(nil)(ctx, tenant, j)
			right := step.Write
			step.Write = func(ctx context.Context, tx store.Tx, j *job.Job) error {
				if failures++; failures <= 3 {
					j.Position = 4
					return errors.New("not now")
				}
				return right(ctx, tx, j)
			}
			return step, err
		})
		defer jobs.Stop()
		j := r.put(job.NewJob("count", time.Now()))
		jobs.Begin(acme, j)
		time.Sleep(time.Hour)
		if got := r.now(j); got.Status != job.JobSucceeded || failures != 3+5 {
			t.Errorf("after %d calls: %+v", failures, got)
		}
		if took := r.now(j).Ended.Sub(j.Created); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestACanceledJobIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		jobs := r.runner(counting(nil))
		defer jobs.Stop()
		j := job.NewJob("count", time.Now())
		running := *j
		j.End(job.JobCanceled, "somebody did")
		r.put(j)
		jobs.Begin(acme, &running)
		synctest.Wait()
		if got := r.now(j); got.Status != job.JobCanceled || got.Position != 0 || got.Reason != "somebody did" {
			t.Errorf("it is %+v", got)
		}
	})
}

func TestAJobOfNoKnownKindWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		jobs := r.runner(counting(nil))
		defer jobs.Stop()
		j := r.put(job.NewJob("other", time.Now()))
		jobs.Begin(acme, j)
		time.Sleep(time.Hour)
		if got := r.now(j); got.Status != job.JobRunning {
			t.Errorf("it is %+v", got)
		}
	})
}

func TestAJobThatWasRemovedIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, steps := newRig(t), atomic.Int64{}
		jobs := r.runner(func(ctx context.Context, tenant string, j *job.Job) (jobrunner.Step, error) {
			steps.Add(1)
			return counting(nil)(ctx, tenant, j)
		})
		defer jobs.Stop()
		jobs.Begin(acme, job.NewJob("count", time.Now())) // which is not stored
		time.Sleep(time.Hour)
		if steps.Load() != 1 {
			t.Errorf("it was tried %d times", steps.Load())
		}
	})
}

// A job has time: its questions have connections of their own.
func TestAJobAsksInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, class := newRig(t), store.Work
		count := counting(nil)
		jobs := r.runner(func(ctx context.Context, tenant string, j *job.Job) (jobrunner.Step, error) {
			class = store.ClassOf(ctx)
			return count(ctx, tenant, j)
		})
		defer jobs.Stop()
		jobs.Begin(acme, r.put(job.NewJob("count", time.Now())))
		synctest.Wait()
		if class != store.Background {
			t.Errorf("asks as one of the class %d", class)
		}
	})
}

// TestAFailureNamesTheJob, and keeps what it was.
func TestAFailureNamesTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, broken := newRig(t), errors.New("not now")
		j := r.put(job.NewJob("count", time.Now()))
		for where, kind := range map[string]jobrunner.Kind{
			"prepare the next step of job ": func(context.Context, string, *job.Job) (jobrunner.Step, error) { return jobrunner.Step{}, broken },
			"the next step of job ": func(context.Context, string, *job.Job) (jobrunner.Step, error) {
				return jobrunner.Step{Write: func(context.Context, store.Tx, *job.Job) error { return broken }}, nil
			},
		} {
			if _, err := r.runner(kind).RunStep(t.Context(), acme, j); !errors.Is(err, broken) || err.Error() != where+j.ID+": not now" {
				t.Errorf("%v", err)
			}
		}
	})
}

// TestAStepThatWasPreparedForAnotherPage is not made, and nobody is told of it: the write
// before it was committed, though nobody was told, so the job goes on at its own page.
func TestAStepThatWasPreparedForAnotherPage(t *testing.T) {
	r, told := newRig(t), 0
	pages := map[string]string{"": "2", "2": "3"}
	jobs := r.runner(func(_ context.Context, _ string, j *job.Job) (jobrunner.Step, error) {
		next := pages[j.Cursor]
		return jobrunner.Step{After: func() { told++ }, Write: func(_ context.Context, _ store.Tx, j *job.Job) error {
			j.Examined++
			if j.Cursor = next; next == "3" {
				j.End(job.JobSucceeded, "")
			}
			return nil
		}}, nil
	})
	defer jobs.Stop()
	old := r.put(job.NewJob("count", time.Now()))
	if _, err := jobs.RunStep(t.Context(), acme, old); err != nil {
		t.Fatal(err)
	}
	now, err := jobs.RunStep(t.Context(), acme, old)
	if err != nil || now.Cursor != "2" || now.Examined != 1 || told != 1 {
		t.Errorf("the step is made again: %+v, %v, told %d times", now, err, told)
	}
	now, err = jobs.RunStep(t.Context(), acme, now)
	if err != nil || now.Status != job.JobSucceeded || now.Examined != 2 || told != 2 {
		t.Errorf("the job does not go on: %+v, %v, told %d times", now, err, told)
	}
}
