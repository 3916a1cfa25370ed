package core_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

func benchAttempt(d *store.Due, now time.Time) *attempt.Attempt {
	return &attempt.Attempt{ID: ids.Numbered(ids.Attempt, now), Kind: attempt.KindEvent, Number: 1, MaxNumber: d.Delivery.MaxAttempts, StartedAt: now,
		DurationMs: 1.5, URL: "https://example.com/hook", Host: "example.com", Status: 204, Outcome: attempt.OutcomeSucceeded,
		Related: event.Related{OrderID: d.Delivery.OrderID}, EventType: d.Delivery.EventType, Delivery: d.Delivery.DeliveryKey, Format: event.FormatFull,
		Detail: &attempt.AttemptDetail{
			Request: attempt.Message{Method: "POST", Headers: http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {d.Delivery.EventID},
				"Webhook-Timestamp": {"1767225600"}, "Webhook-Signature": {"***"}, "User-Agent": {"OmniumOms/1"}, "X-Attempt": {"1"}}, BodyBytes: 1600},
			Response: &attempt.Message{Headers: http.Header{"Date": {"Thu, 01 Jan 2026 00:00:00 GMT"}}}, RemoteAddr: "127.0.0.1:8080"}}
}

func completeAll(tb testing.TB, db *core.Store, due []store.Due) {
	now := time.Now()
	completions := make([]store.Completion, len(due))
	for i := range due {
		completions[i] = store.Completion{Key: due[i].Delivery.DeliveryKey, Attempt: benchAttempt(&due[i], now), Status: event.DeliverySucceeded, Attempts: 1, At: now}
	}
	must(tb, db.Write(ctx, func(tx store.Tx) error { return completeIn(tx, acme, completions...) }))
}

// BenchmarkEvents publishes events in groups of 100 and completes their
// deliveries in groups as large.
func BenchmarkEvents(b *testing.B) {
	for _, ordering := range []event.Ordering{event.OrderingNone, event.OrderingSubject} {
		b.Run(string(ordering), func(b *testing.B) {
			db := openTemp(b)
			l := &dueList{}
			db.Listen(l)
			putEndpoints(b, db, 1, func(e *event.Endpoint) { e.Ordering = ordering })
			var publishing time.Duration
			n, begun := 0, cpuMs()
			for ; b.Loop(); n += 100 {
				events, start := make([]*event.Event, 100), time.Now()
				for i := range events {
					events[i] = benchEvent(start)
				}
				publish(b, db, events...)
				publishing += time.Since(start)
				completeAll(b, db, l.due)
				l.due = l.due[:0]
			}
			perDelivery(b, n, begun)
			b.ReportMetric(float64(publishing.Nanoseconds())/float64(n), "ns/published")
		})
	}
}

// BenchmarkSingles has 128 publishers publish events one by one, while their deliveries are
// completed as they become due, in groups.
func BenchmarkSingles(b *testing.B) {
	db := openTemp(b)
	l := &dueChannel{due: make(chan []store.Due, 1024)}
	db.Listen(l)
	putEndpoints(b, db, 1, nil)
	var publishers, completer sync.WaitGroup
	completer.Go(func() {
		for due := range l.due {
			for len(l.due) > 0 && len(due) < 256 {
				due = append(due, <-l.due...)
			}
			completeAll(b, db, due)
		}
	})
	begun := cpuMs()
	for range 128 {
		publishers.Go(func() {
			for range b.N {
				must(b, db.Publish(ctx, acme, benchEvent(time.Now())))
			}
		})
	}
	publishers.Wait()
	close(l.due)
	completer.Wait()
	perDelivery(b, 128*b.N, begun)
}

// dueChannel passes on what is due.
type dueChannel struct {
	dueList
	due chan []store.Due
}

func (l *dueChannel) Due(due []store.Due) { l.due <- due }

// perDelivery reports the time, and the time of the processors, that each delivery took.
func perDelivery(b *testing.B, n int, begun float64) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/delivery")
	b.ReportMetric((cpuMs()-begun)*1e6/float64(n), "cpu-ns/delivery")
}

// BenchmarkNobodyWants is an event that has no subscriber.
func BenchmarkNobodyWants(b *testing.B) {
	db := openTemp(b)
	n := 0
	for ; b.Loop(); n += 100 {
		events := make([]*event.Event, 100)
		for i := range events {
			events[i] = benchEvent(time.Now())
		}
		publish(b, db, events...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}

// BenchmarkFanOut is one event that 10,000 endpoints want.
func BenchmarkFanOut(b *testing.B) {
	db := openTemp(b)
	l := &dueList{}
	db.Listen(l)
	const endpoints = 10_000
	putEndpoints(b, db, endpoints, nil)
	n := 0
	for ; b.Loop(); n += endpoints {
		publish(b, db, benchEvent(time.Now()))
		b.StopTimer()
		completeAll(b, db, l.due)
		l.due = nil
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/delivery")
}

// BenchmarkMillionWaiting asks an endpoint that has 1,000,000 deliveries
// pending what is asked for all the time, and some that is not.
func BenchmarkMillionWaiting(b *testing.B) {
	db := openTemp(b)
	to := putEndpoints(b, db, 1, nil)[0]
	must(b, fillWaiting(db, 1_000_000))
	b.Run("DueDeliveries", func(b *testing.B) {
		for b.Loop() {
			list, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: time.Now(), Limit: 256, MostData: 16 << 10})
			must(b, err)
			if len(list.Due) != 256 {
				b.Fatal(len(list.Due))
			}
		}
	})
	b.Run("Health", func(b *testing.B) {
		for b.Loop() {
			h, err := db.Health(ctx, acme, to.No)
			must(b, err)
			if h.Pending != 1_000_000 {
				b.Fatal(h.Pending)
			}
		}
	})
	for _, f := range []store.DeliveryFilter{{}, {Endpoint: to.No, Status: event.DeliveryPending}, {Endpoint: to.No, Status: event.DeliveryFailed},
		{OrderID: "o7"}, {EventType: "none"}, {Status: event.DeliverySucceeded}} {
		b.Run(fmt.Sprintf("Deliveries%+v", f), func(b *testing.B) {
			for b.Loop() {
				_, err := db.Deliveries(ctx, acme, f, store.Page{})
				must(b, err)
			}
		})
	}
	for _, f := range []store.EventFilter{{}, {Type: "none"}, {From: time.Now().Add(time.Hour)}, {Related: event.Related{CartID: "none"}}} {
		b.Run(fmt.Sprintf("Events%v%v", f.Type, f.Related), func(b *testing.B) {
			for b.Loop() {
				_, err := db.Events(ctx, acme, f, store.Page{})
				must(b, err)
			}
		})
	}
	b.Run("Reordered", func(b *testing.B) {
		for range b.N {
			to.Ordering = event.OrderingSubject
			reorder(b, db, to, &job.Job{ID: "job", Last: 1_000_000}, 200)
			to.Ordering = event.OrderingNone
			reorder(b, db, to, &job.Job{ID: "job", Last: 1_000_000}, 200)
		}
	})
}

// fillWaiting stores events of 1.5 KB and their deliveries to the first endpoint.
func fillWaiting(db *core.Store, n int) error {
	err := db.Change(`
		WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?4)
		INSERT INTO events (seq, tenant, id, type, at, subject_kind, subject_id, order_id, shipment_id, return_id, cart_id, subscription_id, stock_item_id, data)
		SELECT n, ?1, 'evt_' || n, 'OrderAccepted', ?2 + n, 'order', 'o' || (n / 3), 'o' || (n / 3), '', '', '', '', '', ?3 FROM i`,
		acme, benchTime.UnixMicro(), []byte(benchData), n)
	if err != nil {
		return err
	}
	return db.Change(`
		INSERT INTO deliveries (tenant, event, endpoint, status, attempts, max_attempts, due, grp, updated)
		SELECT tenant, seq, 1, 'p', 0, 6, at, '', at FROM events`)
}
