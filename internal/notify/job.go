package notify

import (
	"context"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// jobStep is how many deliveries a job makes due in one transaction, which
// bounds how long other writers wait for it.
const jobStep = 200

// StartJob has a job that is stored go on to its end. Its position is in its
// row, so it may stop between any two steps.
func (d *Dispatcher) StartJob(tenant string, j *oms.Job) {
	if d.stopping.Load() {
		return
	}
	d.work.Go(func() {
		for more := true; more && !d.stopping.Load(); {
			var err error
			if more, err = d.step(tenant, j.ID); err == nil {
				continue
			}
			if d.ctx.Err() != nil {
				return
			}
			d.log.Warn("a job waits", "tenant", tenant, "job", j.ID, "error", err)
			more = d.pause(lookAgain)
		}
	})
}

// step takes a job one transaction further and reports whether there is more.
func (d *Dispatcher) step(tenant, id string) (more bool, err error) {
	err = d.store.Write(d.ctx, func(tx store.Tx) error {
		more, err = d.stepIn(d.ctx, tx, tenant, id)
		return err
	})
	return more, err
}

func (d *Dispatcher) stepIn(ctx context.Context, tx store.Tx, tenant, id string) (more bool, err error) {
	j, err := tx.Job(ctx, tenant, id)
	if err != nil || j.Status != oms.JobRunning {
		return false, err
	}
	j.Updated = d.clock.Now()
	e, err := tx.Endpoint(ctx, tenant, j.EndpointID)
	if oms.KindOf(err) == oms.NotFound {
		j.Status, j.Reason, j.Ended = oms.JobFailed, errGone.Error(), j.Updated
		return false, tx.PutJob(ctx, tenant, j)
	}
	if err != nil {
		return false, err
	}
	events, last, err := tx.Candidates(ctx, tenant, j, e.No, jobStep)
	if err != nil {
		return false, err
	}
	again, err := d.again(ctx, tx, tenant, e, j)
	if err != nil {
		return false, err
	}
	for _, event := range events {
		if err := again(event); err != nil {
			return false, err
		}
	}
	if more = last < j.Last; !more {
		j.Status, j.Ended = oms.JobSucceeded, j.Updated
	}
	j.Position = last
	return more, tx.PutJob(ctx, tenant, j)
}

// again returns what sends one candidate again, if the endpoint is to have it.
func (d *Dispatcher) again(ctx context.Context, tx store.Tx, tenant string, e *oms.Endpoint, j *oms.Job) (func(*oms.Event) error, error) {
	on := *e
	on.Enabled = true
	alone, effort := oms.NewSubscriptions([]*oms.Endpoint{&on}), filter.Inside()
	return func(event *oms.Event) error {
		j.Examined++
		if j.What == oms.RecoverMissing {
			if wanted, err := wants(ctx, tx, tenant, &on, alone, effort, event); err != nil || !wanted {
				return err
			}
		}
		err := tx.SendAgain(ctx, tenant, event, e, j.Updated)
		switch oms.KindOf(err) {
		case oms.Conflict, oms.NotFound: // its data was erased
			return nil
		}
		if err == nil {
			j.Sent++
		}
		return err
	}, nil
}

// wants reports whether an endpoint would get an event that happened now. The
// event is read whole only where a filter has to see it.
func wants(ctx context.Context, tx store.Tx, tenant string, e *oms.Endpoint, alone *oms.Subscriptions, effort *filter.Effort, event *oms.Event) (bool, error) {
	if e.Filter == "" || !e.Wants(event.Type) {
		return len(alone.Match(event, effort)) > 0, nil
	}
	whole, err := tx.EventBySeq(ctx, tenant, event.Seq)
	if oms.KindOf(err) == oms.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return len(alone.Match(whole, effort)) > 0, nil
}

// cancelOrphans ends the deliveries of endpoints that were deleted.
func (d *Dispatcher) cancelOrphans() {
	for more := true; more && !d.stopping.Load(); {
		err := d.store.Write(d.ctx, func(tx store.Tx) error {
			n, err := tx.CancelOrphans(d.ctx, jobStep)
			more = n > 0 || err != nil
			return err
		})
		if err != nil {
			more = d.pause(lookAgain)
		}
	}
}

// EndpointDeleted has the deliveries of an endpoint that was deleted end.
func (d *Dispatcher) EndpointDeleted(tenant string, endpoint int64) {
	if l := d.lane(laneKey{tenant, endpoint}); l != nil {
		l.change(nil)
	}
	if !d.stopping.Load() {
		d.work.Go(d.cancelOrphans)
	}
}
