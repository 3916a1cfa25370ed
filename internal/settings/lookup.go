package settings

import (
	"cmp"

	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/spelling"
)

// OrderType returns the order type of that name, in any case. A name that the
// settings do not hold, or none, gives the default type: the one marked as
// such, else the first (docs/contract.md#settings); nil if there is none. So an order has a
// workflow unless there is no type at all.
func (s *Settings) OrderType(name string) *OrderType {
	// The type that is marked goes before the first, wherever it stands.
	var fallback *OrderType
	for i := range s.OrderTypes {
		t := &s.OrderTypes[i]
		if name != "" && spelling.SameName(t.Name, name) {
			return t
		}
		if fallback == nil || t.Default {
			fallback = t
		}
	}
	return fallback
}

// Status returns the status of that name, in any case, or nil where the type
// does not name it: it can be entered all the same, and has no steps.
func (t *OrderType) Status(name string) *Status {
	if t == nil {
		return nil
	}
	return status(t.Statuses, name)
}

// ReturnStatus returns the return status of that name, in any case, or nil.
func (s *Settings) ReturnStatus(name string) *Status { return status(s.ReturnStatuses, name) }

// StatusOf returns the status whose steps a run takes: one of returns for a return's,
// else one of the type that the order had then; one without steps where the settings do
// not name it. It is never nil.
func (s *Settings) StatusOf(run *run.Run) *Status {
	if run.ReturnID != "" {
		return cmp.Or(s.ReturnStatus(run.EnteredStatus), &unnamed)
	}
	return cmp.Or(s.OrderType(run.OrderType).Status(run.EnteredStatus), &unnamed)
}

// unnamed is what settings say of a status that they do not name: nothing.
var unnamed Status

// Step returns the step that had a place, a name and a display name in a status, maybe
// in other settings: the one there, else the first of those names; nil if there is none. A
// step that was moved within its status is found so.
func (s *Status) Step(index int, name, displayName string) *Step {
	if s == nil {
		return nil
	}
	is := func(st *Step) bool { return st.Name == name && st.DisplayName == displayName }
	if index < len(s.Steps) && is(&s.Steps[index]) {
		return &s.Steps[index]
	}
	for i := range s.Steps {
		if is(&s.Steps[i]) {
			return &s.Steps[i]
		}
	}
	return nil
}

// status returns the status of that name in a list; nil if it has none.
func status(list []Status, name string) *Status {
	for i := range list {
		if spelling.SameName(list[i].Name, name) {
			return &list[i]
		}
	}
	return nil
}
