package notify

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
)

// TestAStragglerDoesNotProlongAnOpenBreaker: attempts that began before it opened
// and fail later leave it as it is, whether it is open, half open or trying.
func TestAStragglerDoesNotProlongAnOpenBreaker(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var b breaker
	for range breakerFailures {
		b.end(now, false, b.begin())
	}
	opened := now
	is := func(want Circuit, until time.Time) {
		t.Helper()
		if c := b.circuit(now); c != want || !b.until.Equal(until) {
			t.Errorf("it is %s until %v, want it %s until %v", c, b.until, want, until)
		}
	}
	fails := func() { b.end(now, false, false) }
	now = opened.Add(breakerWait - 1)
	fails()
	is(CircuitOpen, opened.Add(breakerWait))
	now = opened.Add(breakerWait)
	fails()
	is(CircuitHalfOpen, opened.Add(breakerWait))
	trial := b.begin()
	fails()
	is(CircuitHalfOpen, opened.Add(breakerWait))
	if ok, _ := b.admits(now); ok || !trial {
		t.Errorf("beside the one that tries (%v) another is admitted: %v", trial, ok)
	}
	b.end(now, false, trial)
	is(CircuitOpen, now.Add(2*breakerWait)) // twice, not for each straggler
	now = now.Add(breakerWait)
	until := b.until
	for range 2 * breakerFailures {
		fails()
	}
	is(CircuitOpen, until)
}

// TestStragglersOfALane: of attempts that hang, those that fail once the breaker
// is open do not put off the one that tries.
func TestStragglersOfALane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const soon = 10 * time.Millisecond // all are under way by then
		r := newRig(t, func(c call) hook.Exchange {
			var n int
			if _, err := fmt.Sscanf(c.ID, "evt_e%d", &n); err != nil || n < breakerFailures {
				time.Sleep(soon)
				return hook.Exchange{Status: 503}
			}
			time.Sleep(time.Duration(n-breakerFailures+1) * time.Second)
			return hook.Exchange{Status: 503}
		})
		r.endpoint("shop", func(e *oms.Endpoint) { e.Concurrency, e.Schedule = 2*breakerFailures, []time.Duration{time.Hour} })
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
				to := r.endpoint("shop", func(e *oms.Endpoint) { e.Concurrency, e.Schedule = 1, []time.Duration{time.Hour} })
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
				if c := r.d.Circuit(acme, to.No); c != CircuitOpen || failed < breakerFailures {
					t.Fatalf("the circuit is %s after %d attempts", c, failed)
				}
				r.put(to, described)
				if c := r.d.Circuit(acme, to.No); c != CircuitOpen {
					t.Errorf("after another change the circuit is %s", c)
				}
				health(failed)
				r.calls.answer = answering(200, time.Second)
				r.put(to, func(e *oms.Endpoint) { e.URL = "http://new.example/hook" })
				if c := r.d.Circuit(acme, to.No); c != CircuitClosed {
					t.Errorf("after the move the circuit is %s", c)
				}
				health(0)
				time.Sleep(12 * time.Second)
				for _, e := range events[failed:] {
					if d := r.delivery(e, to); d.Status != oms.DeliverySucceeded || d.Attempts != 1 {
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
		to := r.endpoint("shop", func(e *oms.Endpoint) { e.Concurrency, e.Schedule = 2*breakerFailures, []time.Duration{time.Hour} })
		events := r.publishMany("e", 2*breakerFailures)
		time.Sleep(time.Second)
		r.put(to, func(e *oms.Endpoint) { e.URL = "http://new.example/hook" })
		time.Sleep(2 * time.Minute)
		if c := r.d.Circuit(acme, to.No); c != CircuitClosed {
			t.Errorf("the circuit is %s", c)
		}
		h, err := r.d.Health(t.Context(), acme, to.No)
		must(t, err)
		if h.Consecutive != 0 {
			t.Errorf("%d failures", h.Consecutive)
		}
		for _, e := range events {
			if d := r.delivery(e, to); d.Status != oms.DeliveryPending || d.Attempts != 1 {
				t.Errorf("%s is %s after %d attempts", e.ID, d.Status, d.Attempts)
			}
		}
	})
}

// TestATrialThatWasNotMadeIsGivenBack: another attempt may try then.
func TestATrialThatWasNotMadeIsGivenBack(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var b breaker
	for range breakerFailures {
		b.end(now, false, b.begin())
	}
	now = now.Add(breakerWait)
	trial := b.begin()
	b.giveBack(false) // a straggler
	if ok, _ := b.admits(now); ok || !trial {
		t.Errorf("beside the trial %v another attempt is admitted: %v", trial, ok)
	}
	b.giveBack(trial)
	if ok, _ := b.admits(now); !ok || b.circuit(now) != CircuitHalfOpen {
		t.Errorf("admitted: %v, and it is %s", ok, b.circuit(now))
	}
}
