package order_test

import "github.com/orderhook/orderhook/internal/order"

// paths are the paths of changes, in their order.
func paths(changes []order.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Path)
	}
	return out
}
