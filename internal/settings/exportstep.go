package settings

import "github.com/orderhook/orderhook/internal/oms"

// ExportStep returns the ExportOrder step that a reference finds: the one of its
// place and display name, else the first of that name in the status; nil if there
// is none any more.
func (s *Settings) ExportStep(ref oms.StepRef) *Step {
	status := s.ReturnStatus(ref.Status)
	if ref.OrderType != "" {
		t := s.OrderType(ref.OrderType)
		if t == nil || !same(t.Name, ref.OrderType) { // another type takes its place
			return nil
		}
		status = t.Status(ref.Status)
	}
	if status == nil {
		return nil
	}
	is := func(st *Step) bool { return st.Name == ExportOrderStep && st.DisplayName == ref.DisplayName }
	if ref.Index < len(status.Steps) && is(&status.Steps[ref.Index]) {
		return &status.Steps[ref.Index]
	}
	for i := range status.Steps {
		if is(&status.Steps[i]) {
			return &status.Steps[i]
		}
	}
	return nil
}

// ExportSteps returns references to all ExportOrder steps that have headers of
// their own.
func (s *Settings) ExportSteps() []oms.StepRef {
	var all []oms.StepRef
	add := func(orderType string, statuses []Status) {
		for _, status := range statuses {
			for i, st := range status.Steps {
				if st.Name == ExportOrderStep && len(st.RequestHeaders) > 0 {
					all = append(all, oms.StepRef{OrderType: orderType, Status: status.Name, Index: i, DisplayName: st.DisplayName})
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
