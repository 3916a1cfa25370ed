package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestCountsEnd: a count ends with the most that is counted, and one that would have
// to look at many rows for few says that there may be more.
func TestCountsEnd(t *testing.T) {
	db := openTemp(t)
	addAttempts(t, db, store.MostCounted+1)
	for _, c := range []struct {
		name string
		f    store.AttemptFilter
		rows int // that may be looked at
		want store.Count
	}{
		{"all", store.AttemptFilter{}, 1, store.Count{N: store.MostCounted, Capped: true}},
		{"all but one", store.AttemptFilter{From: time.Unix(1, 0)}, 1, store.Count{N: store.MostCounted}},
		{"a rare one", store.AttemptFilter{StatusFilter: store.StatusFilter{StatusFrom: 500}}, 1000, store.Count{N: 10, Capped: true}},
		{"a rare one, looked for long", store.AttemptFilter{StatusFilter: store.StatusFilter{StatusFrom: 500}}, 100_000, store.Count{N: 100}},
		{"a rare body", store.AttemptFilter{Body: "needle"}, 1024, store.Count{N: 10, Capped: true}},
	} {
		db.SetCountEffort(c.rows)
		if got, err := db.AttemptCount(ctx, acme, c.f); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	must(t, db.Write(ctx, func(tx store.Tx) error {
		for n := range 50 {
			if err := tx.InsertOrder(ctx, acme, testOrder(fmt.Sprint("o", n))); err != nil {
				return err
			}
		}
		return nil
	}))
	db.SetCountEffort(100)
	if got, err := db.OrderCount(ctx, acme, store.OrderFilter{Text: "new"}); err != nil || !got.Capped || got.N == 0 || got.N == 50 {
		t.Errorf("a text: %+v, %v", got, err)
	}
}

// TestPendingIsCounted whether it is due or waits in its group, of one endpoint or all.
func TestPendingIsCounted(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 2, nil)
	to[1].Ordering = event.OrderingSubject
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, to[1]) }))
	for n := range 5 {
		e := namedEvent(fmt.Sprint(n))
		e.Subject.ID = "one"
		publish(t, db, e)
	}
	for of, want := range map[int64]int{0: 10, to[0].No: 5, to[1].No: 5} {
		got, err := db.DeliveryCount(ctx, acme, store.DeliveryFilter{Status: event.DeliveryPending, Endpoint: of})
		if err != nil || got != (store.Count{N: want}) {
			t.Errorf("endpoint %d: %+v, %v, want %d", of, got, err, want)
		}
	}
}

// TestCountsUseIndexes has each count read an index, and the most usual ones nothing
// but that.
func TestCountsUseIndexes(t *testing.T) {
	db := openTemp(t)
	for _, c := range []struct {
		table, index string
		count        func(s *core.Store) (store.Count, error)
	}{
		{"orders", "COVERING INDEX orders_created", func(s *core.Store) (store.Count, error) { return s.OrderCount(ctx, acme, store.OrderFilter{}) }},
		{"orders", "COVERING INDEX orders_status", func(s *core.Store) (store.Count, error) {
			return s.OrderCount(ctx, acme, store.OrderFilter{Status: "x"})
		}},
		{"runs", "COVERING INDEX runs_open", func(s *core.Store) (store.Count, error) {
			return s.RunCount(ctx, acme, store.RunFilter{Status: run.RunWaiting})
		}},
		{"runs", "COVERING INDEX runs_stopped", func(s *core.Store) (store.Count, error) {
			return s.RunCount(ctx, acme, store.RunFilter{Status: run.RunAborted})
		}},
		{"a", "COVERING INDEX attempts_tenant", func(s *core.Store) (store.Count, error) { return s.AttemptCount(ctx, acme, store.AttemptFilter{}) }},
		{"a", "COVERING INDEX attempts_endpoint", func(s *core.Store) (store.Count, error) {
			return s.AttemptCount(ctx, acme, store.AttemptFilter{Endpoint: 1})
		}},
		{"events", "COVERING INDEX events_seq", func(s *core.Store) (store.Count, error) { return s.EventCount(ctx, acme, store.EventFilter{Type: "x"}) }},
		{"deliveries", "COVERING INDEX attempts_delivery", func(s *core.Store) (store.Count, error) {
			return s.DeliveryCount(ctx, acme, store.DeliveryFilter{Status: event.DeliverySucceeded})
		}},
		{"deliveries", "COVERING INDEX deliveries_failures", func(s *core.Store) (store.Count, error) {
			return s.DeliveryCount(ctx, acme, store.DeliveryFilter{Status: event.DeliveryFailed})
		}},
		{"deliveries", "COVERING INDEX deliveries_failures", func(s *core.Store) (store.Count, error) {
			return s.DeliveryCount(ctx, acme, store.DeliveryFilter{Status: event.DeliveryFailed, Sendable: store.SendableAtAll})
		}},
		{"e", "COVERING INDEX endpoints_there", func(s *core.Store) (store.Count, error) {
			return s.DeliveryCount(ctx, acme, store.DeliveryFilter{Status: event.DeliveryFailed, Sendable: store.SendableAtAll})
		}},
		{"e", "INDEX events_erased", func(s *core.Store) (store.Count, error) {
			return s.DeliveryCount(ctx, acme, store.DeliveryFilter{Status: event.DeliveryFailed, Sendable: store.SendableAtAll})
		}},
		{"deliveries", "COVERING INDEX deliveries_", func(s *core.Store) (store.Count, error) {
			return s.DeliveryCount(ctx, acme, store.DeliveryFilter{Status: event.DeliveryPending})
		}},
	} {
		all := plans(t, db, c.table, func(s *core.Store) error { _, err := c.count(s); return err })
		wantPlans(t, all[len(all)-1:], c.index)
		for _, plan := range all {
			if strings.Contains(plan, "SCAN") || strings.Contains(plan, "events.seq") && c.table == "deliveries" {
				t.Errorf("%s: %s", c.index, plan)
			}
		}
	}
	wantMerged(t, plans(t, db, "deliveries", func(s *core.Store) error {
		_, err := s.DeliveryCount(ctx, acme, store.DeliveryFilter{})
		return err
	}), "SEARCH deliveries USING PRIMARY KEY (tenant=?")
	wantIndex(t, plans(t, db, "deliveries", func(s *core.Store) error {
		_, err := s.Deliveries(ctx, acme, store.DeliveryFilter{Status: event.DeliveryFailed}, behind)
		return err
	}), "deliveries_failures")
}
