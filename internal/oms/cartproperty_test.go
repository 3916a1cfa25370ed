package oms_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
)

var (
	values      = rapid.Custom(maker{nulls: true, keyless: true}.value)
	fixedOfCart = []string{"id", "version", "created"}
)

// value makes what a validator hands back: a cart, with fields that it may not change.
func (m maker) value(t *rapid.T) *oms.Object {
	o := m.order(t)
	for _, name := range fixedOfCart {
		if rapid.IntRange(0, 3).Draw(t, name) == 0 {
			o.Set(name, words.Draw(t, name))
		}
	}
	return o
}

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

func TestAValueIsAppliedTheSameEachTimeAndNeitherSideChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		applyAnyCart(t, orders.Draw(t, "cart"), values.Draw(t, "value"))
	})
}

func TestAValueOfAnyShapeIsAppliedOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cart, value := hostile.Draw(t, "cart"), hostile.Draw(t, "value")
		t.Logf("cart %s\nvalue %s", cart.JSON(), value.JSON())
		applyAnyCart(t, cart, value)
	})
}

// applyAnyCart applies a value of any shape and checks what holds for all of them.
func applyAnyCart(t failer, cart, value *oms.Object) {
	for _, onlyLines := range []bool{false, true} {
		was, wasValue := string(cart.JSON()), string(value.JSON())
		got, err := oms.ApplyCart(cart, value, onlyLines)
		if string(cart.JSON()) != was || string(value.JSON()) != wasValue {
			t.Errorf("%s became %s\n%s became %s", was, cart.JSON(), wasValue, value.JSON())
		}
		if err != nil {
			mustBeCallersFault(t, err)
			continue
		}
		survives(t, got.Doc)
		fixedInCart(t, cart, got.Doc)
		if equal := oms.Equal(counted(cart), counted(got.Doc)); equal != (len(got.Changes) == 0) {
			t.Errorf("%s became %s: changes %v", was, got.Doc.JSON(), paths(got.Changes))
		}
		if again, err := oms.ApplyCart(cart, value, onlyLines); err != nil || string(again.Doc.JSON()) != string(got.Doc.JSON()) {
			t.Errorf("once %s, then %s, %v", got.Doc.JSON(), again.Doc.JSON(), err)
		}
	}
}

func fixedInCart(t failer, before, after *oms.Object) {
	for _, name := range fixedOfCart {
		was, had := before.Get(name)
		if is, has := after.Get(name); had != has || !oms.Equal(was, is) {
			t.Errorf("%s was %v, is %v", name, was, is)
		}
	}
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
	prices := []string{"extendedPrice"}
	rapid.Check(t, func(t *rapid.T) {
		a, _ := drawCart(t)
		was := map[string]*oms.Object{"": {}}
		for _, line := range a.order.Object("orderForm").Objects("lineItems") {
			was[line.Text("lineItemId")] = line
		}
		is := a.Doc.Object("orderForm").Objects("lineItems")
		for i, line := range a.patch.Object("orderForm").Objects("lineItems") {
			for _, f := range was[line.Text("lineItemId")].Members() {
				if now, _ := is[i].Get(f.Name); !line.Has(f.Name) && !slices.Contains(prices, f.Name) && !oms.Equal(f.Value, now) {
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
