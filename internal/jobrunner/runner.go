// Package jobrunner runs the background jobs of all tenants. A job is done in steps, and each
// step is one write. The position of the job is in its row and is stored by each step, so
// after a restart the job continues where it was. What a step does depends on the kind of
// the job; other packages give the runner its kinds. It knows no kind of job, and no SQL.
// Begin to read with [Runner.Begin] and [Runner.RunStep].
package jobrunner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// Kind prepares the next step of a job of one kind. It may read from the store, outside
// of any write. j says how far the job is, and must not be changed. If it returns an
// error, the error is logged and the step is tried again later.
type Kind func(ctx context.Context, tenant string, j *job.Job) (Step, error)

// Step is one step of a job. The runner makes one write of it, and asks for the next one
// once that is durable.
type Step struct {
	// Write does the step, in the write that also stores the job. It sets the new
	// position in j, and ends j if nothing is left to do. It may run more than once, as
	// every function that is passed to store.Write.
	Write func(ctx context.Context, tx store.Tx, j *job.Job) error
	// After is called once the step is durable. It may be nil.
	After func()
	// OfAnyPage says that Write goes by the position that is stored, whatever it was when the
	// step was prepared. Any other step is made only where the job is still at that page.
	OfAnyPage bool
}

// Options of a Runner; all but Node are needed.
type Options struct {
	Store store.Store
	Node  *nodes.Node // has the runner take shards; nil: it takes all at its start
	Clock clock.Clock
	Log   *slog.Logger
}

// Runner runs the jobs of this node's shards, each in a goroutine of its own. It implements
// [nodes.Worker]. Jobs of all tenants run side by side. Each has low priority in the
// database (store.Background), so that they hold up neither calls nor deliveries.
type Runner struct {
	Options
	alone  bool // it takes all shards at its start
	kinds  map[string]Kind
	ctx    context.Context // ends when no further step may begin
	cancel context.CancelFunc

	mu      sync.Mutex // of shares and running, and for a Begin at the same time as a Stop
	work    sync.WaitGroup
	shares  nodes.Shares       // of the shards that this node has
	running map[jobKey][]ended // who is told of the end of each job that runs
}

// jobKey names a job across tenants, while it runs in a share. When its shard goes and comes
// back, the job begins anew in another one, from its row.
type jobKey struct {
	of         *nodes.Share
	tenant, id string
}

// ended is told when a job does not run here any more, and whether it is over: if not, it
// goes on, on another node or after the next start.
type ended func(over bool)

// New returns a runner for these kinds of jobs, by their names. It does nothing before
// Start.
func New(o Options, kinds ...map[string]Kind) *Runner {
	r := &Runner{Options: o, alone: o.Node == nil, kinds: map[string]Kind{}, shares: nodes.Shares{}, running: map[jobKey][]ended{}}
	if r.alone {
		r.Node = nodes.Alone()
	}
	for _, some := range kinds {
		maps.Copy(r.kinds, some)
	}
	// Jobs run until Stop, also if the request that began them has ended.
	r.ctx, r.cancel = context.WithCancel(store.Background.Mark(context.Background()))
	if r.alone {
		r.own(nodes.All())
	}
	return r
}

// Start continues the jobs that had not ended when the process stopped, where the runner is
// alone. ctx bounds the start only.
func (r *Runner) Start(ctx context.Context) error {
	if r.alone {
		return r.Take(ctx, nodes.All())
	}
	return nil
}

// Begin runs a job that has been stored, in the background. One of another node's shards
// that node runs. After Stop it does nothing: the next start continues the job.
func (r *Runner) Begin(tenant string, j *job.Job) {
	if !r.begin(tenant, j, nil) {
		r.Node.Tell(nodes.News{Kind: nodes.Job, Tenant: tenant, ID: j.ID})
	}
}

// Do is Begin for a caller that waits for the end of the job. If ctx ends first, the
// caller stops waiting, and the job continues.
func (r *Runner) Do(ctx context.Context, tenant string, j *job.Job) {
	over := make(chan bool, 1)
	if r.begin(tenant, j, func(is bool) { over <- is }) {
		select {
		case is := <-over:
			if is {
				return
			}
		case <-ctx.Done():
			return
		}
	} else {
		r.Begin(tenant, j)
	}
	r.awaitEnd(ctx, tenant, j.ID)
}

// askEvery is how often it is asked whether a job has ended that another node runs. Few
// wait so, and not for long, so that needs no news.
const askEvery = 100 * time.Millisecond

// awaitEnd waits until a job has ended, or ctx or the runner has.
func (r *Runner) awaitEnd(ctx context.Context, tenant, id string) {
	for clock.Pause(ctx, r.Clock, askEvery) == nil && r.ctx.Err() == nil {
		j, err := r.Store.Job(ctx, tenant, id)
		if apierr.KindOf(err) == apierr.NotFound || err == nil && j.Status != job.JobRunning {
			return
		}
	}
}

// begin runs a job, unless it runs already; end, if it is not nil, is told once it does not
// run any more. It reports whether the job is of this node's shards.
func (r *Runner) begin(tenant string, j *job.Job, end ended) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	// After Stop nobody must wait for a job that does not run.
	if r.ctx.Err() != nil {
		if end != nil {
			end(false)
		}
		return true
	}
	s := r.shares[nodes.OfJob(tenant, j.ID)]
	if s == nil {
		return false
	}
	key := jobKey{s, tenant, j.ID}
	// A job that runs already is not begun twice. Only its end is awaited by one more.
	ends, runs := r.running[key]
	if end != nil {
		ends = append(ends, end)
	}
	if r.running[key] = ends; runs {
		return true
	}
	r.work.Add(1)
	s.Work.Go(func() {
		defer r.work.Done()
		over := r.run(s, tenant, j)
		r.mu.Lock()
		// Those who came while the job ran are in the map, so it is read at the end and
		// under the lock.
		ends := r.running[key]
		delete(r.running, key)
		r.mu.Unlock()
		for _, end := range ends {
			end(over)
		}
	})
	return true
}

// Take implements [nodes.Worker]: it continues the jobs of shards that have not ended.
// After an error it is called again. What it has begun then runs already, and is not begun
// twice.
func (r *Runner) Take(ctx context.Context, leases []nodes.Lease) error {
	taken := r.own(leases)
	return r.Store.RunningJobs(ctx, func(tenant string, j *job.Job) error {
		if taken[nodes.OfJob(tenant, j.ID)] {
			r.begin(tenant, j, nil)
		}
		return nil
	})
}

// own makes the shares of shards, and returns the names of all.
func (r *Runner) own(leases []nodes.Lease) map[string]bool {
	names := map[string]bool{}
	r.mu.Lock()
	r.shares.Take(r.ctx, leases)
	r.mu.Unlock()
	for _, l := range leases {
		names[l.Name] = true
	}
	return names
}

// Give implements [nodes.Worker]. It begins no further step, and waits for those under way.
// A job that was in a step when ctx ended may still come to write. The database refuses
// that, by the epoch of the lease.
func (r *Runner) Give(ctx context.Context, leases []nodes.Lease) {
	r.mu.Lock()
	gone := r.shares.Give(leases)
	r.mu.Unlock()
	nodes.AwaitWork(ctx, gone)
}

// Hear implements [nodes.Worker]. News only says where to look: the job itself is read from
// the database, and runs if it is one of this node's shards.
func (r *Runner) Hear(ctx context.Context, news []nodes.News) {
	for _, n := range news {
		switch n.Kind {
		case nodes.Anew:
			r.hearOfAll(ctx)
		case nodes.Job:
			j, err := r.Store.Job(ctx, n.Tenant, n.ID)
			switch {
			case err == nil && j.Status == job.JobRunning:
				r.begin(n.Tenant, j, nil)
			case err != nil && apierr.KindOf(err) != apierr.NotFound:
				r.hearOfAll(ctx)
			}
		}
	}
}

// hearOfAll begins the jobs of this node's shards that do not run yet. It is called when
// news may be missing, and tries until the jobs could be read.
func (r *Runner) hearOfAll(ctx context.Context) {
	err := r.Store.RunningJobs(ctx, func(tenant string, j *job.Job) error {
		r.begin(tenant, j, nil)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("the jobs cannot be read, and are read again", "error", err)
		r.Clock.AfterFunc(again, func() { r.hearOfAll(ctx) })
	}
}

// Stop begins no further step, and returns when the steps under way have ended.
func (r *Runner) Stop() {
	// The lock orders this with begin: a job that has passed its check of ctx is counted
	// before the wait begins.
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	r.work.Wait()
}

// again is how long a job waits after a step that failed.
const again = time.Second

// run makes the steps of a job until it is over, which it reports, or until this node is not
// to make any more of them.
func (r *Runner) run(of *nodes.Share, tenant string, j *job.Job) (over bool) {
	for of.Ctx.Err() == nil {
		next, err := r.RunStep(of.Ctx, tenant, j)
		switch {
		case apierr.KindOf(err) == apierr.NotFound:
			return true // the job was removed
		case errors.Is(err, nodes.ErrLost):
			r.Log.Warn("another node has taken over a job", "tenant", tenant, "job", j.ID, "kind", j.Kind)
			return false
		case err != nil && of.Ctx.Err() != nil:
			return false // whoever goes on with the job repeats the step
		case err != nil:
			r.Log.Warn("a job waits", "tenant", tenant, "job", j.ID, "kind", j.Kind, "error", err)
			_ = clock.Pause(of.Ctx, r.Clock, again)
		case next.Status != job.JobRunning:
			return true
		default:
			j = next
		}
	}
	return false
}

// RunStep makes the next step of a job and returns the job as it is then. A job that has
// ended meanwhile, because it was canceled, is not changed, nor is one that is at another
// page by now than the step was prepared for. If the process dies between two
// steps, nothing is lost; if it dies within one, nothing of that step was stored.
func (r *Runner) RunStep(ctx context.Context, tenant string, j *job.Job) (*job.Job, error) {
	kind := r.kinds[j.Kind]
	if kind == nil {
		return nil, fmt.Errorf("nobody does jobs of the kind %q", j.Kind)
	}
	step, err := kind(ctx, tenant, j)
	if err != nil {
		return nil, fmt.Errorf("prepare the next step of job %s: %w", j.ID, err)
	}
	var now *job.Job
	var made bool
	// The job is read within the write, since somebody may have canceled it while the step
	// was prepared. Then nothing of the step is stored.
	err = r.Store.Write(ctx, func(tx store.Tx) error {
		made = false
		if now, err = tx.Job(ctx, tenant, j.ID); err != nil {
			return fmt.Errorf("read job %s: %w", j.ID, err)
		}
		// A write before this one may have been committed though nobody was told: the step that
		// was prepared belongs to a page that the job is past, and would be made twice.
		past := now.Cursor != j.Cursor && !step.OfAnyPage
		if now.Status != job.JobRunning || past {
			return nil
		}
		made = true
		now.Updated = r.Clock.Now().UTC()
		if err := step.Write(ctx, tx, now); err != nil {
			return fmt.Errorf("the next step of job %s: %w", j.ID, err)
		}
		if err := tx.PutJob(ctx, tenant, now); err != nil {
			return fmt.Errorf("store job %s: %w", j.ID, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if made && step.After != nil {
		step.After()
	}
	return now, nil
}
