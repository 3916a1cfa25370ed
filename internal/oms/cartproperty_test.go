package oms_test

import (
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
