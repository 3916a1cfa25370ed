package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/store"
)

// jobStep is how many deliveries a job makes due in one write. It limits how long other
// writers wait for that.
const jobStep = 200

// errGone is why a job about an endpoint ends.
var errGone = errors.New("the endpoint is gone")

// Jobs are the kinds of jobs about deliveries, for a [jobrunner.Runner].
func (d *Dispatcher) Jobs() map[string]jobrunner.Kind {
	return map[string]jobrunner.Kind{job.JobRecover: d.recover, job.JobRedeliver: d.redeliver, job.JobCancel: d.cancelAll, job.JobReorder: d.reorder}
}

// recover makes the next step of a recover job.
func (d *Dispatcher) recover(_ context.Context, tenant string, _ *job.Job) (jobrunner.Step, error) {
	return jobrunner.Step{Write: func(ctx context.Context, tx store.Tx, j *job.Job) error { return d.recoverIn(ctx, tx, tenant, j) }}, nil
}

// recoverIn makes a step of a recover job within its write: it looks at the next events,
// and sends again those that the endpoint wants. The job ends when it has looked at all
// of them, or when the endpoint was deleted. Each step goes on at the position that the one
// before has stored.
func (d *Dispatcher) recoverIn(ctx context.Context, tx store.Tx, tenant string, j *job.Job) error {
	e, err := tx.Endpoint(ctx, tenant, j.EndpointID)
	if apierr.KindOf(err) == apierr.NotFound {
		j.End(job.JobFailed, errGone.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("read endpoint %s: %w", j.EndpointID, err)
	}
	events, last, err := tx.Candidates(ctx, tenant, j, e.No, jobStep)
	if err != nil {
		return fmt.Errorf("read the next events: %w", err)
	}
	// Filters are evaluated within the write here, so all of a step share one bounded
	// effort.
	effort := filter.NewEffort()
	again, err := d.again(ctx, tx, tenant, e, j, effort)
	if err != nil {
		return err
	}
	for _, event := range events {
		if err := again(event); err != nil {
			return err
		}
		if effort.Spent() { // the effort for filters is used up: the next step continues here with a new one
			last = event.Seq
			break
		}
	}
	if j.Position = last; last >= j.Last {
		j.End(job.JobSucceeded, "")
	}
	return nil
}

// again returns a function that sends one candidate again, if the endpoint wants it.
func (d *Dispatcher) again(ctx context.Context, tx store.Tx, tenant string, e *event.Endpoint, j *job.Job, effort *filter.Effort) (func(*event.Event) error, error) {
	// What the endpoint wants counts here, and not whether it is on.
	on := *e
	on.Enabled = true
	alone := event.NewSubscriptions([]*event.Endpoint{&on})
	return func(event *event.Event) error {
		j.Examined++
		// The other candidates went to the endpoint before, so it was decided then that it
		// wants them.
		if j.What == job.RecoverMissing {
			if wanted, err := wants(ctx, tx, tenant, &on, alone, effort, event); err != nil || !wanted {
				return err
			}
		}
		// Only the first one is a trial. If the endpoint is down, the others wait for its
		// circuit.
		err := tx.SendAgain(ctx, tenant, event, e, j.Updated, j.Sent == 0)
		switch apierr.KindOf(err) {
		case apierr.Conflict, apierr.NotFound: // there is nothing to send any more
			return nil
		}
		if err != nil {
			return fmt.Errorf("send event %s again: %w", event.ID, err)
		}
		j.Sent++
		return nil
	}, nil
}

// wants reports whether an endpoint would get an event if it happened now. The data of
// the event is read only if a filter needs it.
func wants(ctx context.Context, r store.Reader, tenant string, e *event.Endpoint, alone *event.Subscriptions, effort *filter.Effort, event *event.Event) (bool, error) {
	if e.Filter == "" || !e.Wants(event.Type) {
		return len(alone.Match(event, effort)) > 0, nil
	}
	whole, err := r.EventBySeq(ctx, tenant, event.Seq)
	if apierr.KindOf(err) == apierr.NotFound {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read event %s whole: %w", event.ID, err)
	}
	return len(alone.Match(whole, effort)) > 0, nil
}

// cancelOrphans cancels the pending deliveries of endpoints that were deleted, a few in
// each write. What a node does not get to, another one or the next start does.
func (d *Dispatcher) cancelOrphans() {
	for more := true; more && !d.stopping.Load(); {
		err := d.store.Write(d.ctx, func(tx store.Tx) error { // the caller who deleted the endpoint does not wait for this
			n, err := tx.CancelOrphans(d.ctx, jobStep)
			more = n > 0 || err != nil
			return err
		})
		if err != nil {
			more = d.pause(lookAgain)
		}
	}
}

// EndpointDeleted implements [store.Listener]. The deliveries of the endpoint are
// canceled in the background, by any node. Whoever deleted it does not wait for that.
func (d *Dispatcher) EndpointDeleted(tenant string, endpoint, version int64) {
	if q := d.queueFor(queueKey{tenant, endpoint}); q != nil {
		q.change(nil, version)
	}
	// A process that is about to end leaves this to another node, or to the next start.
	if !d.stopping.Load() {
		d.work.Go(d.cancelOrphans)
	}
}
