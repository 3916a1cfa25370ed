package notify

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// PutReordered stores an endpoint whose ordering changes. If deliveries are
// pending it returns the job that has them follow it, which is to begin once the
// write is durable: from then on what comes is known to come later.
func (d *Dispatcher) PutReordered(ctx context.Context, tx store.Tx, tenant string, e *oms.Endpoint, now time.Time) (*oms.Job, error) {
	newest, err := tx.Events(ctx, tenant, store.EventFilter{}, store.Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	j := oms.NewJob(oms.JobReorder, now)
	j.EndpointID = e.ID
	for _, last := range newest.Items {
		j.Last = last.Seq
	}
	e.Reordering = j.ID
	if err := tx.PutEndpoint(ctx, tenant, e); err != nil {
		return nil, err
	}
	if err := reorder(ctx, tx, tenant, e, j); err != nil || j.Status != oms.JobRunning {
		return nil, err
	}
	return j, tx.PutJob(ctx, tenant, j)
}

// reorder has some more of an endpoint's pending deliveries follow its ordering,
// and ends the job when all do.
func reorder(ctx context.Context, tx store.Tx, tenant string, e *oms.Endpoint, j *oms.Job) error {
	done, err := tx.Reorder(ctx, tenant, e, j, jobStep)
	if err != nil || !done {
		return err
	}
	e.Reordering = ""
	j.End(oms.JobSucceeded, "")
	return tx.PutEndpoint(ctx, tenant, e)
}

// reorderedAgain is why a job ends whose endpoint has got another ordering.
const reorderedAgain = "the endpoint's ordering was changed again"

// reorder is the next step of a reorder job. What was in memory may not be due
// any more, and other deliveries are.
func (d *Dispatcher) reorder(_ context.Context, tenant string, j *oms.Job) (job.Step, error) {
	var endpoint int64
	return job.Step{
		Write: func(ctx context.Context, tx store.Tx, j *oms.Job) error {
			stored, err := tx.Endpoint(ctx, tenant, j.EndpointID)
			switch {
			case oms.KindOf(err) == oms.NotFound:
				j.End(oms.JobFailed, errGone.Error())
				return nil
			case err != nil:
				return err
			case stored.Reordering != j.ID:
				j.End(oms.JobCanceled, reorderedAgain)
				return nil
			}
			e := *stored
			endpoint = e.No
			return reorder(ctx, tx, tenant, &e, j)
		},
		After: func() {
			if q := d.queue(queueKey{tenant, endpoint}); q != nil {
				q.readAnew()
			}
		},
	}, nil
}
