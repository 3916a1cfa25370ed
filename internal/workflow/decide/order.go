package decide

import (
	"slices"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Document is an order, a shipment or a patch as it was read, with what of it
// nothing reads: the history says so.
type Document struct {
	*jsondoc.Object
	Warnings []apierr.Warning
}

// StatusChange asks for a status (docs/contract.md#runs). At most one of the two ids may be
// set: a status is of a shipment or of a return, and without an id of the order.
type StatusChange struct {
	Status     string
	ShipmentID string // it is this shipment's orderStatus that changes
	ReturnID   string // the return workflow runs, for this return
	SkipRun    bool
}

// Create makes a new order of a document, and begins the workflow of its status
// if run says so. The document becomes the order's. An error names the field that is wrong,
// or says that the order is too large.
func Create(f Facts, doc Document, run bool) (*Decision, error) {
	o, err := order.NewOrder(doc.Object, f.Now)
	if err != nil {
		return nil, err
	}
	f.Order = o
	b := ofOrder(f)
	b.d.Created = o
	b.note(order.HistoryEntry{Category: order.CategoryOrder, Operation: order.OpCreated, Version: o.Version, Status: o.Status(),
		Message: "the order was created", Warnings: doc.Warnings})
	if run {
		b.begin(scope{status: o.Status()})
	}
	return b.finishFor()
}

// Enter sets a status and begins its workflow. Entering the status that an order
// is in already runs the workflow again. With a ShipmentID it is the orderStatus of that
// shipment, and the order's own status stays. With a ReturnID it is the order's status,
// whose return workflow then runs for that return.
func Enter(f Facts, c StatusChange) (*Decision, error) {
	b := ofOrder(f)
	b.returnID = c.ReturnID
	switch {
	case c.ReturnID != "" && c.ShipmentID != "":
		return nil, apierr.Wrong("body.returnId", "cannot go with a shipmentId")
	case c.ReturnID != "" && order.ReturnForm(b.doc, c.ReturnID) == nil:
		return nil, apierr.Wrong("body.returnId", "the order has no return %q", c.ReturnID)
	case c.ShipmentID == "":
		b.setStatus(c.Status)
	case order.Shipment(b.doc, c.ShipmentID) == nil:
		return nil, apierr.Wrong("body.shipmentId", "the order has no shipment %q", c.ShipmentID)
	default:
		b.enterShipment(c)
	}
	if !c.SkipRun {
		b.begin(scope{c.Status, c.ShipmentID, c.ReturnID})
	} else if c.ShipmentID != "" {
		// A run would bring the order into its main status at its end. Without one, that is
		// done here.
		b.enterMainStatus()
	}
	return b.finishFor()
}

// Patch applies a patch of the API. It runs no workflow; a patch that changes
// nothing makes no version, and its warnings are in the decision all the same.
func Patch(f Facts, patch Document) (*Decision, error) {
	b := ofOrder(f)
	patched, err := order.APIPatch.Apply(b.doc, patch.Object)
	if err != nil {
		return nil, err
	}
	b.d.Warnings = slices.Concat(patch.Warnings, patched.Warnings)
	if len(patched.Changes) == 0 {
		return b.finishFor()
	}
	was := b.Order.Status()
	b.doc = patched.Doc
	b.note(order.HistoryEntry{Category: order.CategoryOrder, Operation: order.OpPatched, Changes: patched.Changes, Message: "the order was patched",
		Warnings: b.d.Warnings})
	if len(patched.Unfit) > 0 {
		b.noteUnfit(patched.Unfit)
	}
	// A status that the patch sets itself stays. Otherwise the statuses of the shipments
	// may bring the order into their main status.
	if !spelling.SameName(was, b.doc.Text("status")) {
		b.noteStatus(was)
	} else if order.ShipmentsMoved(b.Order.Doc, b.doc) {
		b.enterMainStatus()
	}
	return b.finishFor()
}

// Redo makes a change of the API once more that is on record: doc is the order after it, and
// said the entries that it left. What else came of it then, as a status that followed from
// those of the shipments, is not taken from the record but follows anew.
func Redo(f Facts, doc *jsondoc.Object, said []order.HistoryEntry) *Decision {
	b := ofOrder(f)
	was := b.Order.Status()
	b.doc = doc.Clone()
	for _, e := range said {
		if e.Operation != order.OpStatusChanged {
			b.note(e)
		}
	}
	if !spelling.SameName(was, b.doc.Text("status")) {
		b.noteStatus(was)
	} else if order.ShipmentsMoved(b.Order.Doc, b.doc) {
		b.enterMainStatus()
	}
	for i := range b.d.History {
		b.d.History[i].Version = 0 // it is that of this change, and not of the one on record
	}
	return b.finish()
}

// begin makes a run of what it is for: at its first step, or waiting behind the
// order's other runs. A run that waits has its steps, too. What becomes of them is decided
// when its turn comes: see [Begin].
func (b *builder) begin(sc scope) {
	b.Settings, b.returnID = b.Today, sc.returnID
	b.d.Run, b.d.Move = b.plan(sc), Begins
	if !b.Queued {
		(&runBuilder{b, b.d.Run}).advance(0)
	}
}
