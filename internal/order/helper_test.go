package order_test

import (
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
)

// paths are the paths of changes, in their order.
func paths(changes []order.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Path)
	}
	return out
}

// appliedCart applies what a validator handed back, as [cart.ParseValidationOfLines] and
// [cart.ParseValidation] read it.
func appliedCart(cart, value *jsondoc.Object, onlyLines bool) (order.Patched, error) {
	if onlyLines {
		value = order.LinesAlone(value)
	}
	return order.ApplyCart(cart, value)
}
