package notify

import (
	"context"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// jobStep is how many deliveries a job makes due in one write, which
// bounds how long other writers wait for it.
const jobStep = 200

// Jobs are the kinds of jobs that send events, for a [job.Runner].
func (d *Dispatcher) Jobs() map[string]job.Kind {
	return map[string]job.Kind{oms.JobRecover: d.recover, oms.JobRedeliver: d.redeliver, oms.JobReorder: d.reorder}
}

// recover is the next step of a recover job.
func (d *Dispatcher) recover(_ context.Context, tenant string, _ *oms.Job) (job.Step, error) {
	return job.Step{Write: func(ctx context.Context, tx store.Tx, j *oms.Job) error { return d.recoverIn(ctx, tx, tenant, j) }}, nil
}

func (d *Dispatcher) recoverIn(ctx context.Context, tx store.Tx, tenant string, j *oms.Job) error {
	e, err := tx.Endpoint(ctx, tenant, j.EndpointID)
	if oms.KindOf(err) == oms.NotFound {
		j.End(oms.JobFailed, errGone.Error())
		return nil
	}
	if err != nil {
		return err
	}
	events, last, err := tx.Candidates(ctx, tenant, j, e.No, jobStep)
	if err != nil {
		return err
	}
	effort := filter.NewEffort()
	again, err := d.again(ctx, tx, tenant, e, j, effort)
	if err != nil {
		return err
	}
	for _, event := range events {
		if err := again(event); err != nil {
			return err
		}
		if effort.Spent() { // the filter could judge no more of them; the next step can
			last = event.Seq
			break
		}
	}
	if j.Position = last; last >= j.Last {
		j.End(oms.JobSucceeded, "")
	}
	return nil
}

// again returns what sends one candidate again, if the endpoint is to have it.
func (d *Dispatcher) again(ctx context.Context, tx store.Tx, tenant string, e *oms.Endpoint, j *oms.Job, effort *filter.Effort) (func(*oms.Event) error, error) {
	on := *e
	on.Enabled = true
	alone := oms.NewSubscriptions([]*oms.Endpoint{&on})
	return func(event *oms.Event) error {
		j.Examined++
		if j.What == oms.RecoverMissing {
			if wanted, err := wants(ctx, tx, tenant, &on, alone, effort, event); err != nil || !wanted {
				return err
			}
		}
		err := tx.SendAgain(ctx, tenant, event, e, j.Updated, j.Sent == 0)
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
	if q := d.queue(queueKey{tenant, endpoint}); q != nil {
		q.change(nil)
	}
	if !d.stopping.Load() {
		d.work.Go(d.cancelOrphans)
	}
}
