package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/nodes/nodestest"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
)

// fenced is a store that refuses what is written by a lease that is not the newest, as one
// of several nodes does.
type fenced struct {
	store.Store
	mu     sync.Mutex
	newest map[string]int64
}

func (f *fenced) Write(ctx context.Context, do func(store.Tx) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range nodes.LeasesOf(ctx) {
		if f.newest[l.Name] != l.Epoch {
			return nodes.ErrLost
		}
	}
	return f.Store.Write(ctx, do)
}

// Listen leaves it to each test which dispatcher is told.
func (f *fenced) Listen(store.Listener) {}

// sharing are two dispatchers of one database, of which neither has a shard at first.
type sharing struct {
	*rig
	*fenced
	a, b *Dispatcher
}

func share(t *testing.T, answer func(call) outbound.Exchange) *sharing {
	t.Helper()
	r := newRig(t, answer)
	r.d.Stop(t.Context())
	s := &sharing{rig: r, fenced: &fenced{Store: r.store, newest: map[string]int64{}}}
	s.a, s.b = s.dispatcher(), s.dispatcher()
	r.store.Listen(s.a)
	r.d = s.a // the rig stops it
	t.Cleanup(func() { s.b.Stop(context.Background()) })
	return s
}

func (s *sharing) dispatcher() *Dispatcher {
	d := New(Options{Store: s.fenced, Node: nodes.Alone(), Client: s.calls, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)})
	must(s.t, d.Start(s.t.Context()))
	return d
}

// leases are those of all shards, of an epoch that is the newest from now on.
func (s *sharing) leases(epoch int64) (all []nodes.Lease) {
	s.fenced.mu.Lock()
	defer s.fenced.mu.Unlock()
	for _, l := range nodes.All() {
		s.newest[l.Name] = epoch
		all = append(all, nodes.Lease{Name: l.Name, Epoch: epoch})
	}
	return all
}

// unwritten is how many results of a dispatcher wait to be written.
func (s *sharing) unwritten(d *Dispatcher) int {
	r := d.completers[acme]
	return int(r.intake.count.Load())
}

// TestShardsAreGivenBack: attempts that are under way end and are written, no more begin, and
// whoever gets the shards goes on, in order.
func TestShardsAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := share(t, answering(200, healthEvery/2))
		to := s.endpoint("shop", func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })
		first, second := s.publish("evt_1", "o1"), s.publish("evt_2", "o1")
		time.Sleep(time.Minute)
		if n := len(s.calls.made()); n != 0 {
			t.Fatalf("%d attempts by who has no shard", n)
		}
		leases := s.leases(1)
		must(t, s.a.Take(t.Context(), leases))
		time.Sleep(time.Second)
		s.a.Give(t.Context(), leases)
		if d := s.delivery(first, to); d.Status != event.DeliverySucceeded {
			t.Errorf("the attempt that was under way is not written: the delivery is %s", d.Status)
		}
		h, err := s.rig.store.Health(t.Context(), acme, to.No)
		must(t, err)
		if h.Succeeded != 1 {
			t.Errorf("the health is not written: %+v", h)
		}
		time.Sleep(time.Minute)
		if n := len(s.calls.made()); n != 1 {
			t.Errorf("%d attempts were made, of which 1 was under way", n)
		}
		must(t, s.b.Take(t.Context(), s.leases(2)))
		time.Sleep(time.Minute)
		if d := s.delivery(second, to); d.Status != event.DeliverySucceeded {
			t.Errorf("the next delivery is %s", d.Status)
		}
	})
}

// TestGivingBackEndsInTime, whatever hangs.
func TestGivingBackEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := share(t, answering(200, time.Hour))
		s.endpoint("shop", nil)
		s.publish("evt_1", "o1")
		leases := s.leases(1)
		must(t, s.a.Take(t.Context(), leases))
		time.Sleep(time.Second)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if s.a.Give(ctx, leases); time.Since(began) != 30*time.Second {
			t.Errorf("it took %v", time.Since(began))
		}
	})
}

// TestLateAttemptsChangeNothing: what an attempt came to is dropped once another node has the
// endpoint, is not tried again, and holds up nothing; the other makes the attempt.
func TestLateAttemptsChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		s := share(t, func(call) outbound.Exchange {
			if calls.Add(1) == 1 {
				time.Sleep(10 * time.Second)
				return outbound.Exchange{Status: 500}
			}
			return outbound.Exchange{Status: 200}
		})
		to := s.endpoint("shop", nil)
		e := s.publish("evt_1", "o1")
		must(t, s.a.Take(t.Context(), s.leases(1)))
		time.Sleep(time.Second)
		must(t, s.b.Take(t.Context(), s.leases(2))) // while the first does not know of it
		time.Sleep(time.Minute)
		d := s.delivery(e, to)
		if d.Status != event.DeliverySucceeded || d.Attempts != 1 || len(s.attempts()) != 1 {
			t.Errorf("the delivery is %s after %d attempts, of which %d are recorded", d.Status, d.Attempts, len(s.attempts()))
		}
		if n := s.unwritten(s.a); n != 0 {
			t.Errorf("%d results wait to be written", n)
		}
		if h, err := s.rig.store.Health(t.Context(), acme, to.No); err != nil || h.Consecutive != 0 {
			t.Errorf("the late failure is in the health: %+v, %v", h, err)
		}
		for i := range 3 { // and the first attempts nothing any more, though it is still told
			s.publish(fmt.Sprint("evt_late", i), "o1")
		}
		time.Sleep(time.Minute)
		if n := len(s.calls.made()); n != 2 {
			t.Errorf("%d attempts were made, by one that has lost its lease", n)
		}
		s.a.Give(t.Context(), []nodes.Lease{{Name: nodes.OfEndpoint(acme, to.No), Epoch: 2}}) // not its own
		if s.a.queue(queueKey{acme, to.No}) == nil {
			t.Error("a lease of another epoch was given back")
		}
	})
}

// TestNothingBeginsWithoutCertainty: while a node cannot know whether its leases are still its
// own, it attempts nothing; then it goes on.
func TestNothingBeginsWithoutCertainty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, node := share(t, answering(200, 0)), nodestest.Unsure(t)
		s.a.node = node
		to := s.endpoint("shop", nil)
		must(t, s.a.Take(t.Context(), s.leases(1)))
		time.Sleep(nodes.DefaultLasts)
		e := s.publish("evt_1", "o1")
		time.Sleep(time.Minute)
		if n := len(s.calls.made()); n != 0 {
			t.Errorf("%d attempts were made", n)
		}
		must(t, node.Start(t.Context(), s.a))
		time.Sleep(time.Second)
		if d := s.delivery(e, to); d.Status != event.DeliverySucceeded {
			t.Errorf("the delivery is %s", d.Status)
		}
		node.Stop(t.Context())
	})
}

// TestOneLostShardHarmsNoOther: results that are written together, of which some are late.
func TestOneLostShardHarmsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := share(t, answering(200, 10*time.Second))
		var all []*event.Endpoint
		for i := range 10 {
			all = append(all, s.endpoint(fmt.Sprint("shop", i), nil))
		}
		e := s.publish("evt_1", "o1")
		must(t, s.a.Take(t.Context(), s.leases(1)))
		time.Sleep(time.Second)
		lost := nodes.OfEndpoint(acme, all[3].No)
		s.fenced.mu.Lock()
		s.newest[lost] = 2
		s.fenced.mu.Unlock()
		time.Sleep(15 * time.Second)
		for _, to := range all {
			want := event.DeliverySucceeded
			if nodes.OfEndpoint(acme, to.No) == lost {
				want = event.DeliveryPending
			}
			if d := s.delivery(e, to); d.Status != want {
				t.Errorf("the delivery to %s is %s, want %s", to.ID, d.Status, want)
			}
		}
		if n := s.unwritten(s.a); n != 0 {
			t.Errorf("%d results wait to be written", n)
		}
	})
}

// TestNewsOfOtherNodes: what other nodes have committed, a dispatcher reads from the database.
func TestNewsOfOtherNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var status atomic.Int32
		status.Store(200)
		s := share(t, func(call) outbound.Exchange { return outbound.Exchange{Status: int(status.Load())} })
		s.rig.store.Listen(nobody{}) // as if another node had made all that follows
		to := s.endpoint("shop", nil)
		must(t, s.b.Take(t.Context(), s.leases(1)))
		// The reading that begins with it must be over: it might find what is published next.
		time.Sleep(time.Second)
		hears := func(news nodes.News) {
			news.Tenant, news.No = acme, to.No
			s.b.Hear(t.Context(), []nodes.News{news})
			time.Sleep(time.Second)
		}
		is := func(what string, e *event.Event, want event.DeliveryStatus) {
			t.Helper()
			if d := s.delivery(e, to); d.Status != want {
				t.Errorf("%s: the delivery is %s, want %s", what, d.Status, want)
			}
		}
		one := s.publish("evt_1", "o1")
		time.Sleep(time.Hour)
		is("untold", one, event.DeliveryPending)
		hears(nodes.News{Kind: nodes.Due})
		is("told that it is due", one, event.DeliverySucceeded)

		two := s.publish("evt_2", "o1")
		hears(nodes.News{Kind: nodes.Anew})
		is("told to look anew", two, event.DeliverySucceeded)

		status.Store(500)
		three := s.publish("evt_3", "o1")
		hears(nodes.News{Kind: nodes.Due})
		before := len(s.calls.made())
		s.write(func(tx store.Tx) error {
			return tx.CancelDelivery(t.Context(), acme, event.DeliveryKey{Event: three.Seq, Endpoint: to.No}, time.Now())
		})
		hears(nodes.News{Kind: nodes.Ended, Event: three.Seq})
		time.Sleep(24 * time.Hour)
		if n := len(s.calls.made()); n != before {
			t.Errorf("a delivery that was canceled was attempted %d times more", n-before)
		}

		status.Store(200)
		s.write(func(tx store.Tx) error { return tx.SendAgain(t.Context(), acme, three, to, time.Now(), true) })
		hears(nodes.News{Kind: nodes.Trial, Event: three.Seq})
		is("sent again by hand", three, event.DeliverySucceeded)

		off := *to
		off.Enabled = false
		s.b.EndpointChanged(acme, &off, 1<<20)
		s.b.EndpointChanged(acme, to, 1) // an earlier version, which comes later
		four := s.publish("evt_4", "o1")
		hears(nodes.News{Kind: nodes.Due})
		is("turned off", four, event.DeliveryPending)
	})
}

// TestTheCircuitOfAnotherNode is open for as long as that has said.
func TestTheCircuitOfAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := share(t, answering(200, 0))
		hears := func(until time.Time) {
			news := nodes.News{Kind: nodes.Circuit, Tenant: acme, No: 7}
			if !until.IsZero() {
				news.Event = until.UnixMicro()
			}
			s.a.Hear(t.Context(), []nodes.News{news})
		}
		is := func(want string) {
			t.Helper()
			if got := s.a.Circuit(acme, 7); string(got) != want {
				t.Errorf("the circuit is %s, want %s", got, want)
			}
		}
		is("closed")
		hears(time.Now().Add(time.Minute))
		is("open")
		time.Sleep(2 * time.Minute)
		is("halfOpen")
		hears(time.Time{})
		is("closed")
		hears(time.Now().Add(time.Minute))
		time.Sleep(time.Minute + 2*breakerMost)
		is("closed") // the node may be gone
	})
}

// nobody hears of nothing.
type nobody struct{}

func (nobody) Due([]store.Due)                                {}
func (nobody) EndpointChanged(string, *event.Endpoint, int64) {}
func (nobody) EndpointDeleted(string, int64, int64)           {}
func (nobody) Ended(string, event.DeliveryKey)                {}
func (nobody) Behind(string, int64)                           {}
func (nobody) FilterFailed(store.FilterFailure)               {}
