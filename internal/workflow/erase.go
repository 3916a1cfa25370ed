package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// eraseStep is about how many rows one write of an erase job removes.
const eraseStep = 100

// EraseOrder removes an order, and returns the job that removes all that is kept
// of it. Who waits for one of its runs waits no longer.
func (e *Engine) EraseOrder(ctx context.Context, c Caller, id string) (*oms.Job, error) {
	var j *oms.Job
	err := e.store.Write(ctx, func(tx store.Tx) error {
		f, err := e.facts(ctx, tx, c, subject{order: id})
		if err != nil {
			return err
		}
		j = oms.NewJob(oms.JobErase, f.Now)
		j.OrderID, j.By = id, c.By
		if err := tx.EraseOrder(ctx, c.Tenant, id); err != nil {
			return err
		}
		return tx.PutJob(ctx, c.Tenant, j)
	})
	if err != nil {
		return nil, err
	}
	e.watchers.erased(orderKey{c.Tenant, id})
	return j, nil
}

// eraseNext is the next step of an erase job.
func (e *Engine) eraseNext(_ context.Context, tenant string, _ *oms.Job) (job.Step, error) {
	return job.Step{Write: func(ctx context.Context, tx store.Tx, j *oms.Job) error {
		done, err := tx.EraseSome(ctx, tenant, j, eraseStep)
		if done {
			j.End(oms.JobSucceeded, "")
		}
		return err
	}}, nil
}
