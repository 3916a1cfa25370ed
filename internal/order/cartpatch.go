package order

import (
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// ApplyCart returns the cart with what a validator handed back applied
// (docs/contract.md#validators):
// fields of value replace the cart's, objects merge at every depth, absent and
// null fields stay, lists replace. lineItems is the new list, in which a line
// that the cart has keeps the fields that it does not name. What is as the validator got it is
// no change, as in every patch. The cart itself does not change.
func ApplyCart(cart, value *jsondoc.Object) (Patched, error) {
	// A validator is asked again if somebody changes the cart meanwhile
	// (docs/contract.md#carts). So the cart is both what was sent and what is there.
	m := &merger{answer: true, cart: true, same: true, forced: newForced(value, nil), compared: new(int)}
	value, err := m.resolveLines(cart, value)
	if err != nil {
		return Patched{}, err
	}
	for _, name := range fixedFields { // orderhook's own, whatever a validator says
		is, ok := value.Get(name)
		if !isEmpty(is) && !jsondoc.Equal(exactly(cart, name), is) || ok && is == nil && m.forced.has(name, name) {
			m.warn(name, "never changes, and was left as it is")
		}
		value = value.Without(name)
	}
	out := cart.Clone()
	m.object(out, cart, value, place{model: schema.Order}, keepAll)
	if m.err != nil {
		return Patched{}, m.err
	}
	p := Patched{Doc: out, Set: Differences(cart, out), Warnings: append(m.shapes, m.forced.warnings()...)}
	return p, p.finish(cart)
}

// LinesAlone is the lines of a cart, under both names that they may have, and nothing else.
func LinesAlone(value *jsondoc.Object) *jsondoc.Object {
	out := &jsondoc.Object{}
	if lines, ok := value.Get("orderLines"); ok {
		out.Set("orderLines", lines)
	}
	if lines, ok := value.Object("orderForm").Get("lineItems"); ok {
		out.Set("orderForm", jsondoc.NewObject(jsondoc.Pair("lineItems", lines)))
	}
	return out
}
