package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
)

// unsure is a database that makes so many writes of completers and says that nobody knows
// whether it did, as a server does that is cut off at the commit. It may refuse others
// before, or behind those, of which it did nothing.
type unsure struct {
	store.Store
	unknown, refused atomic.Int32
	off              atomic.Bool // it takes no writes
	broken           atomic.Bool // it refuses the writes of completers, for another reason
}

var errUnknown = apierr.Errorf(apierr.Unavailable, "whether it was written is not known")

func (u *unsure) Write(ctx context.Context, do func(store.Tx) error) error {
	if u.off.Load() {
		return apierr.Errorf(apierr.Unavailable, "the database takes no writes")
	}
	wrote := false
	err := u.Store.Write(ctx, func(tx store.Tx) error {
		if err := do(notingTx{tx, &wrote}); err != nil || !wrote || !u.broken.Load() {
			return err
		}
		return errors.New("the database is broken")
	})
	switch {
	case err != nil || !wrote:
	case u.unknown.Add(-1) >= 0:
		u.refused.Add(1)
		return errUnknown
	}
	return err
}

// notingTx notes that a write is one of a completer.
type notingTx struct {
	store.Tx
	wrote *bool
}

func (tx notingTx) CompleteDeliveries(ctx context.Context, tenant string, all ...store.Completion) (map[int]bool, error) {
	*tx.wrote = true
	return tx.Tx.CompleteDeliveries(ctx, tenant, all...)
}

func (tx notingTx) AddHealth(ctx context.Context, tenant string, endpoint int64, c store.HealthChange) (event.Health, error) {
	*tx.wrote = true
	return tx.Tx.AddHealth(ctx, tenant, endpoint, c)
}

// Health is for who shows it: a write must not count deliveries.
func (notingTx) Health(context.Context, string, int64) (event.Health, error) {
	return event.Health{}, errors.New("a write counts the deliveries of an endpoint")
}

// startUnsure has a rig's dispatcher be on a database that is unsure.
func (r *rig) startUnsure() *unsure {
	r.stop()
	u := &unsure{Store: r.store}
	r.startOn(u)
	return u
}

// eventsOf counts the events of a type.
func (r *rig) eventsOf(name string) int {
	r.t.Helper()
	list, err := r.store.Events(r.t.Context(), acme, store.EventFilter{Type: name}, store.Page{})
	must(r.t, err)
	return len(list.Items)
}

// ofTrace checks that the events of a type belong to a trace.
func (r *rig) ofTrace(name, of string) {
	r.t.Helper()
	list, err := r.store.Events(r.t.Context(), acme, store.EventFilter{Type: name}, store.Page{})
	must(r.t, err)
	for _, e := range list.Items {
		if e, err = r.store.EventBySeq(r.t.Context(), acme, e.Seq); err != nil || e.Trace != of {
			r.t.Errorf("an event %s is of the trace %q, not of that of its cause: %v", name, e.Trace, err)
		}
	}
}

// TestAFailureThatWasWrittenUnknowingly: a delivery fails for good, and its endpoint is turned
// off, in a write of which nobody knows what became of it. It was made, and made again it adds
// nothing: each event is there once, and each attempt is counted once.
func TestAFailureThatWasWrittenUnknowingly(t *testing.T) {
	for name, status := range map[string]int{"failed for good": 500, "gone, and turned off": 410} {
		for tries := range int32(3) {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, func(c call) outbound.Exchange {
						if strings.Contains(c.URL, "watcher") {
							return outbound.Exchange{Status: 200}
						}
						return outbound.Exchange{Status: status}
					})
					u := r.startUnsure()
					to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule, e.EventTypes = nil, []string{"order_packed"} })
					r.endpoint("watcher", func(e *event.Endpoint) { e.EventTypes = []string{event.TypeDeliveryFailed} })
					time.Sleep(2 * healthEvery) // so that the health is written with the first attempt
					u.unknown.Store(tries)
					const of = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
					one := &event.Event{ID: "evt_1", Type: "order_packed", Timestamp: time.Now(), Data: []byte(`{}`)}
					must(t, r.store.Publish(trace.WithText(t.Context(), of), acme, one))
					time.Sleep(time.Minute)
					if n := u.refused.Load(); n != tries {
						t.Fatalf("%d writes were not answered", n)
					}
					if d := r.delivery(one, to); d.Status != event.DeliveryFailed || d.Attempts != 1 {
						t.Errorf("the delivery is %s after %d attempts", d.Status, d.Attempts)
					}
					if n := r.eventsOf(event.TypeDeliveryFailed); n != 1 {
						t.Errorf("%d events say that the delivery failed", n)
					}
					r.ofTrace(event.TypeDeliveryFailed, of)
					r.ofTrace(event.TypeEndpointDisabled, of)
					if n, want := r.eventsOf(event.TypeEndpointDisabled), map[int]int{410: 1}[status]; n != want {
						t.Errorf("%d events say that the endpoint was turned off, want %d", n, want)
					}
					h, err := r.d.Health(t.Context(), acme, to.No)
					must(t, err)
					if h.Consecutive != 1 || h.Streak.Deliveries != 1 {
						t.Errorf("the attempt is counted so: %+v", h)
					}
				})
			})
		}
	}
}

// TestAHealthThatWasWrittenUnknowingly by itself is not added a second time, whatever the
// database refuses in between; what comes later is.
func TestAHealthThatWasWrittenUnknowingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(200, 0))
		u := r.startUnsure()
		to := r.endpoint("shop", nil)
		time.Sleep(2 * healthEvery)
		r.publish("evt_1", "o1")
		time.Sleep(time.Second)
		r.publish("evt_2", "o1") // within ten seconds: its health is written later, alone
		time.Sleep(time.Second)
		u.unknown.Store(1)
		synctest.Wait()
		for u.refused.Load() == 0 {
			time.Sleep(firstTryAgain / 10)
		}
		u.off.Store(true)
		time.Sleep(time.Second)
		u.off.Store(false)
		time.Sleep(time.Minute)
		wants := func(want int64) {
			t.Helper()
			h, err := r.store.Health(t.Context(), acme, to.No)
			must(t, err)
			if h.Succeeded != want {
				t.Errorf("%d of %d deliveries are counted", h.Succeeded, want)
			}
		}
		wants(2)
		r.publish("evt_3", "o1")
		time.Sleep(time.Minute)
		wants(3)
	})
}

// TestAHealthThatIsGivenBackAfterItWasWrittenUnknowingly: the database then refuses it for
// another reason, so that it waits for a later write. It is counted once all the same.
func TestAHealthThatIsGivenBackAfterItWasWrittenUnknowingly(t *testing.T) {
	for _, together := range []bool{false, true} { // with what comes later
		t.Run(fmt.Sprint(together), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, answering(200, 0))
				u := r.startUnsure()
				to := r.endpoint("shop", nil)
				time.Sleep(2 * healthEvery)
				u.unknown.Store(1)
				r.publish("evt_1", "o1")
				synctest.Wait()
				if u.refused.Load() != 1 {
					t.Fatal("the write was answered")
				}
				u.broken.Store(true)
				want := int64(1)
				if time.Sleep(time.Second); together {
					r.publish("evt_2", "o1")
					want++
				}
				time.Sleep(time.Minute)
				u.broken.Store(false)
				time.Sleep(5 * time.Minute)
				h, err := r.store.Health(t.Context(), acme, to.No)
				must(t, err)
				if h.Succeeded != want {
					t.Errorf("%d of %d deliveries are counted", h.Succeeded, want)
				}
			})
		})
	}
}

// TestAnEndpointThatWasTurnedOffUnknowingly by its health alone is told of all the same, once.
func TestAnEndpointThatWasTurnedOffUnknowingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 0))
		u := r.startUnsure()
		var log bytes.Buffer
		r.d.log = slog.New(slog.NewTextHandler(&log, nil))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = nil })
		r.d.disableAfter = time.Second
		time.Sleep(2 * healthEvery)
		r.publish("evt_1", "o1") // its health is written with it
		time.Sleep(2 * time.Second)
		r.publish("evt_2", "o1") // and that of this one later, alone
		time.Sleep(time.Second)
		u.unknown.Store(1)
		time.Sleep(time.Minute)
		e, err := r.store.Endpoint(t.Context(), acme, to.ID)
		must(t, err)
		if e.Enabled || u.refused.Load() != 1 {
			t.Fatalf("it is on: %t; %d writes were not answered", e.Enabled, u.refused.Load())
		}
		synctest.Wait()
		if n := strings.Count(log.String(), "an endpoint was turned off"); n != 1 {
			t.Errorf("it is told of %d times: %s", n, &log)
		}
	})
}

// TestACanceledDeliveryIsNotToldAsFailed: its attempt was under way when somebody canceled it.
func TestACanceledDeliveryIsNotToldAsFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(500, 10*time.Second))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule, e.EventTypes = nil, []string{"order_packed"} })
		r.endpoint("watcher", func(e *event.Endpoint) { e.EventTypes = []string{event.TypeDeliveryFailed} })
		one := r.publish("evt_1", "o1")
		time.Sleep(time.Second)
		r.write(func(tx store.Tx) error {
			return tx.CancelDelivery(t.Context(), acme, event.DeliveryKey{Event: one.Seq, Endpoint: to.No}, time.Now())
		})
		time.Sleep(time.Minute)
		if d := r.delivery(one, to); d.Status != event.DeliveryCanceled || d.Attempts != 1 {
			t.Errorf("the delivery is %s after %d attempts", d.Status, d.Attempts)
		}
		if n := r.eventsOf(event.TypeDeliveryFailed); n != 0 {
			t.Errorf("%d events say that it failed", n)
		}
	})
}
