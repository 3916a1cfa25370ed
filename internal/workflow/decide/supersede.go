package decide

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
)

// Overtaken reports whether someone else set a status that a run is about
// (CONTRACT.md, "Someone else was faster").
func Overtaken(order *oms.Order, run *oms.Run) bool {
	return order.StatusVersion != run.StatusVersion || run.ScopeID() != "" && scopeOvertaken(order, run)
}

// scopeOvertaken reports whether someone set the status of the run's shipment,
// or cancelled its return.
func scopeOvertaken(order *oms.Order, run *oms.Run) bool {
	switch {
	case run.ShipmentID != "":
		return !oms.SameName(scopeStatus(order.Doc, run), run.ScopeStatus)
	case run.ReturnID != "":
		return oms.ReturnCancelled(oms.ReturnForm(order.Doc, run.ReturnID)) && !oms.IsCancelled(run.ScopeStatus)
	}
	return false
}

// scopeStatus is the status of the shipment or the return that a run is for; ""
// of a run that is for the order itself.
func scopeStatus(order *oms.Object, r *oms.Run) string {
	if r.ShipmentID != "" {
		return oms.ShipmentStatus(oms.Shipment(order, r.ShipmentID))
	}
	return oms.ReturnForm(order, r.ReturnID).Text("status")
}

// wanted is the statuses that an answer's patch would set.
type wanted struct{ order, shipment string }

// supersede ends a run that was overtaken: their status stays, and the conflict
// is recorded in the entry, with what the run wanted instead, if anything.
func (b *builder) supersede(e oms.HistoryEntry, want wanted) {
	c := b.statusConflict(want)
	e.Operation, e.Changes = oms.OpConflict, []oms.Change{c}
	b.note(e)
	what := "the status"
	if b.Order.StatusVersion == b.run.StatusVersion {
		what = c.Path
	}
	b.end(oms.RunSuperseded, fmt.Sprintf("%s was changed by someone else: it is %v by now", what, c.Theirs))
}

// statusConflict is the status that someone else set, beside the one that this
// run knew and the one that it wanted.
func (b *builder) statusConflict(want wanted) oms.Change {
	if b.Order.StatusVersion != b.run.StatusVersion {
		return oms.Change{Conflict: true, Path: "status", Before: b.KnownStatus, After: textOrNil(want.order), Theirs: b.Order.Status()}
	}
	path := fmt.Sprintf("orderForm.shipments[%s].orderStatus", b.run.ShipmentID)
	if b.run.ReturnID != "" {
		path = fmt.Sprintf("returnOrderForms[%s].status", b.run.ReturnID)
	}
	return oms.Change{Conflict: true, Path: path, Before: textOrNil(b.run.ScopeStatus), After: textOrNil(want.shipment),
		Theirs: textOrNil(scopeStatus(b.Order.Doc, b.run))}
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
