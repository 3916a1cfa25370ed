package order

import (
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// ApplyCart returns the cart with what a validator handed back applied
// (docs/contract.md#validators):
// fields of value replace the cart's, objects merge at every depth, absent and
// null fields stay, lists replace. lineItems is the new list, in which a line
// that the cart has keeps the fields that it does not name. With onlyLines
// that list is all that is applied. What is as the validator got it is no change,
// as in every patch. The cart itself does not change.
func ApplyCart(cart, value *jsondoc.Object, onlyLines bool) (Patched, error) {
	// A validator is asked again if somebody changes the cart meanwhile
	// (docs/contract.md#carts). So the cart is both what was sent and what is there.
	m := &merger{answer: true, cart: true, same: true, forced: newForced(nil, nil), compared: new(int)}
	value, err := m.resolveLines(cart, value)
	if err != nil {
		return Patched{}, err
	}
	if onlyLines {
		value = onlyLineItems(value)
	}
	for _, name := range fixedFields { // orderhook's own, whatever a validator says
		value = value.Without(name)
	}
	out := cart.Clone()
	m.object(out, cart, value, place{model: schema.Order}, keepAll)
	if m.err != nil {
		return Patched{}, m.err
	}
	p := Patched{Doc: out, Set: Differences(cart, out), Warnings: m.shapes}
	return p, p.finish(cart)
}

// onlyLineItems is of a validator's answer what may change the cart's lines, and nothing
// else. An absent list, and null, are no list: the cart keeps its lines.
func onlyLineItems(value *jsondoc.Object) *jsondoc.Object {
	lines, ok := value.Object("orderForm").Get("lineItems")
	if !ok || lines == nil {
		return &jsondoc.Object{}
	}
	return jsondoc.NewObject(jsondoc.Pair("orderForm", jsondoc.NewObject(jsondoc.Pair("lineItems", lines))))
}
