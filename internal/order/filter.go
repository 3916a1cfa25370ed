package order

import (
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// HasUnsolvedErrors reports whether one of an order's errors is still to be
// dealt with: its status is neither Solved nor Deleted
// (docs/contract.md#order-errors). An error without a status is new.
func HasUnsolvedErrors(order *jsondoc.Object) bool {
	return slices.ContainsFunc(order.Objects("errors"), func(e *jsondoc.Object) bool {
		status := e.Text("status")
		return !spelling.SameName(status, "Solved") && !spelling.SameName(status, "Deleted")
	})
}

// ExternalIDs returns the ids that other systems know an order by, each once:
// those of its externalIds. A number is the text of its digits.
func ExternalIDs(order *jsondoc.Object) []string {
	var ids []string
	for _, e := range order.Objects("externalIds") {
		v, _ := e.Get("id")
		id, _ := v.(string)
		if n, ok := v.(jsondoc.Number); ok {
			id = string(n)
		}
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
