package sqlite

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Database {
		path := tempPath(t)
		return func(clock func() time.Time, beside bool) (store.Store, error) {
			return Open(ctx, path, Options{Clock: clock, Exclusive: !beside, Log: slog.New(slog.DiscardHandler)})
		}
	})
}

var ctx = context.Background()

const acme = "acme"

func tempPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "shop 1%.db") }

// openTemp opens a new database for the time of a test.
func openTemp(tb testing.TB) *DB {
	return openAt(tb, tempPath(tb), Options{EncryptionKey: "key of the tests"})
}

func openAt(tb testing.TB, path string, o Options) *DB {
	tb.Helper()
	db, err := Open(ctx, path, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if !db.engine.readers.closed.Load() {
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

func wantKind(t *testing.T, err error, kind apierr.Kind) {
	t.Helper()
	if err == nil || apierr.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %d", err, kind)
	}
}
