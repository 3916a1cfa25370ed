package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func testOrders(t *testing.T, s *suite) {
	first := order("o1", 1, `{"total":12.50}`)
	s.insert(first)
	same(t, ok[*oms.Order](t)(s.Order(ctx, acme, "o1")), first)

	second := next(first, "status", "Accepted")
	second.StatusVersion = 2
	s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, second) })
	same(t, ok[*oms.Order](t)(s.Order(ctx, acme, "o1")), second)

	_, err := s.Order(ctx, acme, "o2")
	is(t, err, oms.NotFound)
	if err.Error() != `no order "o2"` {
		t.Error(err)
	}
}

func testOrderVersions(t *testing.T, s *suite) {
	versions := []*oms.Order{order("o1", 1, `{}`)}
	s.insert(versions[0])
	for i := range 3 {
		o := next(versions[i], "total", oms.Number(fmt.Sprintf("%d.10", i)))
		versions = append(versions, o)
		s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, o) })
	}
	for _, want := range versions {
		same(t, ok[*oms.Order](t)(s.OrderVersion(ctx, acme, "o1", want.Version)), want)
	}
	for _, version := range []int64{0, 5} {
		_, err := s.OrderVersion(ctx, acme, "o1", version)
		is(t, err, oms.NotFound)
	}
	_, err := s.OrderVersion(ctx, acme, "o2", 1)
	is(t, err, oms.NotFound)
}

func testOrderDocuments(t *testing.T, s *suite) {
	const fields = `{"total":0.10,"big":123456789012345678901234567890.123456789012345678901234567890,"exp":1.0E+2,"minus":-0,` +
		`"unknownField":{"deep":[{"a":null},[],{},[1,"x",true]]},"text":"quote \" back \\ line \n tab \t nul \u0000 ünï €😀 \u2028 </script>",` +
		`"empty":"","":"no name","tags":["b","a"]}`
	o := order("Ö/1 ?#%", 1, fields)
	s.insert(o)
	got := ok[*oms.Order](t)(s.Order(ctx, acme, o.ID))
	same(t, got, o)
	for _, number := range []string{"0.10", "123456789012345678901234567890.123456789012345678901234567890", "1.0E+2", "-0"} {
		if !strings.Contains(string(got.Doc.JSON()), ":"+number) {
			t.Errorf("%s is not in %s", number, got.Doc.JSON())
		}
	}
	large := order("large", 2, `{"note":"`+strings.Repeat("x", 1<<20)+`"}`)
	s.insert(large)
	same(t, ok[*oms.Order](t)(s.Order(ctx, acme, "large")), large)
}

func testOrderConflicts(t *testing.T, s *suite) {
	first := order("o1", 1, `{}`)
	s.insert(first)
	err := s.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, first) })
	is(t, err, oms.Conflict)
	if err.Error() != `an order "o1" exists already` {
		t.Error(err)
	}
	update := func(o *oms.Order) error {
		return s.Write(ctx, func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, o) })
	}
	is(t, update(first), oms.Stale)
	is(t, update(next(next(first, "a", true), "b", true)), oms.Stale)
	is(t, update(next(order("o2", 1, `{}`), "a", true)), oms.NotFound)
	same(t, ok[*oms.Order](t)(s.Order(ctx, acme, "o1")), first)
}

func testOrderPages(t *testing.T, s *suite) {
	var want []string
	for i := range 25 { // five of each time, so that pages end among equal times
		id := fmt.Sprintf("o%02d", i)
		s.insert(order(id, i/5, `{}`))
		want = append(want, id)
	}
	slices.Reverse(want)
	list := func(p store.Page) (store.List[store.Document], error) {
		return s.Orders(ctx, acme, store.OrderFilter{}, p)
	}
	for _, limit := range []int{1, 3, 5, 24, 25, 26} {
		same(t, ids(pages(t, limit, list), documentID), want)
	}
	full := ok[store.List[store.Document]](t)(list(store.Page{Limit: 25}))
	if full.NextCursor != "" {
		t.Error("a page that holds all has another behind it")
	}
	for i := range 230 {
		s.insert(order(fmt.Sprintf("p%03d", i), 100+i, `{}`))
	}
	for limit, want := range map[int]int{0: store.DefaultLimit, -5: store.DefaultLimit, 1000: store.MaxLimit} {
		if l := ok[store.List[store.Document]](t)(list(store.Page{Limit: limit})); len(l.Items) != want {
			t.Errorf("limit %d: %d, want %d", limit, len(l.Items), want)
		}
	}
}

func testOrderFilters(t *testing.T, s *suite) {
	s.insert(
		order("o1", 1, `{"status":"New","marketId":"SE","orderType":"Online","customerEmail":"Åsa@Example.com","tags":["vip"]}`),
		order("o2", 2, `{"status":"Accepted","marketId":"NO","orderType":"Online","subscriptionId":"sub-1","tags":["vip","b2b"]}`),
		order("o3", 3, `{"status":"ÄNDRAD","marketId":"se","orderType":"Store","tags":null}`))
	for _, test := range []struct {
		name string
		f    store.OrderFilter
		want string
	}{
		{"none", store.OrderFilter{}, "o3 o2 o1"},
		{"status", store.OrderFilter{Status: "accepted"}, "o2"},
		{"status in other letters", store.OrderFilter{Status: "ändrad"}, "o3"},
		{"status not there", store.OrderFilter{Status: "accept"}, ""},
		{"market", store.OrderFilter{MarketID: "Se"}, "o3 o1"},
		{"type", store.OrderFilter{OrderType: "ONLINE"}, "o2 o1"},
		{"email", store.OrderFilter{CustomerEmail: "åsa@example.COM"}, "o1"},
		{"subscription", store.OrderFilter{SubscriptionID: "sub-1"}, "o2"},
		{"subscription, of exact case", store.OrderFilter{SubscriptionID: "SUB-1"}, ""},
		{"tag", store.OrderFilter{Tag: "vip"}, "o2 o1"},
		{"tag, of exact case", store.OrderFilter{Tag: "VIP"}, ""},
		{"from, included", store.OrderFilter{From: at(2)}, "o3 o2"},
		{"to, not included", store.OrderFilter{To: at(2)}, "o1"},
		{"from and to", store.OrderFilter{From: at(2), To: at(3)}, "o2"},
		{"all together", store.OrderFilter{Status: "new", MarketID: "se", OrderType: "online", CustomerEmail: "åsa@example.com",
			Tag: "vip", Text: "example", From: at(1), To: at(2)}, "o1"},
	} {
		wantOrders(t, s, test.name, test.f, test.want)
	}
	moved := next(ok[*oms.Order](t)(s.Order(ctx, acme, "o1")), "status", "Completed")
	s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, moved) })
	wantOrders(t, s, "the status before", store.OrderFilter{Status: "New"}, "")
	wantOrders(t, s, "the status now", store.OrderFilter{Status: "Completed"}, "o1")
}

func wantOrders(t *testing.T, s *suite, name string, f store.OrderFilter, want string) {
	t.Helper()
	count, err := s.OrderCount(ctx, acme, f)
	wantCount(t, f, len(strings.Fields(want)), count, err)
	for _, limit := range []int{1, 50} {
		got := pages(t, limit, func(p store.Page) (store.List[store.Document], error) { return s.Orders(ctx, acme, f, p) })
		if got := strings.Join(ids(got, documentID), " "); got != want {
			t.Errorf("%s, %d a page: %q, want %q", name, limit, got, want)
		}
	}
}

func testOrderSearch(t *testing.T, s *suite) {
	s.insert(
		order("o1", 1, `{"customerName":"Åsa Öberg","orderForm":{"lineItems":[{"code":"SKU-100%_A","placedPrice":149.90}]}}`),
		order("o2", 2, `{"customerName":"Bo \"the\" Ek\\x","note":"first\nsecond"}`),
		order("o3", 3, `{"customField":{"deep":["needle"]}}`))
	for text, want := range map[string]string{
		"öBERG": "o1", "sku-100%_a": "o1", "100_": "", "149.90": "o1", "149.9": "o1", "149.900": "",
		`"THE"`: "o2", `ek\X`: "o2", "first\nSecond": "o2", `\n`: "",
		"needle": "o3", "customerName": "", "deep": "", `":"`: "", `","`: "", "new": "o3 o2 o1", "O3": "o3",
	} {
		wantOrders(t, s, "search for "+text, store.OrderFilter{Text: text}, want)
	}
}

func testOrderErased(t *testing.T, s *suite) {
	o := order("o1", 1, `{"customerName":"Åsa"}`)
	kept := order("o2", 2, `{}`)
	s.insert(o, kept)
	s.write(func(tx store.Tx) error {
		for _, id := range []string{"o1", "o2"} {
			if err := fill(tx, acme, id); err != nil {
				return err
			}
		}
		return tx.UpdateOrder(ctx, acme, next(o, "status", "Deleted"))
	})
	s.erase(acme, "o1")

	for _, version := range []int64{1, 2} {
		_, err := s.OrderVersion(ctx, acme, "o1", version)
		is(t, err, oms.NotFound)
	}
	_, err := s.Order(ctx, acme, "o1")
	is(t, err, oms.NotFound)
	_, err = s.Run(ctx, acme, "run-o1")
	is(t, err, oms.NotFound)
	if h := ok[store.List[oms.HistoryEntry]](t)(s.History(ctx, acme, "o1", store.Page{})); len(h.Items) != 0 {
		t.Errorf("history: %v", h.Items)
	}
	bare := ok[*oms.Attempt](t)(s.Attempt(ctx, acme, "att-o1"))
	want := attempt("att-o1", "o1", 1)
	want.Detail.Request.Body, want.Detail.Response.Body = nil, nil
	want.Detail.Request.Headers, want.Detail.Response.Headers, want.Warnings = nil, nil, nil
	same(t, bare, want)

	same(t, ok[*oms.Order](t)(s.Order(ctx, acme, "o2")), kept)
	same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, "att-o2")), attempt("att-o2", "o2", 1))
	ok[*oms.Run](t)(s.Run(ctx, acme, "run-o2"))
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, "o1") }), oms.NotFound)
	s.insert(o) // its id is free again
}

// fill gives an order one of everything.
func fill(tx store.Tx, tenant, id string) error {
	if err := tx.AddHistory(ctx, tenant, id, oms.HistoryEntry{ID: "his-" + id, Timestamp: at(1), Operation: oms.OpCreated}); err != nil {
		return err
	}
	if err := tx.InsertRun(ctx, tenant, run("run-"+id, id, 1)); err != nil {
		return err
	}
	return tx.AddAttempt(ctx, tenant, attempt("att-"+id, id, 1))
}

// testOrderUnless proves that who holds the current version is told so, within
// a transaction too.
func testOrderUnless(t *testing.T, s *suite) {
	first := order("o1", 1, `{"total":0.10}`)
	s.insert(first)
	if o := ok[*oms.Order](t)(s.OrderUnless(ctx, acme, first)); o != nil {
		t.Errorf("version 1 is current, got %v", o)
	}
	same(t, string(ok[*oms.Order](t)(s.OrderUnless(ctx, acme, &oms.Order{ID: "o1", Version: 7})).Doc.JSON()), string(first.Doc.JSON()))
	s.write(func(tx store.Tx) error {
		second := next(first, "Other", true)
		if err := tx.UpdateOrder(ctx, acme, second); err != nil {
			return err
		}
		o := ok[*oms.Order](t)(tx.OrderUnless(ctx, acme, first))
		same(t, []int64{o.Version, o.StatusVersion}, []int64{second.Version, second.StatusVersion})
		return nil
	})
	_, err := s.OrderUnless(ctx, acme, &oms.Order{ID: "none", Version: 1})
	is(t, err, oms.NotFound)
	_, err = s.OrderUnless(ctx, other, &oms.Order{ID: "o1"})
	is(t, err, oms.NotFound)

	// A write that holds an older version is told so before it is committed,
	// whether it changes the order or only rests on it.
	second := ok[*oms.Order](t)(s.Order(ctx, acme, "o1"))
	for _, changes := range []bool{true, false} {
		tries := 0
		s.write(func(tx store.Tx) error {
			tries++
			newer, err := tx.OrderUnless(ctx, acme, first)
			if err != nil {
				return err
			}
			held := first
			if newer != nil {
				held = newer
			}
			if changes {
				return tx.UpdateOrder(ctx, acme, next(held, "after", oms.Number(fmt.Sprint(held.Version))))
			}
			return tx.AddHistory(ctx, acme, "o1", oms.HistoryEntry{ID: fmt.Sprint("h-", held.Version), Timestamp: at(1)})
		})
		same(t, tries, 2)
	}
	third := ok[*oms.Order](t)(s.Order(ctx, acme, "o1"))
	same(t, string(third.Doc.JSON()), string(next(second, "after", oms.Number(fmt.Sprint(second.Version))).Doc.JSON()))
	history := ok[store.List[oms.HistoryEntry]](t)(s.History(ctx, acme, "o1", store.Page{}))
	same(t, history.Items[0].ID, "h-"+fmt.Sprint(third.Version))
}
