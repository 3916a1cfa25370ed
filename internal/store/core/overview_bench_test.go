package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// largeDatabase has a day of calls of every kind in every minute, and so many attempts,
// deliveries of which a tenth wait and a hundredth failed, orders, and runs of which a
// hundredth waits and as many were aborted.
func largeDatabase(b *testing.B, attempts, orders, endpoints int) *core.Store {
	b.Helper()
	db := openTemp(b)
	putEndpoints(b, db, endpoints, nil)
	const count = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) `
	day := time.Now().Add(-24*time.Hour).Unix() / 60
	must(b, db.Change(count+`INSERT INTO events (seq, tenant, id, type, at, subject_kind, subject_id, order_id, data)
		SELECT i, ?1, 'evt' || i, 'order_created', i * 1000000, 'order', 'o' || i % ?3, 'o' || i % ?3, x'7b7d' FROM n`, acme, attempts, orders))
	must(b, db.Change(count+`INSERT INTO deliveries (tenant, event, endpoint, status, attempts, max_attempts, due, updated)
		SELECT ?1, i, 1 + i % ?3, CASE WHEN i % 10 = 0 THEN 'p' WHEN i % 100 = 1 THEN 'f' ELSE 's' END, 1, 5, iif(i % 10 = 0, i * 1000000, 0), i FROM n`, acme, attempts, endpoints))
	must(b, db.Change(count+`INSERT INTO attempts (tenant, id, kind, event, endpoint, event_type, format, number, max_number, started, duration_ms, url, host, status, outcome, order_id, detail)
		SELECT ?1, printf('att_%016x', i), 'event', i, 1 + i % ?3, 'order_created', 'full', 1, 5, i, 12.5, 'http://example.com/hook', 'example.com', 200, iif(i % 10 = 0, 'failed', 'succeeded'), 'o' || i, '{}' FROM n`, acme, attempts, endpoints))
	must(b, db.Change(count+`INSERT INTO orders (tenant, id, version, status_version, created, modified, status, order_type, market_id, customer_email, subscription_id, doc)
		SELECT ?1, 'o' || i, 1, 1, i, i, 'new', 'online', 'nor', '', '', '{"id":"o","status":"New"}' FROM n`, acme, orders))
	must(b, db.Change(count+`INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, doc)
		SELECT ?1, 'r' || i, 'o' || i, 1, CASE i % 100 WHEN 0 THEN 'waiting' WHEN 1 THEN 'aborted' ELSE 'succeeded' END, i % 100 <> 0, i, '{"id":"r","orderId":"o","status":"aborted","results":[]}' FROM n`, acme, orders))
	must(b, db.Change(`UPDATE endpoint_health SET consecutive = 5 WHERE tenant = ? AND endpoint % 10 = 0`, acme))
	must(b, db.Write(ctx, func(tx store.Tx) error {
		for minute := range int64(24 * 60) {
			for _, kind := range []string{attempt.KindStep, attempt.KindReturnStep, attempt.KindValidator, attempt.KindEvent, attempt.KindExport} {
				for _, outcome := range []string{attempt.OutcomeSucceeded, attempt.OutcomeFailed} {
					a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, time.Unix((day+minute)*60, 0)), Kind: kind, Outcome: outcome, CallID: fmt.Sprint(minute), StartedAt: time.Unix((day+minute)*60, 0), DurationMs: float64(minute)}
					if err := tx.AddAttempt(ctx, acme, a); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}))
	must(b, db.Change(`ANALYZE`))
	return db
}

// BenchmarkOverview is each of what the overview asks, of the database that pages have
// to be quick with.
func BenchmarkOverview(b *testing.B) {
	db := largeDatabase(b, 1_000_000, 200_000, 10_000)
	now := time.Now().Truncate(15 * time.Minute).Add(15 * time.Minute)
	for _, one := range []struct {
		name string
		ask  func() error
	}{
		{"waiting", func() error { _, err := db.Waiting(ctx, acme); return err }},
		{"hour", func() error { _, err := db.Calls(ctx, acme, now.Add(-time.Hour), now, time.Minute); return err }},
		{"day", func() error { _, err := db.Calls(ctx, acme, now.Add(-24*time.Hour), now, 15*time.Minute); return err }},
		{"endpoints", func() error { _, _, err := db.EndpointsInTrouble(ctx, acme, 10); return err }},
		{"health", func() error { _, err := db.Health(ctx, acme, 10); return err }},
		{"failed", func() error {
			_, err := db.Deliveries(ctx, acme, store.DeliveryFilter{Status: event.DeliveryFailed}, store.Page{Limit: 10})
			return err
		}},
		{"failedCount", func() error {
			_, err := db.DeliveryCount(ctx, acme, store.DeliveryFilter{Status: event.DeliveryFailed})
			return err
		}},
		{"aborted", func() error {
			_, err := db.Runs(ctx, acme, store.RunFilter{Status: run.RunAborted}, store.Page{Limit: 10})
			return err
		}},
		{"abortedCount", func() error { _, err := db.RunCount(ctx, acme, store.RunFilter{Status: run.RunAborted}); return err }},
		{"orderCount", func() error { _, err := db.OrderCount(ctx, acme, store.OrderFilter{}); return err }},
		{"rareOrderCount", func() error { _, err := db.OrderCount(ctx, acme, store.OrderFilter{MarketID: "x"}); return err }},
		{"textCount", func() error { _, err := db.OrderCount(ctx, acme, store.OrderFilter{Text: "nowhere"}); return err }},
		{"attemptCount", func() error { _, err := db.AttemptCount(ctx, acme, store.AttemptFilter{}); return err }},
		{"rareAttemptCount", func() error {
			_, err := db.AttemptCount(ctx, acme, store.AttemptFilter{Host: "nowhere"})
			return err
		}},
		{"ofEndpoint", func() error {
			_, err := db.Attempts(ctx, acme, store.AttemptFilter{Endpoint: 77}, store.Page{})
			return err
		}},
		{"eventCount", func() error { _, err := db.EventCount(ctx, acme, store.EventFilter{Type: "none"}); return err }},
		{"deliveryCount", func() error { _, err := db.DeliveryCount(ctx, acme, store.DeliveryFilter{}); return err }},
		{"deliveryTypeCount", func() error {
			_, err := db.DeliveryCount(ctx, acme, store.DeliveryFilter{EventType: "order_created"})
			return err
		}},
	} {
		b.Run(one.name, func(b *testing.B) {
			for b.Loop() {
				must(b, one.ask())
			}
		})
	}
}
