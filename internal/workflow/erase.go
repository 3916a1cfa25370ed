package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// eraseStep is about how many rows one write of an erase job removes.
const eraseStep = 100

// EraseOrder removes an order, and returns the job that removes all that is stored
// of it. A caller that waits for one of its runs waits no longer. The order goes at once, in the
// write that stores the job, so nobody finds it from then on. The rest that is stored of it
// goes step by step: in one transaction that would hold up all who write
// (docs/design.md#tried-and-dropped).
func (e *Engine) EraseOrder(ctx context.Context, c Caller, id string) (*job.Job, error) {
	var j *job.Job
	err := e.store.Write(ctx, func(tx store.Tx) error {
		f, err := e.facts(ctx, tx, c, subject{order: id})
		if err != nil {
			return err
		}
		j = job.NewJob(job.JobErase, f.Now)
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
	e.node.Tell(nodes.News{Kind: nodes.Erased, Tenant: c.Tenant, ID: id})
	return j, nil
}

// eraseNext is the next step of an erase job. The store keeps the position of the removal
// in the job, so a process that dies in between goes on from there.
func (e *Engine) eraseNext(_ context.Context, tenant string, _ *job.Job) (jobrunner.Step, error) {
	return jobrunner.Step{Write: func(ctx context.Context, tx store.Tx, j *job.Job) error {
		done, err := tx.EraseSome(ctx, tenant, j, eraseStep)
		if done {
			j.End(job.JobSucceeded, "")
		}
		return err
	}}, nil
}
