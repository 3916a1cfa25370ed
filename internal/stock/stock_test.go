package stock_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/stock"
)

// stocked is an item of which so much is available.
func stocked(t testing.TB, available string) *stock.StockItem {
	t.Helper()
	s, err := stock.ParseStockItem("oslo-1:SOCK", ordertest.Doc(t, `{"sku":"SOCK","warehouseCode":"oslo-1","available":`+available+`}`), ordertest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStockItem(t *testing.T) {
	s, err := stock.ParseStockItem("A", ordertest.Doc(t, `{"SKU":"SOCK","WarehouseCode":"oslo-1","Available":12.50}`), ordertest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	ordertest.Same(t, s.Doc(), `{"id":"A","sku":"SOCK","warehouseCode":"oslo-1","available":12.50,"version":1,"created":"2026-11-21T12:00:00.000000Z","modified":"2026-11-21T12:00:00.000000Z"}`)
	later := ordertest.Noon.Add(time.Hour)
	next, err := stock.ParseStockItem("A", ordertest.Doc(t, `{"available":-1}`), later)
	if err != nil {
		t.Fatal(err)
	}
	next.Replace(s)
	ordertest.Same(t, next.Doc(), `{"id":"A","sku":"","warehouseCode":"","available":-1,"version":2,"created":"2026-11-21T12:00:00.000000Z","modified":"2026-11-21T13:00:00.000000Z"}`)
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
		_, err := stock.ParseStockItem(c.id, ordertest.Doc(t, c.body), ordertest.Noon)
		ordertest.Refused(t, err, apierr.Invalid, "")
		if diff := cmp.Diff(c.at, ordertest.Locations(err)); diff != "" {
			t.Errorf("%s: %s", c.body, diff)
		}
	}
}

func TestABodyMayRepeatWhatIsStored(t *testing.T) {
	s := stocked(t, "2")
	again, err := stock.ParseStockItem(s.ID, s.Doc(), ordertest.Noon)
	if err != nil || again.SKU != s.SKU || stock.CheckOwn(s.Doc(), s) != nil {
		t.Errorf("what is stored is refused: %v, %v", err, stock.CheckOwn(s.Doc(), s))
	}
	if err := stock.CheckOwn(ordertest.Doc(t, `{"VERSION":1.0,"created":"2026-11-21T13:00:00+01:00","modified":null}`), s); err != nil {
		t.Errorf("written in another way: %v", err)
	}
	for body, at := range map[string][]string{
		`{"version":2,"created":"2026-11-21T12:00:00Z"}`:                       {"version"},
		`{"created":"2026-11-22T12:00:00Z","modified":"2026-11-22T12:00:00Z"}`: {"created", "modified"},
	} {
		if diff := cmp.Diff(at, ordertest.Locations(stock.CheckOwn(ordertest.Doc(t, body), s))); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
	if diff := cmp.Diff([]string{"version", "created", "modified"}, ordertest.Locations(stock.CheckOwn(s.Doc(), nil))); diff != "" {
		t.Errorf("of an item that is not stored: %s", diff)
	}
}

func TestAdjustmentsThatAreRefused(t *testing.T) {
	for body, at := range map[string]string{
		`{}`: "by", `{"by":null}`: "by", `{"by":"-3"}`: "by", `{"by":1e99999}`: "by", `{"by":1,"available":2}`: "available",
	} {
		_, err := stock.ParseAdjustment(ordertest.Doc(t, body))
		ordertest.Refused(t, err, apierr.Invalid, "")
		if diff := cmp.Diff([]string{at}, ordertest.Locations(err)); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
	_, err := stocked(t, "1").Adjust("1e-600", ordertest.Noon)
	ordertest.Refused(t, err, apierr.Invalid, "by: ")
	_, err = stocked(t, "1").Adjust("1e5000", ordertest.Noon)
	ordertest.Refused(t, err, apierr.Invalid, "by: ")
}

func TestAdjustIsExact(t *testing.T) {
	for _, c := range []struct{ available, by, want string }{
		{"12", "-3", "9"}, {"0.1", "0.2", "0.3"}, {"12.50", "-12.5", "0.00"}, {"1", "1e2", "101"}, {"3", "-3.0", "0.0"},
		{"9007199254740993", "1", "9007199254740994"}, {"1e3", "-1", "999"}, {"-2", "1.75", "-0.25"},
	} {
		before := stocked(t, c.available)
		after, err := before.Adjust(jsondoc.Number(c.by), ordertest.Noon.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if after.Available != jsondoc.Number(c.want) || after.Version != 2 || !after.Created.Equal(ordertest.Noon) || !after.Updated.Equal(ordertest.Noon.Add(time.Minute)) {
			t.Errorf("%s by %s: %+v, want %s", c.available, c.by, after, c.want)
		}
		if before.Available != jsondoc.Number(c.available) {
			t.Errorf("the item itself became %s", before.Available)
		}
	}
}
