package delivery

import (
	"context"
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

// TestABulkRedeliveryGoesOnAfterARestart: from where it was, so that each
// delivery is sent again once, also where it fails once more meanwhile.
func TestABulkRedeliveryGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		r := newRig(t, func(c call) outbound.Exchange {
			if up.Load() {
				return outbound.Exchange{Status: 200}
			}
			return outbound.Exchange{Status: 500}
		})
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule, e.Concurrency = nil, 1 })
		const events = 2*jobStep + 50
		for at := 0; at < events; at += 50 {
			r.publishMany(fmt.Sprint(at, "-"), 50)
		}
		time.Sleep(5 * 24 * time.Hour / 2) // past the breaker, which lets one through at a time
		failed := len(r.calls.made())
		if failed != events {
			t.Fatalf("%d attempts of %d events", failed, events)
		}
		j := job.NewJob(job.JobRedeliver, time.Now())
		j.Filter = []byte(`{"endpointId":"ep_shop","status":"failed"}`)
		j.Cursor = store.Cursor{At: 1 << 40, ID: "0"}.String()
		r.write(func(tx store.Tx) error { return tx.PutJob(t.Context(), acme, j) })
		if _, err := r.jobs.RunStep(t.Context(), acme, j); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(r.calls.made()); n != failed+1 {
			t.Errorf("%d attempts at an endpoint that is down", n-failed)
		}
		if now := r.job(j.ID); now.Examined != jobStep || now.Sent != jobStep || now.Status != job.JobRunning {
			t.Errorf("after one step: %+v", now)
		}
		up.Store(true)
		r.restart()
		time.Sleep(time.Hour)
		if now := r.job(j.ID); now.Status != job.JobSucceeded || now.Examined != events || now.Sent != events {
			t.Errorf("after the restart: %+v", now)
		}
		if n := len(r.calls.made()); n != 2*events {
			t.Errorf("%d attempts in all", n)
		}
		list, err := r.store.Deliveries(t.Context(), acme, store.DeliveryFilter{Endpoint: to.No, Status: event.DeliveryFailed}, store.Page{Limit: store.MaxLimit})
		if err != nil || len(list.Items) != 1 { // the trial failed again
			t.Errorf("%d failed, %v", len(list.Items), err)
		}
	})
}

// TestABulkRedeliveryLeavesOutWhatChangedMeanwhile: between the reading of a page
// and its transaction.
func TestABulkRedeliveryLeavesOutWhatChangedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		r := newRig(t, func(c call) outbound.Exchange {
			if up.Load() {
				return outbound.Exchange{Status: 200}
			}
			return outbound.Exchange{Status: 500}
		})
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = nil })
		mended, failed := r.publish("evt_1", "o1"), r.publish("evt_2", "o1")
		synctest.Wait()
		j := job.NewJob(job.JobRedeliver, time.Now())
		j.Filter = []byte(`{"status":"failed"}`)
		step, err := r.d.redeliver(t.Context(), acme, j)
		must(t, err)
		up.Store(true)
		r.sendAgain(mended, to)
		synctest.Wait()
		r.write(func(tx store.Tx) error { return step.Write(t.Context(), tx, j) })
		synctest.Wait()
		if n := len(r.calls.made()); n != 4 || j.Sent != 1 || j.Examined != 2 {
			t.Errorf("%d attempts; %+v", n, j)
		}
		for _, e := range []*event.Event{mended, failed} {
			if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 2 {
				t.Errorf("%s is %s after %d attempts", e.ID, d.Status, d.Attempts)
			}
		}
	})
}

// TestABulkRedeliveryTriesEachEndpoint whose circuit is open once, also one of which
// nothing is among the first that the job finds.
func TestABulkRedeliveryTriesEachEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 0))
		for _, name := range []string{"old", "new"} {
			to := r.endpoint(name, func(e *event.Endpoint) { e.Schedule, e.Concurrency = nil, 1 })
			for at := 0; at < jobStep; at += 50 {
				r.publishMany(fmt.Sprint(name, at, "-"), 50)
			}
			time.Sleep(2 * 24 * time.Hour) // past the breaker, which lets one through at a time
			if name == "old" {
				to.EventTypes = []string{"other"}
				r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, to) })
			}
		}
		r.write(func(tx store.Tx) error { // both circuits open once more
			for _, at := range []string{"evt_old0-0", "evt_new0-0"} {
				e, err := tx.Event(t.Context(), acme, at)
				if err != nil {
					return err
				}
				to, err := tx.Endpoint(t.Context(), acme, ids.Endpoint+at[4:7])
				if err != nil {
					return err
				}
				if err := tx.SendAgain(t.Context(), acme, e, to, time.Now(), false); err != nil {
					return err
				}
			}
			return nil
		})
		synctest.Wait()
		made := len(r.calls.made())
		j := job.NewJob(job.JobRedeliver, time.Now())
		j.Filter = []byte(`{"status":"failed"}`)
		j.Cursor = store.Cursor{At: 1 << 40, ID: "0"}.String()
		r.write(func(tx store.Tx) error { return tx.PutJob(t.Context(), acme, j) })
		r.jobs.Begin(acme, j)
		synctest.Wait()
		if now := r.job(j.ID); now.Status != job.JobSucceeded || now.Sent != 2*jobStep {
			t.Fatalf("the job: %+v", now)
		}
		called := map[string]int{}
		for _, c := range r.calls.made()[made:] {
			called[c.URL]++
		}
		if len(called) != 2 || called["http://old.example/hook"] != 1 || called["http://new.example/hook"] != 1 {
			t.Errorf("while the circuits are open: %v", called)
		}
	})
}

// unsureJobs is a database that stores a job so many times and says that nobody knows whether
// it did.
type unsureJobs struct {
	store.Store
	unknown atomic.Int32
}

func (u *unsureJobs) Write(ctx context.Context, do func(store.Tx) error) error {
	wrote := false
	err := u.Store.Write(ctx, func(tx store.Tx) error { return do(jobTx{tx, &wrote}) })
	if err == nil && wrote && u.unknown.Add(-1) >= 0 {
		return errUnknown
	}
	return err
}

// jobTx notes that a write stores a job.
type jobTx struct {
	store.Tx
	wrote *bool
}

func (tx jobTx) PutJob(ctx context.Context, tenant string, j *job.Job) error {
	*tx.wrote = true
	return tx.Tx.PutJob(ctx, tenant, j)
}

// TestABulkRedeliveryThatWasWrittenUnknowingly, a step of it: the step is not made again, so
// that each delivery is sent again once, and counted once.
func TestABulkRedeliveryThatWasWrittenUnknowingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		r.stop()
		u := &unsureJobs{Store: r.store}
		r.startOn(u)
		r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = nil })
		const events = jobStep + 50
		for at := 0; at < events; at += 50 {
			r.publishMany(fmt.Sprint(at, "-"), 50)
		}
		time.Sleep(time.Hour)
		before := len(r.calls.made())
		j := job.NewJob(job.JobRedeliver, time.Now())
		j.Filter = []byte(`{"endpointId":"ep_shop","status":"succeeded"}`)
		j.Cursor = store.Cursor{At: 1 << 40, ID: "0"}.String()
		r.write(func(tx store.Tx) error { return tx.PutJob(t.Context(), acme, j) })
		u.unknown.Store(1)
		r.jobs.Begin(acme, j)
		time.Sleep(time.Hour)
		if n := len(r.calls.made()) - before; n != events {
			t.Errorf("%d of %d deliveries were sent again", n, events)
		}
		if now := r.job(j.ID); now.Status != job.JobSucceeded || now.Examined != events || now.Sent != events {
			t.Errorf("the job is %+v", now)
		}
	})
}
