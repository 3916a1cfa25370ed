package delivery

import (
	"cmp"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// TestReorderedWhileItIsSent: what is pending follows a change of the ordering
// in many steps, while attempts are made and events come. From
// its end on the events of a subject arrive in their order, each once.
func TestReorderedWhileItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, time.Second))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency, e.Enabled = 8, false })
		to.Enabled = true
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, to) })
		const events = 7*jobStep + 13
		var all []*event.Event
		publish := func(n int) {
			var some []*event.Event
			for range n {
				i := len(all)
				e := &event.Event{ID: fmt.Sprint("evt_", i), Type: "order_packed", Subject: event.Subject{Kind: event.SubjectOrder, ID: fmt.Sprint("o", i%97)},
					Timestamp: time.Now(), Data: []byte(`{}`)}
				all, some = append(all, e), append(some, e)
			}
			must(t, r.store.Publish(t.Context(), acme, some...))
		}
		for len(all) < events {
			publish(min(jobStep, events-len(all)))
		}
		time.Sleep(5 * time.Second) // some are delivered, some are under way
		var j *job.Job
		r.write(func(tx store.Tx) (err error) {
			next := *to
			next.Ordering = event.OrderingSubject
			j, err = r.d.PutReordered(t.Context(), tx, acme, &next, time.Now())
			return err
		})
		if j == nil {
			t.Fatal("so many follow at once")
		}
		for steps := 0; j.Status == job.JobRunning; steps++ {
			if steps > 2*events/jobStep+3 {
				t.Fatalf("%d steps: %+v", steps, j)
			}
			var err error
			j, err = r.jobs.RunStep(t.Context(), acme, &job.Job{ID: j.ID, Kind: j.Kind}) // all else is in its row
			must(t, err)
			publish(7)
		}
		stored, err := r.store.Endpoint(t.Context(), acme, to.ID)
		must(t, err)
		if stored.Reordering != "" || j.Status != job.JobSucceeded {
			t.Fatalf("the endpoint has %q, the job %+v", stored.Reordering, j)
		}
		ended := time.Now()
		publish(300)
		time.Sleep(time.Hour)
		made := map[string]bool{}
		last := map[string]int{}
		for _, c := range r.calls.made() {
			var i int
			fmt.Sscanf(c.ID, "evt_%d", &i)
			if made[c.ID] {
				t.Errorf("%s arrived twice", c.ID)
			}
			made[c.ID] = true
			if subject := fmt.Sprint(i % 97); c.began.After(ended) {
				if i < last[subject] {
					t.Errorf("%s arrived behind %d of its subject", c.ID, last[subject])
				}
				last[subject] = i
			}
		}
		if len(made) != len(all) {
			t.Errorf("%d of %d arrived", len(made), len(all))
		}
	})
}

// TestAReorderingThatWasOvertaken by a later one changes nothing, so no table is read for it.
func TestAReorderingThatWasOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, time.Second))
		e := r.endpoint("shop", nil)
		j := &job.Job{ID: "job_1", Kind: job.JobReorder, EndpointID: e.ID, Status: job.JobRunning}
		reorderedBy := func(id string) {
			next := *e
			next.Reordering = id
			r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, &next) })
		}
		reorderedBy(j.ID)
		step, err := r.d.reorder(t.Context(), acme, j)
		must(t, err)
		overtaken := errors.New("overtaken")
		err = r.store.Write(t.Context(), func(tx store.Tx) error {
			try := *j
			return cmp.Or(step.Write(t.Context(), tx, &try), overtaken)
		})
		if err != overtaken {
			t.Fatal(err)
		}
		reorderedBy("job_2")
		r.write(func(tx store.Tx) error { return step.Write(t.Context(), tx, j) })
		time.Sleep(time.Hour)
		q := r.d.queue(queueKey{acme, e.No})
		before := q.table.looked
		step.After()
		synctest.Wait()
		if j.Status != job.JobCanceled || q.table.looked != before {
			t.Errorf("the job is %s, and the table was read %s later", j.Status, q.table.looked.Sub(before))
		}
	})
}

// TestWhatIsTakenOutOfGroupsIsSentAtOnce, not when the whole job has ended.
func TestWhatIsTakenOutOfGroupsIsSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, time.Minute))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency, e.Ordering = jobStep+50, event.OrderingSubject })
		for range 3 * jobStep {
			r.publish(ids.New(ids.Event), "o1")
		}
		synctest.Wait()
		var j *job.Job
		r.write(func(tx store.Tx) (err error) {
			next := *to
			next.Ordering = event.OrderingNone
			j, err = r.d.PutReordered(t.Context(), tx, acme, &next, time.Now())
			return err
		})
		synctest.Wait()
		if n := len(r.calls.made()); n < jobStep || n > jobStep+1 { // the first of all was under way
			t.Errorf("%d attempts after the first step", n)
		}
		j, err := r.jobs.RunStep(t.Context(), acme, j)
		synctest.Wait()
		if n := len(r.calls.made()); n != jobStep+50 || err != nil || j.Status != job.JobRunning {
			t.Errorf("%d attempts after the second step; %v, %+v", n, err, j)
		}
	})
}
