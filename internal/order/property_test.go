package order_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// applied is one patch of an order, drawn at random.
type applied struct {
	order, patch *jsondoc.Object
	order.Patched
}

func drawApplied(t *rapid.T, rules *order.PatchRules, patches *rapid.Generator[*jsondoc.Object]) applied {
	a := applied{order: ordertest.Orders.Draw(t, "order"), patch: patches.Draw(t, "patch")}
	t.Logf("order %s\npatch %s", a.order.JSON(), a.patch.JSON())
	var err error
	if a.Patched, err = rules.Apply(a.order, a.patch); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return a
}

func TestApplyingIsDeterministicAndChangesNeitherSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, patch := ordertest.Orders.Draw(t, "order"), ordertest.Patches.Draw(t, "patch")
		orderWas, patchWas := string(o.JSON()), string(patch.JSON())
		first, err1 := order.APIPatch.Apply(o, patch)
		second, err2 := order.APIPatch.Apply(o, patch)
		if err1 != nil || err2 != nil || string(first.Doc.JSON()) != string(second.Doc.JSON()) {
			t.Errorf("first %s, %v\nsecond %s, %v", first.Doc.JSON(), err1, second.Doc.JSON(), err2)
		}
		if string(o.JSON()) != orderWas || string(patch.JSON()) != patchWas {
			t.Errorf("order %s became %s\npatch %s became %s", orderWas, o.JSON(), patchWas, patch.JSON())
		}
	})
}

func TestWhatAPatchDoesNotNameStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawApplied(t, order.APIPatch, ordertest.Patches)
		untouched(t, a.order, a.Doc, a.patch, "")
	})
}

// untouched checks that every field of before that the patch does not name is in
// after as it was, at any depth.
func untouched(t *rapid.T, before, after, patch *jsondoc.Object, path string) {
	for _, f := range before.Members() {
		is, _ := after.Get(f.Name)
		by, named := patch.Get(f.Name)
		at := path + "." + f.Name
		switch o, isObject := f.Value.(*jsondoc.Object); {
		case recomputed(at):
		case !named && !jsondoc.Equal(f.Value, is):
			t.Errorf("%s was %v, is %v", at, f.Value, is)
		case named && isObject && after.Object(f.Name) != nil && patch.Object(f.Name) != nil:
			untouched(t, o, after.Object(f.Name), patch.Object(f.Name), at)
		case by == nil && is != nil && !jsondoc.Equal(f.Value, is):
			t.Errorf("%s was %v, is %v, by null", at, f.Value, is)
		case named && !patch.Has("keepExistingListItems") && !patch.Has("keepExistingCustomProperties") && path == "":
			elementsStay(t, before, after, patch, f.Name)
		}
	}
}

// elementsStay checks that a list merges in place, and leaves elements alone that
// the patch does not name.
func elementsStay(t *rapid.T, before, after, patch *jsondoc.Object, name string) {
	was, is := before.List(name), after.List(name)
	if is == nil || patch.List(name) == nil {
		return
	}
	for i, e := range was {
		o, ok := e.(*jsondoc.Object)
		if !slices.Contains([]string{"properties", "tags", "relatedOrders", "orderNotes", "errors", "returnOrderForms"}, name) {
			continue // what the model does not know is replaced
		}
		merged := ok && slices.ContainsFunc(patch.Objects(name), func(p *jsondoc.Object) bool { return sharesKey(o, p) })
		if !merged && !jsondoc.Equal(e, is[i]) {
			t.Errorf("%s[%d] was %v, is %v", name, i, e, is[i])
		}
	}
}

func sharesKey(a, b *jsondoc.Object) bool {
	return slices.ContainsFunc([]string{"key", "id", "returnId"}, func(k string) bool { return a.Text(k) != "" && a.Text(k) == b.Text(k) })
}

// recomputed reports whether the rule on totals may change a field.
func recomputed(path string) bool {
	return slices.Contains([]string{".orderForm.subTotal", ".orderForm.total"}, path)
}

func TestWhatAPatchSetsArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawApplied(t, order.APIPatch, ordertest.Patches)
		arrived(t, a.order, a.Doc, a.patch, "")
	})
}

// arrived checks that what a patch sets is there, but for totals that it only
// repeats.
func arrived(t *rapid.T, before, after, patch *jsondoc.Object, path string) {
	for _, f := range patch.Members() {
		is, there := after.Get(f.Name)
		switch v := f.Value.(type) {
		case nil:
		case *jsondoc.Object:
			if after.Object(f.Name) != nil {
				arrived(t, before.Object(f.Name), after.Object(f.Name), v, path+f.Name+".")
			} else if v.Len() == 0 {
				t.Errorf("%s%s is lost", path, f.Name)
			}
		case []any:
			if !there && f.Name != "forceUpdate" {
				t.Errorf("%s%s is lost", path, f.Name)
			}
		default:
			if control := f.Name == "keepExistingListItems" || f.Name == "keepExistingCustomProperties"; control == there || !control && !jsondoc.Equal(v, is) && !(recomputed("."+path+f.Name) && repeated(before, f)) {
				t.Errorf("%s%s is %v, want %v", path, f.Name, is, v)
			}
		}
	}
}

func repeated(before *jsondoc.Object, f jsondoc.Member) bool {
	was, _ := before.Get(f.Name)
	return jsondoc.Equal(was, f.Value)
}

func TestAPatchAppliedTwiceChangesNothingTheSecondTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawApplied(t, order.APIPatch, ordertest.KeyedPatches)
		again, err := order.APIPatch.Apply(a.Doc, a.patch)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(again.Doc.JSON()), string(a.Doc.JSON()); got != want || len(again.Changes) > 0 {
			t.Errorf("once  %s\ntwice %s\nchanges %v", want, got, paths(again.Changes))
		}
	})
}

func TestDiffIsEmptyExactlyWhenNothingChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawApplied(t, order.APIPatch, ordertest.Patches)
		if equal := jsondoc.Equal(a.order, a.Doc); equal != (len(a.Changes) == 0) {
			t.Errorf("equal: %v, changes: %v", equal, paths(a.Changes))
		}
	})
}

func TestAStepChangesNothingThatItMayNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SampledFrom([]*order.PatchRules{order.OrderStepPatch, order.ReturnStepPatch}).Draw(t, "rules")
		a := drawApplied(t, rules, ordertest.Patches)
		for _, name := range a.NotApplied {
			was, _ := a.order.Get(name)
			is, _ := a.Doc.Get(name)
			if !jsondoc.Equal(was, is) || !a.patch.Has(name) && len(a.patch.Texts("forceUpdate")) == 0 {
				t.Errorf("%s was %v, is %v", name, was, is)
			}
		}
		allowed := len(a.patch.Members()) - len(a.NotApplied)
		if len(a.NotApplied) > 0 && allowed == 0 && len(a.Changes) > 0 {
			t.Errorf("nothing is allowed, and %v changed", paths(a.Changes))
		}
	})
}

func TestAPatchOfAnyShapeIsAppliedOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SampledFrom([]*order.PatchRules{order.APIPatch, order.OrderStepPatch, order.ReturnStepPatch}).Draw(t, "rules")
		order, patch := hostile.Draw(t, "order"), hostile.Draw(t, "patch")
		t.Logf("order %s\npatch %s", order.JSON(), patch.JSON())
		applyAny(t, rules, order, patch)
	})
}

func TestDocumentsSurviveTheirJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		survives(t, ordertest.Orders.Draw(t, "order"))
	})
}

// failer is what *testing.T and *rapid.T have in common here.
type failer interface{ Errorf(string, ...any) }

// survives checks that a document is read back exactly from its JSON, and as an
// equal one from the wire's.
func survives(t failer, o *jsondoc.Object) {
	back, err := schema.ParseStored(o.JSON())
	if err != nil || string(back.JSON()) != string(o.JSON()) {
		t.Errorf("%s\nbecame %s, %v", o.JSON(), back.JSON(), err)
	}
	wire, err := schema.ParseStored(o.PascalJSON())
	if err != nil || !jsondoc.Equal(wire, o) || !order.SameIdentity(wire, o) {
		t.Errorf("%s\nbecame %s over the wire, %v", o.JSON(), wire.JSON(), err)
	}
}

func TestNamesThatFoldAlikeAreOneFieldHoweverTheyAreSpelled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		camel := schema.CamelName(name)
		if schema.CamelName(camel) != camel {
			t.Errorf("%q becomes %q, then %q", name, camel, schema.CamelName(camel))
		}
		if spelling.Fold(name) != spelling.Fold(camel) || spelling.Fold(spelling.Fold(name)) != spelling.Fold(name) {
			t.Errorf("%q folds to %q, its camelCase %q to %q", name, spelling.Fold(name), camel, spelling.Fold(camel))
		}
	})
}
