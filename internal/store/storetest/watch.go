package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/stock"
	"github.com/orderhook/orderhook/internal/store"
)

// watched is a [store.Watcher] that notes what it is told.
// It has no lock: each write tells it before the write returns, and the test makes one
// write after the other.
type watched struct{ told []string }

// Changed implements [store.Watcher].
func (w *watched) Changed(tenant string, what changes.Topics) {
	w.told = append(w.told, fmt.Sprint(tenant, ": ", strings.Join(what.Names(), ",")))
}

// testWatcher proves that the watcher is told once of each write, after the commit, of
// what kinds of things it changed, and that it is not told of a write that failed. Open
// pages of the dashboard are brought up to date by it: what is left out would be old on
// the screen.
func testWatcher(t *testing.T, s *suite) {
	w := &watched{}
	s.Watch(w)
	at := time.Unix(1000, 0)
	o := &order.Order{ID: "o1", Version: 1, StatusVersion: 1, Created: at, Modified: at, Doc: jsondoc.NewObject(jsondoc.Member{Name: "id", Value: "o1"})}
	endpoint := &event.Endpoint{ID: "ep_watched", Origin: event.OriginAPI, URL: "http://127.0.0.1:1", EventTypes: []string{"*"}, Enabled: true, Created: at, Updated: at}
	e := &event.Event{ID: "e1", Type: "order_created", Timestamp: at, Data: []byte(`{}`)}
	run := &run.Run{ID: "r1", OrderID: "o1", Status: run.RunRunning, Created: at}
	// Each change builds on those before it. The two names in one line are told together.
	for _, one := range []struct {
		want string
		do   func(tx store.Tx) error
	}{
		{"orders", func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, o) }},
		{"orders", func(tx store.Tx) error {
			next := *o
			next.Version = 2
			return tx.UpdateOrder(ctx, acme, &next)
		}},
		{"orders", func(tx store.Tx) error {
			return tx.AddHistory(ctx, acme, "o1", order.HistoryEntry{ID: "h1", Timestamp: at})
		}},
		{"runs", func(tx store.Tx) error { return tx.InsertRun(ctx, acme, run) }},
		{"runs", func(tx store.Tx) error { same := *run; return tx.RequeueRun(ctx, acme, &same) }},
		{"endpoints", func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint) }},
		{"events,deliveries", func(tx store.Tx) error { return tx.AddEvents(ctx, acme, e) }},
		{"attempts,deliveries", func(tx store.Tx) error {
			return completeIn(tx, acme, store.Completion{Key: event.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No}, Status: event.DeliverySucceeded, Attempts: 1, At: at,
				Attempt: &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), Kind: attempt.KindEvent, Number: 1, MaxNumber: 1, StartedAt: at, Outcome: attempt.OutcomeSucceeded}})
		}},
		{"deliveries", func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, endpoint, at, false) }},
		{"deliveries", func(tx store.Tx) error {
			return tx.CancelDelivery(ctx, acme, event.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No}, at)
		}},
		{"endpoints", func(tx store.Tx) error {
			_, err := tx.AddHealth(ctx, acme, endpoint.No, store.HealthChange{Succeeded: 1})
			return err
		}},
		{"attempts", func(tx store.Tx) error {
			return tx.AddAttempt(ctx, acme, &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), Kind: attempt.KindStep, CallID: "c", StartedAt: at})
		}},
		{"carts", func(tx store.Tx) error {
			return tx.PutCart(ctx, acme, &cart.Cart{ID: "c1", Version: 1, Created: at, Modified: at, Doc: jsondoc.NewObject()})
		}},
		{"carts", func(tx store.Tx) error { return tx.DeleteCart(ctx, acme, "c1") }},
		{"stock", func(tx store.Tx) error {
			return tx.PutStockItem(ctx, acme, &stock.StockItem{ID: "s1", Version: 1, Available: "1", Created: at, Updated: at})
		}},
		{"settings", func(tx store.Tx) error { return tx.PutSettings(ctx, acme, settings.Empty(), 0, "key", at) }},
		{"jobs", func(tx store.Tx) error { return tx.PutJob(ctx, acme, &job.Job{ID: "j1", Created: at}) }},
		{"keys", func(tx store.Tx) error {
			return tx.InsertKey(ctx, access.Key{ID: "k1", Tenant: acme, Role: access.Reader, Hash: []byte("h"), Created: at})
		}},
		{"keys", func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "k1") }},
		{"endpoints", func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, endpoint.ID) }},
		{"orders", func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, "o1") }},
	} {
		w.told = nil
		if err := s.Write(ctx, one.do); err != nil {
			t.Fatalf("%s: %v", one.want, err)
		}
		// Once is enough for a page to read anew. Twice would make each open page ask the
		// database twice.
		if len(w.told) != 1 || w.told[0] != acme+": "+one.want {
			t.Errorf("told %q, want %s", w.told, one.want)
		}
	}
	w.told = nil
	// This write changes something before it fails. Nobody may be told of what was undone.
	err := s.Write(ctx, func(tx store.Tx) error {
		_ = tx.AddHistory(ctx, acme, "o1", order.HistoryEntry{ID: "h1", Timestamp: at})
		return apierr.Errorf(apierr.Conflict, "no")
	})
	if apierr.KindOf(err) != apierr.Conflict || len(w.told) > 0 {
		t.Errorf("a write that failed: %v, told %q", err, w.told)
	}
}
