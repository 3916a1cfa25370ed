package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// testOrders proves that an order comes back as it was stored, and as it is after a
// change. The error for an order that does not exist names it, because callers of the API
// see that text.
func testOrders(t *testing.T, s *suite) {
	first := newOrder("o1", 1, `{"total":12.50}`)
	s.insert(first)
	same(t, ok[*order.Order](t)(s.Order(ctx, acme, "o1")), first)

	second := next(first, "status", "Accepted")
	// The version in which the status was set is stored beside the version itself.
	second.StatusVersion = 2
	s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, second) })
	same(t, ok[*order.Order](t)(s.Order(ctx, acme, "o1")), second)

	_, err := s.Order(ctx, acme, "o2")
	is(t, err, apierr.NotFound)
	// The text is a part of the API's answers, so both engines must have the same.
	if err.Error() != `no order "o2"` {
		t.Error(err)
	}
}

// testOrderVersions proves that every version of an order can be read as it was, and that
// other versions, and versions of an order that does not exist, are not found.
func testOrderVersions(t *testing.T, s *suite) {
	versions := []*order.Order{newOrder("o1", 1, `{}`)}
	s.insert(versions[0])
	for i := range 3 {
		o := next(versions[i], "total", jsondoc.Number(fmt.Sprintf("%d.10", i)))
		versions = append(versions, o)
		s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, o) })
	}
	for _, want := range versions {
		same(t, ok[*order.Order](t)(s.OrderVersion(ctx, acme, "o1", want.Version)), want)
	}
	// Versions begin with 1, and four were stored.
	for _, version := range []int64{0, 5} {
		_, err := s.OrderVersion(ctx, acme, "o1", version)
		is(t, err, apierr.NotFound)
	}
	_, err := s.OrderVersion(ctx, acme, "o2", 1)
	is(t, err, apierr.NotFound)
}

// testOrderDocuments proves that a document comes back as it was: numbers to the last
// digit and in the same form, unknown fields, deep and empty values, and every sort of
// text. An id may have any characters. A document of a megabyte is no problem.
func testOrderDocuments(t *testing.T, s *suite) {
	// The numbers are those that a program would change if it read them as floats.
	const fields = `{"total":0.10,"big":123456789012345678901234567890.123456789012345678901234567890,"exp":1.0E+2,"minus":-0,` +
		`"unknownField":{"deep":[{"a":null},[],{},[1,"x",true]]},"text":"quote \" back \\ line \n tab \t nul \u0000 ünï €😀 \u2028 </script>",` +
		`"empty":"","":"no name","tags":["b","a"]}`
	o := newOrder("Ö/1 ?#%", 1, fields)
	s.insert(o)
	got := ok[*order.Order](t)(s.Order(ctx, acme, o.ID))
	same(t, got, o)
	// Prices are compared as text: 0.1 is the same number as 0.10, and not what the
	// caller sent.
	for _, number := range []string{"0.10", "123456789012345678901234567890.123456789012345678901234567890", "1.0E+2", "-0"} {
		if !strings.Contains(string(got.Doc.JSON()), ":"+number) {
			t.Errorf("%s is not in %s", number, got.Doc.JSON())
		}
	}
	large := newOrder("large", 2, `{"note":"`+strings.Repeat("x", 1<<20)+`"}`)
	s.insert(large)
	same(t, ok[*order.Order](t)(s.Order(ctx, acme, "large")), large)
}

// testOrderConflicts proves that an order cannot be made twice, and can be changed only
// from the version that is stored. A change that was decided on an older version is
// stale, so that no change is lost. What was refused has changed nothing.
func testOrderConflicts(t *testing.T, s *suite) {
	first := newOrder("o1", 1, `{}`)
	s.insert(first)
	err := s.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, first) })
	is(t, err, apierr.Conflict)
	// This text, too, is what callers see.
	if err.Error() != `an order "o1" exists already` {
		t.Error(err)
	}
	// Each change is a write of its own, so one that is refused undoes nothing else.
	update := func(o *order.Order) error {
		return s.Write(ctx, func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, o) })
	}
	// The version that is stored already, then one too many.
	is(t, update(first), apierr.Stale)
	is(t, update(next(next(first, "a", true), "b", true)), apierr.Stale)
	is(t, update(next(newOrder("o2", 1, `{}`), "a", true)), apierr.NotFound)
	same(t, ok[*order.Order](t)(s.Order(ctx, acme, "o1")), first)
}

// testOrderPages proves that a list read page by page has every order once, the newest
// first, whatever the size of its pages, also where pages end between orders of the same
// time. A page that holds all has no cursor. A limit that is not given, or is out of
// bounds, is replaced.
func testOrderPages(t *testing.T, s *suite) {
	var want []string
	for i := range 25 { // five of each time, so that pages end among equal times
		id := fmt.Sprintf("o%02d", i)
		s.insert(newOrder(id, i/5, `{}`))
		want = append(want, id)
	}
	slices.Reverse(want)
	list := func(p store.Page) (store.List[store.Document], error) {
		return s.Orders(ctx, acme, store.OrderFilter{}, p)
	}
	for _, limit := range []int{1, 3, 5, 24, 25, 26} {
		same(t, idsOf(pages(t, limit, list), documentID), want)
	}
	// A cursor here would have each caller ask once more for nothing.
	full := ok[store.List[store.Document]](t)(list(store.Page{Limit: 25}))
	if full.NextCursor != "" {
		t.Error("a page that holds all has another behind it")
	}
	for i := range 230 {
		s.insert(newOrder(fmt.Sprintf("p%03d", i), 100+i, `{}`))
	}
	// A limit that is too high is cut and no error, so that a client does not have to know
	// the limits of each version.
	for limit, want := range map[int]int{0: store.DefaultLimit, -5: store.DefaultLimit, 1000: store.MaxLimit} {
		if l := ok[store.List[store.Document]](t)(list(store.Page{Limit: limit})); len(l.Items) != want {
			t.Errorf("limit %d: %d, want %d", limit, len(l.Items), want)
		}
	}
}

// testOrderFilters proves what each filter of orders picks, and what it compares without
// regard to case. Statuses, markets, types and addresses are written in many ways; ids
// and tags are not. A filter finds the order as it is after a change.
func testOrderFilters(t *testing.T, s *suite) {
	s.insert(
		newOrder("o1", 1, `{"status":"New","marketId":"SE","orderType":"Online","customerEmail":"Åsa@Example.com","tags":["vip"]}`),
		newOrder("o2", 2, `{"status":"Accepted","marketId":"NO","orderType":"Online","subscriptionId":"sub-1","tags":["vip","b2b"]}`),
		newOrder("o3", 3, `{"status":"ÄNDRAD","marketId":"se","orderType":"Store","tags":null}`))
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
	// What an engine has stored to find the order must follow the order.
	moved := next(ok[*order.Order](t)(s.Order(ctx, acme, "o1")), "status", "Completed")
	s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, moved) })
	wantOrders(t, s, "the status before", store.OrderFilter{Status: "New"}, "")
	wantOrders(t, s, "the status now", store.OrderFilter{Status: "Completed"}, "o1")
}

// wantOrders compares the list and the count of a filter with the ids that it has to
// pick.
func wantOrders(t *testing.T, s *suite, name string, f store.OrderFilter, want string) {
	t.Helper()
	count, err := s.OrderCount(ctx, acme, f)
	wantCount(t, f, len(strings.Fields(want)), count, err)
	for _, limit := range []int{1, 50} {
		got := pages(t, limit, func(p store.Page) (store.List[store.Document], error) { return s.Orders(ctx, acme, f, p) })
		if got := strings.Join(idsOf(got, documentID), " "); got != want {
			t.Errorf("%s, %d a page: %q, want %q", name, limit, got, want)
		}
	}
}

// testOrderSearch proves that a text is looked for in the values of a document, without
// regard to case, and in nothing else. Names of fields and the punctuation of JSON find
// nothing, and neither do the wildcards of a database: they are text here.
func testOrderSearch(t *testing.T, s *suite) {
	s.insert(
		newOrder("o1", 1, `{"customerName":"Åsa Öberg","orderForm":{"lineItems":[{"code":"SKU-100%_A","placedPrice":149.90}]}}`),
		newOrder("o2", 2, `{"customerName":"Bo \"the\" Ek\\x","note":"first\nsecond"}`),
		newOrder("o3", 3, `{"customField":{"deep":["needle"]}}`))
	for text, want := range map[string]string{
		// A number is found by a piece of it as it is written: 149.9 is a piece of
		// 149.90, and 149.900 is none.
		"öBERG": "o1", "sku-100%_a": "o1", "100_": "", "149.90": "o1", "149.9": "o1", "149.900": "",
		`"THE"`: "o2", `ek\X`: "o2", "first\nSecond": "o2", `\n`: "",
		"needle": "o3", "customerName": "", "deep": "", `":"`: "", `","`: "", "new": "o3 o2 o1", "O3": "o3",
	} {
		wantOrders(t, s, "search for "+text, store.OrderFilter{Text: text}, want)
	}
}

// testOrderMadeAnew proves that an order which was erased and made anew is another one for
// a write that read the first, though its versions begin with the same number. Otherwise
// what was decided on the first would be written to the second.
func testOrderMadeAnew(t *testing.T, s *suite) {
	for id, then := range map[string]func(tx store.Tx, o *order.Order) error{
		"changed": func(tx store.Tx, o *order.Order) error { return tx.UpdateOrder(ctx, acme, next(o, "after", true)) },
		"read": func(tx store.Tx, o *order.Order) error {
			return tx.AddHistory(ctx, acme, "notes", order.HistoryEntry{ID: o.Doc.Text("which"), Timestamp: at(1)})
		},
	} {
		s.insert(newOrder(id, 1, `{"which":"first"}`))
		tries := 0
		s.write(func(tx store.Tx) error {
			o, err := tx.Order(ctx, acme, id)
			if err != nil {
				return err
			}
			if tries++; tries == 1 {
				anew := func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, newOrder(id, 2, `{"which":"second"}`)) }
				if err := errors.Join(eraseBy(s.beside, acme, id), s.beside(anew)); err != nil {
					return err
				}
			}
			return then(tx, o)
		})
		if tries != 2 {
			t.Errorf("%s: it was decided %d times", id, tries)
		}
	}
	same(t, ok[*order.Order](t)(s.Order(ctx, acme, "changed")).Doc.Text("which"), "second")
	same(t, ok[store.List[order.HistoryEntry]](t)(s.History(ctx, acme, "notes", store.Page{})).Items[0].ID, "second")
}

// testOrderErased proves what is left of an erased order: its attempts, without bodies,
// headers, warnings and comparisons, and nothing else. Of another order everything stays. Then the id
// is free for a new order.
func testOrderErased(t *testing.T, s *suite) {
	o := newOrder("o1", 1, `{"customerName":"Åsa"}`)
	stored := newOrder("o2", 2, `{}`)
	s.insert(o, stored)
	s.write(func(tx store.Tx) error {
		for _, id := range []string{"o1", "o2"} {
			if err := fill(tx, acme, id); err != nil {
				return err
			}
		}
		// The order has two versions by now, and both have its data.
		return tx.UpdateOrder(ctx, acme, next(o, "status", "Deleted"))
	})
	s.erase(acme, "o1")

	for _, version := range []int64{1, 2} {
		_, err := s.OrderVersion(ctx, acme, "o1", version)
		is(t, err, apierr.NotFound)
	}
	_, err := s.Order(ctx, acme, "o1")
	is(t, err, apierr.NotFound)
	_, err = s.Run(ctx, acme, "run-o1")
	is(t, err, apierr.NotFound)
	if h := ok[store.List[order.HistoryEntry]](t)(s.History(ctx, acme, "o1", store.Page{})); len(h.Items) != 0 {
		t.Errorf("history: %v", h.Items)
	}
	// The attempt says that a call was made, to where and when, and nothing of the
	// order's data.
	bare := ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, "att-o1"))
	want := newAttempt("att-o1", "o1", 1)
	want.Detail.Request.Body, want.Detail.Response.Body = nil, nil
	want.Detail.Request.Headers, want.Detail.Response.Headers, want.Warnings, want.Detail.Comparison = nil, nil, nil, nil
	same(t, bare, want)

	same(t, ok[*order.Order](t)(s.Order(ctx, acme, "o2")), stored)
	same(t, ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, "att-o2")), newAttempt("att-o2", "o2", 1))
	ok[*run.Run](t)(s.Run(ctx, acme, "run-o2"))
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, "o1") }), apierr.NotFound)
	s.insert(o) // its id is free again
}

// fill gives an order one entry of history, one run and one attempt, named after it.
func fill(tx store.Tx, tenant, id string) error {
	if err := tx.AddHistory(ctx, tenant, id, order.HistoryEntry{ID: "his-" + id, Timestamp: at(1), Operation: order.OpCreated}); err != nil {
		return err
	}
	if err := tx.InsertRun(ctx, tenant, newRun("run-"+id, id, 1)); err != nil {
		return err
	}
	return tx.AddAttempt(ctx, tenant, newAttempt("att-"+id, id, 1))
}

// testOrderUnless proves that a caller who has the current version in memory is told so
// by nil, which saves reading and parsing the document, and that any other caller gets
// the current version. A write is told of a newer version at the latest when it is
// decided again, so it never commits what it decided on an older one.
func testOrderUnless(t *testing.T, s *suite) {
	first := newOrder("o1", 1, `{"total":0.10}`)
	s.insert(first)
	if o := ok[*order.Order](t)(s.OrderUnless(ctx, acme, first)); o != nil {
		t.Errorf("version 1 is current, got %v", o)
	}
	// A version that does not exist is not the current one, even if it is higher.
	same(t, string(ok[*order.Order](t)(s.OrderUnless(ctx, acme, &order.Order{ID: "o1", Version: 7})).Doc.JSON()), string(first.Doc.JSON()))
	s.write(func(tx store.Tx) error {
		second := next(first, "Other", true)
		if err := tx.UpdateOrder(ctx, acme, second); err != nil {
			return err
		}
		o := ok[*order.Order](t)(tx.OrderUnless(ctx, acme, first))
		same(t, []int64{o.Version, o.StatusVersion}, []int64{second.Version, second.StatusVersion})
		return nil
	})
	_, err := s.OrderUnless(ctx, acme, &order.Order{ID: "none", Version: 1})
	is(t, err, apierr.NotFound)
	_, err = s.OrderUnless(ctx, other, &order.Order{ID: "o1"})
	is(t, err, apierr.NotFound)

	// A write that holds an older version is told so before it is committed,
	// whether it changes the order or only depends on it.
	second := ok[*order.Order](t)(s.Order(ctx, acme, "o1"))
	// At the first try the write believes the version that it holds, and at the commit it
	// is found out; at the second it is given the newer one.
	for _, changes := range []bool{true, false} {
		// The counter shows how often the store has called the function.
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
				return tx.UpdateOrder(ctx, acme, next(held, "after", jsondoc.Number(fmt.Sprint(held.Version))))
			}
			return tx.AddHistory(ctx, acme, "o1", order.HistoryEntry{ID: fmt.Sprint("h-", held.Version), Timestamp: at(1)})
		})
		same(t, tries, 2)
	}
	// The change was made to the newer version: the older one would have lost what came
	// between.
	third := ok[*order.Order](t)(s.Order(ctx, acme, "o1"))
	same(t, string(third.Doc.JSON()), string(next(second, "after", jsondoc.Number(fmt.Sprint(second.Version))).Doc.JSON()))
	history := ok[store.List[order.HistoryEntry]](t)(s.History(ctx, acme, "o1", store.Page{}))
	same(t, history.Items[0].ID, "h-"+fmt.Sprint(third.Version))
}
