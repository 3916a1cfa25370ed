package delivery

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/store"
)

// again is a delivery that a redeliver job will send again, with its event. The data of a
// large event is left out.
type again struct {
	*event.Delivery
	event *event.Event
}

// redeliver makes the next step of a redeliver job: it reads one page of the list that
// its filter picks. The list goes from the newest event to the oldest, so the job does
// not find a second time what it has made due. If the process dies between two steps, the
// job goes on at the page that it has stored.
func (d *Dispatcher) redeliver(ctx context.Context, tenant string, j *job.Job) (jobrunner.Step, error) {
	page, err := d.deliveriesOf(ctx, tenant, j)
	if err != nil {
		return jobrunner.Step{}, err
	}
	var found []again
	for _, dv := range page.Items {
		e, err := d.store.EventBySeq(ctx, tenant, dv.Event)
		// Retention has removed the event since the page was read.
		if apierr.KindOf(err) == apierr.NotFound {
			continue
		}
		if err != nil {
			return jobrunner.Step{}, fmt.Errorf("read event %d: %w", dv.Event, err)
		}
		if len(e.Data) > loadData { // a large event is not held in memory: the queue reads it again when its turn comes
			e.Data = nil
		}
		found = append(found, again{dv, e})
	}
	// The page was read before the write, so each of its deliveries is looked at again.
	return jobrunner.Step{Write: func(ctx context.Context, tx store.Tx, j *job.Job) error {
		r := redelivery{ctx: ctx, tx: tx, tenant: tenant, job: j, endpoints: map[string]*event.Endpoint{}}
		j.Examined += int64(len(page.Items))
		if j.Cursor = page.NextCursor; j.Cursor == "" {
			j.End(job.JobSucceeded, "")
		}
		for _, one := range found {
			if err := r.send(one); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// deliveriesOf returns the next page of the deliveries that the filter of a redeliver or a
// cancel job picks. It leaves out those whose event was removed by retention meanwhile. A filter that
// names what is gone by now picks nothing.
func (d *Dispatcher) deliveriesOf(ctx context.Context, tenant string, j *job.Job) (list store.List[*event.Delivery], err error) {
	var q event.DeliveryQuery
	if err := json.Unmarshal(j.Filter, &q); err != nil {
		return list, fmt.Errorf("the filter of the job cannot be read: %w", err)
	}
	f, err := store.DeliveriesOf(ctx, d.store, tenant, q)
	if apierr.KindOf(err) == apierr.NotFound {
		return list, nil
	}
	if err == nil {
		list, err = d.store.Deliveries(ctx, tenant, f, store.Page{Limit: jobStep, Cursor: j.Cursor})
	}
	if err != nil {
		return list, fmt.Errorf("read the next deliveries: %w", err)
	}
	return list, nil
}

// redelivery is the state of one step of a redeliver job, within its write. An endpoint is
// read once in each write.
type redelivery struct {
	ctx       context.Context
	tx        store.Tx
	tenant    string
	job       *job.Job
	endpoints map[string]*event.Endpoint // the endpoints that were read so far; nil: the endpoint is off or deleted
}

// mostTried is how many endpoints a job remembers. There are seldom as many.
const mostTried = 1000

// send sends a delivery again, unless it has changed and the filter would not pick it any
// more. Only the first delivery of each endpoint is a trial: if an endpoint is down, the
// job must not call it for each of its deliveries.
func (r *redelivery) send(one again) error {
	// Most deliveries of a page go to the same few endpoints.
	to, met := r.endpoints[one.EndpointID]
	if !met {
		var err error
		if to, err = r.endpoint(one.EndpointID); err != nil {
			return err
		}
		// nil is noted as well, so an endpoint that is off is read only once.
		r.endpoints[one.EndpointID] = to
	}
	if to == nil {
		r.skip(one, "its endpoint is off, or was removed")
		return nil
	}
	// Somebody may have sent the delivery again, or canceled it, since the page was read.
	now, err := r.tx.Delivery(r.ctx, r.tenant, one.DeliveryKey)
	if apierr.KindOf(err) == apierr.NotFound || err == nil && now.Status != one.Status {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read delivery %s: %w", one.ID(), err)
	}
	// What was tried is stored with the job, so that no later step tries it again.
	trial := len(r.job.Tried) < mostTried && !slices.Contains(r.job.Tried, to.ID)
	err = r.tx.SendAgain(r.ctx, r.tenant, one.event, to, r.job.Updated, trial)
	switch apierr.KindOf(err) {
	// Both are about this delivery alone, so the job goes on with the next one.
	case apierr.Conflict, apierr.NotFound:
		r.skip(one, "its event's data was erased")
		return nil
	}
	if err != nil {
		return fmt.Errorf("send delivery %s again: %w", one.ID(), err)
	}
	r.job.Sent++
	if trial {
		r.job.Tried = append(r.job.Tried, to.ID)
	}
	return nil
}

// skip notes in the job that a delivery was not sent again, and why.
func (r *redelivery) skip(one again, why string) {
	r.job.Skip(job.JobSkip{ID: one.ID(), Reason: why})
}

// endpoint returns an endpoint that may be sent to. It returns nil if the endpoint is off
// or deleted.
func (r *redelivery) endpoint(id string) (*event.Endpoint, error) {
	e, err := r.tx.Endpoint(r.ctx, r.tenant, id)
	if apierr.KindOf(err) == apierr.NotFound || err == nil && !e.Enabled {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read endpoint %s: %w", id, err)
	}
	return e, nil
}
