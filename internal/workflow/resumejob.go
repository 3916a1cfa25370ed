package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// resumeStep is how many runs a job resumes in one write, which bounds how
// long other writers wait for it.
const resumeStep = 10

// ResumeFilter says which of the aborted runs are to go on. An empty field
// picks all; the others are as in [store.RunFilter].
type ResumeFilter struct {
	Status  run.RunStatus `json:"status"` // always aborted: for who reads the job
	OrderID string        `json:"orderId,omitempty"`
	Step    string        `json:"step,omitempty"`
	From    time.Time     `json:"from,omitzero"`
	To      time.Time     `json:"to,omitzero"`
}

// Runs is the filter of the list of the runs that are picked.
func (f ResumeFilter) Runs() store.RunFilter {
	return store.RunFilter{Status: run.RunAborted, OrderID: f.OrderID, Step: f.Step, From: f.From, To: f.To}
}

// NewResumeJob returns the job that resumes the runs that a filter picks, each
// as [Engine.ResumeRun] does, for a caller.
func NewResumeJob(f ResumeFilter, by string, now time.Time) (*job.Job, error) {
	f.Status = run.RunAborted
	text, err := json.Marshal(f)
	j := job.NewJob(job.JobResume, now)
	j.Filter, j.By = text, by
	return j, err
}

// Jobs are the kinds of jobs about runs, for a [jobrunner.Runner].
func (e *Engine) Jobs() map[string]jobrunner.Kind {
	return map[string]jobrunner.Kind{job.JobResume: e.resumeNext, job.JobErase: e.eraseNext}
}

// resumeNext is the next step of a resume job. A run stays where it is in the
// list whatever becomes of it, and what is created later is not looked at: so
// none is met twice, and the list has an end. Pages are read outside of the write; the
// decision about each run is made within it, from the run as it is then.
func (e *Engine) resumeNext(ctx context.Context, tenant string, j *job.Job) (jobrunner.Step, error) {
	var f ResumeFilter
	if err := json.Unmarshal(j.Filter, &f); err != nil {
		return jobrunner.Step{}, fmt.Errorf("the filter of the job %s: %w", j.ID, err)
	}
	// The span ends before To, so this one still has what was created in the very moment of
	// the request.
	if asked := j.Created.Add(time.Microsecond); f.To.IsZero() || f.To.After(asked) {
		f.To = asked
	}
	list, err := e.store.Runs(ctx, tenant, f.Runs(), store.Page{Limit: resumeStep, Cursor: j.Cursor})
	if err != nil {
		return jobrunner.Step{}, err
	}
	current, err := e.currentAmong(ctx, tenant, f, list.Items, j.Cursor)
	if err != nil {
		return jobrunner.Step{}, err
	}
	var resumed []orderKey
	return jobrunner.Step{
		Write: func(ctx context.Context, tx store.Tx, j *job.Job) (err error) {
			resumed, err = e.resumeAll(ctx, tx, tenant, j, list.Items, current)
			if j.Cursor = list.NextCursor; j.Cursor == "" {
				j.End(job.JobSucceeded, "")
			}
			return err
		},
		// Nothing is woken before the commit: until then the queues find nothing to do.
		After: func() {
			for _, key := range resumed {
				e.queues.wake(key, fresh{})
			}
		},
	}, nil
}

// currentAmong returns the ids of those runs of a page that somebody still has to act on:
// the same as the overview and a dry run count.
func (e *Engine) currentAmong(ctx context.Context, tenant string, f ResumeFilter, page []*run.Run, cursor string) (map[string]bool, error) {
	ids := map[string]bool{}
	if len(page) == 0 {
		return ids, nil
	}
	picks := f.Runs()
	picks.Current, picks.From = true, page[len(page)-1].Created // what is older belongs to later pages
	list, err := e.store.Runs(ctx, tenant, picks, store.Page{Limit: resumeStep, Cursor: cursor})
	for _, r := range list.Items {
		ids[r.ID] = true
	}
	return ids, err
}

// resumeAll resumes each of the runs that can be, notes in the job what became
// of them, and returns the orders of those that go on. One that cannot go on holds up no
// other. Any other error undoes the whole step, which the runner makes again later.
func (e *Engine) resumeAll(ctx context.Context, tx store.Tx, tenant string, j *job.Job, runs []*run.Run, current map[string]bool) (resumed []orderKey, err error) {
	for _, r := range runs {
		j.Examined++
		err := e.resumeOne(ctx, tx, tenant, j, r.ID, current[r.ID])
		switch apierr.KindOf(err) {
		case apierr.Conflict, apierr.NotFound: // it cannot go on, or is gone with its order
			j.Skip(job.JobSkip{ID: r.ID, Reason: err.Error()})
			continue
		}
		if err != nil {
			return nil, err
		}
		j.Resumed++
		resumed = append(resumed, orderKey{tenant, r.OrderID})
	}
	return resumed, nil
}

// resumeOne resumes a run, as it is in this write. One that could go on, but is not current,
// stays as it is: a later run has done the same, or somebody has decided otherwise.
func (e *Engine) resumeOne(ctx context.Context, tx store.Tx, tenant string, j *job.Job, id string, current bool) error {
	f, err := e.facts(ctx, tx, Caller{Tenant: tenant, Author: order.Author{By: j.By}}, subject{run: id})
	if err != nil {
		return err
	}
	d, err := decide.Resume(f)
	if err != nil {
		return err
	}
	if !current {
		return apierr.Errorf(apierr.Conflict, "its status was set again since: another run has done the same, or it is not wanted any more")
	}
	return commit(ctx, tx, tenant, d)
}
