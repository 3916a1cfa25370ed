package decide

import "github.com/orderhook/orderhook/internal/oms"

// Return makes a return order form, sets the order Returned or
// PartiallyReturned, and begins that status's return workflow.
func Return(f Facts, r oms.ReturnRequest) (*Decision, error) {
	b := change(f)
	id, status, err := oms.AddReturn(b.edit(), r, b.Now)
	if err != nil {
		return nil, err
	}
	b.note(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpReturned, ReturnID: id, Message: "a return was made", Warnings: r.Warnings})
	b.setStatus(status)
	b.begin(scope{status: status, returnID: id})
	return b.finishFor()
}

// CancelReturn frees the quantities of a return; its form stays, Cancelled
// (CONTRACT.md, "Returns"). A run of the return that goes on is superseded. The
// order leaves the status that its returns gave it, which starts no workflow.
func CancelReturn(f Facts, id string) (*Decision, error) {
	b := change(f)
	form := oms.ReturnForm(b.doc, id)
	if form == nil {
		return nil, oms.Errorf(oms.NotFound, "the order has no return %q", id)
	}
	if oms.ReturnCancelled(form) {
		return nil, oms.Errorf(oms.Conflict, "the return %q is cancelled already", id)
	}
	b.returnID = id
	b.cancelReturn(id, "the return was cancelled: its quantities can be returned again")
	b.setStatus(oms.StatusAfterCancel(b.doc))
	return b.finishFor()
}

// cancelReturn cancels a return that is not cancelled yet.
func (b *builder) cancelReturn(id, why string) {
	doc := b.doc.Clone()
	if !oms.CancelReturn(doc, id) {
		return
	}
	b.note(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpReturnCancelled, ReturnID: id, Changes: oms.Diff(b.doc, doc), Message: why})
	b.doc = doc
}
