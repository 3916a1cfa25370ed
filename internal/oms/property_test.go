package oms_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
)

// applied is one patch of an order, drawn at random.
type applied struct {
	order, patch *oms.Object
	oms.Patched
}

func drawApplied(t *rapid.T, rules *oms.PatchRules, patches *rapid.Generator[*oms.Object]) applied {
	a := applied{order: orders.Draw(t, "order"), patch: patches.Draw(t, "patch")}
	t.Logf("order %s\npatch %s", a.order.JSON(), a.patch.JSON())
	var err error
	if a.Patched, err = rules.Apply(a.order, a.patch); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return a
}

func TestApplyingIsDeterministicAndChangesNeitherSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order, patch := orders.Draw(t, "order"), patches.Draw(t, "patch")
		orderWas, patchWas := string(order.JSON()), string(patch.JSON())
		first, err1 := oms.APIPatch.Apply(order, patch)
		second, err2 := oms.APIPatch.Apply(order, patch)
		if err1 != nil || err2 != nil || string(first.Doc.JSON()) != string(second.Doc.JSON()) {
			t.Errorf("first %s, %v\nsecond %s, %v", first.Doc.JSON(), err1, second.Doc.JSON(), err2)
		}
		if string(order.JSON()) != orderWas || string(patch.JSON()) != patchWas {
			t.Errorf("order %s became %s\npatch %s became %s", orderWas, order.JSON(), patchWas, patch.JSON())
		}
	})
}

func TestWhatAPatchDoesNotNameStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawApplied(t, oms.APIPatch, patches)
		untouched(t, a.order, a.Doc, a.patch, "")
	})
}

// untouched checks that every field of before that the patch does not name is in
// after as it was, at any depth.
func untouched(t *rapid.T, before, after, patch *oms.Object, path string) {
	for _, f := range before.Members() {
		is, _ := after.Get(f.Name)
		by, named := patch.Get(f.Name)
		at := path + "." + f.Name
		switch o, isObject := f.Value.(*oms.Object); {
		case recomputed(at):
		case !named && !oms.Equal(f.Value, is):
			t.Errorf("%s was %v, is %v", at, f.Value, is)
		case named && isObject && after.Object(f.Name) != nil && patch.Object(f.Name) != nil:
			untouched(t, o, after.Object(f.Name), patch.Object(f.Name), at)
		case by == nil && is != nil && !oms.Equal(f.Value, is):
			t.Errorf("%s was %v, is %v, by null", at, f.Value, is)
		case named && !patch.Has("keepExistingListItems") && !patch.Has("keepExistingCustomProperties") && path == "":
			elementsStay(t, before, after, patch, f.Name)
		}
	}
}

// elementsStay checks that a list merges in place, and leaves elements alone that
// the patch does not name.
func elementsStay(t *rapid.T, before, after, patch *oms.Object, name string) {
	was, is := before.List(name), after.List(name)
	if is == nil || patch.List(name) == nil {
		return
	}
	for i, e := range was {
		o, ok := e.(*oms.Object)
		if !slices.Contains([]string{"properties", "tags", "relatedOrders", "orderNotes", "errors", "returnOrderForms"}, name) {
			continue // what the model does not know is replaced
		}
		merged := ok && slices.ContainsFunc(patch.Objects(name), func(p *oms.Object) bool { return sharesKey(o, p) })
		if !merged && !oms.Equal(e, is[i]) {
			t.Errorf("%s[%d] was %v, is %v", name, i, e, is[i])
		}
	}
}

func sharesKey(a, b *oms.Object) bool {
	return slices.ContainsFunc([]string{"key", "id", "returnId"}, func(k string) bool { return a.Text(k) != "" && a.Text(k) == b.Text(k) })
}

// recomputed reports whether the rule on totals may change a field.
func recomputed(path string) bool {
	return slices.Contains([]string{".orderForm.subTotal", ".orderForm.total"}, path)
}

func TestWhatAPatchSetsArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawApplied(t, oms.APIPatch, patches)
		arrived(t, a.order, a.Doc, a.patch, "")
	})
}

// arrived checks that what a patch sets is there, but for totals that it only
// repeats.
func arrived(t *rapid.T, before, after, patch *oms.Object, path string) {
	for _, f := range patch.Members() {
		is, there := after.Get(f.Name)
		switch v := f.Value.(type) {
		case nil:
		case *oms.Object:
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
			if control := f.Name == "keepExistingListItems" || f.Name == "keepExistingCustomProperties"; control == there || !control && !oms.Equal(v, is) && !(recomputed("."+path+f.Name) && repeated(before, f)) {
				t.Errorf("%s%s is %v, want %v", path, f.Name, is, v)
			}
		}
	}
}

func repeated(before *oms.Object, f oms.Member) bool {
	was, _ := before.Get(f.Name)
	return oms.Equal(was, f.Value)
}

func TestAPatchAppliedTwiceChangesNothingTheSecondTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawApplied(t, oms.APIPatch, keyedPatches)
		again, err := oms.APIPatch.Apply(a.Doc, a.patch)
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
		a := drawApplied(t, oms.APIPatch, patches)
		if equal := oms.Equal(a.order, a.Doc); equal != (len(a.Changes) == 0) {
			t.Errorf("equal: %v, changes: %v", equal, paths(a.Changes))
		}
	})
}

func TestAStepChangesNothingThatItMayNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SampledFrom([]*oms.PatchRules{oms.OrderStepPatch, oms.ReturnStepPatch}).Draw(t, "rules")
		a := drawApplied(t, rules, patches)
		for _, name := range a.NotApplied {
			was, _ := a.order.Get(name)
			is, _ := a.Doc.Get(name)
			if !oms.Equal(was, is) || !a.patch.Has(name) && len(a.patch.Texts("forceUpdate")) == 0 {
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
		rules := rapid.SampledFrom([]*oms.PatchRules{oms.APIPatch, oms.OrderStepPatch, oms.ReturnStepPatch}).Draw(t, "rules")
		order, patch := hostile.Draw(t, "order"), hostile.Draw(t, "patch")
		t.Logf("order %s\npatch %s", order.JSON(), patch.JSON())
		applyAny(t, rules, order, patch)
	})
}

func TestDocumentsSurviveTheirJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		survives(t, orders.Draw(t, "order"))
	})
}

// failer is what *testing.T and *rapid.T have in common here.
type failer interface{ Errorf(string, ...any) }

// survives checks that a document is read back exactly from its JSON, and as an
// equal one from the wire's.
func survives(t failer, o *oms.Object) {
	back, err := oms.ParseStored(o.JSON())
	if err != nil || string(back.JSON()) != string(o.JSON()) {
		t.Errorf("%s\nbecame %s, %v", o.JSON(), back.JSON(), err)
	}
	wire, err := oms.ParseStored(o.PascalJSON())
	if err != nil || !oms.Equal(wire, o) || !oms.SameIdentity(wire, o) {
		t.Errorf("%s\nbecame %s over the wire, %v", o.JSON(), wire.JSON(), err)
	}
}

func TestNamesThatFoldAlikeAreOneFieldHoweverTheyAreSpelled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		camel := oms.CamelName(name)
		if oms.CamelName(camel) != camel {
			t.Errorf("%q becomes %q, then %q", name, camel, oms.CamelName(camel))
		}
		if oms.Fold(name) != oms.Fold(camel) || oms.Fold(oms.Fold(name)) != oms.Fold(name) {
			t.Errorf("%q folds to %q, its camelCase %q to %q", name, oms.Fold(name), camel, oms.Fold(camel))
		}
	})
}
