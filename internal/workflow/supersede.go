package workflow

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
)

// overtaken reports whether someone else set a status that this run is about
// (CONTRACT.md, "Someone else was faster").
func (t *transition) overtaken() bool { return t.orderOvertaken() || t.shipmentOvertaken() }

func (t *transition) orderOvertaken() bool { return t.order.StatusVersion != t.run.StatusVersion }

func (t *transition) shipmentOvertaken() bool {
	return !oms.SameName(oms.Shipment(t.order.Doc, t.run.ShipmentID).Text("status"), t.run.ScopeStatus)
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
	t.end(oms.RunSuperseded, "the status was changed by someone else")
	return nil
}

// statusConflict is the status that someone else set, beside the one that this
// run knew and the one that it wanted.
func (t *transition) statusConflict(want wanted) (oms.Change, error) {
	c := oms.Change{Conflict: true}
	if !t.orderOvertaken() {
		c.Path = fmt.Sprintf("orderForm.shipments[%s].status", t.run.ShipmentID)
		c.Before, c.Theirs = t.run.ScopeStatus, oms.Shipment(t.order.Doc, t.run.ShipmentID).Text("status")
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

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
