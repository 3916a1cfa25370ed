package core_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// sale is an order of 1.5 KB and what can be looked for in it.
type sale struct {
	number, uuid, email, sku string
	data                     []byte
}

func newSale(n int, random *rand.Rand) sale {
	bits := rand.NewChaCha8([32]byte(fmt.Appendf(nil, "%032d", n)))
	id := func() string { return uuid.Must(uuid.NewRandomFromReader(bits)).String() }
	s := sale{number: fmt.Sprint(1_004_370_000 + n), uuid: id(), sku: fmt.Sprintf("SKU-%06d", random.IntN(200_000)),
		email: fmt.Sprintf("customer.%x@shop%d.example", random.Uint32(), random.IntN(50))}
	lines, sku := "", s.sku
	for i := range 3 {
		lines += fmt.Sprintf(`,{"lineItemId":"%d","code":"%s","ean":"70%011d","displayName":"Nordlys Jacket %d","quantity":%d,"placedPrice":%d.90,`+
			`"extendedPrice":%d.80,"taxRate":25,"warehouse":"main"}`, i, sku, random.IntN(1e11), random.IntN(1000), 1+random.IntN(4), random.IntN(4000), random.IntN(9000))
		sku = fmt.Sprintf("SKU-%06d", random.IntN(200_000))
	}
	address := fmt.Sprintf(`{"name":"Kari Lund","line1":"Storgata %d","city":"Tromsø","postalCode":"%04d","countryCode":"NO","phone":"+47%08d","email":"%s"}`,
		random.IntN(200), random.IntN(9999), random.IntN(1e8), s.email)
	s.data = fmt.Appendf(nil, `{"id":"%s","orderNumber":"%s","status":"InProgress","marketId":"no","storeId":"web-no","customerId":"%d","customerName":"Kari Lund",`+
		`"billingAddress":%s,"payments":[{"amount":%d.50,"paymentMethodName":"Card","status":"Processed","transactionId":"%s","transactionType":"Authorization"}],`+
		`"shipments":[{"shipmentId":"1","shippingMethodName":"Home delivery","trackingNumber":"%09d","warehouseCode":"main","address":%s}],"lineItems":[%s],"currency":"NOK"}`,
		s.uuid, s.number, random.IntN(1e7), address, random.IntN(4000), id(), random.IntN(1e9), address, lines[1:])
	return s
}

// BenchmarkBodySearch says how long the first page of a search takes over
// $ORDERHOOK_BODIES recorded deliveries (20,000 by default), what their index
// takes, and how fast it is built.
func BenchmarkBodySearch(b *testing.B) {
	count := 20_000
	if n, err := strconv.Atoi(os.Getenv("ORDERHOOK_BODIES")); err == nil {
		count = n
	}
	db := openTemp(b)
	sales := recordSales(b, db, count)
	indexSales(b, db, count)
	for _, kind := range []struct {
		name  string
		piece func(sale) string
	}{
		{"number", func(s sale) string { return s.number }},
		{"digits", func(s sale) string { return s.number[4:] }},
		{"uuid", func(s sale) string { return s.uuid }},
		{"email", func(s sale) string { return s.email }},
		{"sku", func(s sale) string { return s.sku }},
		{"common", func(sale) string { return "nordlys jacket" }},
		{"absentNumber", func(s sale) string { return "29" + s.number[2:] }},
		{"absentWord", func(sale) string { return "refrigerator" }},
		{"absentShort", func(sale) string { return "qzx" }},
	} {
		b.Run(kind.name, func(b *testing.B) {
			var took []time.Duration
			random := rand.New(rand.NewPCG(3, 4))
			cpu0 := cpuMs()
			for b.Loop() {
				piece := kind.piece(sales[random.IntN(len(sales))])
				began := time.Now()
				_, err := db.Attempts(ctx, acme, store.AttemptFilter{Body: piece}, store.Page{})
				must(b, err)
				took = append(took, time.Since(began))
			}
			b.ReportMetric((cpuMs()-cpu0)/float64(b.N), "cpu-ms")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// indexSales takes all bodies into their index.
func indexSales(b *testing.B, db *core.Store, count int) {
	began, cpu := time.Now(), cpuMs()
	for done := false; !done; {
		var err error
		done, err = db.IndexBodies(ctx, acme, func(context.Context) error { return nil })
		must(b, err)
	}
	took := time.Since(began)
	cpu = cpuMs() - cpu
	var bytes, all int64
	must(b, db.Ask(func(r core.Row) error { return r.Scan(&all) }, `SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`))
	must(b, db.Ask(func(r core.Row) error { return r.Scan(&bytes) }, `SELECT coalesce(sum(length(chunk)), 0) FROM body_chunks`))
	b.Logf("%d bodies: %.0f indexed a second, with %.1f µs of CPU time for each; the index has %d bytes for each, the whole file %d", count,
		float64(count)/took.Seconds(), cpu*1000/float64(count), bytes/int64(count), all/int64(count))
}

// recordSales records an event and its attempt for each sale, and returns a
// part of the sales.
func recordSales(b *testing.B, db *core.Store, count int) (some []sale) {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for from := 0; from < count; from += 1000 {
		must(b, db.Write(ctx, func(tx store.Tx) error {
			for n := from; n < min(from+1000, count); n++ {
				s := newSale(n, random)
				if n%max(count/1000, 1) == 0 {
					some = append(some, s)
				}
				if err := recordSale(tx, s, start.Add(time.Duration(n)*time.Second)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return some
}

func recordSale(tx store.Tx, s sale, at time.Time) error {
	e := &event.Event{ID: ids.NewAt(ids.Event, at), Type: "OrderCreated", Related: event.Related{OrderID: s.uuid}, Timestamp: at, Data: s.data}
	if err := tx.AddEvents(ctx, acme, e); err != nil {
		return err
	}
	return tx.AddAttempt(ctx, acme, saleAttempt(e, at))
}

// saleAttempt is an acknowledged attempt as notify records it.
func saleAttempt(e *event.Event, at time.Time) *attempt.Attempt {
	return &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), Kind: attempt.KindEvent, Number: 1, MaxNumber: 6, StartedAt: at, DurationMs: 1.25,
		URL: "https://hooks.example.com/orders", Host: "hooks.example.com", Status: 200, Outcome: attempt.OutcomeSucceeded, EventType: e.Type,
		Related: e.Related, Delivery: event.DeliveryKey{Event: e.Seq, Endpoint: 1}, Format: event.FormatFull,
		Detail: &attempt.AttemptDetail{
			Request: attempt.Message{Method: "POST", BodyBytes: 1500, Headers: map[string][]string{
				"Content-Type": {"application/json"}, "User-Agent": {"OmniumOms/1.0"}, "X-Attempt": {"1"}, "Webhook-Id": {e.ID},
				"Webhook-Timestamp": {"1767225600"}, "Webhook-Signature": {"***"}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}},
			Response: &attempt.Message{BodyBytes: 15, Headers: map[string][]string{"Content-Type": {"application/json"}, "Content-Length": {"15"},
				"Date": {"Thu, 01 Jan 2026 00:00:00 GMT"}}, Body: []byte(`{"status":"ok"}`)},
			RemoteAddr: "127.0.0.1:8080", Timing: attempt.Timing{FirstByte: 1.125},
		}}
}

func BenchmarkAddAttempt(b *testing.B) {
	db := openTemp(b)
	s := newSale(1, rand.New(rand.NewPCG(1, 2)))
	e := &event.Event{ID: "evt_1", Type: "OrderCreated", Related: event.Related{OrderID: s.uuid}, Timestamp: time.Now(), Data: s.data}
	must(b, db.Write(ctx, func(tx store.Tx) error { return tx.AddEvents(ctx, acme, e) }))
	at := time.Now()
	for n := 0; n < b.N; {
		must(b, db.Write(ctx, func(tx store.Tx) error {
			for range min(200, b.N-n) {
				n++
				e.Seq = int64(n)
				if err := tx.AddAttempt(ctx, acme, saleAttempt(e, at.Add(time.Duration(n)*time.Microsecond))); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func cpuMs() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec)*1000 + float64(u.Utime.Usec+u.Stime.Usec)/1000
}
