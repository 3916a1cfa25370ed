package delivery

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// waits returns the time between the calls.
func waits(made []call) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(made); i++ {
		out = append(out, made[i].began.Sub(made[i-1].ended))
	}
	return out
}

// about reports whether a wait is the scheduled one, within its jitter.
func about(got, want time.Duration) bool {
	return got >= time.Duration(0.9*float64(want))-time.Millisecond && got <= time.Duration(1.1*float64(want))+time.Millisecond
}

// TestRepeats: after the first attempt, up to 5 repeats after 5 s, 30 s, 2 min,
// 10 min and 1 h, with the same webhook-id and X-Attempt counting up.
func TestRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 0))
		to := r.endpoint("shop", nil)
		e := r.publish("evt_1", "o1")
		time.Sleep(24 * time.Hour)
		made := r.calls.made()
		if len(made) != 6 {
			t.Fatalf("%d attempts were made", len(made))
		}
		for i, wait := range waits(made) {
			if want := event.DefaultSchedule[i]; !about(wait, want) {
				t.Errorf("repeat %d came after %v, not about %v", i+1, wait, want)
			}
		}
		for i, c := range made {
			if c.ID != "evt_1" || c.Attempt != i+1 {
				t.Errorf("attempt %d says id %s and number %d", i+1, c.ID, c.Attempt)
			}
		}
		if d := r.delivery(e, to); d.Status != event.DeliveryFailed || d.Attempts != 6 || !d.Due.IsZero() {
			t.Errorf("the delivery is %s after %d attempts, due %v", d.Status, d.Attempts, d.Due)
		}
		list := r.attempts()
		if len(list) != 6 || list[0].Number != 6 || list[0].MaxNumber != 6 || list[0].Error != "answered 500 Internal Server Error" {
			t.Errorf("recorded: %d, the last %+v", len(list), list[0])
		}
	})
}

// TestOwnSchedule: an endpoint's own delays, one repeat each.
func TestOwnSchedule(t *testing.T) {
	for _, n := range []int{1, 20} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, answering(404, 0))
			r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = slices.Repeat([]time.Duration{time.Second}, n) })
			r.publish("evt_1", "o1")
			time.Sleep(time.Hour)
			if made := len(r.calls.made()); made != 1+n {
				t.Errorf("%d attempts with a schedule of %d delays", made, n)
			}
		})
	}
}

// TestJitterSpreads: what fails together does not come back together.
func TestJitterSpreads(t *testing.T) {
	d := &event.Delivery{Attempts: 1, MaxAttempts: 6}
	least, most := time.Hour, time.Duration(0)
	for range 1000 {
		wait, again := delay(event.DefaultSchedule, d, 0)
		if !again || !about(wait, 5*time.Second) {
			t.Fatalf("%v, %v", wait, again)
		}
		least, most = min(least, wait), max(most, wait)
	}
	if least > 4700*time.Millisecond || most < 5300*time.Millisecond {
		t.Errorf("1000 waits of 5 s lie between %v and %v", least, most)
	}
}

// TestRetryAfter: honoured up to twice the next delay.
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		header      string
		least, most time.Duration
	}{
		{"8", 8 * time.Second, 8 * time.Second},
		{"10", 10 * time.Second, 10 * time.Second},
		{"3600", 10 * time.Second, 10 * time.Second},
		{"31536001", 10 * time.Second, 10 * time.Second},
		{"99999999999999999999", 10 * time.Second, 10 * time.Second},
		{"Fri, 31 Dec 9999 23:59:59 GMT", 10 * time.Second, 10 * time.Second},
		{"1", 4500 * time.Millisecond, 5500 * time.Millisecond},
		{"soon", 4500 * time.Millisecond, 5500 * time.Millisecond},
		{"-5", 4500 * time.Millisecond, 5500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(call) outbound.Exchange {
				return outbound.Exchange{Status: 429, Header: http.Header{"Retry-After": {c.header}}}
			})
			r.endpoint("shop", nil)
			r.publish("evt_1", "o1")
			time.Sleep(20 * time.Second)
			made := r.calls.made()
			if len(made) != 2 {
				t.Fatalf("Retry-After %s: %d attempts", c.header, len(made))
			}
			if wait := waits(made)[0]; wait < c.least || wait > c.most+time.Millisecond {
				t.Errorf("Retry-After %s: repeated after %v", c.header, wait)
			}
		})
	}
}

// TestGone: a 410 ends the delivery, turns the endpoint off, and the others are
// told by an event.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c call) outbound.Exchange {
			if c.URL == "http://gone.example/hook" {
				return outbound.Exchange{Status: 410}
			}
			return outbound.Exchange{Status: 200}
		})
		gone, other := r.endpoint("gone", func(e *event.Endpoint) { e.Concurrency = 1 }), r.endpoint("other", nil)
		e := r.publish("evt_1", "o1")
		time.Sleep(time.Hour)
		if d := r.delivery(e, gone); d.Status != event.DeliveryFailed || d.Attempts != 1 {
			t.Errorf("the delivery is %s after %d attempts", d.Status, d.Attempts)
		}
		stored, err := r.store.Endpoint(t.Context(), acme, gone.ID)
		must(t, err)
		if stored.Enabled || stored.Disabled != reasonGone {
			t.Errorf("enabled %v: %q", stored.Enabled, stored.Disabled)
		}
		var told []string
		for _, c := range r.calls.made() {
			if strings.Contains(string(c.Body), event.TypeEndpointDisabled) {
				told = append(told, c.URL)
				if !strings.Contains(string(c.Body), gone.ID) {
					t.Errorf("the event does not name the endpoint: %s", c.Body)
				}
				if strings.Contains(string(c.Body), "failingSince") {
					t.Errorf("a single 410 has failed since: %s", c.Body)
				}
			}
		}
		if !slices.Equal(told, []string{other.URL}) {
			t.Errorf("told: %v", told)
		}
		later := r.publish("evt_2", "o1")
		time.Sleep(time.Hour)
		if _, err := r.store.Delivery(t.Context(), acme, event.DeliveryKey{Event: later.Seq, Endpoint: gone.No}); apierr.KindOf(err) != apierr.NotFound {
			t.Errorf("an event went to an endpoint that is off: %v", err)
		}
	})
}

// TestBreaker: after many failures in a row deliveries wait, and use up no
// attempt; one tries again, and its success lets all through.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		r := newRig(t, func(call) outbound.Exchange {
			if up.Load() {
				return outbound.Exchange{Status: 200}
			}
			return outbound.Exchange{Status: 503}
		})
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency, e.Schedule = 1, []time.Duration{time.Hour} })
		var events []*event.Event
		for range breakerFailures + 20 {
			events = append(events, r.publish(ids.New(ids.Event), "o1"))
		}
		synctest.Wait()
		if n := len(r.calls.made()); n != breakerFailures {
			t.Errorf("%d attempts before the breaker opened", n)
		}
		if c := r.d.Circuit(acme, to.No); c != breaker.Open {
			t.Errorf("the circuit is %s", c)
		}
		time.Sleep(breakerWait + time.Second)
		if n := len(r.calls.made()); n != breakerFailures+1 {
			t.Errorf("%d attempts after its wait", n)
		}
		time.Sleep(breakerWait)
		if n := len(r.calls.made()); n != breakerFailures+1 {
			t.Errorf("%d attempts: the wait did not grow", n)
		}
		up.Store(true)
		time.Sleep(2 * breakerWait)
		for _, e := range events[breakerFailures+1:] {
			if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 {
				t.Errorf("one that waited is %s after %d attempts", d.Status, d.Attempts)
			}
		}
		if c := r.d.Circuit(acme, to.No); c != breaker.Closed {
			t.Errorf("the circuit is %s", c)
		}
	})
}

// TestBrokenOff: an attempt that the end of the process broke off is made again
// after the next start, and counts once.
func TestBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c call) outbound.Exchange {
			time.Sleep(10 * time.Second)
			return outbound.Exchange{Status: 200}
		})
		to := r.endpoint("shop", nil)
		e := r.publish("evt_1", "o1")
		synctest.Wait()
		hurry, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r.d.Stop(hurry)
		if d := r.delivery(e, to); d.Status != event.DeliveryPending || d.Attempts != 0 {
			t.Errorf("broken off: %s after %d attempts", d.Status, d.Attempts)
		}
		r.start()
		time.Sleep(time.Minute)
		if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 {
			t.Errorf("after the next start: %s after %d attempts", d.Status, d.Attempts)
		}
	})
}

// TestChangedEndpoint: what is pending goes where the endpoint is now, by what
// it asks for now; nothing goes to one that is off.
func TestChangedEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c call) outbound.Exchange {
			if c.URL == "http://new.example/" {
				return outbound.Exchange{Status: 200}
			}
			return outbound.Exchange{Status: 500}
		})
		to := r.endpoint("shop", nil)
		e := r.publish("evt_1", "o1")
		time.Sleep(time.Second)
		off := *to
		off.Enabled = false
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, &off) })
		time.Sleep(10 * time.Hour)
		if n := len(r.calls.made()); n != 1 {
			t.Errorf("%d attempts at an endpoint that is off", n)
		}
		on := *to
		on.URL = "http://new.example/"
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, &on) })
		synctest.Wait()
		if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 2 {
			t.Errorf("it is %s after %d attempts", d.Status, d.Attempts)
		}
	})
}

// TestMovedAndOrdered: an endpoint that moves begins anew, also when the same
// change asks for another order.
func TestMovedAndOrdered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c call) outbound.Exchange {
			if c.URL == "http://new.example/" {
				return outbound.Exchange{Status: 200}
			}
			return outbound.Exchange{Status: 500}
		})
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = []time.Duration{time.Hour} })
		var waiting *event.Event
		for i := range breakerFailures + 1 {
			waiting = r.publish(fmt.Sprint("evt_", i), fmt.Sprint("o", i))
			synctest.Wait()
		}
		if c := r.d.Circuit(acme, to.No); c != breaker.Open {
			t.Fatalf("the circuit is %s", c)
		}
		r.put(to, func(e *event.Endpoint) { e.URL, e.Ordering = "http://new.example/", event.OrderingSubject })
		synctest.Wait()
		if c := r.d.Circuit(acme, to.No); c != breaker.Closed {
			t.Errorf("the circuit is %s", c)
		}
		if d := r.delivery(waiting, to); d.Status != event.DeliverySucceeded {
			t.Errorf("what waited for the breaker is %s", d.Status)
		}
	})
}

// TestErased: what has no data any more is not sent.
func TestErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 0))
		to := r.endpoint("shop", nil)
		doc, err := schema.Parse([]byte(`{"id":"o1","status":"New"}`))
		must(t, err)
		order, err := order.NewOrder(doc, time.Now())
		must(t, err)
		r.write(func(tx store.Tx) error { return tx.InsertOrder(t.Context(), acme, order) })
		e := r.publish("evt_1", "o1")
		synctest.Wait()
		r.erase("o1")
		time.Sleep(10 * time.Hour)
		if n := len(r.calls.made()); n != 1 {
			t.Errorf("%d attempts", n)
		}
		if d := r.delivery(e, to); d.Status != event.DeliveryCanceled {
			t.Errorf("the delivery is %s", d.Status)
		}
	})
}

// TestDeleted: the pending deliveries of an endpoint that was deleted end.
func TestDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 0))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })
		var events []*event.Event
		for range 500 {
			events = append(events, r.publish(ids.New(ids.Event), "o1"))
		}
		synctest.Wait()
		r.write(func(tx store.Tx) error { return tx.DeleteEndpoint(t.Context(), acme, to.ID) })
		time.Sleep(time.Minute)
		for _, e := range events {
			if d := r.delivery(e, to); d.Status != event.DeliveryCanceled {
				t.Fatalf("a delivery is %s", d.Status)
			}
		}
		if n := len(r.calls.made()); n != 1 {
			t.Errorf("%d attempts", n)
		}
	})
}

// TestTurnedOnBeginsAnew: an endpoint that somebody turned on again has its
// five days anew, and its breaker closed.
func TestTurnedOnBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 0))
		to := r.endpoint("shop", nil)
		for range 6 * 24 {
			r.publish(ids.New(ids.Event), "o1")
			time.Sleep(time.Hour)
		}
		enabled := func() bool {
			e, err := r.store.Endpoint(t.Context(), acme, to.ID)
			must(t, err)
			return e.Enabled
		}
		if enabled() {
			t.Fatal("it was not turned off")
		}
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, to) })
		if c := r.d.Circuit(acme, to.No); c != breaker.Closed {
			t.Errorf("the circuit is %s", c)
		}
		for range 4 * 24 {
			r.publish(ids.New(ids.Event), "o1")
			time.Sleep(time.Hour)
		}
		if !enabled() {
			t.Error("it was turned off for what it failed at before")
		}
	})
}

// TestWhileSecretsCannotBeReadNoAttemptIsUsedUp: nothing was sent, and the endpoint is
// not to blame.
func TestWhileSecretsCannotBeReadNoAttemptIsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int64
		r := newRig(t, func(call) outbound.Exchange {
			if tries.Add(1) < 3 {
				return outbound.Exchange{Err: outbound.ErrUnread}
			}
			return outbound.Exchange{Status: 200}
		})
		to := r.endpoint("shop", nil)
		e := r.publish("evt_1", "o1")
		time.Sleep(time.Hour)
		if d := r.delivery(e, to); d.Status != event.DeliverySucceeded || d.Attempts != 1 || tries.Load() != 3 || len(r.attempts()) != 1 {
			t.Errorf("the delivery is %s after %d attempts, of %d tries", d.Status, d.Attempts, tries.Load())
		}
	})
}

// A secret that was replaced, or went with its endpoint, after a request was put
// together is nobody's failure: the request is made with what is stored now. One
// that is stored and does not open is the endpoint's.
func TestASecretThatIsReplacedMeanwhileUsesUpNoAttempt(t *testing.T) {
	for name, test := range map[string]struct {
		replace         bool
		calls, attempts int
		status          event.DeliveryStatus
	}{
		"replaced": {true, 2, 1, event.DeliverySucceeded},
		"as it is": {false, 2, 2, event.DeliverySucceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var (
					r     *rig
					to    *event.Endpoint
					tries atomic.Int64
				)
				r = newRig(t, func(c call) outbound.Exchange {
					if tries.Add(1) > 1 {
						return outbound.Exchange{Status: 200}
					}
					if test.replace {
						to.Secrets = []event.Secret{{Value: secret.New(outbound.NewSecret())}}
						r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, to) })
					}
					return outbound.Exchange{Err: &outbound.SecretError{What: "the endpoint", Why: secret.ErrGone, Secret: c.SigningKeys[0]}}
				})
				to = r.endpoint("shop", nil)
				e := r.publish("evt_1", "o1")
				time.Sleep(time.Hour)
				d := r.delivery(e, to)
				if d.Status != test.status || d.Attempts != test.attempts || int(tries.Load()) != test.calls || len(r.attempts()) != test.attempts {
					t.Errorf("the delivery is %s after %d attempts, of %d tries", d.Status, d.Attempts, tries.Load())
				}
			})
		})
	}
}
