package delivery

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// TestQueues publishes at random to endpoints of random limits, which take
// random times and fail at random, and holds what was sent against what each
// endpoint asked for.
func TestQueues(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { queues(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func queues(t *testing.T, random *rand.Rand) {
	fates := map[string]*rand.Rand{} // one per endpoint, so that its answers are its own
	r := newRig(t, nil)
	r.calls.answer = func(c call) outbound.Exchange {
		r.calls.mu.Lock()
		fate := fates[c.URL]
		takes, fails := time.Duration(fate.IntN(300))*time.Millisecond, fate.IntN(4) == 0
		r.calls.mu.Unlock()
		time.Sleep(takes)
		if fails {
			return outbound.Exchange{Status: 503}
		}
		return outbound.Exchange{Status: 204}
	}
	var endpoints []*event.Endpoint
	for i := range 1 + random.IntN(4) {
		e := r.endpoint(fmt.Sprint("e", i), func(e *event.Endpoint) {
			e.Concurrency = 1 + random.IntN(6)
			e.RateLimit = []float64{0, 0, 5, 40}[random.IntN(4)]
			e.Ordering = []event.Ordering{event.OrderingNone, event.OrderingSubject}[random.IntN(2)]
			e.Schedule = []time.Duration{time.Second, 2 * time.Second, time.Second, time.Second, time.Second, time.Second, time.Second, time.Second}
		})
		fates[e.URL] = rand.New(rand.NewPCG(random.Uint64(), 2))
		endpoints = append(endpoints, e)
	}
	var events []*event.Event
	for i := range 60 {
		events = append(events, r.publish(fmt.Sprint("evt_", i), fmt.Sprint("order ", random.IntN(5))))
		time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
		if random.IntN(30) == 0 {
			r.restart()
		}
	}
	time.Sleep(time.Hour)
	for _, to := range endpoints {
		checkQueue(t, r, to, events)
	}
}

// checkQueue holds one endpoint's requests against its limits.
func checkQueue(t *testing.T, r *rig, to *event.Endpoint, events []*event.Event) {
	var made []call
	for _, c := range r.calls.made() {
		if c.URL == to.URL {
			made = append(made, c)
		}
	}
	for _, e := range events {
		if d := r.delivery(e, to); d.Status == event.DeliveryPending {
			t.Errorf("%s: %s is still pending after an hour, due %v", to.ID, e.ID, d.Due)
		}
	}
	checkConcurrency(t, to, made)
	checkRate(t, to, made)
	if to.Ordering == event.OrderingSubject {
		checkOrder(t, to, made, events)
	}
}

func checkConcurrency(t *testing.T, to *event.Endpoint, made []call) {
	for _, c := range made {
		n := 0
		for _, other := range made {
			if !other.began.After(c.began) && other.ended.After(c.began) {
				n++
			}
		}
		if n > to.Concurrency {
			t.Errorf("%s: %d requests at the same time, %d are allowed", to.ID, n, to.Concurrency)
			return
		}
	}
}

func checkRate(t *testing.T, to *event.Endpoint, made []call) {
	if to.RateLimit == 0 {
		return
	}
	least := time.Duration(float64(time.Second)/to.RateLimit) - time.Millisecond
	for i := 1; i < len(made); i++ {
		if gap := made[i].began.Sub(made[i-1].began); gap < least {
			t.Errorf("%s: %v between two requests, at least %v is asked for", to.ID, gap, least)
			return
		}
	}
}

// checkOrder: of one subject, the next event is not sent before the one before
// it has ended, and no event after a later one.
func checkOrder(t *testing.T, to *event.Endpoint, made []call, events []*event.Event) {
	number, subject := map[string]int{}, map[string]string{}
	for i, e := range events {
		number[e.ID], subject[e.ID] = i, e.Subject.ID
	}
	last := map[string]call{}
	for _, c := range made {
		before, some := last[subject[c.ID]]
		if some && (number[c.ID] < number[before.ID] || c.began.Before(before.ended)) {
			t.Errorf("%s: %s was sent after, or during, %s of the same subject", to.ID, c.ID, before.ID)
		}
		last[subject[c.ID]] = c
	}
}

// TestASlowEndpointHoldsUpNoOther: nobody starves, whatever another does.
func TestASlowEndpointHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c call) outbound.Exchange {
			if c.URL == "http://dead.example/hook" {
				time.Sleep(c.Timeout)
				return outbound.Exchange{Err: fmt.Errorf("timed out")}
			}
			return outbound.Exchange{Status: 200}
		})
		r.endpoint("dead", nil)
		healthy := r.endpoint("healthy", nil)
		for i := range 300 {
			e := r.publish(fmt.Sprint("evt_", i), "o1")
			synctest.Wait()
			if d := r.delivery(e, healthy); d.Status != event.DeliverySucceeded {
				t.Fatalf("event %d is %s at the healthy endpoint", i, d.Status)
			}
		}
	})
}

// TestAllQueuesTogether has endpoints hang that may have more attempts at the same
// time than there may be calls: each gets its share, others theirs at once, of their
// tenant and of another one (docs/contract.md#fairness), and what was held back
// comes when there is room again.
func TestAllQueuesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hanging, each = 12, 256
		r := newRig(t, func(c call) outbound.Exchange {
			if !strings.HasPrefix(c.URL, "http://well") {
				time.Sleep(20 * time.Second)
			}
			return outbound.Exchange{Status: 204}
		})
		for i := range hanging {
			r.endpoint(fmt.Sprint("hangs", i), func(e *event.Endpoint) { e.Concurrency = each })
		}
		r.publishMany("all", each)
		time.Sleep(time.Second)
		most := outbound.DefaultMaxOutgoing * 3 / 4
		if n := len(r.calls.made()); n > most || n < most-outbound.DefaultMaxOutgoing/16 {
			t.Errorf("%d attempts at the same time, want about %d", n, most)
		}
		byEndpoint := map[string]int{}
		for _, c := range r.calls.made() {
			byEndpoint[c.URL]++
		}
		for url, n := range byEndpoint {
			if n < most/hanging-10 || n > most/hanging+10 {
				t.Errorf("%d attempts at %s, want about %d", n, url, most/hanging)
			}
		}
		for i := range 3 {
			well := r.endpoint(fmt.Sprint("well", i), func(e *event.Endpoint) { e.EventTypes = []string{fmt.Sprint("well", i)} })
			e := &event.Event{ID: well.ID, Type: fmt.Sprint("well", i), Timestamp: time.Now(), Data: []byte(`{}`)}
			must(t, r.store.Publish(t.Context(), acme, e))
			time.Sleep(time.Millisecond)
			if d := r.delivery(e, well); d.Status != event.DeliverySucceeded {
				t.Errorf("beside %d attempts under way, another endpoint's is %s", most, d.Status)
			}
		}
		before := len(r.calls.made())
		r.otherTenant(each)
		if n := len(r.calls.made()) - before; n < each {
			t.Errorf("of another tenant's %d deliveries %d began at once", each, n)
		}
		time.Sleep(time.Minute)
		if n := len(r.calls.made()); n != hanging*(each+3)+3+each {
			t.Errorf("%d attempts in all", n)
		}
		if n := r.d.slots.Used(); n != 0 {
			t.Errorf("%d slots are taken in the end", n)
		}
	})
}

// TestASlotThatIsNotNeededAnyMore goes to others: the endpoint was turned off while
// it waited for it.
func TestASlotThatIsNotNeededAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 10*time.Second))
		r.stop()
		r.d = New(Options{Store: r.store, Client: r.calls, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler), Slots: fair.New(1)})
		must(t, r.d.Start(t.Context()))
		r.endpoint("first", func(e *event.Endpoint) { e.EventTypes = []string{"order_packed"} })
		off := r.endpoint("off", func(e *event.Endpoint) { e.EventTypes = []string{"off"} })
		r.publishMany("e", 1)
		must(t, r.store.Publish(t.Context(), acme, &event.Event{ID: "evt_off", Type: "off", Timestamp: time.Now(), Data: []byte(`{}`)}))
		r.publishMany("f", 1)
		synctest.Wait()
		if q := r.d.queue(queueKey{acme, off.No}); q.state != stateSlot {
			t.Fatalf("the queue is %s", q.state)
		}
		r.put(off, func(e *event.Endpoint) { e.Enabled = false })
		time.Sleep(time.Minute)
		if n := len(r.calls.made()); n != 2 {
			t.Errorf("%d calls", n)
		}
		if n := r.d.slots.Used(); n != 0 {
			t.Errorf("%d slots are taken in the end", n)
		}
	})
}

// otherTenant publishes so many events of another tenant, for an endpoint that
// hangs, too, and may have as many attempts at once.
func (r *rig) otherTenant(events int) {
	r.t.Helper()
	e := &event.Endpoint{
		ID: ids.Endpoint + "other", Origin: event.OriginAPI, URL: "http://other.example/hook", EventTypes: []string{"*"}, Format: event.FormatFull,
		Enabled: true, Timeout: 30 * time.Second, Concurrency: events, Ordering: event.OrderingNone, Schedule: event.DefaultSchedule,
		Signatures: []string{event.SignatureV1}, Secrets: []event.Secret{{Value: secret.New(outbound.NewSecret())}},
	}
	r.write(func(tx store.Tx) error { return tx.PutEndpoint(r.t.Context(), "other", e) })
	var all []*event.Event
	for i := range events {
		all = append(all, &event.Event{ID: fmt.Sprint("evt_other", i), Type: "order_packed", Timestamp: time.Now(), Data: []byte(`{}`)})
	}
	must(r.t, r.store.Publish(r.t.Context(), "other", all...))
	synctest.Wait()
}

// TestAChangedRateKeepsWhatWasUsedUp: who changes the limit gets no further attempt by that.
func TestAChangedRateKeepsWhatWasUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.RateLimit = 0.1 })
		r.publish("evt_1", "o1")
		synctest.Wait()
		r.put(to, func(e *event.Endpoint) { e.RateLimit = 0.2 })
		r.publish("evt_2", "o2")
		for _, step := range []struct {
			wait time.Duration
			made int
		}{{4 * time.Second, 1}, {2 * time.Second, 2}} {
			time.Sleep(step.wait)
			if n := len(r.calls.made()); n != step.made {
				t.Errorf("%d attempts, want %d", n, step.made)
			}
		}
	})
}
