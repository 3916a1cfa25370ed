package notify

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// again is a delivery that a redeliver job has found, with its event.
type again struct {
	*oms.Delivery
	event *oms.Event
}

// redeliver is the next step of a redeliver job: one page of the list that its
// filter picks. The list goes from the newest event down, so nothing that the
// job made due is found a second time.
func (d *Dispatcher) redeliver(ctx context.Context, tenant string, j *oms.Job) (job.Step, error) {
	page, err := d.deliveriesOf(ctx, tenant, j)
	if err != nil {
		return job.Step{}, err
	}
	var found []again
	for _, dv := range page.Items {
		e, err := d.store.EventBySeq(ctx, tenant, dv.Event)
		if oms.KindOf(err) == oms.NotFound {
			continue
		}
		if err != nil {
			return job.Step{}, err
		}
		if len(e.Data) > loadData { // the queue reads it when its turn comes
			e.Data = nil
		}
		found = append(found, again{dv, e})
	}
	return job.Step{Write: func(ctx context.Context, tx store.Tx, j *oms.Job) error {
		r := redelivery{ctx: ctx, tx: tx, tenant: tenant, job: j, endpoints: map[string]*oms.Endpoint{}}
		j.Examined += int64(len(page.Items))
		if j.Cursor = page.NextCursor; j.Cursor == "" {
			j.End(oms.JobSucceeded, "")
		}
		for _, one := range found {
			if err := r.send(one); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// deliveriesOf returns the next page of what a redeliver job's filter picks. An
// event that retention has removed meanwhile leaves nothing.
func (d *Dispatcher) deliveriesOf(ctx context.Context, tenant string, j *oms.Job) (list store.List[*oms.Delivery], err error) {
	var q oms.DeliveryQuery
	if err := json.Unmarshal(j.Filter, &q); err != nil {
		return list, fmt.Errorf("the filter of the job cannot be read: %w", err)
	}
	f, err := store.DeliveriesOf(ctx, d.store, tenant, q)
	if oms.KindOf(err) == oms.NotFound {
		return list, nil
	}
	if err != nil {
		return list, err
	}
	return d.store.Deliveries(ctx, tenant, f, store.Page{Limit: jobStep, Cursor: j.Cursor})
}

// redelivery is one step of a redeliver job in its write.
type redelivery struct {
	ctx       context.Context
	tx        store.Tx
	tenant    string
	job       *oms.Job
	endpoints map[string]*oms.Endpoint // those met so far; nil: off, or gone
}

// mostTried bounds the endpoints that a job remembers; there are seldom as many.
const mostTried = 1000

// send sends a delivery again, unless it is no longer what the filter picked.
// The first of each endpoint is a trial, and no other: a job for an endpoint that
// is down does not call it for everything it failed at.
func (r *redelivery) send(one again) error {
	to, met := r.endpoints[one.EndpointID]
	if !met {
		var err error
		if to, err = r.endpoint(one.EndpointID); err != nil {
			return err
		}
		r.endpoints[one.EndpointID] = to
	}
	if to == nil {
		r.skip(one, "its endpoint is off, or was removed")
		return nil
	}
	now, err := r.tx.Delivery(r.ctx, r.tenant, one.DeliveryKey)
	if oms.KindOf(err) == oms.NotFound || err == nil && now.Status != one.Status {
		return nil
	}
	if err != nil {
		return err
	}
	trial := len(r.job.Tried) < mostTried && !slices.Contains(r.job.Tried, to.ID)
	err = r.tx.SendAgain(r.ctx, r.tenant, one.event, to, r.job.Updated, trial)
	switch oms.KindOf(err) {
	case oms.Conflict, oms.NotFound:
		r.skip(one, "its event's data was erased")
		return nil
	}
	if err != nil {
		return err
	}
	r.job.Sent++
	if trial {
		r.job.Tried = append(r.job.Tried, to.ID)
	}
	return nil
}

func (r *redelivery) skip(one again, why string) {
	r.job.Skip(oms.JobSkip{ID: one.ID(), Reason: why})
}

// endpoint returns an endpoint that something may be sent to, nil if it is off
// or gone.
func (r *redelivery) endpoint(id string) (*oms.Endpoint, error) {
	e, err := r.tx.Endpoint(r.ctx, r.tenant, id)
	if oms.KindOf(err) == oms.NotFound || err == nil && !e.Enabled {
		return nil, nil
	}
	return e, err
}
