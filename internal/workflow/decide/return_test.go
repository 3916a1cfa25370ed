package decide_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// docs/contract.md#returns.
func TestReturns(t *testing.T) {
	ofReturns := strings.Replace(stop, "Webhook", "WebhookReturn", 1)
	s := returned(t, ofReturns)
	s.is(told{Run: "running", Steps: "Pending", Order: "PartiallyReturned", History: "ReturnCreated StatusChanged"})
	id := s.f.Run.ReturnID
	quantity := func() string {
		return s.last.Order.Doc.Object("orderForm").Objects("lineItems")[0].Text("returnQuantity")
	}
	_ = quantity
	_, err := decide.Return(s.f, order.ReturnRequest{Lines: []order.ReturnLine{{LineItemID: "L1", Quantity: "2"}}})
	equal(t, "more than is left", apierr.KindOf(err), apierr.Invalid)
	s.answer(canceled)
	equal(t, "an aborted one is cancelled", order.ReturnForm(s.last.Order.Doc, id).Text("status"), "Cancelled")
	equal(t, "history", s.told().History, "WorkflowStepFailed StatusChanged WorkflowEnded ReturnCancelled")

	s = returned(t, ofReturns).answer(result(`"TriggerNewStatus":"Checked"`, `{}`))
	equal(t, "a status of returns that is triggered is the return's", s.last.Next.ReturnID, s.f.Run.ReturnID)
	s = returned(t, ofReturns).answer(result(`"TriggerNewStatus":"Elsewhere"`, `{}`))
	equal(t, "another status is the order's", s.last.Next.EnteredStatus+s.last.Next.ReturnID, "Elsewhere")

	s = returned(t, ofReturns)
	s.f.Run = nil
	s.take(decide.Patch(s.f, patchOf(t, `{"returnOrderForms":[{"returnId":"`+s.last.Run.ReturnID+`","lineItems":[{"lineItemId":"L1","returnQuantity":2}]}]}`)))
	equal(t, "the line's quantity follows, and the history says so", joined(s.entry(order.OpPatched).Changes, func(c order.Change) string { return c.Path }),
		"orderForm.lineItems[L1].returnQuantity returnOrderForms["+s.last.Order.Doc.Objects("returnOrderForms")[0].Text("returnId")+"].lineItems[L1].returnQuantity")

	s = returned(t, ofReturns)
	s.take(decide.CancelReturn(s.f, s.f.Run.ReturnID))
	s.last.Run = nil
	s.is(told{Order: "Idle", History: "ReturnCancelled StatusChanged"})
	_, err = decide.CancelReturn(s.f, s.f.Run.ReturnID)
	equal(t, "twice", apierr.KindOf(err), apierr.Conflict)
	_, err = decide.CancelReturn(s.f, "R9")
	equal(t, "none", apierr.KindOf(err), apierr.NotFound)
}
