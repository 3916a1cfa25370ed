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

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
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
	return openClocked(tb, path, time.Now)
}

// openClocked is openAt with a clock of the test.
func openClocked(tb testing.TB, path string, clock func() time.Time) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(ctx, path, sqlite.Options{EncryptionKey: "key of the tests", Clock: clock, Log: slog.New(slog.DiscardHandler)})
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

// completeIn is CompleteDeliveries for a test that does not ask which were recorded before.
func completeIn(tx store.Tx, tenant string, list ...store.Completion) error {
	_, err := tx.CompleteDeliveries(ctx, tenant, list...)
	return err
}

func testOrder(id string) *order.Order {
	doc := jsondoc.NewObject(jsondoc.Member{Name: "id", Value: id}, jsondoc.Member{Name: "status", Value: "New"})
	return &order.Order{ID: id, Version: 1, StatusVersion: 1, Created: time.Unix(1, 0), Modified: time.Unix(1, 0), Doc: doc}
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

func (l *dueList) Due(due []store.Due)                            { l.due = append(l.due, due...) }
func (l *dueList) EndpointChanged(string, *event.Endpoint, int64) {}
func (l *dueList) EndpointDeleted(string, int64, int64)           {}
func (l *dueList) Ended(string, event.DeliveryKey)                {}
func (l *dueList) Behind(_ string, endpoint int64)                { l.behind = append(l.behind, endpoint) }
func (l *dueList) FilterFailed(store.FilterFailure)               {}

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

func testEndpoint(id string) *event.Endpoint {
	return &event.Endpoint{ID: id, Origin: event.OriginAPI, URL: "https://example.com/" + id, EventTypes: []string{"*"}, Enabled: true,
		Schedule: event.DefaultSchedule, Ordering: event.OrderingNone}
}

// putEndpoints stores as many endpoints, changed as is said.
func putEndpoints(tb testing.TB, db *core.Store, n int, change func(*event.Endpoint)) (all []*event.Endpoint) {
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

func benchEvent(now time.Time) *event.Event {
	id := ids.NewAt(ids.Event, now)
	return &event.Event{ID: id, Type: "OrderAccepted", Subject: event.Subject{Kind: event.SubjectOrder, ID: id[4:]},
		Related: event.Related{OrderID: id[4:]}, Timestamp: now, Data: benchData}
}

func namedEvent(id string) *event.Event {
	e := benchEvent(benchTime)
	e.ID = id
	return e
}

func publish(tb testing.TB, db *core.Store, events ...*event.Event) {
	tb.Helper()
	must(tb, db.Write(ctx, func(tx store.Tx) error { return tx.AddEvents(ctx, acme, events...) }))
}

func countRows(t *testing.T, db *core.Store, table string) (n int) {
	t.Helper()
	must(t, db.Ask(func(r core.Row) error { return r.Scan(&n) }, `SELECT count(*) FROM `+table))
	return n
}

func wantKind(t *testing.T, err error, kind apierr.Kind) {
	t.Helper()
	if err == nil || apierr.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %d", err, kind)
	}
}
