package workflow

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
)

// overtaken reports whether someone else set a status that this run is about
// (CONTRACT.md, "Someone else was faster").
func (t *transition) overtaken() bool {
	return t.orderOvertaken() || t.shipmentOvertaken() || t.returnOvertaken()
}

func (t *transition) orderOvertaken() bool { return t.order.StatusVersion != t.run.StatusVersion }

func (t *transition) shipmentOvertaken() bool {
	return t.run.ShipmentID != "" && !oms.SameName(scopeStatus(t.order.Doc, t.run), t.run.ScopeStatus)
}

// returnOvertaken reports whether someone cancelled the return meanwhile.
func (t *transition) returnOvertaken() bool {
	return t.run.ReturnID != "" && oms.ReturnCancelled(oms.ReturnForm(t.order.Doc, t.run.ReturnID)) && !oms.IsCancelled(t.run.ScopeStatus)
}

// scopeStatus is the status of the shipment or the return that a run is for; ""
// of a run that is for the order itself.
func scopeStatus(order *oms.Object, r *oms.Run) string {
	if r.ShipmentID != "" {
		return oms.ShipmentStatus(oms.Shipment(order, r.ShipmentID))
	}
	return oms.ReturnForm(order, r.ReturnID).Text("status")
}

// supersede ends a run that was overtaken: their status stays, and the conflict
// is recorded in the entry, with what the run wanted instead, if anything.
func (t *transition) supersede(e oms.HistoryEntry, want wanted) error {
	c, err := t.statusConflict(want)
	if err != nil {
		return err
	}
	e.Operation, e.Changes = oms.OpConflict, []oms.Change{c}
	t.log(e)
	what := "the status"
	if !t.orderOvertaken() {
		what = c.Path
	}
	t.end(oms.RunSuperseded, fmt.Sprintf("%s was changed by someone else: it is %v by now", what, c.Theirs))
	return nil
}

// statusConflict is the status that someone else set, beside the one that this
// run knew and the one that it wanted.
func (t *transition) statusConflict(want wanted) (oms.Change, error) {
	c := oms.Change{Conflict: true}
	if !t.orderOvertaken() {
		c.Path = t.scopePath()
		c.Before, c.Theirs = textOrNil(t.run.ScopeStatus), textOrNil(scopeStatus(t.order.Doc, t.run))
		c.After = textOrNil(want.shipment)
		return c, nil
	}
	known, err := t.from.OrderVersion(t.ctx, t.tenant, t.order.ID, t.run.StatusVersion)
	if err != nil {
		return c, err
	}
	c.Path, c.Before, c.After, c.Theirs = "status", known.Status(), textOrNil(want.order), t.order.Status()
	return c, nil
}

// scopePath names the status of what the run is for.
func (t *transition) scopePath() string {
	if t.run.ReturnID != "" {
		return fmt.Sprintf("returnOrderForms[%s].status", t.run.ReturnID)
	}
	return fmt.Sprintf("orderForm.shipments[%s].orderStatus", t.run.ShipmentID)
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
