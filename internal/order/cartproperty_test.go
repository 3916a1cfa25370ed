package order_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

func TestAValueIsAppliedTheSameEachTimeAndNeitherSideChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		applyAnyCart(t, ordertest.Orders.Draw(t, "cart"), ordertest.Values.Draw(t, "value"))
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
func applyAnyCart(t failer, cart, value *jsondoc.Object) {
	for _, onlyLines := range []bool{false, true} {
		was, wasValue := string(cart.JSON()), string(value.JSON())
		got, err := appliedCart(cart, value, onlyLines)
		if string(cart.JSON()) != was || string(value.JSON()) != wasValue {
			t.Errorf("%s became %s\n%s became %s", was, cart.JSON(), wasValue, value.JSON())
		}
		if err != nil {
			mustBeCallersFault(t, err)
			continue
		}
		survives(t, got.Doc)
		fixedInCart(t, cart, got.Doc)
		if equal := jsondoc.Equal(counted(cart), counted(got.Doc)); equal != (len(got.Changes) == 0) {
			t.Errorf("%s became %s: changes %v", was, got.Doc.JSON(), paths(got.Changes))
		}
		if again, err := appliedCart(cart, value, onlyLines); err != nil || string(again.Doc.JSON()) != string(got.Doc.JSON()) {
			t.Errorf("once %s, then %s, %v", got.Doc.JSON(), again.Doc.JSON(), err)
		}
	}
}

func fixedInCart(t failer, before, after *jsondoc.Object) {
	for _, name := range ordertest.FixedOfCart {
		was, had := before.Get(name)
		if is, has := after.Get(name); had != has || !jsondoc.Equal(was, is) {
			t.Errorf("%s was %v, is %v", name, was, is)
		}
	}
}
