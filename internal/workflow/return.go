package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

// CancelReturn frees the quantities of a return; its form stays, Cancelled
// (CONTRACT.md, "Returns"). A run of the return that goes on is superseded. The
// order leaves the status that its returns gave it, which starts no workflow.
func (e *Engine) CancelReturn(ctx context.Context, c Caller, orderID, id string) (Started, error) {
	return e.start(ctx, c, func(t *transition) error {
		if err := t.read(orderID, c.IfMatch); err != nil {
			return err
		}
		form := oms.ReturnForm(t.doc, id)
		if form == nil {
			return oms.Errorf(oms.NotFound, "the order has no return %q", id)
		}
		if oms.ReturnCancelled(form) {
			return oms.Errorf(oms.Conflict, "the return %q is cancelled already", id)
		}
		t.returnID = id
		t.cancelReturn(id, "the return was cancelled: its quantities can be returned again")
		t.setStatus(oms.StatusAfterCancel(t.doc))
		return t.save()
	})
}

// cancelReturn cancels a return that is not cancelled yet.
func (t *transition) cancelReturn(id, why string) {
	doc := t.doc.Clone()
	if !oms.CancelReturn(doc, id) {
		return
	}
	t.log(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpReturnCancelled, ReturnID: id, Changes: oms.Diff(t.doc, doc), Message: why})
	t.doc = doc
}

// freeReturn cancels the return whose run was aborted.
func (t *transition) freeReturn() {
	if t.run.ReturnID != "" {
		t.cancelReturn(t.run.ReturnID, "the return was cancelled, as its workflow was aborted: its quantities can be returned again")
	}
}

// CreateReturn makes a return order form, sets the order Returned or
// PartiallyReturned, and begins that status's return workflow.
func (e *Engine) CreateReturn(ctx context.Context, c Caller, orderID string, r oms.ReturnRequest) (Started, error) {
	return e.start(ctx, c, func(t *transition) error {
		if err := t.read(orderID, c.IfMatch); err != nil {
			return err
		}
		id, status, err := oms.AddReturn(t.edit(), r, t.now)
		if err != nil {
			return err
		}
		t.log(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpReturned, ReturnID: id, Message: "a return was made", Warnings: r.Warnings})
		t.setStatus(status)
		return t.enter(scope{status: status, returnID: id}, true)
	})
}
