package order_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// drawCart draws a cart and what a validator made of it.
func drawCart(t *rapid.T) (a applied, onlyLines bool) {
	a = applied{order: ordertest.Orders.Draw(t, "cart"), patch: ordertest.Values.Draw(t, "value")}
	for _, name := range ordertest.FixedOfCart {
		a.order.Set(name, "mine")
	}
	onlyLines = rapid.Bool().Draw(t, "onlyLines")
	t.Logf("cart %s\nvalue %s\nonly lines %v", a.order.JSON(), a.patch.JSON(), onlyLines)
	var err error
	if a.Patched, err = appliedCart(a.order, a.patch, onlyLines); err != nil {
		t.Fatalf("ApplyCart: %v", err)
	}
	return a, onlyLines
}

func TestWhatAValueDoesNotNameStaysAndWhatItNamesArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, onlyLines := drawCart(t)
		if onlyLines {
			untouchedButLines(t, a)
			return
		}
		for _, name := range ordertest.FixedOfCart {
			a.patch.Delete(name)
		}
		handed(t, a.order, a.Doc, a.patch, "")
	})
}

// handed checks an object against the one that it was and the value that was applied.
func handed(t *rapid.T, before, after, value *jsondoc.Object, path string) {
	for _, f := range before.Members() {
		is, _ := after.Get(f.Name)
		if !value.Has(f.Name) && !recomputed(path+"."+f.Name) && !jsondoc.Equal(f.Value, is) {
			t.Errorf("%s.%s was %v, is %v", path, f.Name, f.Value, is)
		}
	}
	for _, f := range value.Members() {
		is, _ := after.Get(f.Name)
		switch v := f.Value.(type) {
		case nil:
		case *jsondoc.Object:
			handed(t, before.Object(f.Name), after.Object(f.Name), v, path+"."+f.Name)
		case []any:
			if filledIn(before, f) {
				continue
			}
			if len(after.List(f.Name)) != len(v) || f.Name != "lineItems" && !handedList(before.List(f.Name), after.List(f.Name), v) {
				t.Errorf("%s.%s is %v, want %v", path, f.Name, is, v)
			}
		default:
			if !jsondoc.Equal(is, v) && !filledIn(before, f) && !(recomputed(path+"."+f.Name) && repeated(before, f)) {
				t.Errorf("%s.%s is %v, want %v", path, f.Name, is, v)
			}
		}
	}
}

// handedList checks a list that was replaced: each element is as it came, or,
// where it says nothing that was not there, as it was.
func handedList(was, is, came []any) bool {
	for i := range is {
		if !jsondoc.Equal(is[i], bare(came[i])) && !slices.ContainsFunc(was, func(e any) bool { return jsondoc.Equal(e, is[i]) }) {
			return false
		}
	}
	return true
}

// bare is a value as it is stored: without nulls, and without the objects that
// hold nothing else.
func bare(v any) any {
	switch v := v.(type) {
	case *jsondoc.Object:
		out := &jsondoc.Object{}
		for _, m := range v.Members() {
			value := bare(m.Value)
			if strings.HasPrefix(m.Name, "keepExisting") {
				continue
			}
			if o, ok := value.(*jsondoc.Object); value != nil && (!ok || o.Len() > 0 || m.Value.(*jsondoc.Object).Len() == 0) {
				out.Set(m.Name, value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = bare(v[i])
		}
		return out
	}
	return v
}

// filledIn reports whether a typed validator may have written a field only
// because it writes all fields that it knows.
func filledIn(before *jsondoc.Object, f jsondoc.Member) bool {
	n, isNumber := f.Value.(jsondoc.Number)
	list, isList := f.Value.([]any)
	return !before.Has(f.Name) && (isList && len(list) == 0 || f.Value == false || f.Value == "" || isNumber && jsondoc.Equal(n, jsondoc.Number("0")))
}

// untouchedButLines checks that only the lines and the totals may differ.
func untouchedButLines(t *rapid.T, a applied) {
	before, after := a.order.Clone(), a.Doc.Clone()
	for _, o := range []*jsondoc.Object{before, after} {
		form := o.Object("orderForm")
		if form == nil {
			continue
		}
		for _, name := range []string{"lineItems", "subTotal", "total"} {
			form.Delete(name)
		}
		if form.Len() == 0 {
			o.Delete("orderForm")
		}
	}
	if !jsondoc.Equal(before, after) {
		t.Errorf("%s became %s", before.JSON(), after.JSON())
	}
}

func TestKnownLinesKeepWhatTheValueDoesNotName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, _ := drawCart(t)
		was := map[string]*jsondoc.Object{"": {}}
		for _, line := range a.order.Object("orderForm").Objects("lineItems") {
			was[line.Text("lineItemId")] = line
		}
		is := a.Doc.Object("orderForm").Objects("lineItems")
		for i, line := range a.patch.Object("orderForm").Objects("lineItems") {
			for _, f := range was[line.Text("lineItemId")].Members() {
				if now, _ := is[i].Get(f.Name); !line.Has(f.Name) && f.Name != "extendedPrice" && !jsondoc.Equal(f.Value, now) {
					t.Errorf("%s of line %d was %v, is %v", f.Name, i, f.Value, now)
				}
			}
		}
	})
}

func TestAValueAppliedTwiceChangesNothingTheSecondTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, onlyLines := drawCart(t)
		if onlyOnce(a.patch) {
			t.Skip()
		}
		again, err := appliedCart(a.Doc, a.patch, onlyLines)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(again.Doc.JSON()), string(a.Doc.JSON()); got != want || len(again.Changes) > 0 {
			t.Errorf("once  %s\ntwice %s\nchanges %v", want, got, paths(again.Changes))
		}
	})
}

// onlyOnce reports whether a value says something else the second time: totals
// that repeat those of the cart as it was, and what a typed program fills in.
func onlyOnce(value *jsondoc.Object) bool {
	form := value.Object("orderForm")
	if form.Has("subTotal") || form.Has("total") {
		return true
	}
	for _, line := range form.Objects("lineItems") {
		if line.Has("extendedPrice") {
			return true
		}
	}
	for _, f := range form.Members() {
		if n, ok := f.Value.(jsondoc.Number); ok && jsondoc.Equal(n, jsondoc.Number("0")) {
			return true
		}
	}
	return false
}
