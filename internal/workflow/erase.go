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
	var unfinished []string
	var j *oms.Job
	err := e.store.Write(ctx, func(tx store.Tx) error {
		t := e.transition(ctx, tx, c)
		if err := t.read(id, c.IfMatch); err != nil {
			return err
		}
		var err error
		if unfinished, err = unfinishedRuns(ctx, tx, c.Tenant, id); err != nil {
			return err
		}
		j = oms.NewJob(oms.JobErase, t.now)
		j.OrderID, j.By = id, c.By
		if err := tx.EraseOrder(ctx, c.Tenant, id); err != nil {
			return err
		}
		return tx.PutJob(ctx, c.Tenant, j)
	})
	if err != nil {
		return nil, err
	}
	for _, run := range unfinished {
		e.watchers.tell(run, held{})
	}
	return j, nil
}

// unfinishedRuns returns the ids of an order's runs that have not ended.
func unfinishedRuns(ctx context.Context, r store.Reader, tenant, order string) (ids []string, err error) {
	for _, status := range []oms.RunStatus{oms.RunRunning, oms.RunWaiting} {
		page := store.Page{Limit: store.MaxLimit}
		for {
			list, err := r.Runs(ctx, tenant, store.RunFilter{OrderID: order, Status: status}, page)
			if err != nil {
				return nil, err
			}
			for _, run := range list.Items {
				ids = append(ids, run.ID)
			}
			if page.Cursor = list.NextCursor; page.Cursor == "" {
				break
			}
		}
	}
	return ids, nil
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
