package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// TestAttemptsUseIndexes has each filter use the index of what it names, and
// the index alone where it counts the rows to examine.
func TestAttemptsUseIndexes(t *testing.T) {
	db := openTemp(t)
	about := func(r oms.Related) store.AttemptFilter { return store.AttemptFilter{Related: r} }
	for _, test := range []struct {
		index string
		f     store.AttemptFilter
	}{
		{"attempts_id", store.AttemptFilter{Host: "example.com", StatusFilter: store.StatusFilter{NoStatus: true}, Endpoint: 1, Kind: "event", From: time.Unix(1, 0), To: time.Unix(2, 0)}},
		{"attempts_delivery", store.AttemptFilter{Delivery: &oms.DeliveryKey{Event: 1, Endpoint: 2}, CallID: "dlv_evt_1.2", RunID: "r"}},
		{"attempts_delivery", store.AttemptFilter{CallID: "dlv_evt_1.2"}},
		{"attempts_call", store.AttemptFilter{CallID: "c1"}},
		{"attempts_run", store.AttemptFilter{RunID: "r1", Related: oms.Related{OrderID: "o1"}, From: time.Unix(1, 0)}},
		{"attempts_return", about(oms.Related{ReturnID: "x", OrderID: "o1"})},
		{"attempts_shipment", about(oms.Related{ShipmentID: "x", OrderID: "o1"})},
		{"attempts_order", about(oms.Related{OrderID: "o1", SubscriptionID: "s"})},
		{"attempts_cart", about(oms.Related{CartID: "x"})},
		{"attempts_stock_item", about(oms.Related{StockItemID: "x"})},
		{"attempts_subscription", about(oms.Related{SubscriptionID: "x"})},
	} {
		w := walkOf(acme, test.f)
		wantIndex(t, db, test.index)(w.sql(attemptColumns, "", span{"att_x", "att_a"}, 51))
		wantIndex(t, db, test.index)(w.upwards("a.seq, "+bodyColumns, bodyJoins, span{"att_x", "att_a"}))
		alone := walk{index: w.index, key: w.key, along: w.along}
		text, args := alone.sql(w.key, "", span{"att_x", nil}, 1)
		if steps := plan(t, db, text, args); !strings.Contains(steps, "USING COVERING INDEX "+test.index) {
			t.Errorf("%s alone does not do: %s", test.index, steps)
		}
	}
	all := walkOf(acme, store.AttemptFilter{}).asRecorded(store.AttemptFilter{Host: "x", To: time.Unix(2, 0)})
	wantIndex(t, db, "attempts_tenant")(all.upwards("a.seq, "+bodyColumns, bodyJoins, span{int64(9), int64(1)}))
}

// addAttempts records so many attempts, every hundredth of another status.
func addAttempts(t *testing.T, db *DB, count int) {
	t.Helper()
	must(t, db.Write(ctx, func(tx store.Tx) error {
		for n := range count {
			a := &oms.Attempt{ID: oms.NewIDAt(oms.AttemptID, time.Unix(int64(n), 0)), Kind: oms.KindStep, CallID: fmt.Sprint("c", n), Number: n,
				StartedAt: time.Unix(int64(n), 0), Status: 200, Detail: &oms.AttemptDetail{Request: oms.Message{Body: fmt.Appendf(nil, "body %d", n)}}}
			if n%100 == 7 {
				a.Status, a.Detail.Request.Body = 500, []byte("needle")
			}
			if err := tx.AddAttempt(ctx, acme, a); err != nil {
				return err
			}
		}
		return nil
	}))
}

// TestBoundedPages has a page end when it was worked at enough, and the pages
// together miss nothing.
func TestBoundedPages(t *testing.T) {
	db := openTemp(t)
	db.effort = effort{rows: 150, bodies: 130}
	addAttempts(t, db, 1200)
	for indexed := range 2 {
		for _, f := range []store.AttemptFilter{{StatusFilter: store.StatusFilter{NoStatus: true}}, {StatusFilter: store.StatusFilter{StatusFrom: 500}}, {Body: "needle"}, {Body: "needle", StatusFilter: store.StatusFilter{StatusTo: 200}}} {
			want := 0
			if f.StatusFrom > 0 || f.Body != "" && f.StatusTo == 0 {
				want = 12
			}
			found, short := readShort(t, db, f)
			if !slices.IsSortedFunc(found, func(a, b int) int { return b - a }) || len(slices.Compact(found)) != want {
				t.Errorf("%+v found %v, want %d", f, found, want)
			}
			if short < 1200/150-1 && (f.Body == "" || indexed == 0) {
				t.Errorf("%+v: %d short pages", f, short)
			}
		}
		indexAll(t, db)
	}
}

// readShort reads a list of attempts, and counts its short pages.
func readShort(t *testing.T, db *DB, f store.AttemptFilter) (found []int, short int) {
	t.Helper()
	all, short := readAll(t, func(p store.Page) (store.List[*oms.Attempt], error) { return db.Attempts(ctx, acme, f, p) })
	for _, a := range all {
		found = append(found, a.Number)
	}
	return found, short
}

func indexAll(t *testing.T, db *DB) {
	t.Helper()
	for done := false; !done; {
		var err error
		done, err = db.IndexBodies(ctx, acme, noRest)
		must(t, err)
	}
}

func TestFirstID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(0, 1<<50).Draw(t, "µs"))
		first := firstID(at)
		if id := oms.NewIDAt(oms.AttemptID, at); id < first {
			t.Errorf("%s of %v is before %s", id, at, first)
		}
		if id := oms.NewIDAt(oms.AttemptID, at.Add(-time.Microsecond)); at.UnixMicro() > 0 && id >= first {
			t.Errorf("%s of the microsecond before %v is not before %s", id, at, first)
		}
	})
	if first := firstID(time.Time{}); first > oms.NewIDAt(oms.AttemptID, time.UnixMicro(0)) {
		t.Errorf("the beginning of time is at %s", first)
	}
}

// TestDetail has what is written by hand read as what was given.
func TestDetail(t *testing.T) {
	text := rapid.String()
	headers := rapid.OneOf(rapid.Just(map[string][]string(nil)), rapid.MapOf(text, rapid.SliceOf(text)))
	millis := rapid.Float64Range(0, 1e9)
	message := rapid.Custom(func(t *rapid.T) oms.Message {
		return oms.Message{Method: text.Draw(t, "method"), Headers: headers.Draw(t, "headers"),
			BodyBytes: rapid.Int64().Draw(t, "bytes"), Truncated: rapid.Bool().Draw(t, "truncated")}
	})
	rapid.Check(t, func(t *rapid.T) {
		d := oms.AttemptDetail{Request: message.Draw(t, "request"), RemoteAddr: text.Draw(t, "remote"), TLSVersion: text.Draw(t, "tls"),
			Timing: oms.Timing{DNS: millis.Draw(t, "dns"), Connect: millis.Draw(t, "connect"), TLS: millis.Draw(t, "tls"), FirstByte: millis.Draw(t, "first")}}
		if rapid.Bool().Draw(t, "answered") {
			response := message.Draw(t, "response")
			d.Response = &response
		}
		var got oms.AttemptDetail
		if err := decode(appendDetail(nil, &d), &got, "detail"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestErasedBytes looks for an erased order in every byte of the database.
func TestErasedBytes(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{EncryptionKey: "key of the tests"})
	putEndpoints(t, db, 1, nil)
	const secret = "Åsa-Öberg-secret"
	must(t, db.Write(ctx, func(tx store.Tx) error {
		o := testOrder("o1")
		o.Doc.Set("customerName", secret)
		must(t, tx.InsertOrder(ctx, acme, o))
		next := *o
		next.Version, next.Doc = 2, o.Doc.Clone()
		next.Doc.Set("status", "Done")
		must(t, tx.UpdateOrder(ctx, acme, &next))
		must(t, tx.AddHistory(ctx, acme, "o1", oms.HistoryEntry{ID: "h", Message: secret}))
		must(t, tx.InsertRun(ctx, acme, &oms.Run{ID: "r", OrderID: "o1", Status: oms.RunSucceeded, Results: []oms.StepResult{{Step: secret}}}))
		e := benchEvent(time.Now())
		e.Related, e.Data = oms.Related{OrderID: "o1"}, []byte(`{"customerName":"`+secret+`"}`)
		err := tx.AddEvents(ctx, acme, e)
		must(t, err)
		for n, a := range []*oms.Attempt{saleAttempt(e, time.Unix(1, 0)), saleAttempt(e, time.Unix(2, 0))} {
			a.Detail.Request.Body, a.Detail.Response.Body = []byte(secret), []byte(secret)
			a.Detail.Response.Headers["X"] = []string{secret}
			if a.OrderID = "o1"; n == 1 {
				a.Delivery, a.CallID = oms.DeliveryKey{}, "call"
			}
			must(t, tx.AddAttempt(ctx, acme, a))
		}
		return nil
	}))
	addAttempts(t, db, youngDocs)
	indexAll(t, db)
	if n := countRows(t, db, "body_chunks"); n == 0 {
		t.Error("nothing is in the index")
	}
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, "o1") }))
	if n := countRows(t, db, "body_chunks"); n != 0 {
		t.Errorf("%d chunks are left", n)
	}
	must(t, db.Close())
	files, err := os.ReadDir(path[:strings.LastIndexByte(path, '/')])
	must(t, err)
	for _, f := range files {
		whole, err := os.ReadFile(path[:strings.LastIndexByte(path, '/')+1] + f.Name())
		must(t, err)
		if bytes.Contains(whole, []byte(secret)) {
			t.Errorf("%s still says %s", f.Name(), secret)
		}
	}
}

func countRows(t *testing.T, db *DB, table string) (n int) {
	t.Helper()
	must(t, one(ctx, db.readers, []any{&n}, `SELECT count(*) FROM `+table))
	return n
}
