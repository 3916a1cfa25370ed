package event_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/stock"
)

// ofSocks is an item of which so much is available.
func ofSocks(t testing.TB, available string) *stock.StockItem {
	t.Helper()
	s, err := stock.ParseStockItem("oslo-1:SOCK", jsondoc.NewObject(jsondoc.Pair("sku", "SOCK"), jsondoc.Pair("warehouseCode", "oslo-1"), jsondoc.Pair("available", jsondoc.Number(available))), ordertest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The row of stock items in docs/contract.md#event-types.
func TestStockEvents(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"0", "1", "stock_item_back_in_stock"}, {"-3", "0.001", "stock_item_back_in_stock"}, {"0.00", "5", "stock_item_back_in_stock"},
		{"1", "0", "stock_item_out_of_stock"}, {"0.001", "-2", "stock_item_out_of_stock"}, {"5", "0.00", "stock_item_out_of_stock"},
		{"1", "2", ""}, {"5", "0.1", ""}, {"0", "-1", ""}, {"-1", "0", ""}, {"-1", "-1", ""}, {"7", "7.0", ""},
	} {
		before, after := ofSocks(t, c.before), ofSocks(t, c.after)
		events := event.StockEvents(before, after, ordertest.Noon)
		if c.want == "" {
			if len(events) > 0 {
				t.Errorf("%s to %s: %v", c.before, c.after, types(events))
			}
			continue
		}
		if diff := cmp.Diff([]string{c.want + " oslo-1:SOCK"}, types(events)); diff != "" {
			t.Fatalf("%s to %s: %s", c.before, c.after, diff)
		}
		want := &event.Event{ID: events[0].ID, Type: c.want, Subject: event.Subject{Kind: "stockItem", ID: "oslo-1:SOCK"}, Related: event.Related{StockItemID: "oslo-1:SOCK"}, Timestamp: ordertest.Noon, Data: after.Doc().JSON()}
		if diff := cmp.Diff(want, events[0]); diff != "" {
			t.Error(diff)
		}
	}
	for _, first := range []string{"0", "12", "-1"} {
		if events := event.StockEvents(nil, ofSocks(t, first), ordertest.Noon); len(events) > 0 {
			t.Errorf("a first PUT: %v", types(events))
		}
	}
}

// However an item goes up and down, it goes out of stock and comes back in turn.
func TestStockEventsTakeTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := &stock.StockItem{ID: "A", Available: "0", Version: 1}
		last := event.TypeStockItemOutOfStock
		for range rapid.IntRange(1, 20).Draw(t, "adjustments") {
			next, err := item.Adjust(jsondoc.Number(rapid.SampledFrom([]string{"1", "-1", "0.5", "-2", "0", "3e0", "-0.1"}).Draw(t, "by")), ordertest.Noon)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range event.StockEvents(item, next, ordertest.Noon) {
				if e.Type == last {
					t.Fatalf("%s twice in a row, from %s to %s", last, item.Available, next.Available)
				}
				last = e.Type
			}
			item = next
		}
	})
}
