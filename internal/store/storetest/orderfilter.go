package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// orderFilters has one filter for each field of [store.OrderFilter] at least, and says in
// plain Go which of the orders of [manyOrders] it picks.
var orderFilters = map[string]struct {
	set   func(f *store.OrderFilter)
	picks func(i int) bool
}{
	"status":        {func(f *store.OrderFilter) { f.Status = "HELD" }, func(i int) bool { return i%2 == 0 }},
	"market":        {func(f *store.OrderFilter) { f.MarketID = "se" }, func(i int) bool { return i%3 == 0 }},
	"type":          {func(f *store.OrderFilter) { f.OrderType = "store" }, func(i int) bool { return i%3 != 1 }},
	"e-mail":        {func(f *store.OrderFilter) { f.CustomerEmail = "A@example.com" }, func(i int) bool { return i%5 == 0 }},
	"subscription":  {func(f *store.OrderFilter) { f.SubscriptionID = "sub" }, func(i int) bool { return i%5 < 2 }},
	"store":         {func(f *store.OrderFilter) { f.StoreID = "ås-1" }, func(i int) bool { return i%4 == 1 }},
	"external id":   {func(f *store.OrderFilter) { f.ExternalID = "ext-1" }, func(i int) bool { return i%4 < 2 }},
	"other id":      {func(f *store.OrderFilter) { f.ExternalID = "of-7" }, func(i int) bool { return i == 7 }},
	"errors":        {func(f *store.OrderFilter) { f.HasErrors = new(true) }, func(i int) bool { return i%7 < 3 }},
	"no errors":     {func(f *store.OrderFilter) { f.HasErrors = new(false) }, func(i int) bool { return i%7 >= 3 }},
	"modified from": {func(f *store.OrderFilter) { f.ModifiedFrom = at(40) }, func(i int) bool { return i >= 40 || i%11 == 0 }},
	"modified late": {func(f *store.OrderFilter) { f.ModifiedFrom = at(100) }, func(i int) bool { return i%11 == 0 }},
	"from":          {func(f *store.OrderFilter) { f.From = at(10) }, func(i int) bool { return i >= 10 }},
	"to":            {func(f *store.OrderFilter) { f.To = at(45) }, func(i int) bool { return i < 45 }},
	"tag":           {func(f *store.OrderFilter) { f.Tag = "vip" }, func(i int) bool { return i%6 > 2 }},
	"text":          {func(f *store.OrderFilter) { f.Text = "NEEDLE" }, func(i int) bool { return i%9 < 4 }},
}

// manyOrders makes 60 orders, one a second, and the same orders for another tenant. Every
// eleventh is changed later than all were created, so that the order of the changes is
// another one than that of the orders.
func manyOrders(s *suite) {
	s.write(func(tx store.Tx) error {
		for i := range 60 {
			o := filtered(i)
			// All orders are made in one write, because 120 commits would take long.
			err := tx.InsertOrder(ctx, acme, o)
			if err == nil && i%11 == 0 {
				changed := next(o, "changed", true)
				changed.Modified = at(100 + i)
				err = tx.UpdateOrder(ctx, acme, changed)
			}
			if err == nil {
				err = tx.InsertOrder(ctx, other, o) // is never shown to acme
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// filtered returns the i-th of these orders. Its fields depend on different divisors of
// i, so that they do not change together. Letters are written in other cases than the
// filters have them.
func filtered(i int) *order.Order {
	doc := jsondoc.NewObject()
	// A field that is not set is missing in the document, and not null.
	set := func(yes bool, name, value string) {
		if yes {
			v, _ := object(`{"x":` + value + `}`).Get("x")
			doc.Set(name, v)
		}
	}
	set(i%2 == 0, "status", `"Held"`)
	set(i%3 == 0, "marketId", `"SE"`)
	set(i%3 != 1, "orderType", `"Store"`)
	set(i%5 == 0, "customerEmail", `"a@EXAMPLE.com"`)
	set(i%5 < 2, "subscriptionId", `"sub"`)
	set(i%4 == 1, "storeId", `"Ås-1"`)
	set(i%4 == 2, "storeId", `"Ås-2"`)
	// Each order has an id of its own, and many share one in other letters, which the
	// filter must not find.
	set(true, "externalIds", fmt.Sprintf(`[{"id":"of-%d"},{"providerName":"x","id":"EXT-1"}]`, i))
	// These have the same id twice, and must still come once.
	set(i%4 < 2, "externalIds", fmt.Sprintf(`[{"id":"of-%d"},{"id":"ext-1"},{"providerName":"x","id":"ext-1"}]`, i))
	// The first have an error that is open. The second have errors, but none that is
	// open: one that is solved or deleted counts no more.
	set(i%7 < 3, "errors", `[{"key":"a","status":"Solved"},{"key":"b"}]`)
	set(i%7 == 4, "errors", `[{"key":"a","status":"Solved"},{"key":"b","status":"deleted"}]`)
	set(i%6 > 2, "tags", `["vip"]`)
	set(i%9 < 4, "note", `"a needle"`)
	return newOrder(fmt.Sprintf("o%02d", i), i, string(doc.JSON()))
}

// testOrderFilterPairs proves that every filter of orders, alone and together with every
// other one, picks what it says, in pages of several sizes. An engine may choose another
// index for each pair, and a wrong choice shows as an order that is left out or comes
// twice.
func testOrderFilterPairs(t *testing.T, s *suite) {
	manyOrders(s)
	for first, a := range orderFilters {
		for second, b := range orderFilters {
			// Two filters of one field are no pair: the second would replace the first.
			if strings.HasSuffix(first, "id") && strings.HasSuffix(second, "id") && first != second ||
				strings.HasSuffix(first, "errors") && strings.HasSuffix(second, "errors") && first != second ||
				strings.HasPrefix(first, "modified") && strings.HasPrefix(second, "modified") && first != second {
				continue // of one field
			}
			var f store.OrderFilter
			a.set(&f)
			b.set(&f)
			wantPicked(t, s, first+" and "+second, f, func(i int) bool { return a.picks(i) && b.picks(i) })
		}
	}
}

// wantPicked compares the list and the count of a filter with what it has to pick, which
// is given by the numbers of the orders.
func wantPicked(t *testing.T, s *suite, name string, f store.OrderFilter, picks func(i int) bool) {
	t.Helper()
	var want []string
	for i := range 60 {
		if picks(i) {
			want = append(want, fmt.Sprintf("o%02d", i))
		}
	}
	slices.Reverse(want)
	count, err := s.OrderCount(ctx, acme, f)
	wantCount(t, f, len(want), count, err)
	for _, limit := range []int{3, 60} {
		got := idsOf(pages(t, limit, func(p store.Page) (store.List[store.Document], error) { return s.Orders(ctx, acme, f, p) }), documentID)
		if !slices.Equal(got, want) {
			t.Errorf("%s, %d a page: %q, want %q", name, limit, got, want)
		}
	}
}

// testOrderFiltersFollow proves that filters find an order by what it is and not by what
// it was, and that an erased order is found by nothing, also after a new one was stored
// under its id. An engine may keep what filters look for in tables of their own, which
// have to follow the order.
func testOrderFiltersFollow(t *testing.T, s *suite) {
	// One of the two external ids goes, one stays, and a third one comes.
	was := newOrder("o1", 1, `{"storeId":"a","errors":[{"key":"x"}],"externalIds":[{"id":"1"},{"id":"2"}]}`)
	s.insert(was)
	is := next(was, "storeId", "b")
	fields := object(`{"errors":[{"key":"x","status":"Solved"}],"externalIds":[{"id":"2"},{"id":"3"}]}`)
	for _, m := range fields.Members() {
		is.Doc.Set(m.Name, m.Value)
	}
	s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, is) })
	// Filters of the order as it is, and in the loop those of the order as it was.
	byNow := []store.OrderFilter{{StoreID: "b"}, {ExternalID: "2"}, {ExternalID: "3"}, {HasErrors: new(false)}, {ModifiedFrom: at(2)}}
	for _, f := range []store.OrderFilter{{StoreID: "a"}, {ExternalID: "1"}, {HasErrors: new(true)}, {ModifiedFrom: at(3)}} {
		wantOrders(t, s, fmt.Sprintf("%+v, of before", f), f, "")
	}
	for _, f := range byNow {
		wantOrders(t, s, fmt.Sprintf("%+v, of now", f), f, "o1")
	}
	// Each filter follows by itself, too, whatever else of an order stays.
	each := newOrder("o2", 1, `{"status":"a","orderType":"a","marketId":"a","customerEmail":"a","subscriptionId":"a","storeId":"a2"}`)
	s.insert(each)
	for field, of := range map[string]func(value string) store.OrderFilter{
		"status":         func(v string) store.OrderFilter { return store.OrderFilter{Status: v} },
		"orderType":      func(v string) store.OrderFilter { return store.OrderFilter{OrderType: v} },
		"marketId":       func(v string) store.OrderFilter { return store.OrderFilter{MarketID: v} },
		"customerEmail":  func(v string) store.OrderFilter { return store.OrderFilter{CustomerEmail: v} },
		"subscriptionId": func(v string) store.OrderFilter { return store.OrderFilter{SubscriptionID: v} },
		"storeId":        func(v string) store.OrderFilter { return store.OrderFilter{StoreID: v} },
	} {
		before := each.Doc.Text(field)
		each = next(each, field, "other")
		s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, each) })
		wantOrders(t, s, "before, by "+field, of(before), "")
		wantOrders(t, s, "now, by "+field, of("other"), "o2")
	}
	s.erase(acme, "o2")
	s.erase(acme, "o1")
	// What the erased order had left behind would be found under the same id now.
	s.insert(newOrder("o1", 1, `{"errors":[{}]}`))
	for _, f := range byNow {
		wantOrders(t, s, fmt.Sprintf("%+v, of an order that was erased", f), f, "")
	}
}

// testBlankFilters proves that a text that is blank picks nothing: neither all, as if it was
// not given, nor what has no such text.
func testBlankFilters(t *testing.T, s *suite) {
	to := s.put(endpoint("ep-all"))
	s.write(func(tx store.Tx) error {
		for n, doc := range []string{`{}`, `{"status":"Held","marketId":"SE","orderType":"Store","customerEmail":"a@example.com","subscriptionId":"s","storeId":"1","externalIds":[{"id":"1"}]}`} {
			if err := tx.InsertOrder(ctx, acme, newOrder(fmt.Sprint("o", n), n, doc)); err != nil {
				return err
			}
			if err := tx.InsertRun(ctx, acme, &run.Run{ID: fmt.Sprint("run-", n), OrderID: fmt.Sprint("o", n), Status: run.RunAborted, Created: at(n)}); err != nil {
				return err
			}
			a := newAttempt(fmt.Sprint("att-", n), "o1", n)
			if a.EventType = ""; n == 1 {
				a.EventType = "x"
			}
			if err := tx.AddAttempt(ctx, acme, a); err != nil {
				return err
			}
		}
		return tx.AddEvents(ctx, acme, newEvent("e1", "o1"))
	})
	for _, blank := range []string{" ", "\t\n", "\u00a0"} {
		for name, f := range map[string]store.OrderFilter{"status": {Status: blank}, "market": {MarketID: blank}, "type": {OrderType: blank}, "e-mail": {CustomerEmail: blank},
			"subscription": {SubscriptionID: blank}, "store": {StoreID: blank}, "external id": {ExternalID: blank}, "tag": {Tag: blank},
			"two": {StoreID: blank, MarketID: blank}, "one of two": {CustomerEmail: blank, Status: "Held"}, "modified": {StoreID: blank, ModifiedFrom: at(0)}} {
			wantOrders(t, s, fmt.Sprintf("%s %q", name, blank), f, "")
			count, err := s.OrderCount(ctx, acme, f)
			wantCount(t, f, 0, count, err)
		}
		for what, list := range map[string]func() (int, error){
			"runs": func() (int, error) {
				l, err := s.Runs(ctx, acme, store.RunFilter{Step: blank}, store.Page{})
				return len(l.Items), err
			},
			"attempts": func() (int, error) {
				l, err := s.Attempts(ctx, acme, store.AttemptFilter{EventType: blank}, store.Page{})
				return len(l.Items), err
			},
			"attempts of an endpoint": func() (int, error) {
				l, err := s.Attempts(ctx, acme, store.AttemptFilter{EventType: blank, Host: blank, Endpoint: to.No}, store.Page{})
				return len(l.Items), err
			},
			"events": func() (int, error) {
				l, err := s.Events(ctx, acme, store.EventFilter{Type: blank}, store.Page{})
				return len(l.Items), err
			},
			"deliveries": func() (int, error) {
				l, err := s.Deliveries(ctx, acme, store.DeliveryFilter{EventType: blank}, store.Page{})
				return len(l.Items), err
			},
		} {
			if n, err := list(); n != 0 || err != nil {
				t.Errorf("%s %q: %d, %v", what, blank, n, err)
			}
		}
	}
}
