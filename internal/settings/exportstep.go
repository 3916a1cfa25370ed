package settings

import (
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/spelling"
)

// ExportStep returns the ExportOrder step that a reference finds: the one of its
// place and display name, else the first of that name in the status; nil if there
// is none any more. So an export finds its step even if others were put before it. Its
// headers are looked up so at each attempt of an export.
func (s *Settings) ExportStep(ref event.StepRef) *Step {
	status := s.ReturnStatus(ref.Status)
	if ref.OrderType != "" {
		t := s.OrderType(ref.OrderType)
		if t == nil || !spelling.SameName(t.Name, ref.OrderType) { // another type takes its place
			return nil
		}
		status = t.Status(ref.Status)
	}
	return status.Step(ref.Index, ExportOrderStep, ref.DisplayName)
}

// ExportSteps returns references to all ExportOrder steps that have headers of
// their own.
func (s *Settings) ExportSteps() []event.StepRef {
	var all []event.StepRef
	add := func(orderType string, statuses []Status) {
		for _, status := range statuses {
			for i, st := range status.Steps {
				if st.Name == ExportOrderStep && len(st.RequestHeaders) > 0 {
					all = append(all, event.StepRef{OrderType: orderType, Status: status.Name, Index: i, DisplayName: st.DisplayName})
				}
			}
		}
	}
	for _, t := range s.OrderTypes {
		add(t.Name, t.Statuses)
	}
	add("", s.ReturnStatuses)
	return all
}
