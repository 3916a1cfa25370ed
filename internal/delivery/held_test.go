package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// These are about what a queue holds in memory while its row changes.

// TestCanceledInTheQueue: what was canceled, or whose order was erased, is not
// sent, though the queue had it in memory already.
func TestCanceledInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.RateLimit = 0.1 })
		doc, err := schema.Parse([]byte(`{"id":"o3","status":"New"}`))
		must(t, err)
		order, err := order.NewOrder(doc, time.Now())
		must(t, err)
		r.write(func(tx store.Tx) error { return tx.InsertOrder(t.Context(), acme, order) })
		r.publish("evt_1", "o1")
		canceled, erased, retained := r.publish("evt_2", "o2"), r.publish("evt_3", "o3"), r.publish("evt_4", "o4")
		synctest.Wait()
		r.erase("o3")
		r.write(func(tx store.Tx) error {
			return tx.CancelDelivery(t.Context(), acme, event.DeliveryKey{Event: canceled.Seq, Endpoint: to.No}, time.Now())
		})
		time.Sleep(time.Hour)
		var sent []string
		for _, c := range r.calls.made() {
			sent = append(sent, c.ID)
		}
		if got := strings.Join(sent, " "); got != "evt_1 evt_4" {
			t.Errorf("sent: %s", got)
		}
		for _, e := range []*event.Event{canceled, erased} {
			if d := r.delivery(e, to); d.Status != event.DeliveryCanceled || d.Attempts != 0 {
				t.Errorf("%s is %s after %d attempts", e.ID, d.Status, d.Attempts)
			}
		}
		if d := r.delivery(retained, to); d.Status != event.DeliverySucceeded {
			t.Errorf("what was not canceled is %s", d.Status)
		}
	})
}

// TestErasedUnderWay: of what is in flight when its order is erased, nothing is
// recorded that the endpoint answered.
func TestErasedUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(call) outbound.Exchange {
			time.Sleep(10 * time.Second)
			return outbound.Exchange{Status: 200, Body: []byte(`{"customer":"Jane Doe"}`)}
		})
		to := r.endpoint("shop", nil)
		doc, err := schema.Parse([]byte(`{"id":"o1","status":"New"}`))
		must(t, err)
		order, err := order.NewOrder(doc, time.Now())
		must(t, err)
		r.write(func(tx store.Tx) error { return tx.InsertOrder(t.Context(), acme, order) })
		e := r.publish("evt_1", "o1")
		synctest.Wait()
		r.erase("o1")
		time.Sleep(time.Minute)
		list := r.attempts()
		if len(list) != 1 {
			t.Fatalf("%d attempts are recorded", len(list))
		}
		a, err := r.store.Attempt(t.Context(), acme, list[0].ID)
		must(t, err)
		if a.Detail.Response == nil || len(a.Detail.Response.Body)+len(a.Detail.Response.Headers)+len(a.Detail.Request.Headers)+len(a.Detail.Request.Body) > 0 {
			t.Errorf("recorded: %+v", a.Detail)
		}
		if d := r.delivery(e, to); d.Status != event.DeliverySucceeded {
			t.Errorf("the delivery is %s, and it was acknowledged", d.Status)
		}
	})
}

// TestTheNextWaitsForACanceledOne: canceling the delivery under way does not
// send the next of its subject beside it.
func TestTheNextWaitsForACanceledOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 10*time.Second))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })
		first := r.publish("evt_1", "o1")
		r.publish("evt_2", "o1")
		other := r.publish("evt_3", "o2")
		time.Sleep(time.Second)
		r.write(func(tx store.Tx) error {
			return tx.CancelDelivery(t.Context(), acme, event.DeliveryKey{Event: first.Seq, Endpoint: to.No}, time.Now())
		})
		time.Sleep(time.Minute)
		made := r.calls.made()
		if len(made) != 3 {
			t.Fatalf("%d requests", len(made))
		}
		if made[2].ID != "evt_2" || made[2].began.Before(made[0].ended) {
			t.Errorf("%s began at %v, the canceled one ended at %v", made[2].ID, made[2].began, made[0].ended)
		}
		if d := r.delivery(other, to); d.Status != event.DeliverySucceeded {
			t.Errorf("the other subject's is %s", d.Status)
		}
	})
}

// TestSentAgainWhileItIsRecorded: a redelivery that is committed together with
// the end of the attempt before it is not forgotten.
func TestSentAgainWhileItIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, time.Second))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = []time.Duration{time.Hour} })
		e := r.publish("evt_1", "o1")
		synctest.Wait() // the attempt is under way
		r.write(func(tx store.Tx) error {
			if err := tx.CancelDelivery(t.Context(), acme, event.DeliveryKey{Event: e.Seq, Endpoint: to.No}, time.Now()); err != nil {
				return err
			}
			return tx.SendAgain(t.Context(), acme, e, to, time.Now(), false)
		})
		time.Sleep(time.Minute)
		if n := len(r.calls.made()); n != 1 {
			t.Errorf("%d requests: the one under way was for it", n)
		}
		time.Sleep(2 * time.Hour)
		if d := r.delivery(e, to); d.Status != event.DeliveryFailed || len(r.calls.made()) != 2 {
			t.Errorf("%s after %d requests", d.Status, len(r.calls.made()))
		}
	})
}

// TestNobodyWaitsForTheEndOfAQueue: with as much coming in as the endpoint
// takes, repeats and what there was no room for have their turn all the same.
func TestNobodyWaitsForTheEndOfAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed atomic.Bool
		r := newRig(t, func(c call) outbound.Exchange {
			if c.ID == "evt_repeat" && failed.CompareAndSwap(false, true) {
				return outbound.Exchange{Status: 503}
			}
			return outbound.Exchange{Status: 200}
		})
		to := r.endpoint("shop", func(e *event.Endpoint) { e.RateLimit = 100 })
		repeat := r.publish("evt_repeat", "o1")
		burst := r.publishMany("burst", queueCapacity+200)
		for i := range len(burst)/100 + 10 { // as many as the endpoint takes in a second, each second
			r.publishMany(fmt.Sprint("more", i), 100)
			time.Sleep(time.Second)
		}
		if d := r.delivery(repeat, to); d.Status != event.DeliverySucceeded {
			t.Errorf("the repeat is %s", d.Status)
		}
		for _, e := range burst {
			if d := r.delivery(e, to); d.Status != event.DeliverySucceeded {
				t.Fatalf("%s is %s, while newer ones went", e.ID, d.Status)
			}
		}
	})
}

// TestLargeEventsOfADeadEndpoint: what they take of the memory slows nobody.
func TestLargeEventsOfADeadEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c call) outbound.Exchange {
			if strings.HasPrefix(c.URL, "http://dead") {
				time.Sleep(c.Timeout)
				return outbound.Exchange{Err: errors.New("timed out")}
			}
			return outbound.Exchange{Status: 200}
		})
		for i := range 3 {
			r.endpoint(fmt.Sprint("dead", i), nil)
		}
		large := fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 300<<10))
		r.write(func(tx store.Tx) error {
			for i := range 90 {
				e := &event.Event{ID: fmt.Sprint("large_", i), Type: "large", Timestamp: time.Now(), Data: large}
				if err := tx.AddEvents(t.Context(), acme, e); err != nil {
					return err
				}
			}
			return nil
		})
		healthy := r.endpoint("healthy", nil)
		synctest.Wait()
		began := time.Now()
		for i := range 300 {
			e := r.publish(fmt.Sprint("evt_", i), "o1")
			synctest.Wait()
			if d := r.delivery(e, healthy); d.Status != event.DeliverySucceeded {
				t.Fatalf("event %d is %s", i, d.Status)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the healthy endpoint waited %v", took)
		}
		if held := r.d.memory.data.Load(); held > mostData {
			t.Errorf("%d bytes are held", held)
		}
	})
}

// TestDeletedUnderWay: an endpoint that says 410 after it was deleted costs no
// record of the attempt, nor the health of others.
func TestDeletedUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c call) outbound.Exchange {
			if c.URL == "http://old.example/hook" {
				time.Sleep(10 * time.Second)
				return outbound.Exchange{Status: 410}
			}
			return outbound.Exchange{Status: 200}
		})
		old, other := r.endpoint("old", nil), r.endpoint("other", nil)
		r.publish("evt_1", "o1")
		time.Sleep(time.Second)
		r.write(func(tx store.Tx) error { return tx.DeleteEndpoint(t.Context(), acme, old.ID) })
		time.Sleep(time.Minute)
		if n := len(r.attempts()); n != 2 {
			t.Errorf("%d attempts are recorded", n)
		}
		h, err := r.store.Health(t.Context(), acme, other.No)
		must(t, err)
		if h.Succeeded != 1 {
			t.Errorf("the other endpoint's health: %+v", h)
		}
	})
}

// TestMovedUnderWay: what the old URL answers is not held against the new one.
func TestMovedUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c call) outbound.Exchange {
			if c.URL == "http://shop.example/hook" {
				time.Sleep(10 * time.Second)
				return outbound.Exchange{Status: 410}
			}
			return outbound.Exchange{Status: 200}
		})
		to := r.endpoint("shop", nil)
		r.publish("evt_1", "o1")
		time.Sleep(time.Second)
		moved := *to
		moved.URL = "http://new.example/hook"
		r.write(func(tx store.Tx) error { return tx.PutEndpoint(t.Context(), acme, &moved) })
		time.Sleep(time.Minute)
		e, err := r.store.Endpoint(t.Context(), acme, to.ID)
		must(t, err)
		if !e.Enabled {
			t.Errorf("the endpoint is off: %s", e.Disabled)
		}
	})
}

// oneByOne counts the events that were not read together with others.
type oneByOne struct {
	store.Store
	events atomic.Int64
}

func (s *oneByOne) EventBySeq(ctx context.Context, tenant string, seq int64) (*event.Event, error) {
	s.events.Add(1)
	return s.Store.EventBySeq(ctx, tenant, seq)
}

// TestWhatWaitedInTheTableIsReadTogether has a process find more than it reads at
// once: every event arrives as it is, and only the large ones are read by themselves.
func TestWhatWaitedInTheTableIsReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, time.Millisecond))
		r.endpoint("shop", nil)
		r.d.Stop(context.Background())
		const count, large = 3*loadSize + 7, 5
		data := map[string]string{}
		for i := range count {
			e := &event.Event{ID: fmt.Sprint("evt_", i), Type: "order_packed", Timestamp: time.Now(), Data: fmt.Appendf(nil, `{"n":%d}`, i)}
			if i < large {
				e.Data = fmt.Appendf(nil, `{"n":%d,"note":"%s"}`, i, strings.Repeat("x", loadData))
			}
			must(t, r.store.Publish(t.Context(), acme, e))
			data[e.ID] = string(e.Data)
		}
		counting := &oneByOne{Store: r.store}
		r.startOn(counting)
		time.Sleep(time.Minute)
		for _, c := range r.calls.made() {
			if !strings.HasSuffix(string(c.Body), `"data":`+data[c.ID]+"}") {
				t.Errorf("%s got %.100s", c.ID, c.Body)
			}
			delete(data, c.ID)
		}
		if len(data) > 0 || len(r.calls.made()) != count {
			t.Errorf("%d requests, %d events did not arrive", len(r.calls.made()), len(data))
		}
		if n := counting.events.Load(); n != large {
			t.Errorf("%d events were read by themselves, want %d", n, large)
		}
	})
}
