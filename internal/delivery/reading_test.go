package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// These are about what changes while an endpoint queue reads its table: what it gets was so
// when the reading began, and is no more.

// readingTime is how long a reading takes in a rig that reads slowly.
const readingTime = 20 * time.Second

// readSlowly restarts with slow readings.
func (r *rig) readSlowly() {
	r.reading = func() { time.Sleep(readingTime) }
	r.restart()
}

// put stores another state of an endpoint, whose queue reads its table then.
func (r *rig) put(to *event.Endpoint, change func(*event.Endpoint)) {
	r.t.Helper()
	next := *to
	change(&next)
	var j *job.Job
	r.write(func(tx store.Tx) (err error) {
		if next.Ordering == to.Ordering {
			return tx.PutEndpoint(r.t.Context(), acme, &next)
		}
		j, err = r.d.PutReordered(r.t.Context(), tx, acme, &next, time.Now())
		return err
	})
	if j != nil {
		r.jobs.Begin(acme, j)
	}
}

func described(e *event.Endpoint) { e.Description = "the same, but for this" }

// TestCompletedWhileTheTableIsRead: an attempt that ends while the table is read,
// which shows it as due, is not made once more.
func TestCompletedWhileTheTableIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		schedule []time.Duration
		want     event.DeliveryStatus
	}{
		"acknowledged":    {200, nil, event.DeliverySucceeded},
		"to be repeated":  {500, []time.Duration{time.Hour}, event.DeliveryPending},
		"failed for good": {500, nil, event.DeliveryFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, answering(c.status, 10*time.Second))
				r.readSlowly()
				to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = c.schedule })
				time.Sleep(2 * readingTime)
				e := r.publish("evt_1", "o1")
				time.Sleep(time.Second) // the attempt is under way
				r.put(to, described)
				time.Sleep(2 * readingTime)
				if d := r.delivery(e, to); d.Status != c.want || d.Attempts != 1 || len(r.calls.made()) != 1 {
					t.Errorf("%s after %d attempts and %d requests", d.Status, d.Attempts, len(r.calls.made()))
				}
				time.Sleep(2 * time.Hour)
				if n := len(r.calls.made()); n != 1+len(c.schedule) {
					t.Errorf("%d requests in all", n)
				}
			})
		})
	}
}

// TestCanceledWhileTheTableIsRead: one that waited for its turn, and that the
// reading shows as due, is not sent.
func TestCanceledWhileTheTableIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 10*time.Second))
		r.readSlowly()
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency = 1 })
		time.Sleep(2 * readingTime)
		first, canceled := r.publish("evt_1", "o1"), r.publish("evt_2", "o2")
		time.Sleep(time.Second)
		r.put(to, described)
		time.Sleep(time.Second)
		r.write(func(tx store.Tx) error {
			return tx.CancelDelivery(t.Context(), acme, event.DeliveryKey{Event: canceled.Seq, Endpoint: to.No}, time.Now())
		})
		time.Sleep(time.Hour)
		if made := r.calls.made(); len(made) != 1 || made[0].ID != first.ID {
			t.Errorf("%d requests", len(made))
		}
		if d := r.delivery(canceled, to); d.Status != event.DeliveryCanceled || d.Attempts != 0 {
			t.Errorf("the canceled one is %s after %d attempts", d.Status, d.Attempts)
		}
	})
}

// TestReorderedWhileTheTableIsRead: what was due as the table was read waits in
// its group since, and is not sent by that reading; nor is what went out of it
// forgotten.
func TestReorderedWhileTheTableIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		before, after event.Ordering
	}{
		"into groups":   {event.OrderingNone, event.OrderingSubject},
		"out of groups": {event.OrderingSubject, event.OrderingNone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, answering(200, 10*time.Second))
				to := r.endpoint("shop", func(e *event.Endpoint) { e.Ordering = c.before })
				synctest.Wait()
				r.d.Stop(t.Context())
				events := []*event.Event{r.publish("evt_1", "o1"), r.publish("evt_2", "o1"), r.publish("evt_3", "o1")}
				r.reading = func() { time.Sleep(readingTime) }
				r.start()
				time.Sleep(time.Second) // the table is being read
				r.put(to, func(e *event.Endpoint) { e.Ordering = c.after })
				to.Ordering = c.after
				time.Sleep(time.Hour)
				made := r.calls.made()
				if len(made) != len(events) {
					t.Fatalf("%d requests", len(made))
				}
				if c.after == event.OrderingSubject {
					checkOrder(t, to, made, events)
				} else if together := made[2].began.Sub(made[0].began); together != 0 {
					t.Errorf("%v between the first and the last, and nothing to wait for", together)
				}
				for _, e := range events {
					if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 {
						t.Errorf("%s is %s after %d attempts", e.ID, d.Status, d.Attempts)
					}
				}
			})
		})
	}
}

// TestSentAgainWhileTheTableIsRead: what the reading shows as due was sent by
// hand meanwhile, and is not sent by the reading, too.
func TestSentAgainWhileTheTableIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 10*time.Second))
		to := r.endpoint("shop", nil)
		synctest.Wait()
		r.d.Stop(t.Context())
		e := r.publish("evt_1", "o1")
		r.reading = func() { time.Sleep(readingTime) }
		r.start() // and with it a reading
		time.Sleep(time.Second)
		r.write(func(tx store.Tx) error { return tx.SendAgain(t.Context(), acme, e, to, time.Now(), false) })
		time.Sleep(time.Hour)
		if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || len(r.calls.made()) != 1 {
			t.Errorf("%s after %d requests", d.Status, len(r.calls.made()))
		}
	})
}
