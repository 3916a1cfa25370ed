package postgres

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/pgtest"
	"github.com/orderhook/orderhook/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestStore runs the suite, and then looks at how the server goes about everything that
// was asked and written in it.
func TestStore(t *testing.T) {
	asked := &asked{texts: map[string][]any{}}
	t.Run("Suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Database {
			url := pgtest.Database(t, Migrate)
			return func(clock func() time.Time, _ bool) (store.Store, error) {
				config, err := parse(url)
				if err != nil {
					return nil, err
				}
				config.pool.ConnConfig.Tracer = asked
				return openWith(ctx, config, Options{EncryptionKey: testKey, Clock: clock, Log: slog.New(slog.DiscardHandler)})
			}
		})
	})
	t.Run("Plans", asked.test)
	t.Run("Tenants", asked.tenants)
}

const (
	testKey = "key of the tests, which is long enough"
	acme    = "acme"
)

var ctx = context.Background()

// openTemp opens a new database for the time of a test.
func openTemp(t *testing.T) *DB {
	t.Helper()
	return openAt(t, pgtest.Database(t, Migrate), nil, Options{})
}

// openAt opens the database of a URL until the test ends; change alters how connections
// are made, if it is given.
func openAt(t *testing.T, url string, change func(*config), o Options) *DB {
	t.Helper()
	config, err := parse(url)
	must(t, err)
	if change != nil {
		change(config)
	}
	o.EncryptionKey, o.Log = testKey, slog.New(slog.DiscardHandler)
	db, err := openWith(ctx, config, o)
	must(t, err)
	t.Cleanup(func() {
		if !db.engine.closed.Load() {
			must(t, db.Close())
		}
	})
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind apierr.Kind) {
	t.Helper()
	if err == nil || apierr.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %d", err, kind)
	}
}

func testOrder(id string) *order.Order {
	doc := jsondoc.NewObject(jsondoc.Member{Name: "id", Value: id}, jsondoc.Member{Name: "status", Value: "New"})
	return &order.Order{ID: id, Version: 1, StatusVersion: 1, Created: time.Unix(1, 0), Modified: time.Unix(1, 0), Doc: doc}
}

// insert returns a write that stores a new order.
func insert(id string) func(store.Tx) error {
	return func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, testOrder(id)) }
}

func has(t *testing.T, db *DB, id string) bool {
	t.Helper()
	_, err := db.Order(ctx, acme, id)
	if err != nil && apierr.KindOf(err) != apierr.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

func newEvent(id, subject string) *event.Event {
	return &event.Event{ID: id, Type: "Something", Subject: event.Subject{Kind: "thing", ID: subject}, Timestamp: time.Unix(1, 0), Data: jsontext.Value(`{}`)}
}

// putEndpoint stores an endpoint that wants everything.
func putEndpoint(t *testing.T, db *DB, ordering event.Ordering) *event.Endpoint {
	t.Helper()
	e := &event.Endpoint{ID: "ep", Origin: event.OriginAPI, URL: "https://example.com", EventTypes: []string{"*"}, Enabled: true,
		Schedule: event.DefaultSchedule, Ordering: ordering}
	must(t, db.Write(ctx, func(tx store.Tx) error { e.No = 0; return tx.PutEndpoint(ctx, acme, e) }))
	return e
}

// number returns the one number that a question finds.
func number(t *testing.T, db *DB, text string) (n int64) {
	t.Helper()
	must(t, db.engine.QueryOnce(ctx, func(r core.Row) error { return r.Scan(&n) }, text))
	return n
}
