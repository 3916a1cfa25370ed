package delivery

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
)

// TestStragglersOfAQueue: of attempts that hang, those that fail once the breaker
// is open do not put off the one that tries.
func TestStragglersOfAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const soon = 10 * time.Millisecond // all are under way by then
		r := newRig(t, func(c call) outbound.Exchange {
			var n int
			if _, err := fmt.Sscanf(c.ID, "evt_e%d", &n); err != nil || n < breakerFailures {
				time.Sleep(soon)
				return outbound.Exchange{Status: 503}
			}
			time.Sleep(time.Duration(n-breakerFailures+1) * time.Second)
			return outbound.Exchange{Status: 503}
		})
		r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency, e.Schedule = 2*breakerFailures, []time.Duration{time.Hour} })
		began := time.Now()
		r.publishMany("e", breakerFailures+10) // the last ten fail after 1 s to 10 s
		time.Sleep(2 * soon)
		r.publish("evt_waits", "o1")
		time.Sleep(time.Minute)
		made := r.calls.made()
		for _, c := range made {
			if c.ID == "evt_waits" {
				if after := c.began.Sub(began); after != soon+breakerWait {
					t.Errorf("the one that tries came after %v, not %v", after, soon+breakerWait)
				}
				return
			}
		}
		t.Errorf("%d requests, and none tries", len(made))
	})
}

// TestAMovedEndpointBeginsAnew: with its breaker closed, at once, and without the
// failures of where it was, be they written yet or not.
func TestAMovedEndpointBeginsAnew(t *testing.T) {
	for name, after := range map[string]time.Duration{"before its health is written": time.Second, "after": 3 * healthEvery} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, answering(503, 0))
				to := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency, e.Schedule = 1, []time.Duration{time.Hour} })
				events := r.publishMany("e", breakerFailures+10)
				time.Sleep(after)
				health := func(want int) {
					t.Helper()
					h, err := r.d.Health(t.Context(), acme, to.No)
					must(t, err)
					if h.Consecutive != want || h.FailingSince.IsZero() != (want == 0) {
						t.Errorf("%d failures since %v, want %d", h.Consecutive, h.FailingSince, want)
					}
				}
				failed := len(r.calls.made())
				health(failed)
				if c := r.d.Circuit(acme, to.No); c != breaker.Open || failed < breakerFailures {
					t.Fatalf("the circuit is %s after %d attempts", c, failed)
				}
				r.put(to, described)
				if c := r.d.Circuit(acme, to.No); c != breaker.Open {
					t.Errorf("after another change the circuit is %s", c)
				}
				health(failed)
				r.calls.answer = answering(200, time.Second)
				r.put(to, func(e *event.Endpoint) { e.URL = "http://new.example/hook" })
				if c := r.d.Circuit(acme, to.No); c != breaker.Closed {
					t.Errorf("after the move the circuit is %s", c)
				}
				health(0)
				time.Sleep(12 * time.Second)
				for _, e := range events[failed:] {
					if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 {
						t.Errorf("%s, which waited for the breaker, is %s after %d attempts", e.ID, d.Status, d.Attempts)
					}
				}
				health(0)
			})
		})
	}
}

// TestWhatHangsWhileAnEndpointMoves says nothing of the place it has moved to.
func TestWhatHangsWhileAnEndpointMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(503, time.Minute))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency, e.Schedule = 2*breakerFailures, []time.Duration{time.Hour} })
		events := r.publishMany("e", 2*breakerFailures)
		time.Sleep(time.Second)
		r.put(to, func(e *event.Endpoint) { e.URL = "http://new.example/hook" })
		time.Sleep(2 * time.Minute)
		if c := r.d.Circuit(acme, to.No); c != breaker.Closed {
			t.Errorf("the circuit is %s", c)
		}
		h, err := r.d.Health(t.Context(), acme, to.No)
		must(t, err)
		if h.Consecutive != 0 {
			t.Errorf("%d failures", h.Consecutive)
		}
		for _, e := range events {
			if d := r.delivery(e, to); d.Status != event.DeliveryPending || d.Attempts != 1 {
				t.Errorf("%s is %s after %d attempts", e.ID, d.Status, d.Attempts)
			}
		}
	})
}
