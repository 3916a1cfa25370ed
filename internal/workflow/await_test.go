package workflow

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// lateStore does something once between a commit and its caller's next line.
type lateStore struct {
	store.Store
	late atomic.Pointer[func()]
}

func (s *lateStore) Write(ctx context.Context, do func(store.Tx) error) error {
	err := s.Store.Write(ctx, do)
	if late := s.late.Swap(nil); late != nil {
		(*late)()
	}
	return err
}

// counted is a client that counts its calls, and has everything answered.
type counted struct{ calls atomic.Int32 }

func (c *counted) Post(context.Context, outbound.Request) outbound.Exchange {
	c.calls.Add(1)
	return outbound.Exchange{StartedAt: time.Now(), Status: 200}
}

// Others may set the queue going between the commit that begins a run and the line
// after it. Whoever began the run hears of its answer all the same, at once, and its
// call is made once.
func TestARunThatOthersSetGoing(t *testing.T) {
	client := &counted{}
	db := oneStep(t, time.Now)
	st := &lateStore{Store: db}
	e := New(Options{Store: st, Client: client, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { e.Stop(context.Background()) })
	caller, key := Caller{Tenant: "acme", Author: order.Author{By: "test"}}, orderKey{"acme", "O1"}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	answered := func(what string, calls int32, started Started, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Await(ctx, "acme", started, time.Hour)
		if err != nil || !r.Done || r.RunStatus != run.RunSucceeded {
			t.Fatalf("%s: %+v, %v", what, r, err)
		}
		e.queues.running.Wait()
		if n := client.calls.Load(); n != calls {
			t.Errorf("%s: %d calls, want %d", what, n, calls)
		}
		if n := len(e.watchers.byID); n != 0 {
			t.Errorf("%s: %d still wait", what, n)
		}
	}
	woken := func() { e.queues.wake(key, fresh{}) }
	st.late.Store(&woken)
	order, _, _ := schema.ParseOrder([]byte(`{"id":"O1","status":"New"}`))
	started, err := e.CreateOrder(ctx, caller, Document{Object: order}, true)
	answered("a new order", 1, started, err)

	ended := func() { woken(); e.queues.running.Wait() } // the run has its answer before anybody waits for it
	st.late.Store(&ended)
	started, err = e.EnterStatus(ctx, caller, "O1", StatusChange{Status: "New"})
	answered("a status that is entered again", 2, started, err)
}

// TestWhoWaitsForAnErasedOrder looks for itself, and nobody else does.
func TestWhoWaitsForAnErasedOrder(t *testing.T) {
	w := newWatchers()
	erased, _ := w.watch(orderKey{"acme", "O1"}, "R1")
	for _, other := range []orderKey{{"acme", "O2"}, {"other", "O1"}} {
		answered, stop := w.watch(other, "R of "+other.tenant+other.order)
		defer stop()
		defer func() {
			if len(answered) > 0 {
				t.Errorf("who waits for a run of %v is told of another order", other)
			}
		}()
	}
	w.erased(orderKey{"acme", "O1"})
	if len(erased) != 1 {
		t.Error("who waits for a run of the order is not told")
	}
}

// TestWhoDoesNotWait gets the same kind of answer each time, also where the run has ended.
func TestWhoDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a, _ := twoEngines(t, &slowly{})
		takes(t, a, f.leases(1))
		started := create(t, a, "O1")
		time.Sleep(time.Minute)
		for wait, done := range map[time.Duration]bool{0: false, time.Second: true} {
			r, err := a.Await(t.Context(), "acme", started, wait)
			if err != nil || r.Done != done || r.RunStatus != run.RunSucceeded {
				t.Errorf("with a wait of %v: %+v, %v", wait, r, err)
			}
		}
	})
}
