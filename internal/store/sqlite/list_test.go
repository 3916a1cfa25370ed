package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// TestListsUseIndexes keeps the lists that are asked for all the time from
// reading a whole table, or sorting it.
func TestListsUseIndexes(t *testing.T) {
	db := openTemp(t)
	after := &store.Cursor{At: 1, ID: "x"}
	orders := func(f store.OrderFilter) (string, []any) { return stretch{OrderFilter: f}.query(acme, after, 51) }
	wantIndex(t, db, "orders_created")(orders(store.OrderFilter{}))
	wantIndex(t, db, "orders_created")(orders(store.OrderFilter{MarketID: "SE", Tag: "vip", Text: "x"}))
	wantIndex(t, db, "orders_status")(orders(store.OrderFilter{Status: "New"}))
	wantIndex(t, db, "orders_email")(orders(store.OrderFilter{CustomerEmail: "a@example.com"}))
	wantIndex(t, db, "orders_subscription")(orders(store.OrderFilter{SubscriptionID: "sub"}))
	yes, no, since := true, false, time.Unix(1, 0)
	wantIndex(t, db, "orders_errors")(orders(store.OrderFilter{HasErrors: &yes, MarketID: "SE", ModifiedFrom: since}))
	wantIndex(t, db, "orders_created")(orders(store.OrderFilter{HasErrors: &no}))
	wantIndex(t, db, "orders_store")(orders(store.OrderFilter{StoreID: "bergen", From: since}))
	wantIndex(t, db, "order_external_ids_id")(orders(store.OrderFilter{ExternalID: "x", HasErrors: &no}))
	wantIndex(t, db, "orders_created")(orders(store.OrderFilter{ModifiedFrom: since, From: since}))
	runs := func(f store.RunFilter) (string, []any) {
		l, selected := runsLike(acme, f)
		return l.newestFirst(selected, "created", after, 51)
	}
	wantIndex(t, db, "runs_created")(runs(store.RunFilter{}))
	wantIndex(t, db, "runs_created")(runs(store.RunFilter{Status: oms.RunWaiting}))
	wantIndex(t, db, "runs_created")(runs(store.RunFilter{Status: oms.RunSucceeded, Canceled: &no, Step: "x", From: since}))
	for _, f := range []store.RunFilter{{Status: oms.RunAborted, Step: "x", From: since, To: since}, {Canceled: &yes}, {Status: oms.RunCanceled, Canceled: &yes}} {
		wantIndex(t, db, "runs_stopped")(runs(f))
	}
	text, args := runs(store.RunFilter{OrderID: "o1", Status: oms.RunWaiting})
	if got := plan(t, db, text, args); !strings.Contains(got, "SEARCH runs USING INDEX runs_order (tenant=? AND order_id=?)") {
		t.Errorf("an order's runs: %s", got)
	}
}

// TestWhatWasChangedIsFoundByWhenItWas: of the orders that were created before,
// none is looked at that was not changed since.
func TestWhatWasChangedIsFoundByWhenItWas(t *testing.T) {
	db := openTemp(t)
	parts := stretches(store.OrderFilter{ModifiedFrom: time.Unix(1000, 0), MarketID: "SE"})
	text, args := parts[1].query(acme, &store.Cursor{At: 1, ID: "x"}, 51)
	if got := plan(t, db, text, args); !strings.Contains(got, "USING INDEX orders_modified (tenant=? AND modified>?)") {
		t.Errorf("what was created before: %s", got)
	}
	wantIndex(t, db, "orders_created")(parts[0].query(acme, nil, 51))
	if len(parts) != 2 || len(stretches(store.OrderFilter{ModifiedFrom: time.Unix(1000, 0), Status: "New"})) != 1 {
		t.Errorf("the list has the parts %+v", parts)
	}
}

func wantIndex(t *testing.T, db *DB, index string) func(text string, args []any) {
	t.Helper()
	return func(text string, args []any) {
		t.Helper()
		all := plan(t, db, text, args)
		if !strings.Contains(all, "USING INDEX "+index+" ") && !strings.Contains(all, "USING COVERING INDEX "+index+" ") {
			t.Errorf("does not use %s: %s", index, all)
		}
		if strings.Contains(all, "TEMP B-TREE") {
			t.Errorf("sorts: %s", all)
		}
	}
}

// plan returns how SQLite goes about a query.
func plan(t *testing.T, db *DB, text string, args []any) string {
	t.Helper()
	steps, err := collect(ctx, db.readers.queryOnce, func(r row) (step string, err error) {
		var id, parent, unused int
		err = r.Scan(&id, &parent, &unused, &step)
		return step, err
	}, "EXPLAIN QUERY PLAN "+text, args...)
	must(t, err)
	return strings.Join(steps, "; ")
}
