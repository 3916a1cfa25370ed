package settings

// OrderType returns the order type of that name, in any case. A name that the
// settings do not hold, or none, gives the default type: the one marked as
// such, else the first (CONTRACT.md, "Configuration"); nil if there is none.
func (s *Settings) OrderType(name string) *OrderType {
	var fallback *OrderType
	for i := range s.OrderTypes {
		t := &s.OrderTypes[i]
		if name != "" && same(t.Name, name) {
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

func status(list []Status, name string) *Status {
	for i := range list {
		if same(list[i].Name, name) {
			return &list[i]
		}
	}
	return nil
}
