package workflow

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/nodes/nodestest"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// fenced is a store that refuses what is written by a lease that is not the newest, as one
// of several nodes does.
type fenced struct {
	store.Store
	mu     sync.Mutex
	newest int64
}

func (f *fenced) Write(ctx context.Context, do func(store.Tx) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range nodes.LeasesOf(ctx) {
		if l.Epoch != f.newest {
			return nodes.ErrLost
		}
	}
	return f.Store.Write(ctx, do)
}

// leases are those of all shards, of an epoch that is the newest from now on.
func (f *fenced) leases(epoch int64) (all []nodes.Lease) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.newest = epoch
	for _, l := range nodes.All() {
		all = append(all, nodes.Lease{Name: l.Name, Epoch: epoch})
	}
	return all
}

// slowly answers after a time.
type slowly struct {
	takes time.Duration
	mu    sync.Mutex
	calls int
}

func (s *slowly) Post(context.Context, outbound.Request) outbound.Exchange {
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	began := time.Now()
	time.Sleep(s.takes)
	return outbound.Exchange{StartedAt: began, Status: 200}
}

func (s *slowly) made() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// twoEngines returns the engines of two nodes, of which neither has a shard, with a workflow
// of two steps.
func twoEngines(t *testing.T, client Client) (f *fenced, a, b *Engine) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orderhook.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	step := `{"name":"WebhookWorkflowStep","connector":"W","properties":[{"key":"Host","value":"http://one"}]}`
	doc, _ := schema.Parse([]byte(`{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New","workflowSteps":[` + step + `,` + step + `]}]}]}`))
	config := settings.ParseStored(doc)
	if err := db.Write(t.Context(), func(tx store.Tx) error { return tx.PutSettings(t.Context(), "acme", config, 0, "test", time.Now()) }); err != nil {
		t.Fatal(err)
	}
	f = &fenced{Store: db}
	engine := func() *Engine {
		e := New(Options{Store: f, Node: nodes.Alone(), Client: client, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return e
	}
	a, b = engine(), engine()
	t.Cleanup(func() {
		a.Stop(context.Background())
		b.Stop(context.Background())
		_ = db.Close()
	})
	return f, a, b
}

func create(t *testing.T, e *Engine, id string) Started {
	t.Helper()
	o, _, _ := schema.ParseOrder([]byte(`{"id":"` + id + `","orderType":"Online"}`))
	started, err := e.CreateOrder(t.Context(), Caller{Tenant: "acme", Author: order.Author{By: "test"}}, Document{Object: o}, true)
	if err != nil {
		t.Fatal(err)
	}
	return started
}

func takes(t *testing.T, e *Engine, leases []nodes.Lease) {
	t.Helper()
	if err := e.Take(t.Context(), leases); err != nil {
		t.Fatal(err)
	}
}

// TestRunsGoOnElsewhere: a call that is under way when its shard is given back has its answer
// stored, no other begins, and whoever gets the shard makes the next. Who waits for the run
// on the first node is answered.
func TestRunsGoOnElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &slowly{takes: 10 * time.Second}
		f, a, b := twoEngines(t, client)
		leases := f.leases(1)
		takes(t, a, leases)
		started := create(t, a, "O1")
		time.Sleep(time.Second)
		a.Give(t.Context(), leases)
		time.Sleep(time.Minute)
		if n := client.made(); n != 1 {
			t.Fatalf("%d calls were made", n)
		}
		began := time.Now()
		go func() {
			time.Sleep(time.Second)
			takes(t, b, f.leases(2))
			time.Sleep(15 * time.Second)
			a.Hear(t.Context(), []nodes.News{{Kind: nodes.Answered, Tenant: "acme", ID: started.RunID}})
		}()
		r, err := a.Await(t.Context(), "acme", started, time.Minute)
		if err != nil || r.RunStatus != run.RunSucceeded || !r.Done || time.Since(began) != 16*time.Second {
			t.Errorf("%+v, %v, after %v", r, err, time.Since(began))
		}
		if n := client.made(); n != 2 {
			t.Errorf("%d calls were made", n)
		}
	})
}

// TestALateAnswerChangesNothing: it is refused, and not stored for ever; the node that has
// the order makes the call again.
func TestALateAnswerChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &slowly{takes: 10 * time.Second}
		f, a, b := twoEngines(t, client)
		takes(t, a, f.leases(1))
		started := create(t, a, "O1")
		time.Sleep(time.Second)
		takes(t, b, f.leases(2)) // while the first does not know of it
		time.Sleep(time.Minute)
		r, err := f.Run(t.Context(), "acme", started.RunID)
		if err != nil || r.Status != run.RunSucceeded {
			t.Fatalf("%+v, %v", r, err)
		}
		if n := client.made(); n != 3 {
			t.Errorf("%d calls were made, of which one was late", n)
		}
		list, err := f.Attempts(t.Context(), "acme", store.AttemptFilter{}, store.Page{})
		if err != nil || len(list.Items) != 2 {
			t.Errorf("%d attempts are recorded, %v", len(list.Items), err)
		}
		if n := a.unstored.Load(); n != 0 {
			t.Errorf("%d answers wait to be stored", n)
		}
	})
}

// TestAShardThatComesBack while a call from before is under way: the end of that call takes
// nothing from the queue that the order has now.
func TestAShardThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &slowly{takes: 10 * time.Second}
		f, a, _ := twoEngines(t, client)
		lost := f.leases(1)
		takes(t, a, lost)
		started := create(t, a, "O1")
		time.Sleep(5 * time.Second)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		a.Give(over, lost)
		takes(t, a, f.leases(2))
		time.Sleep(7 * time.Second) // the first call has ended, and its answer was refused
		a.Hear(t.Context(), []nodes.News{{Kind: nodes.Order, Tenant: "acme", ID: "O1"}})
		time.Sleep(time.Minute)
		if r, err := f.Run(t.Context(), "acme", started.RunID); err != nil || r.Status != run.RunSucceeded {
			t.Errorf("%+v, %v", r, err)
		}
		if n := client.made(); n != 3 {
			t.Errorf("%d calls were made: one from before, and two", n)
		}
	})
}

// TestNoCallBeginsWithoutCertainty: while a node cannot know whether its leases are still its
// own, it makes no call; then it goes on.
func TestNoCallBeginsWithoutCertainty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, node := &slowly{}, nodestest.Unsure(t)
		f, a, _ := twoEngines(t, client)
		a.node = node
		takes(t, a, f.leases(1))
		time.Sleep(nodes.DefaultLasts)
		started := create(t, a, "O1")
		time.Sleep(time.Minute)
		if n := client.made(); n != 0 {
			t.Errorf("%d calls were made", n)
		}
		if err := node.Start(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * again)
		if r, err := f.Run(t.Context(), "acme", started.RunID); err != nil || r.Status != run.RunSucceeded {
			t.Errorf("%+v, %v", r, err)
		}
		node.Stop(t.Context())
	})
}

// TestRunsOfOtherNodes begin where the order is, when that hears of them.
func TestRunsOfOtherNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &slowly{}
		f, a, b := twoEngines(t, client)
		takes(t, b, f.leases(1))
		for _, news := range []nodes.News{{Kind: nodes.Order, Tenant: "acme", ID: "O1"}, {Kind: nodes.Anew}} {
			started := create(t, a, "O"+string(news.Kind))
			time.Sleep(time.Minute)
			if r, err := f.Run(t.Context(), "acme", started.RunID); err != nil || r.Status.Ended() {
				t.Errorf("untold: %+v, %v", r, err)
			}
			if news.ID != "" {
				news.ID = "O" + string(news.Kind)
			}
			waits := make(chan *Result, 1)
			go func() {
				r, _ := a.Await(t.Context(), "acme", started, time.Hour)
				waits <- r
			}()
			b.Hear(t.Context(), []nodes.News{news})
			time.Sleep(time.Minute)
			if r, err := f.Run(t.Context(), "acme", started.RunID); err != nil || r.Status != run.RunSucceeded {
				t.Errorf("told of %s: %+v, %v", news.Kind, r, err)
			}
			a.Hear(t.Context(), []nodes.News{{Kind: nodes.Anew}}) // the node that ended it did not come to tell
			synctest.Wait()
			select {
			case r := <-waits:
				if r == nil || !r.Done || r.RunStatus != run.RunSucceeded {
					t.Errorf("who waited got %+v", r)
				}
			default:
				t.Error("who waits for the run is not answered")
			}
		}
	})
}
