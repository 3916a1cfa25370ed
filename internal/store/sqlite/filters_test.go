package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
)

// olderOrders are documents as a version before 00015_filters stored them.
var olderOrders = []string{
	`{}`, `{"storeId":"ÅS-1","errors":[{"status":"Solved"},{"key":"x"}],"externalIds":[{"id":"a"},{"id":"b"},{"id":"a","providerName":"p"}]}`,
	`{"storeId":7,"errors":"none","externalIds":"a"}`, `{"storeId":null,"errors":null,"externalIds":null}`,
	`{"errors":[{"status":"SOLVED"},{"status":" deleted "}],"externalIds":[{"id":12345678901234567890}]}`,
	`{"errors":["x",null,7],"externalIds":["x",null,{"id":""},{"id":null},{"id":true},{"id":{"id":"z"}}]}`,
	`{"errors":[{"status":null}],"externalIds":[{"id":17},{"id":"17"}]}`, `{"errors":[{}],"externalIds":[]}`, `{"errors":[],"externalIds":{"id":"o"}}`,
}

// TestOlderRowsAreFiltered: a database of before finds by the new filters what
// it would find if its rows were written today.
func TestOlderRowsAreFiltered(t *testing.T) {
	path := tempPath(t)
	older(t, path, func(db *sql.DB) {
		for i, doc := range olderOrders {
			execute(t, db, `INSERT INTO orders (tenant, id, version, status_version, created, modified, status, order_type, market_id, customer_email, subscription_id, doc)
				VALUES (?, ?, 1, 1, ?, ?, 'new', '', '', '', '', ?)`, acme, fmt.Sprint("o", i), i, i, doc)
		}
		execute(t, db, `INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, doc)
			VALUES (?, 'done', 'o2', 1, 'succeeded', 1, 1, '{"results":[{"step":"Första"}],"position":{"step":0}}')`, acme)
		for i, doc := range []string{`{}`, `{"results":[{"step":"One"},{"step":"Två","displayName":"ÅTGÄRD"}],"position":{"step":1}}`,
			`{"results":[{"step":"One"}],"position":{"step":1}}`, `{"results":[{"step":"First"}],"position":{"step":0}}`} {
			execute(t, db, `INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, doc) VALUES (?, ?, 'o1', ?, 'aborted', 1, ?, ?)`, acme, fmt.Sprint("r", i), i, i, doc)
		}
	})
	db := openAt(t, path, Options{})
	yes := true
	all := map[string]store.OrderFilter{"with errors": {HasErrors: &yes}, "of a store": {StoreID: "ås-1"}}
	for _, id := range []string{"a", "b", "17", "12345678901234567890", "o", "z", "true", "x"} {
		all["known as "+id] = store.OrderFilter{ExternalID: id}
	}
	found := func() map[string]string {
		out := map[string]string{}
		for name, f := range all {
			l, err := db.Orders(ctx, acme, f, store.Page{})
			must(t, err)
			for _, o := range l.Items {
				out[name] += o.ID + " "
			}
		}
		return out
	}
	migrated := found()
	must(t, db.Write(ctx, func(tx store.Tx) error { return rewrite(tx) }))
	if written := found(); !maps.Equal(migrated, written) || len(written) != 6 {
		t.Errorf("found %q, and if written today %q", migrated, written)
	}
	for step, want := range map[string]int{"one": 0, "TVÅ": 1, "åtgärd": 1, "first": 1, "första": 0} {
		if l, err := db.Runs(ctx, acme, store.RunFilter{Step: step}, store.Page{}); err != nil || len(l.Items) != want {
			t.Errorf("at step %s: %d runs, %v", step, len(l.Items), err)
		}
	}
}

// rewrite stores every order again as it is.
func rewrite(tx store.Tx) error {
	l, err := tx.Orders(ctx, acme, store.OrderFilter{}, store.Page{Limit: store.MaxLimit})
	for _, listed := range l.Items {
		if err != nil {
			return err
		}
		var o *order.Order
		if o, err = tx.Order(ctx, acme, listed.ID); err == nil {
			o.Version++
			err = tx.UpdateOrder(ctx, acme, o)
		}
	}
	if len(l.Items) != len(olderOrders) {
		err = errors.Join(err, apierr.Errorf(apierr.Internal, "%d orders", len(l.Items)))
	}
	return err
}

// older makes a database with the schema before 00015_filters, and fills it.
func older(t *testing.T, path string, fill func(db *sql.DB)) {
	t.Helper()
	migrateTo(t, path, 14)
	db, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	fill(db)
	must(t, db.Close())
}

func execute(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	_, err := db.Exec(text, args...)
	must(t, err)
}
