// Package job does the jobs of all tenants in the background. A job goes to its
// end in steps of one write each; how far it is stands in its row, so it
// goes on there after a restart, whatever ended the process. What a step does
// is the business of whoever gave the runner the job's kind.
package job

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// Kind prepares the next step of a job of one kind. It may read from the store,
// outside of any write; j says how far the job is, and must not be
// changed. An error is logged, and the step is tried again later.
type Kind func(ctx context.Context, tenant string, j *oms.Job) (Step, error)

// Step is one step of a job.
type Step struct {
	// Write does the step in the write that also stores the job. It notes
	// in j how far the job is then, and ends it when there is no more to do. It
	// may run more than once, as every function passed to store.Write.
	Write func(ctx context.Context, tx store.Tx, j *oms.Job) error
	// After runs once the step is durable; nil: there is nothing to do then.
	After func()
}

// Options of a Runner; all are needed.
type Options struct {
	Store store.Store
	Clock clock.Clock
	Log   *slog.Logger
}

// Runner does jobs, each in a goroutine of its own.
type Runner struct {
	Options
	kinds  map[string]Kind
	ctx    context.Context // ends when no further step is to begin
	cancel context.CancelFunc

	mu   sync.Mutex // for a Begin beside a Stop
	work sync.WaitGroup
}

// New returns a runner of the kinds of jobs that are given by their names. It
// does nothing before Start.
func New(o Options, kinds ...map[string]Kind) *Runner {
	r := &Runner{Options: o, kinds: map[string]Kind{}}
	for _, some := range kinds {
		maps.Copy(r.kinds, some)
	}
	r.ctx, r.cancel = context.WithCancel(store.Background.Mark(context.Background()))
	return r
}

// Start goes on with the jobs that had not ended. ctx bounds the start only.
func (r *Runner) Start(ctx context.Context) error {
	return r.Store.RunningJobs(ctx, func(tenant string, j *oms.Job) error {
		r.Begin(tenant, j)
		return nil
	})
}

// Begin has a job that is stored go to its end. After Stop it does nothing: the
// next start takes the job up.
func (r *Runner) Begin(tenant string, j *oms.Job) { r.begin(tenant, j, func() {}) }

// Do is Begin for who wants to see the job's end, and waits for it as long as ctx
// goes on. The job does not depend on that.
func (r *Runner) Do(ctx context.Context, tenant string, j *oms.Job) {
	ended, end := context.WithCancel(ctx)
	r.begin(tenant, j, end)
	<-ended.Done()
}

func (r *Runner) begin(tenant string, j *oms.Job, end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		end()
		return
	}
	r.work.Go(func() {
		defer end()
		r.run(tenant, j)
	})
}

// Stop begins no further step and returns when those under way have ended.
func (r *Runner) Stop() {
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	r.work.Wait()
}

// again is how long a job waits after a step that failed.
const again = time.Second

func (r *Runner) run(tenant string, j *oms.Job) {
	for more := true; more && r.ctx.Err() == nil; {
		next, err := r.Step(r.ctx, tenant, j)
		switch {
		case oms.KindOf(err) == oms.NotFound, r.ctx.Err() != nil:
			return // the job was removed; or the next start repeats the step
		case err != nil:
			r.Log.Warn("a job waits", "tenant", tenant, "job", j.ID, "kind", j.Kind, "error", err)
			more = clock.Pause(r.ctx, r.Clock, again) == nil
			continue
		}
		j, more = next, next.Status == oms.JobRunning
	}
}

// Step takes a job one step further, durably, and returns it as it is then. A
// job that has ended meanwhile, as one that was canceled, stays as it is.
func (r *Runner) Step(ctx context.Context, tenant string, j *oms.Job) (*oms.Job, error) {
	kind := r.kinds[j.Kind]
	if kind == nil {
		return nil, fmt.Errorf("nobody does jobs of the kind %q", j.Kind)
	}
	step, err := kind(ctx, tenant, j)
	if err != nil {
		return nil, err
	}
	var now *oms.Job
	err = r.Store.Write(ctx, func(tx store.Tx) error {
		if now, err = tx.Job(ctx, tenant, j.ID); err != nil || now.Status != oms.JobRunning {
			return err
		}
		now.Updated = r.Clock.Now().UTC()
		if err := step.Write(ctx, tx, now); err != nil {
			return err
		}
		return tx.PutJob(ctx, tenant, now)
	})
	if err != nil {
		return nil, err
	}
	if step.After != nil {
		step.After()
	}
	return now, nil
}
