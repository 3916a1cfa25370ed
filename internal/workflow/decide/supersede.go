package decide

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Overtaken reports whether someone else set a status that a run is about
// (docs/contract.md#conflicts). It goes by the version at which the status was last set,
// and not by the status: somebody may have set another one and then the first again. What a
// run sets itself is noted on it in the same write.
func Overtaken(order *order.Order, run *run.Run) bool {
	return order.StatusVersion != run.StatusVersion || run.ScopeID() != "" && scopeOvertaken(order, run)
}

// scopeOvertaken reports whether someone set the status of the run's shipment,
// or cancelled its return.
func scopeOvertaken(o *order.Order, run *run.Run) bool {
	switch {
	case run.ShipmentID != "":
		return !spelling.SameName(scopeStatus(o.Doc, run), run.ScopeStatus)
	// Other statuses of a return are for its steps to set. Only that it was cancelled ends
	// its run.
	case run.ReturnID != "":
		return order.ReturnCancelled(order.ReturnForm(o.Doc, run.ReturnID)) && !order.IsCancelled(run.ScopeStatus)
	}
	return false
}

// scopeStatus is the status of the shipment or the return that a run is for; ""
// of a run that is for the order itself.
func scopeStatus(o *jsondoc.Object, r *run.Run) string {
	if r.ShipmentID != "" {
		return order.ShipmentStatus(order.Shipment(o, r.ShipmentID))
	}
	return order.ReturnForm(o, r.ReturnID).Text("status")
}

// wanted is the statuses that an answer's patch would set. One is "" where the patch leaves
// the status as it was sent.
type wanted struct{ order, shipment string }

// supersede ends a run that was overtaken. The status that somebody else set stays, and the
// conflict is recorded in the entry, with what the run wanted instead, if anything. The
// steps that are left do not run.
func (b *runBuilder) supersede(e order.HistoryEntry, want wanted) {
	c := b.statusConflict(want)
	e.Operation, e.Changes = order.OpConflict, []order.Change{c}
	b.note(e)
	what := "the status"
	if b.Order.StatusVersion == b.run.StatusVersion {
		what = c.Path
	}
	b.end(run.RunSuperseded, fmt.Sprintf("%s was changed by someone else: it is %v by now", what, c.Theirs))
}

// statusConflict is the status that someone else set, beside the one that this
// run knew and the one that it wanted.
func (b *runBuilder) statusConflict(want wanted) order.Change {
	if b.Order.StatusVersion != b.run.StatusVersion {
		return order.Change{Conflict: true, Path: "status", Before: b.KnownStatus, After: textOrNil(want.order), Theirs: b.Order.Status()}
	}
	path := fmt.Sprintf("orderForm.shipments[%s].orderStatus", b.run.ShipmentID)
	if b.run.ReturnID != "" {
		path = fmt.Sprintf("returnOrderForms[%s].status", b.run.ReturnID)
	}
	return order.Change{Conflict: true, Path: path, Before: textOrNil(b.run.ScopeStatus), After: textOrNil(want.shipment),
		Theirs: textOrNil(scopeStatus(b.Order.Doc, b.run))}
}

// textOrNil is a status as a change has it: nil where there is none.
func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
