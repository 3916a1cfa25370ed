package delivery

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
)

func (r *rig) recover(to *event.Endpoint, what string, from, until time.Time) *job.Job {
	r.t.Helper()
	j := job.NewJob(job.JobRecover, time.Now())
	j.EndpointID, j.What, j.From, j.To = to.ID, what, from, until
	r.write(func(tx store.Tx) error {
		newest, err := tx.Events(r.t.Context(), acme, store.EventFilter{}, store.Page{Limit: 1})
		if err == nil {
			j.Last = newest.Items[0].Seq
			err = tx.PutJob(r.t.Context(), acme, j)
		}
		return err
	})
	return j
}

func (r *rig) job(id string) *job.Job {
	r.t.Helper()
	j, err := r.store.Job(r.t.Context(), acme, id)
	must(r.t, err)
	return j
}

// TestRecoverFailed: what failed for good in a span of time is sent again, with
// a whole schedule, and nothing else.
func TestRecoverFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		r := newRig(t, func(call) outbound.Exchange {
			if up.Load() {
				return outbound.Exchange{Status: 200}
			}
			return outbound.Exchange{Status: 500}
		})
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = []time.Duration{time.Second} })
		early := r.publish("evt_early", "o1")
		time.Sleep(time.Hour)
		from := time.Now()
		var failed []*event.Event
		for range 220 {
			failed = append(failed, r.publish(ids.New(ids.Event), "o1"))
			time.Sleep(time.Second)
		}
		time.Sleep(40 * time.Hour) // the breaker lets through but one at a time
		until := time.Now()
		late := r.publish("evt_late", "o1")
		time.Sleep(time.Hour)
		up.Store(true)
		j := r.recover(to, job.RecoverFailed, from, until)
		r.jobs.Begin(acme, j)
		time.Sleep(time.Hour)
		if j = r.job(j.ID); j.Status != job.JobSucceeded || j.Sent != 220 || j.Ended.IsZero() {
			t.Errorf("the job: %+v", j)
		}
		for _, e := range failed {
			if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 3 || d.MaxAttempts != 4 {
				t.Fatalf("%s after %d of %d attempts", d.Status, d.Attempts, d.MaxAttempts)
			}
		}
		for _, e := range []*event.Event{early, late} {
			if d := r.delivery(e, to); d.Status != event.DeliveryFailed {
				t.Errorf("%s is %s", e.ID, d.Status)
			}
		}
	})
}

// TestRecoverMissing: what the endpoint would have got, had it been there and
// on; and not twice.
func TestRecoverMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		before := r.publish("evt_before", "o1")
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Filter = `data.id != "o3"` })
		got := r.publish("evt_got", "o1")
		off := *to
		off.Enabled = false
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, &off) })
		missed := r.publish("evt_missed", "o2")
		filtered := r.publish("evt_filtered", "o3")
		synctest.Wait()
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, to) })
		j := r.recover(to, job.RecoverMissing, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		r.jobs.Begin(acme, j)
		time.Sleep(time.Minute)
		for _, e := range []*event.Event{before, got, missed} {
			if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 {
				t.Errorf("%s: %s after %d attempts", e.ID, d.Status, d.Attempts)
			}
		}
		if _, err := r.store.Delivery(t.Context(), acme, event.DeliveryKey{Event: filtered.Seq, Endpoint: to.No}); apierr.KindOf(err) != apierr.NotFound {
			t.Errorf("what the filter keeps away was sent: %v", err)
		}
		if j = r.job(j.ID); j.Sent != 2 {
			t.Errorf("the job: %+v", j)
		}
	})
}

// TestRecoverMissingEvaluatesAllEvents: where a filter takes long, a step of the job
// evaluates so many events as it has time for, and the next ones the others.
func TestRecoverMissingEvaluatesAllEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		data := []byte(`{"list":[1` + strings.Repeat(",1", 3000) + `]}`)
		var all []*event.Event
		for i := range jobStep {
			all = append(all, &event.Event{ID: fmt.Sprint("evt_", i), Type: "order_packed", Timestamp: time.Now(), Data: data})
		}
		must(t, r.store.Publish(t.Context(), acme, all...))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Filter = `any(data.list, # == 2)` })
		j := r.recover(to, job.RecoverMissing, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		r.jobs.Begin(acme, j)
		time.Sleep(time.Minute)
		if j = r.job(j.ID); j.Status != job.JobSucceeded || j.Examined != jobStep || j.Sent != 0 {
			t.Errorf("the job: %+v", j)
		}
	})
}

// TestJobGoesOnAfterARestart: from where it was, and a canceled one does not.
func TestJobGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		for range 3 * jobStep {
			r.publish(ids.New(ids.Event), "o1")
		}
		to := r.endpoint("shop", nil)
		j, canceled := r.recover(to, job.RecoverMissing, time.Time{}, time.Now().Add(time.Hour)), r.recover(to, job.RecoverMissing, time.Time{}, time.Now())
		if j, err := r.jobs.RunStep(t.Context(), acme, j); err != nil || j.Status != job.JobRunning {
			t.Fatal(j, err)
		}
		if j = r.job(j.ID); j.Sent != jobStep || j.Status != job.JobRunning {
			t.Errorf("after one step: %+v", j)
		}
		canceled.Status = job.JobCanceled
		r.write(func(tx store.Tx) error { return tx.PutJob(t.Context(), acme, canceled) })
		r.restart()
		time.Sleep(time.Minute)
		if j = r.job(j.ID); j.Status != job.JobSucceeded || j.Sent != 3*jobStep || j.Examined != 3*jobStep {
			t.Errorf("after the restart: %+v", j)
		}
		if c := r.job(canceled.ID); c.Status != job.JobCanceled || c.Sent != 0 {
			t.Errorf("the canceled one: %+v", c)
		}
		if n := len(r.calls.made()); n != 3*jobStep {
			t.Errorf("%d attempts", n)
		}
	})
}

// TestJobOfAnEndpointThatIsGone fails, and says why.
func TestJobOfAnEndpointThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		to := r.endpoint("shop", nil)
		r.publish("evt_1", "o1")
		j := r.recover(to, job.RecoverMissing, time.Time{}, time.Now())
		r.write(func(tx store.Tx) error { return tx.DeleteEndpoint(t.Context(), acme, to.ID) })
		r.jobs.Begin(acme, j)
		synctest.Wait()
		if j = r.job(j.ID); j.Status != job.JobFailed || j.Reason == "" {
			t.Errorf("the job: %+v", j)
		}
	})
}

// TestRecoverOfAnEndpointThatWasTurnedOff since the job began: what it missed waits
// for it.
func TestRecoverOfAnEndpointThatWasTurnedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		missed := r.publish("evt_missed", "o1")
		to := r.endpoint("shop", nil)
		off := *to
		off.Enabled = false
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, &off) })
		j := r.recover(to, job.RecoverMissing, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		r.jobs.Begin(acme, j)
		time.Sleep(time.Minute)
		if j = r.job(j.ID); j.Sent != 1 || len(r.calls.made()) != 0 {
			t.Errorf("%d calls, and the job is %+v", len(r.calls.made()), j)
		}
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, to) })
		time.Sleep(time.Minute)
		if d := r.delivery(missed, to); d.Status != event.DeliverySucceeded {
			t.Errorf("it is %s", d.Status)
		}
	})
}

// TestMissingIsWhatARecoverJobSends: what the endpoint wants, as its filter says, and
// never got, the newest first.
func TestMissingIsWhatARecoverJobSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		r.publish("evt_before", "o1")
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Filter = `data.id != "o3"` })
		r.publish("evt_got", "o1")
		off := *to
		off.Enabled = false
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, &off) })
		r.publish("evt_missed", "o2")
		r.publish("evt_filtered", "o3")
		synctest.Wait()
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, to) })
		j := r.recover(to, job.RecoverMissing, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		m, err := r.d.Missing(t.Context(), acme, to, *j)
		must(t, err)
		var ids []string
		for _, e := range m.Newest {
			ids = append(ids, e.ID)
		}
		if got := strings.Join(ids, " "); m.Count != (store.Count{N: 2}) || got != "evt_missed evt_before" {
			t.Errorf("%+v: %s", m.Count, got)
		}
		r.jobs.Begin(acme, j)
		time.Sleep(time.Minute)
		if sent := r.job(j.ID).Sent; sent != int64(m.Count.N) {
			t.Errorf("the job sent %d", sent)
		}
		if m, err = r.d.Missing(t.Context(), acme, to, *j); err != nil || m.Count.N != 0 {
			t.Errorf("then %+v, %v", m, err)
		}
	})
}

// TestMissingEndsSomewhere: where a filter has very many events to evaluate, it evaluates some
// of them, and says that there may be more.
func TestMissingEndsSomewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		for range 3 {
			var all []*event.Event
			for range 1000 {
				all = append(all, &event.Event{ID: ids.New("evt_"), Type: "order_packed", Timestamp: time.Now(), Data: []byte(`{"n":1}`)})
			}
			must(t, r.store.Publish(t.Context(), acme, all...))
		}
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Filter = `data.n == 1` })
		j := r.recover(to, job.RecoverMissing, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		if m, err := r.d.Missing(t.Context(), acme, to, *j); err != nil || m.Count != (store.Count{N: mostEvaluated, Capped: true}) {
			t.Errorf("%+v, %v", m.Count, err)
		}
	})
}
