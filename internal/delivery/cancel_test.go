package delivery

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
)

// cancelJob stores a job that cancels what is pending at the endpoint shop.
func (r *rig) cancelJob() *job.Job {
	r.t.Helper()
	j := job.NewJob(job.JobCancel, time.Now())
	j.Filter = []byte(`{"endpointId":"ep_shop","status":"pending"}`)
	j.Cursor = store.Cursor{At: 1 << 40, ID: "0"}.String()
	r.write(func(tx store.Tx) error { return tx.PutJob(r.t.Context(), acme, j) })
	return j
}

// TestABulkCancelGoesOnAfterARestart: from where it was. What waits for an earlier event
// of its subject is canceled before that one, so nothing is sent meanwhile.
func TestABulkCancelGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 0))
		to := r.endpoint("shop", func(e *event.Endpoint) {
			e.Ordering, e.Schedule = event.OrderingSubject, []time.Duration{10 * time.Hour}
		})
		const events = 2*jobStep + 50
		for range events {
			r.publish(ids.New(ids.Event), "o1")
		}
		other := r.endpoint("other", func(e *event.Endpoint) { e.Schedule = []time.Duration{10 * time.Hour} })
		of := r.publish(ids.New(ids.Event), "o2")
		synctest.Wait()
		before := len(r.calls.made()) // the first of each subject at the shop, and of the other endpoint
		j := r.cancelJob()
		if _, err := r.jobs.RunStep(t.Context(), acme, j); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if now := r.job(j.ID); now.Examined != jobStep || now.Canceled != jobStep || now.Status != job.JobRunning {
			t.Errorf("after one step: %+v", now)
		}
		r.restart()
		time.Sleep(24 * time.Hour)
		if now := r.job(j.ID); now.Status != job.JobSucceeded || now.Examined != events+1 || now.Canceled != events+1 {
			t.Errorf("after the restart: %+v", now)
		}
		// The other endpoint's one repeat is all that was sent after the job began.
		if n := len(r.calls.made()) - before; n != 1 {
			t.Errorf("%d attempts after the job began", n)
		}
		list, err := r.store.Deliveries(t.Context(), acme, store.DeliveryFilter{Endpoint: to.No, Status: event.DeliveryPending}, store.Page{Limit: store.MaxLimit})
		if err != nil || len(list.Items) != 0 {
			t.Errorf("%d are pending, %v", len(list.Items), err)
		}
		if d := r.delivery(of, other); d.Status != event.DeliveryFailed {
			t.Errorf("the delivery to the other endpoint is %s", d.Status)
		}
	})
}

// TestABulkCancelLeavesOutWhatHasEndedMeanwhile: between the reading of a page and its
// transaction.
func TestABulkCancelLeavesOutWhatHasEndedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		r := newRig(t, func(c call) outbound.Exchange {
			if up.Load() {
				return outbound.Exchange{Status: 200}
			}
			return outbound.Exchange{Status: 500}
		})
		to := r.endpoint("shop", nil)
		var events []*event.Event
		for i := range 3 {
			events = append(events, r.publish(fmt.Sprint("evt_", i), fmt.Sprint("o", i)))
		}
		synctest.Wait()
		j := r.cancelJob()
		step, err := r.d.cancelAll(t.Context(), acme, j)
		must(t, err)
		up.Store(true)
		r.sendAgain(events[0], to)
		synctest.Wait()
		r.write(func(tx store.Tx) error {
			return tx.CancelDelivery(t.Context(), acme, r.delivery(events[1], to).DeliveryKey, time.Now())
		})
		r.write(func(tx store.Tx) error { return step.Write(t.Context(), tx, j) })
		time.Sleep(24 * time.Hour)
		if j.Canceled != 1 || j.Examined != 3 || j.Status != job.JobSucceeded {
			t.Errorf("%+v", j)
		}
		if d := r.delivery(events[0], to); d.Status != event.DeliverySucceeded {
			t.Errorf("the one that was sent meanwhile is %s", d.Status)
		}
		if d := r.delivery(events[2], to); d.Status != event.DeliveryCanceled || d.Attempts != 1 {
			t.Errorf("the one that was pending is %s after %d attempts", d.Status, d.Attempts)
		}
	})
}
