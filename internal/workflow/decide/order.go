package decide

import (
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
)

// Document is an order, a shipment or a patch as it was read, with what of it
// nothing reads: the history says so.
type Document struct {
	*oms.Object
	Warnings []oms.Warning
}

// StatusChange asks for a status (API.md, `POST /api/orders/{id}/status`).
type StatusChange struct {
	Status     string
	ShipmentID string // it is this shipment's orderStatus that changes
	ReturnID   string // the return workflow runs, for this return
	SkipRun    bool
}

// Create makes a new order of a document, and begins the workflow of its status
// if run says so. The document becomes the order's.
func Create(f Facts, doc Document, run bool) (*Decision, error) {
	order, err := oms.NewOrder(doc.Object, f.Now)
	if err != nil {
		return nil, err
	}
	f.Order = order
	b := change(f)
	b.d.Created = order
	b.note(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpCreated, Version: order.Version, Status: order.Status(),
		Message: "the order was created", Warnings: doc.Warnings})
	if run {
		b.begin(scope{status: order.Status()})
	}
	return b.finishFor()
}

// Enter sets a status and begins its workflow. Entering the status that an order
// is in already runs the workflow again.
func Enter(f Facts, c StatusChange) (*Decision, error) {
	b := change(f)
	b.returnID = c.ReturnID
	switch {
	case c.ReturnID != "" && c.ShipmentID != "":
		return nil, oms.Wrong("body.returnId", "cannot go with a shipmentId")
	case c.ReturnID != "" && oms.ReturnForm(b.doc, c.ReturnID) == nil:
		return nil, oms.Wrong("body.returnId", "the order has no return %q", c.ReturnID)
	case c.ShipmentID == "":
		b.setStatus(c.Status)
	case oms.Shipment(b.doc, c.ShipmentID) == nil:
		return nil, oms.Wrong("body.shipmentId", "the order has no shipment %q", c.ShipmentID)
	default:
		b.enterShipment(c)
	}
	if !c.SkipRun {
		b.begin(scope{c.Status, c.ShipmentID, c.ReturnID})
	} else if c.ShipmentID != "" {
		b.enterMainStatus()
	}
	return b.finishFor()
}

// Patch applies a patch of the API. It runs no workflow; a patch that changes
// nothing makes no version, and its warnings are in the decision all the same.
func Patch(f Facts, patch Document) (*Decision, error) {
	b := change(f)
	patched, err := oms.APIPatch.Apply(b.doc, patch.Object)
	if err != nil {
		return nil, err
	}
	b.d.Warnings = slices.Concat(patch.Warnings, patched.Warnings)
	if len(patched.Changes) == 0 {
		return b.finishFor()
	}
	was := b.Order.Status()
	b.doc = patched.Doc
	changes := patched.Changes
	if oms.KeepReturned(b.doc, b.Order.Doc) {
		changes = oms.Diff(b.Order.Doc, b.doc)
	}
	b.note(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpPatched, Changes: changes, Message: "the order was patched",
		Warnings: b.d.Warnings})
	if len(patched.Unfit) > 0 {
		b.noteUnfit(patched.Unfit)
	}
	if !oms.SameName(was, b.doc.Text("status")) {
		b.noteStatus(was)
	} else if oms.ShipmentsMoved(b.Order.Doc, b.doc) {
		b.enterMainStatus()
	}
	return b.finishFor()
}

// begin makes a run of what it is for: at its first step, or waiting behind the
// order's other runs.
func (b *builder) begin(sc scope) {
	b.Settings, b.returnID = b.Today, sc.returnID
	b.run, b.d.Move = b.plan(sc), Begins
	if !b.Queued {
		b.forward(0)
	}
}
