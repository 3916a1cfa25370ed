package delivery

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
)

// sendAgain sends a delivery again as somebody does by hand.
func (r *rig) sendAgain(e *event.Event, to *event.Endpoint) {
	r.t.Helper()
	r.write(func(tx store.Tx) error { return tx.SendAgain(r.t.Context(), acme, e, to, time.Now(), true) })
}

// broken is an endpoint whose circuit is open, with deliveries that wait. up
// mends it.
func broken(t *testing.T, waiting int, change func(*event.Endpoint)) (r *rig, to *event.Endpoint, waits []*event.Event, up *atomic.Bool) {
	t.Helper()
	up = &atomic.Bool{}
	r = newRig(t, func(call) outbound.Exchange {
		if up.Load() {
			return outbound.Exchange{Status: 200}
		}
		return outbound.Exchange{Status: 503}
	})
	to = r.endpoint("shop", func(e *event.Endpoint) {
		e.Concurrency, e.Schedule = 1, []time.Duration{time.Hour}
		if change != nil {
			change(e)
		}
	})
	r.publishMany("fails", breakerFailures)
	time.Sleep(breakerWait / 2)
	for at := 0; at < waiting; at += 1000 {
		waits = append(waits, r.publishMany("waits"+string(rune('a'+at/1000)), min(1000, waiting-at))...)
	}
	synctest.Wait()
	if c := r.d.Circuit(acme, to.No); c != breaker.Open || len(r.calls.made()) != breakerFailures {
		t.Fatalf("the circuit is %s after %d attempts", c, len(r.calls.made()))
	}
	return r, to, waits, up
}

// TestARedeliveryByHandIsTriedAtOnce, however long the circuit is to stay open,
// and how many wait; once it succeeded, all others go, too.
func TestARedeliveryByHandIsTriedAtOnce(t *testing.T) {
	for name, waiting := range map[string]int{"few wait": 5, "more wait than a queue holds": queueCapacity + 500} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, to, waits, up := broken(t, waiting, nil)
				last := waits[len(waits)-1]
				r.sendAgain(last, to)
				synctest.Wait()
				made := r.calls.made()
				if len(made) != breakerFailures+1 || made[breakerFailures].ID != last.ID {
					t.Fatalf("%d attempts, the last of them at %s", len(made), made[len(made)-1].ID)
				}
				if c := r.d.Circuit(acme, to.No); c != breaker.Open {
					t.Errorf("after a trial that failed the circuit is %s", c)
				}
				up.Store(true)
				r.sendAgain(last, to)
				synctest.Wait()
				if d := r.delivery(last, to); d.Status != event.DeliverySucceeded || d.Attempts != 2 {
					t.Errorf("it is %s after %d attempts", d.Status, d.Attempts)
				}
				if c := r.d.Circuit(acme, to.No); c != breaker.Closed {
					t.Errorf("after one that succeeded the circuit is %s", c)
				}
				time.Sleep(time.Minute) // what the queue has no room for it reads, a little at a time
				for _, e := range waits {
					if d := r.delivery(e, to); d.Status != event.DeliverySucceeded {
						t.Fatalf("%s, which waited, is %s", e.ID, d.Status)
					}
				}
			})
		})
	}
}

// TestARedeliveryByHandTriesWhatItWaitsFor: where events are to arrive in order,
// the one that is before the one that was sent again is tried at once, whether
// that had ended or waits, and both arrive in their order.
func TestARedeliveryByHandTriesWhatItWaitsFor(t *testing.T) {
	for name, ended := range map[string]bool{"a failed one": true, "a pending one": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var up atomic.Bool
				r := newRig(t, func(call) outbound.Exchange {
					if up.Load() {
						return outbound.Exchange{Status: 200}
					}
					return outbound.Exchange{Status: 503}
				})
				to := r.endpoint("shop", func(e *event.Endpoint) { e.Ordering, e.Schedule = event.OrderingSubject, []time.Duration{0} })
				failed := r.publish("evt_0", "o1")
				for i := range breakerFailures {
					r.publish(fmt.Sprint("evt_fails", i), fmt.Sprint("other", i))
				}
				synctest.Wait()
				first, second := r.publish("evt_1", "o1"), r.publish("evt_2", "o1")
				synctest.Wait()
				if c := r.d.Circuit(acme, to.No); c != breaker.Open || r.delivery(first, to).Attempts > 0 || r.delivery(failed, to).Status != event.DeliveryFailed {
					t.Fatalf("the circuit is %s", c)
				}
				up.Store(true)
				made := len(r.calls.made())
				again := second
				if ended {
					again = failed
				}
				r.sendAgain(again, to)
				synctest.Wait()
				if c := r.d.Circuit(acme, to.No); c != breaker.Closed {
					t.Errorf("the circuit is %s", c)
				}
				if d := r.delivery(again, to); d.Status != event.DeliverySucceeded {
					t.Errorf("what was sent again is %s", d.Status)
				}
				if calls := r.calls.made(); len(calls) > made && calls[made].ID != first.ID {
					t.Errorf("%s was tried first", calls[made].ID)
				}
			})
		})
	}
}

// TestATrialThatFailsDoesNotProlongTheWait: somebody who looks whether the
// endpoint is back does not keep it from being tried as it would have been.
func TestATrialThatFailsDoesNotProlongTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, to, waits, _ := broken(t, 3, nil)
		for range 10 {
			r.sendAgain(waits[2], to)
			synctest.Wait()
		}
		tried := len(r.calls.made())
		time.Sleep(breakerWait/2 - time.Millisecond)
		if n := len(r.calls.made()); n != tried {
			t.Errorf("%d attempts while the circuit is open", n-tried)
		}
		time.Sleep(2 * time.Millisecond)
		if n := len(r.calls.made()); n != tried+1 {
			t.Errorf("%d attempts when its time was over", n-tried)
		}
	})
}

func TestARedeliveryByHandKeepsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.RateLimit = 0.1 })
		first := r.publish("evt_1", "o1")
		synctest.Wait()
		r.sendAgain(first, to)
		time.Sleep(9 * time.Second)
		if n := len(r.calls.made()); n != 1 {
			t.Errorf("%d attempts within ten seconds", n)
		}
		time.Sleep(2 * time.Second)
		if n := len(r.calls.made()); n != 2 {
			t.Errorf("%d attempts after them", n)
		}
	})
}

// TestARedeliveryByHandWaitsForItsSubject: an earlier event of it goes first.
func TestARedeliveryByHandWaitsForItsSubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, time.Minute))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })
		r.publish("evt_1", "o1")
		second := r.publish("evt_2", "o1")
		synctest.Wait()
		r.sendAgain(second, to)
		time.Sleep(59 * time.Second)
		if n := len(r.calls.made()); n != 1 {
			t.Errorf("%d attempts while the first is under way", n)
		}
		time.Sleep(2 * time.Second)
		if made := r.calls.made(); len(made) != 2 || made[1].ID != "evt_2" {
			t.Errorf("%d attempts then", len(made))
		}
	})
}

// TestAJobTriesItsFirstDelivery, and its others wait for what comes of that.
func TestAJobTriesItsFirstDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, to, _, up := broken(t, 0, nil)
		time.Sleep(26 * time.Hour) // all have failed for good
		r.publish("evt_last", "o1")
		synctest.Wait()
		failed := len(r.calls.made())
		if c := r.d.Circuit(acme, to.No); c != breaker.Open { // else it would admit one attempt anyway
			t.Fatalf("the circuit is %s", c)
		}
		j := r.recover(to, job.RecoverFailed, time.Time{}, time.Now())
		r.jobs.Begin(acme, j)
		synctest.Wait()
		if n := len(r.calls.made()); n != failed+1 {
			t.Errorf("%d attempts at once, at an endpoint that is down", n-failed)
		}
		up.Store(true)
		j = r.recover(to, job.RecoverFailed, time.Time{}, time.Now())
		r.jobs.Begin(acme, j)
		time.Sleep(10 * time.Minute)
		if j = r.job(j.ID); j.Status != job.JobSucceeded {
			t.Errorf("the job: %+v", j)
		}
	})
}

// TestATrialThatThisServerCouldNotMake says nothing about the endpoint: the circuit gets
// another one.
func TestATrialThatThisServerCouldNotMake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answer atomic.Pointer[outbound.Exchange]
		answer.Store(&outbound.Exchange{Status: 503})
		r := newRig(t, func(call) outbound.Exchange { return *answer.Load() })
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency, e.Schedule = 1, []time.Duration{time.Hour} })
		r.publishMany("fails", breakerFailures)
		synctest.Wait()
		waits := r.publish("evt_waits", "o1")
		answer.Store(&outbound.Exchange{Err: outbound.OwnTroubleError("too many open files")})
		time.Sleep(breakerWait + 10*time.Second)
		made := len(r.calls.made())
		if made <= breakerFailures || r.delivery(waits, to).Attempts != 0 {
			t.Fatalf("%d requests, and %d attempts", made, r.delivery(waits, to).Attempts)
		}
		answer.Store(&outbound.Exchange{Status: 200})
		time.Sleep(10 * time.Second)
		if d := r.delivery(waits, to); d.Status != event.DeliverySucceeded || r.d.Circuit(acme, to.No) != breaker.Closed {
			t.Errorf("it is %s after %d more requests, and the circuit %s", d.Status, len(r.calls.made())-made, r.d.Circuit(acme, to.No))
		}
	})
}
