package decide

import (
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
)

// Return makes a return order form, sets the order Returned or
// PartiallyReturned, and begins that status's return workflow. All of that is one version
// of the order. The error is [apierr.Invalid] and names each line of which more is returned
// than is left.
func Return(f Facts, r order.ReturnRequest) (*Decision, error) {
	b := ofOrder(f)
	id, status, err := order.AddReturn(b.edit(), r, b.Now)
	if err != nil {
		return nil, err
	}
	b.note(order.HistoryEntry{Category: order.CategoryOrder, Operation: order.OpReturned, ReturnID: id, Changes: order.Diff(b.Order.Doc, b.doc), Message: "a return was made", Warnings: r.Warnings})
	b.setStatus(status)
	b.begin(scope{status: status, returnID: id})
	return b.finishFor()
}

// CancelReturn frees the quantities of a return; its form stays, Cancelled
// (docs/contract.md#returns). If a run of the return has not ended, it is superseded at its
// next move. The order leaves the status that its returns gave it, which starts no
// workflow.
func CancelReturn(f Facts, id string) (*Decision, error) {
	b := ofOrder(f)
	form := order.ReturnForm(b.doc, id)
	if form == nil {
		return nil, apierr.Errorf(apierr.NotFound, "the order has no return %q", id)
	}
	if order.ReturnCancelled(form) {
		return nil, apierr.Errorf(apierr.Conflict, "the return %q is cancelled already", id)
	}
	b.returnID = id
	b.cancelReturn(id, "the return was cancelled: its quantities can be returned again")
	b.setStatus(order.StatusAfterCancel(b.doc))
	return b.finishFor()
}

// cancelReturn cancels a return that is not cancelled yet. It changes a copy, so that its
// entry in the history shows what it changed itself and nothing that the decision has
// changed before.
func (b *builder) cancelReturn(id, why string) {
	doc := b.doc.Clone()
	if !order.CancelReturn(doc, id) {
		return
	}
	b.note(order.HistoryEntry{Category: order.CategoryOrder, Operation: order.OpReturnCancelled, ReturnID: id, Changes: order.Diff(b.doc, doc), Message: why})
	b.doc = doc
}
