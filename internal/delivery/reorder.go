package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/store"
)

// PutReordered stores an endpoint whose ordering changes. If deliveries are pending, it
// returns the job that changes their order, too. The job must begin after the write is
// durable: then it is certain that all later deliveries come after those that the job
// changes. The endpoint names the job until it has ended, and the dashboard shows it.
func (d *Dispatcher) PutReordered(ctx context.Context, tx store.Tx, tenant string, e *event.Endpoint, now time.Time) (*job.Job, error) {
	newest, err := tx.Events(ctx, tenant, store.EventFilter{}, store.Page{Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("read the newest event: %w", err)
	}
	j := job.NewJob(job.JobReorder, now)
	j.EndpointID = e.ID
	// Deliveries of later events have the new ordering from the start.
	for _, last := range newest.Items {
		j.Last = last.Seq
	}
	e.Reordering = j.ID
	if err := tx.PutEndpoint(ctx, tenant, e); err != nil {
		return nil, err
	}
	// If there are few, this write changes all of them, and no job is needed.
	if err := reorder(ctx, tx, tenant, e, j); err != nil || j.Status != job.JobRunning {
		return nil, err
	}
	return j, tx.PutJob(ctx, tenant, j)
}

// reorder changes the ordering of some more pending deliveries of an endpoint. It ends
// the job when all of them have the new ordering. It is called within a write, for the
// first step and for those of the job.
func reorder(ctx context.Context, tx store.Tx, tenant string, e *event.Endpoint, j *job.Job) error {
	done, err := tx.Reorder(ctx, tenant, e, j, jobStep)
	if err != nil {
		return fmt.Errorf("have deliveries of endpoint %s follow its ordering: %w", e.ID, err)
	}
	if !done {
		return nil
	}
	e.Reordering = ""
	j.End(job.JobSucceeded, "")
	return tx.PutEndpoint(ctx, tenant, e)
}

// reorderedAgain is the reason that is stored when a job ends because the ordering of its
// endpoint was changed again.
const reorderedAgain = "the endpoint's ordering was changed again"

// reorder makes the next step of a reorder job. Afterwards the queue reads its table
// anew: what it has in memory may not be due any more, and other deliveries may be due.
func (d *Dispatcher) reorder(_ context.Context, tenant string, j *job.Job) (jobrunner.Step, error) {
	var endpoint int64
	return jobrunner.Step{
		OfAnyPage: true,
		Write: func(ctx context.Context, tx store.Tx, j *job.Job) error {
			// A try of this write that was overtaken may have set it.
			endpoint = 0
			stored, err := tx.Endpoint(ctx, tenant, j.EndpointID)
			switch {
			case apierr.KindOf(err) == apierr.NotFound:
				j.End(job.JobFailed, errGone.Error())
				return nil
			case err != nil:
				return fmt.Errorf("read endpoint %s: %w", j.EndpointID, err)
			// A later change of the ordering has a job of its own.
			case stored.Reordering != j.ID:
				j.End(job.JobCanceled, reorderedAgain)
				return nil
			}
			// The write may run twice. The copy has each run begin with the endpoint as it
			// is stored.
			e := *stored
			endpoint = e.No
			return reorder(ctx, tx, tenant, &e, j)
		},
		After: func() {
			// The number is 0 where the endpoint was deleted, or where a later job has its
			// ordering.
			if endpoint != 0 {
				d.Behind(tenant, endpoint)
			}
		},
	}, nil
}
