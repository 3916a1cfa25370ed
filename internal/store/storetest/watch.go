package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// watched keeps what a watcher is told.
type watched struct{ told []string }

func (w *watched) Changed(tenant string, what oms.Topics) {
	w.told = append(w.told, fmt.Sprint(tenant, ": ", strings.Join(what.Names(), ",")))
}

// testWatcher has each write told of after it was committed, once, by what it
// changed; and not where it failed.
func testWatcher(t *testing.T, s *suite) {
	w := &watched{}
	s.Watch(w)
	at := time.Unix(1000, 0)
	order := &oms.Order{ID: "o1", Version: 1, StatusVersion: 1, Created: at, Modified: at, Doc: oms.NewObject(oms.Member{Name: "id", Value: "o1"})}
	endpoint := &oms.Endpoint{ID: "ep_watched", Origin: oms.OriginAPI, URL: "http://127.0.0.1:1", EventTypes: []string{"*"}, Enabled: true, Created: at, Updated: at}
	event := &oms.Event{ID: "e1", Type: "order_created", Timestamp: at, Data: []byte(`{}`)}
	run := &oms.Run{ID: "r1", OrderID: "o1", Status: oms.RunRunning, Created: at}
	for _, one := range []struct {
		want string
		do   func(tx store.Tx) error
	}{
		{"orders", func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, order) }},
		{"orders", func(tx store.Tx) error {
			next := *order
			next.Version = 2
			return tx.UpdateOrder(ctx, acme, &next)
		}},
		{"orders", func(tx store.Tx) error {
			return tx.AddHistory(ctx, acme, "o1", oms.HistoryEntry{ID: "h1", Timestamp: at})
		}},
		{"runs", func(tx store.Tx) error { return tx.InsertRun(ctx, acme, run) }},
		{"runs", func(tx store.Tx) error { same := *run; return tx.RequeueRun(ctx, acme, &same) }},
		{"endpoints", func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint) }},
		{"events,deliveries", func(tx store.Tx) error { return tx.AddEvents(ctx, acme, event) }},
		{"attempts,deliveries", func(tx store.Tx) error {
			return tx.Settle(ctx, acme, store.Settlement{Key: oms.DeliveryKey{Event: event.Seq, Endpoint: endpoint.No}, Status: oms.DeliverySucceeded, Attempts: 1, At: at,
				Attempt: &oms.Attempt{ID: oms.NewIDAt(oms.AttemptID, at), Kind: oms.KindEvent, Number: 1, MaxNumber: 1, StartedAt: at, Outcome: oms.OutcomeSucceeded}})
		}},
		{"deliveries", func(tx store.Tx) error { return tx.SendAgain(ctx, acme, event, endpoint, at, false) }},
		{"deliveries", func(tx store.Tx) error {
			return tx.CancelDelivery(ctx, acme, oms.DeliveryKey{Event: event.Seq, Endpoint: endpoint.No}, at)
		}},
		{"endpoints", func(tx store.Tx) error {
			_, err := tx.AddHealth(ctx, acme, endpoint.No, store.HealthChange{Succeeded: 1})
			return err
		}},
		{"attempts", func(tx store.Tx) error {
			return tx.AddAttempt(ctx, acme, &oms.Attempt{ID: oms.NewIDAt(oms.AttemptID, at), Kind: oms.KindStep, CallID: "c", StartedAt: at})
		}},
		{"carts", func(tx store.Tx) error {
			return tx.PutCart(ctx, acme, &oms.Cart{ID: "c1", Version: 1, Created: at, Modified: at, Doc: oms.NewObject()})
		}},
		{"carts", func(tx store.Tx) error { return tx.DeleteCart(ctx, acme, "c1") }},
		{"stock", func(tx store.Tx) error {
			return tx.PutStockItem(ctx, acme, &oms.StockItem{ID: "s1", Version: 1, Available: "1", Created: at, Updated: at})
		}},
		{"settings", func(tx store.Tx) error { return tx.PutSettings(ctx, acme, settings.Empty(), 0, "key", at) }},
		{"jobs", func(tx store.Tx) error { return tx.PutJob(ctx, acme, &oms.Job{ID: "j1", Created: at}) }},
		{"keys", func(tx store.Tx) error {
			return tx.InsertKey(ctx, oms.Key{ID: "k1", Tenant: acme, Role: oms.Reader, Hash: []byte("h"), Created: at})
		}},
		{"keys", func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "k1") }},
		{"endpoints", func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, endpoint.ID) }},
		{"orders", func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, "o1") }},
	} {
		w.told = nil
		if err := s.Write(ctx, one.do); err != nil {
			t.Fatalf("%s: %v", one.want, err)
		}
		if len(w.told) != 1 || w.told[0] != acme+": "+one.want {
			t.Errorf("told %q, want %s", w.told, one.want)
		}
	}
	w.told = nil
	err := s.Write(ctx, func(tx store.Tx) error {
		_ = tx.AddHistory(ctx, acme, "o1", oms.HistoryEntry{ID: "h1", Timestamp: at})
		return oms.Errorf(oms.Conflict, "no")
	})
	if oms.KindOf(err) != oms.Conflict || len(w.told) > 0 {
		t.Errorf("a write that failed: %v, told %q", err, w.told)
	}
}
