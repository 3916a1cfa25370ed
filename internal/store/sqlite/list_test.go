package sqlite

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// TestListsUseIndexes keeps the lists that are asked for all the time from
// reading a whole table, or sorting it.
func TestListsUseIndexes(t *testing.T) {
	db := openTemp(t)
	after := &store.Cursor{At: 1, ID: "x"}
	orders := func(f store.OrderFilter) (string, []any) { return ordersLike(acme, f, after, 51) }
	wantIndex(t, db, "orders_created")(orders(store.OrderFilter{}))
	wantIndex(t, db, "orders_created")(orders(store.OrderFilter{MarketID: "SE", Tag: "vip", Text: "x"}))
	wantIndex(t, db, "orders_status")(orders(store.OrderFilter{Status: "New"}))
	wantIndex(t, db, "orders_email")(orders(store.OrderFilter{CustomerEmail: "a@example.com"}))
	wantIndex(t, db, "orders_subscription")(orders(store.OrderFilter{SubscriptionID: "sub"}))
	runs := func(f store.RunFilter) (string, []any) {
		l, selected := runsLike(acme, f)
		return l.newestFirst(selected, "created", after, 51)
	}
	wantIndex(t, db, "runs_created")(runs(store.RunFilter{}))
	wantIndex(t, db, "runs_created")(runs(store.RunFilter{Status: oms.RunWaiting}))
	text, args := runs(store.RunFilter{OrderID: "o1", Status: oms.RunWaiting})
	if got := plan(t, db, text, args); !strings.Contains(got, "SEARCH runs USING INDEX runs_order (tenant=? AND order_id=?)") {
		t.Errorf("an order's runs: %s", got)
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
