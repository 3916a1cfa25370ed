package oms_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
)

func stock(t testing.TB, available string) *oms.StockItem {
	t.Helper()
	s, err := oms.ParseStockItem("oslo-1:SOCK", doc(t, `{"sku":"SOCK","warehouseCode":"oslo-1","available":`+available+`}`), noon)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStockItem(t *testing.T) {
	s, err := oms.ParseStockItem("A", doc(t, `{"SKU":"SOCK","WarehouseCode":"oslo-1","Available":12.50}`), noon)
	if err != nil {
		t.Fatal(err)
	}
	same(t, s.Doc(), `{"id":"A","sku":"SOCK","warehouseCode":"oslo-1","available":12.50,"version":1,"created":"2026-11-21T12:00:00.000000Z","modified":"2026-11-21T12:00:00.000000Z"}`)
	later := noon.Add(time.Hour)
	next, err := oms.ParseStockItem("A", doc(t, `{"available":-1}`), later)
	if err != nil {
		t.Fatal(err)
	}
	next.Replace(s)
	same(t, next.Doc(), `{"id":"A","sku":"","warehouseCode":"","available":-1,"version":2,"created":"2026-11-21T12:00:00.000000Z","modified":"2026-11-21T13:00:00.000000Z"}`)
}

func TestStockItemsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		id, body string
		at       []string
	}{
		{"A", `{}`, []string{"available"}},
		{"A", `{"available":null}`, []string{"available"}},
		{"A", `{"available":"12"}`, []string{"available"}},
		{"A", `{"available":1e999999999}`, []string{"available"}},
		{"A", `{"available":1,"sku":7,"warehouseCode":[]}`, []string{"sku", "warehouseCode"}},
		{"A", `{"available":1,"quantity":2}`, []string{"quantity"}},
		{"A", `{"available":1,"id":"B"}`, []string{"id"}},
		{"", `{"available":1}`, []string{"id"}},
		{strings.Repeat("x", 201), `{}`, []string{"id", "available"}},
	} {
		_, err := oms.ParseStockItem(c.id, doc(t, c.body), noon)
		refused(t, err, oms.Invalid, "")
		if diff := cmp.Diff(c.at, locations(err)); diff != "" {
			t.Errorf("%s: %s", c.body, diff)
		}
	}
}

func TestAdjustmentsThatAreRefused(t *testing.T) {
	for body, at := range map[string]string{
		`{}`: "by", `{"by":null}`: "by", `{"by":"-3"}`: "by", `{"by":1e99999}`: "by", `{"by":1,"available":2}`: "available",
	} {
		_, err := oms.ParseAdjustment(doc(t, body))
		refused(t, err, oms.Invalid, "")
		if diff := cmp.Diff([]string{at}, locations(err)); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
	_, err := stock(t, "1").Adjust("1e-600", noon)
	refused(t, err, oms.Invalid, "by: ")
	_, err = stock(t, "1").Adjust("1e5000", noon)
	refused(t, err, oms.Invalid, "by: ")
}

func TestAdjustIsExact(t *testing.T) {
	for _, c := range []struct{ available, by, want string }{
		{"12", "-3", "9"}, {"0.1", "0.2", "0.3"}, {"12.50", "-12.5", "0.00"}, {"1", "1e2", "101"}, {"3", "-3.0", "0.0"},
		{"9007199254740993", "1", "9007199254740994"}, {"1e3", "-1", "999"}, {"-2", "1.75", "-0.25"},
	} {
		before := stock(t, c.available)
		after, err := before.Adjust(oms.Number(c.by), noon.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if after.Available != oms.Number(c.want) || after.Version != 2 || !after.Created.Equal(noon) || !after.Updated.Equal(noon.Add(time.Minute)) {
			t.Errorf("%s by %s: %+v, want %s", c.available, c.by, after, c.want)
		}
		if before.Available != oms.Number(c.available) {
			t.Errorf("the item itself became %s", before.Available)
		}
	}
}

// The last row of CONTRACT.md's table of events.
func TestStockEvents(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"0", "1", "stock_item_back_in_stock"}, {"-3", "0.001", "stock_item_back_in_stock"}, {"0.00", "5", "stock_item_back_in_stock"},
		{"1", "0", "stock_item_out_of_stock"}, {"0.001", "-2", "stock_item_out_of_stock"}, {"5", "0.00", "stock_item_out_of_stock"},
		{"1", "2", ""}, {"5", "0.1", ""}, {"0", "-1", ""}, {"-1", "0", ""}, {"-1", "-1", ""}, {"7", "7.0", ""},
	} {
		before, after := stock(t, c.before), stock(t, c.after)
		events := oms.StockEvents(before, after, noon)
		if c.want == "" {
			if len(events) > 0 {
				t.Errorf("%s to %s: %v", c.before, c.after, types(events))
			}
			continue
		}
		if diff := cmp.Diff([]string{c.want + " oslo-1:SOCK"}, types(events)); diff != "" {
			t.Fatalf("%s to %s: %s", c.before, c.after, diff)
		}
		want := &oms.Event{ID: events[0].ID, Type: c.want, Subject: oms.Subject{Kind: "stockItem", ID: "oslo-1:SOCK"}, Related: oms.Related{StockItemID: "oslo-1:SOCK"}, Timestamp: noon, Data: after.Doc().JSON()}
		if diff := cmp.Diff(want, events[0]); diff != "" {
			t.Error(diff)
		}
	}
	for _, first := range []string{"0", "12", "-1"} {
		if events := oms.StockEvents(nil, stock(t, first), noon); len(events) > 0 {
			t.Errorf("a first PUT: %v", types(events))
		}
	}
}

// However an item goes up and down, it goes out of stock and comes back in turn.
func TestStockEventsTakeTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := &oms.StockItem{ID: "A", Available: "0", Version: 1}
		last := oms.TypeStockItemOutOfStock
		for range rapid.IntRange(1, 20).Draw(t, "adjustments") {
			next, err := item.Adjust(oms.Number(rapid.SampledFrom([]string{"1", "-1", "0.5", "-2", "0", "3e0", "-0.1"}).Draw(t, "by")), noon)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range oms.StockEvents(item, next, noon) {
				if e.Type == last {
					t.Fatalf("%s twice in a row, from %s to %s", last, item.Available, next.Available)
				}
				last = e.Type
			}
			item = next
		}
	})
}
