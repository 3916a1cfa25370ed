package core_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

var ctx = context.Background()

const acme = "acme"

func tempPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "shop.db") }

// openTemp opens a new database for the time of a test.
func openTemp(tb testing.TB) *core.Store { return openAt(tb, tempPath(tb)).Store }

// openAt opens a database, which is closed when the test ends, if that has not
// done it.
func openAt(tb testing.TB, path string) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(ctx, path, sqlite.Options{EncryptionKey: "key of the tests", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if db.Ping(ctx) == nil {
			must(tb, db.Close())
		}
	})
	return db
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func testOrder(id string) *oms.Order {
	doc := oms.NewObject(oms.Member{Name: "id", Value: id}, oms.Member{Name: "status", Value: "New"})
	return &oms.Order{ID: id, Version: 1, StatusVersion: 1, Created: time.Unix(1, 0), Modified: time.Unix(1, 0), Doc: doc}
}

// insert returns a write that stores a new order.
func insert(id string) func(store.Tx) error {
	return func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, testOrder(id)) }
}

// dueList is a listener that keeps what it is told.
type dueList struct {
	due    []store.Due
	behind []int64
}

func (l *dueList) Due(due []store.Due)                   { l.due = append(l.due, due...) }
func (l *dueList) EndpointChanged(string, *oms.Endpoint) {}
func (l *dueList) EndpointDeleted(string, int64)         {}
func (l *dueList) Ended(string, oms.DeliveryKey)         {}
func (l *dueList) Behind(_ string, endpoint int64)       { l.behind = append(l.behind, endpoint) }
func (l *dueList) Unjudged(store.Unjudged)               {}

// receivers are the endpoints that an event became due for.
func (l *dueList) receivers(event string) string {
	var ids []string
	for _, due := range l.due {
		if due.Delivery.EventID == event {
			ids = append(ids, due.Delivery.EndpointID)
		}
	}
	return strings.Join(ids, " ")
}

func testEndpoint(id string) *oms.Endpoint {
	return &oms.Endpoint{ID: id, Origin: oms.OriginAPI, URL: "https://example.com/" + id, EventTypes: []string{"*"}, Enabled: true,
		Schedule: oms.DefaultSchedule, Ordering: oms.OrderingNone}
}

// putEndpoints stores as many endpoints, changed as is said.
func putEndpoints(tb testing.TB, db *core.Store, n int, change func(*oms.Endpoint)) (all []*oms.Endpoint) {
	tb.Helper()
	must(tb, db.Write(ctx, func(tx store.Tx) error {
		all = nil
		for i := range n {
			e := testEndpoint(fmt.Sprint("ep_", i))
			if change != nil {
				change(e)
			}
			if err := tx.PutEndpoint(ctx, acme, e); err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	}))
	return all
}

// benchTime is when the events of tests are of that need no other time.
var benchTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// benchData is a payload of about 1.5 KB.
var benchData = jsontext.Value(`{"id":"ord-1","note":"` + strings.Repeat("text ", 290) + `"}`)

func benchEvent(now time.Time) *oms.Event {
	id := oms.NewIDAt(oms.EventID, now)
	return &oms.Event{ID: id, Type: "OrderAccepted", Subject: oms.Subject{Kind: oms.SubjectOrder, ID: id[4:]},
		Related: oms.Related{OrderID: id[4:]}, Timestamp: now, Data: benchData}
}

func namedEvent(id string) *oms.Event {
	e := benchEvent(benchTime)
	e.ID = id
	return e
}

func publish(tb testing.TB, db *core.Store, events ...*oms.Event) {
	tb.Helper()
	must(tb, db.Write(ctx, func(tx store.Tx) error { return tx.AddEvents(ctx, acme, events...) }))
}

func countRows(t *testing.T, db *core.Store, table string) (n int) {
	t.Helper()
	must(t, db.Ask(func(r core.Row) error { return r.Scan(&n) }, `SELECT count(*) FROM `+table))
	return n
}

func wantKind(t *testing.T, err error, kind oms.Kind) {
	t.Helper()
	if err == nil || oms.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %d", err, kind)
	}
}
