package order_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

// versioned makes orders of documents, the first version first.
func versioned(docs []*jsondoc.Object) (all []*order.Order) {
	for i, doc := range docs {
		all = append(all, &order.Order{ID: "o", Version: int64(i + 1), Doc: doc})
	}
	return all
}

// blamed goes back through all versions.
func blamed(docs []*jsondoc.Object, p order.BlamePage) *order.Blame {
	all := versioned(docs)
	if p.Limit == 0 {
		p.Limit = 1 << 20
	}
	b := order.NewBlame(all[len(all)-1], p)
	for i := len(all) - 2; i >= 0 && !b.Done(); i-- {
		b.Back(all[i])
	}
	if !b.Done() {
		b.Beginning()
	}
	return b
}

// TestBlameIsAReplay: going back finds what replaying all versions finds, for every
// field, whole or page by page.
func TestBlameIsAReplay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		docs := []*jsondoc.Object{ordertest.Orders.Draw(rt, "order")}
		for range rapid.IntRange(0, 6).Draw(rt, "changes") {
			last := docs[len(docs)-1]
			if rapid.IntRange(0, 4).Draw(rt, "replaced") == 0 {
				docs = append(docs, ordertest.Orders.Draw(rt, "another"))
				continue
			}
			if next, err := order.APIPatch.Apply(last, ordertest.Patches.Draw(rt, "patch")); err == nil {
				docs = append(docs, next.Doc)
			}
		}
		want := order.NaiveBlame(docs)
		b := blamed(docs, order.BlamePage{})
		var paged []*order.Blamed
		for from, more := 0, true; more; from += 7 {
			part := blamed(docs, order.BlamePage{From: from, Limit: 7})
			paged, more = append(paged, part.Fields...), part.More
		}
		if len(b.Fields) != len(want) || len(paged) != len(want) || b.More {
			rt.Fatalf("%d fields, %d page by page, want %d", len(b.Fields), len(paged), len(want))
		}
		for i, f := range b.Fields {
			w := want[f.Pointer]
			if f.Version != w.Version || f.Added != w.Added || !reflect.DeepEqual(f.Before, w.Before) {
				rt.Errorf("%s (%s): version %d, added %v, before %v; want %+v", f.Pointer, f.Path, f.Version, f.Added, f.Before, w)
			}
			if !reflect.DeepEqual(paged[i], f) {
				rt.Errorf("page by page %+v, whole %+v", paged[i], f)
			}
		}
	})
}

func docOf(t *testing.T, text string) *jsondoc.Object {
	t.Helper()
	doc, err := schema.ParseStored([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func docsOf(t *testing.T, texts ...string) (docs []*jsondoc.Object) {
	t.Helper()
	for _, text := range texts {
		docs = append(docs, docOf(t, text))
	}
	return docs
}

// told is what a blame says, a line for each field.
func told(b *order.Blame) string {
	var lines []string
	for _, f := range b.Fields {
		before := fmt.Sprint(f.Before)
		if f.Added {
			before = "nothing"
		}
		lines = append(lines, fmt.Sprintf("%s (%s) = %v by %d, before %s", f.Path, f.Pointer, f.After, f.Version, before))
	}
	return strings.Join(lines, "\n")
}

func TestBlame(t *testing.T) {
	for _, test := range []struct {
		name string
		docs []string
		page order.BlamePage
		want string
	}{
		{"values, numbers as they are written", []string{`{"version":1,"total":10.0,"a":1}`, `{"version":2,"total":10.00,"a":1}`, `{"version":3,"total":12.50,"a":1,"n":null}`}, order.BlamePage{},
			"total (/total) = 12.50 by 3, before 10.00\na (/a) = 1 by 1, before nothing\nn (/n) = <nil> by 3, before nothing"},
		{"lines are followed by their keys", []string{
			`{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":1},{"lineItemId":"L2","quantity":1}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":1},{"lineItemId":"L2","quantity":5}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"L2","quantity":5},{"lineItemId":"L3","quantity":7}]}}`,
		}, order.BlamePage{Path: "orderForm.lineItems"},
			"orderForm.lineItems[L2].lineItemId (/orderForm/lineItems/0/lineItemId) = L2 by 1, before nothing\n" +
				"orderForm.lineItems[L2].quantity (/orderForm/lineItems/0/quantity) = 5 by 2, before 1\n" +
				"orderForm.lineItems[L3].lineItemId (/orderForm/lineItems/1/lineItemId) = L3 by 3, before nothing\n" +
				"orderForm.lineItems[L3].quantity (/orderForm/lineItems/1/quantity) = 7 by 3, before nothing"},
		{"what has no key by its content", []string{`{"x":["a","b"]}`, `{"x":["c","a","b"]}`}, order.BlamePage{},
			"x[#0] (/x/0) = c by 2, before nothing\nx[#1] (/x/1) = a by 1, before nothing\nx[#2] (/x/2) = b by 1, before nothing"},
		{"a value of another kind", []string{`{"x":1}`, `{"x":{"y":2}}`, `{"x":{"y":2,"z":[]}}`}, order.BlamePage{},
			"x.y (/x/y) = 2 by 2, before nothing\nx.z (/x/z) = [] by 3, before nothing"},
		{"names with signs", []string{`{"a/b":{"~":1}}`}, order.BlamePage{Path: "/a~1b"}, "a/b.~ (/a~1b/~0) = 1 by 1, before nothing"},
		{"a path is no beginning of a name", []string{`{"to":1,"total":2,"t":3}`}, order.BlamePage{Path: "to"}, "to (/to) = 1 by 1, before nothing"},
		{"a pointer", []string{`{"a":{"b":1,"c":2}}`, `{"a":{"b":3,"c":2}}`}, order.BlamePage{Path: "/a/b"}, "a.b (/a/b) = 3 by 2, before 1"},
		{"all values of one", []string{`{"a":{"b":1}}`, `{"a":{"b":2}}`, `{"a":{"b":2},"x":1}`, `{"a":{"b":1}}`}, order.BlamePage{Path: "a.b", Every: true},
			"a.b (/a/b) = 1 by 4, before 2\na.b (/a/b) = 2 by 2, before 1\na.b (/a/b) = 1 by 1, before nothing"},
		{"a name whose spelling changes", []string{`{"a":5,"A":1}`, `{"a":1}`, `{"A":1}`}, order.BlamePage{}, "A (/A) = 1 by 2, before 5"},
		{"nothing there", []string{`{"a":1}`}, order.BlamePage{Path: "b"}, ""},
	} {
		if got := told(blamed(docsOf(t, test.docs...), test.page)); got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

// TestBlameOfListsThatStay: a list that is as it was keeps its elements where they are, and
// one whose names are spelt otherwise is followed all the same.
func TestBlameOfListsThatStay(t *testing.T) {
	got := told(blamed(docsOf(t, `{"l":[{"A":1,"n":1},{"A":1,"n":2}]}`, `{"l":[{"a":1,"n":1},{"a":1,"n":2}]}`, `{"l":[{"a":1,"n":1},{"a":1,"n":2}],"x":1}`, `{"l":[{"a":1,"n":2},{"a":1,"n":1}],"x":1}`), order.BlamePage{}))
	want := "l[#0].a (/l/0/a) = 1 by 1, before nothing\nl[#0].n (/l/0/n) = 2 by 1, before nothing\nl[#1].a (/l/1/a) = 1 by 1, before nothing\nl[#1].n (/l/1/n) = 1 by 1, before nothing\nx (/x) = 1 by 3, before nothing"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestBlamePassesOverListsThatStay: to go back over a version in which a long list is as it
// was allocates nothing for its elements.
func TestBlamePassesOverListsThatStay(t *testing.T) {
	all := versioned(docsOf(t, `{"l":[`+strings.Repeat(`{"n":1},`, 9999)+`{"n":2}]}`, `{"l":[`+strings.Repeat(`{"n":1},`, 9999)+`{"n":2}],"x":1}`))
	b := order.NewBlame(all[1], order.BlamePage{Limit: 10})
	if n := testing.AllocsPerRun(3, func() { b.Back(all[0]) }); n > 100 {
		t.Errorf("%.0f allocations", n)
	}
}

// TestBlameStopsEarly: what is known needs no older version, and what is not says so.
func TestBlameStopsEarly(t *testing.T) {
	all := versioned(docsOf(t, `{"a":1,"b":1}`, `{"a":2,"b":1}`, `{"a":2,"b":2}`))
	b := order.NewBlame(all[2], order.BlamePage{Limit: 10})
	b.Back(all[1])
	if b.Done() || b.Version() != 2 || b.Fields[0].Version != 0 || b.Fields[1].Version != 3 {
		t.Errorf("%v, at %d:\n%s", b.Done(), b.Version(), told(b))
	}
	b.Back(all[0])
	if !b.Done() {
		t.Errorf("it goes on:\n%s", told(b))
	}
}

// TestBlameOfLongValues cuts what is shown of them.
func TestBlameOfLongValues(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	b := blamed([]*jsondoc.Object{jsondoc.NewObject(jsondoc.Member{Name: "a", Value: "1"}), jsondoc.NewObject(jsondoc.Member{Name: "a", Value: long})}, order.BlamePage{})
	shown := b.Fields[0].Shown()
	if text, _ := shown.After.(string); !shown.Cut || len(text) > 10_000 || shown.Before != "1" {
		t.Errorf("cut: %v, %d bytes, before %v", shown.Cut, len(text), shown.Before)
	}
	if b.Fields[0].After != long {
		t.Error("the value itself was cut")
	}
}
