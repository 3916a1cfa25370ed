package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// resumeStep is how many runs a job resumes in one write, which bounds how
// long other writers wait for it.
const resumeStep = 10

// ResumeFilter says which of the aborted runs are to go on. An empty field
// picks all; the others are as of [store.RunFilter].
type ResumeFilter struct {
	Status  oms.RunStatus `json:"status"` // always aborted: for who reads the job
	OrderID string        `json:"orderId,omitempty"`
	Step    string        `json:"step,omitempty"`
	From    time.Time     `json:"from,omitzero"`
	To      time.Time     `json:"to,omitzero"`
}

// Runs is the filter of the list of the runs that are picked.
func (f ResumeFilter) Runs() store.RunFilter {
	return store.RunFilter{Status: oms.RunAborted, OrderID: f.OrderID, Step: f.Step, From: f.From, To: f.To}
}

// NewResumeJob returns the job that resumes the runs that a filter picks, each
// as [Engine.ResumeRun] does, for a caller.
func NewResumeJob(f ResumeFilter, by string, now time.Time) (*oms.Job, error) {
	f.Status = oms.RunAborted
	text, err := json.Marshal(f)
	j := oms.NewJob(oms.JobResume, now)
	j.Filter, j.By = text, by
	return j, err
}

// Jobs are the kinds of jobs about runs, for a [job.Runner].
func (e *Engine) Jobs() map[string]job.Kind {
	return map[string]job.Kind{oms.JobResume: e.resumeNext, oms.JobErase: e.eraseNext}
}

// resumeNext is the next step of a resume job. A run stays where it is in the
// list whatever becomes of it, and what is created later is not looked at: so
// none is met twice, and the list has an end.
func (e *Engine) resumeNext(ctx context.Context, tenant string, j *oms.Job) (job.Step, error) {
	var f ResumeFilter
	if err := json.Unmarshal(j.Filter, &f); err != nil {
		return job.Step{}, fmt.Errorf("the filter of the job %s: %w", j.ID, err)
	}
	if asked := j.Created.Add(time.Microsecond); f.To.IsZero() || f.To.After(asked) {
		f.To = asked
	}
	list, err := e.store.Runs(ctx, tenant, f.Runs(), store.Page{Limit: resumeStep, Cursor: j.Cursor})
	if err != nil {
		return job.Step{}, err
	}
	var resumed []orderKey
	return job.Step{
		Write: func(ctx context.Context, tx store.Tx, j *oms.Job) (err error) {
			resumed, err = e.resumeAll(ctx, tx, tenant, j, list.Items)
			if j.Cursor = list.NextCursor; j.Cursor == "" {
				j.End(oms.JobSucceeded, "")
			}
			return err
		},
		After: func() {
			for _, key := range resumed {
				e.lanes.kick(key, fresh{})
			}
		},
	}, nil
}

// resumeAll resumes each of the runs that can be, notes in the job what became
// of them, and returns the orders of those that go on.
func (e *Engine) resumeAll(ctx context.Context, tx store.Tx, tenant string, j *oms.Job, runs []*oms.Run) (resumed []orderKey, err error) {
	for _, r := range runs {
		j.Examined++
		err := e.resumeOne(ctx, tx, tenant, j, r.ID)
		switch oms.KindOf(err) {
		case oms.Conflict, oms.NotFound: // it cannot go on, or is gone with its order
			j.Skip(oms.JobSkip{ID: r.ID, Reason: err.Error()})
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

// resumeOne resumes a run, as it is in this write.
func (e *Engine) resumeOne(ctx context.Context, tx store.Tx, tenant string, j *oms.Job, id string) error {
	f, err := e.facts(ctx, tx, Caller{Tenant: tenant, Author: oms.Author{By: j.By}}, subject{run: id})
	if err != nil {
		return err
	}
	d, err := decide.Resume(f)
	if err != nil {
		return err
	}
	return commit(ctx, tx, tenant, d)
}
