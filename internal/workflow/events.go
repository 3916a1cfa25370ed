package workflow

import "github.com/orderhook/orderhook/internal/oms"

// addEvents stores what happened by the change of the order, in the transaction
// that changes it (CONTRACT.md, "Event notifications"). What settings say of
// it is what they say now, whichever settings the run began with.
func (t *transition) addEvents(before *oms.Object) error {
	w := oms.OrderWrite{Before: before, After: t.order, Via: t.entered, ReturnID: t.returnID, At: t.now}
	if len(w.Entered()) > 0 {
		s, err := t.from.Settings(t.ctx, t.tenant)
		if err != nil {
			return err
		}
		orderType := s.OrderType(t.order.Doc.Text("orderType"))
		w.Settings = func(status string) oms.StatusEvents {
			if st := orderType.Status(status); st != nil {
				return st.Events
			}
			return oms.StatusEvents{}
		}
	}
	events := w.Events()
	if t.pass != nil {
		if err := oms.CheckEventCount(events); err != nil {
			return err
		}
	}
	return t.tx.AddEvents(t.ctx, t.tenant, events...)
}
