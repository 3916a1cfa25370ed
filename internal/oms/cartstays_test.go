package oms_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
)

// drawCart draws a cart and what a validator made of it.
func drawCart(t *rapid.T) (a applied, onlyLines bool) {
	a = applied{order: orders.Draw(t, "cart"), patch: values.Draw(t, "value")}
	for _, name := range fixedOfCart {
		a.order.Set(name, "mine")
	}
	onlyLines = rapid.Bool().Draw(t, "onlyLines")
	t.Logf("cart %s\nvalue %s\nonly lines %v", a.order.JSON(), a.patch.JSON(), onlyLines)
	var err error
	if a.Patched, err = oms.ApplyCart(a.order, a.patch, onlyLines); err != nil {
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
		for _, name := range fixedOfCart {
			a.patch.Delete(name)
		}
		handed(t, a.order, a.Doc, a.patch, "")
	})
}

// handed checks an object against the one that it was and the value that was applied.
func handed(t *rapid.T, before, after, value *oms.Object, path string) {
	for _, f := range before.Members() {
		is, _ := after.Get(f.Name)
		if !value.Has(f.Name) && !recomputed(path+"."+f.Name) && !oms.Equal(f.Value, is) {
			t.Errorf("%s.%s was %v, is %v", path, f.Name, f.Value, is)
		}
	}
	for _, f := range value.Members() {
		is, _ := after.Get(f.Name)
		switch v := f.Value.(type) {
		case nil:
		case *oms.Object:
			handed(t, before.Object(f.Name), after.Object(f.Name), v, path+"."+f.Name)
		case []any:
			if len(after.List(f.Name)) != len(v) || f.Name != "lineItems" && !oms.Equal(is, v) {
				t.Errorf("%s.%s is %v, want %v", path, f.Name, is, v)
			}
		default:
			if !oms.Equal(is, v) {
				t.Errorf("%s.%s is %v, want %v", path, f.Name, is, v)
			}
		}
	}
}

// untouchedButLines checks that only the lines and the totals may differ.
func untouchedButLines(t *rapid.T, a applied) {
	before, after := a.order.Clone(), a.Doc.Clone()
	for _, o := range []*oms.Object{before, after} {
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
	if !oms.Equal(before, after) {
		t.Errorf("%s became %s", before.JSON(), after.JSON())
	}
}

func TestKnownLinesKeepWhatTheValueDoesNotName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, _ := drawCart(t)
		was := map[string]*oms.Object{"": {}}
		for _, line := range a.order.Object("orderForm").Objects("lineItems") {
			was[line.Text("lineItemId")] = line
		}
		is := a.Doc.Object("orderForm").Objects("lineItems")
		for i, line := range a.patch.Object("orderForm").Objects("lineItems") {
			for _, f := range was[line.Text("lineItemId")].Members() {
				if now, _ := is[i].Get(f.Name); !line.Has(f.Name) && f.Name != "extendedPrice" && !oms.Equal(f.Value, now) {
					t.Errorf("%s of line %d was %v, is %v", f.Name, i, f.Value, now)
				}
			}
		}
	})
}

func TestAValueAppliedTwiceChangesNothingTheSecondTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, onlyLines := drawCart(t)
		again, err := oms.ApplyCart(a.Doc, a.patch, onlyLines)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(again.Doc.JSON()), string(a.Doc.JSON()); got != want || len(again.Changes) > 0 {
			t.Errorf("once  %s\ntwice %s\nchanges %v", want, got, paths(again.Changes))
		}
	})
}
