package intercept

import (
	"slices"

	"github.com/orderhook/orderhook/internal/spelling"
)

// Filter says which calls an interception is about. An empty list picks all, but for
// Orders, where AllOrders must say so.
type Filter struct {
	Steps      []string // by their displayName or their name, in any case
	Connectors []string // by their connectorId or their name
	Statuses   []string // that the order, or its return, entered
	Orders     []string // ids, compared exactly
	AllOrders  bool
}

// Subject is what a call is of, as a filter looks at it. A member that a call does not have is "".
type Subject struct {
	Step, DisplayName      string
	Connector, ConnectorID string
	Status                 string // that was entered
	OrderID, RunID         string
}

// picks reports whether a call is one of those that the filter is about.
func (f *Filter) picks(s *Subject) bool {
	return (f.AllOrders || slices.Contains(f.Orders, s.OrderID)) &&
		(len(f.Steps) == 0 || named(f.Steps, s.DisplayName, s.Step)) &&
		(len(f.Connectors) == 0 || named(f.Connectors, s.ConnectorID, s.Connector)) &&
		(len(f.Statuses) == 0 || named(f.Statuses, s.Status))
}

// named reports whether a list has one of the names.
func named(list []string, names ...string) bool {
	return slices.ContainsFunc(list, func(l string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return n != "" && spelling.SameName(l, n) })
	})
}
