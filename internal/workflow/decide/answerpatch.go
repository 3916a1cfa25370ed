package decide

import (
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
)

// applyPatch tries the answer's patch on the order. One that cannot be applied
// makes the answer an invalid one. Errors that earlier runs of the step left go first,
// unless the answer reports an error or cancels: the patch then meets an order without
// them, and an echo of them does not bring them back (docs/contract.md#patches). If the
// patch does not fit, they stay.
func (c *completion) applyPatch(answer *run.StepAnswer) {
	before := c.doc
	if !answer.CancelWorkflow && answer.Status != run.ActionError && len(c.doc.List("errors")) > 0 {
		c.clearErrors()
	}
	rules := order.OrderStepPatch
	if is(c.step, settings.WebhookReturnStep) {
		rules = order.ReturnStepPatch
	}
	sent := order.Sent{Doc: c.Sent, Scope: order.StepScope{ShipmentID: c.run.ShipmentID, ReturnID: c.run.ReturnID}}
	patched, err := rules.ApplySince(c.doc, sent, c.withoutStatus(answer.Patch))
	if err != nil {
		c.doc = before
		why := "orderPatch: " + err.Error()
		c.outcome, *c.d.Attempt = Invalid(why), failedAttempt(*c.d.Attempt, why)
		return
	}
	c.patched = patched
	// Without a change the document stays the very object that it was. By that, finish sees
	// that there is no new version.
	if len(patched.Changes) > 0 {
		c.doc = patched.Doc
	}
}

// clearErrors takes the errors of the step's earlier runs off the order. Where
// there are none the order is not touched: that would be a version of nothing. The history
// entry is made here, and noted by giveAnswer behind that of the answer.
func (c *completion) clearErrors() {
	doc := c.doc.Clone()
	cleared := order.ClearErrors(doc, c.result.Step, c.run.ID)
	if len(cleared) == 0 {
		return
	}
	c.cleared = &order.HistoryEntry{Operation: order.OpErrorsCleared, Step: c.result.Step, CallID: c.result.CallID, Changes: order.Diff(c.doc, doc),
		Message: c.about(c.run.Position.Step, "errors that earlier runs of the step left were cleared: "+strings.Join(cleared, "; "))}
	c.doc = doc
}

// withoutStatus takes out of a patch the statuses that the step may not set
// now: someone else did, or ErrorStatus will. One that only says what was sent
// is none that the patch wants. What the patch wants is kept for the entry about the
// conflict, if there is one.
func (c *completion) withoutStatus(patch *jsondoc.Object) *jsondoc.Object {
	shipment := order.Shipment(patch, c.run.ShipmentID)
	c.wanted = wanted{
		order:    other(patch.Text("status"), c.Sent.Text("status")),
		shipment: other(shipment.Text("orderStatus"), order.Shipment(c.Sent, c.run.ShipmentID).Text("orderStatus")),
	}
	if !c.overtaken && !c.stops() {
		return patch
	}
	patch = patch.Clone()
	patch.Delete("status")
	// The shipment's status is taken out only where somebody else has set it. ErrorStatus
	// is the order's alone, so it does not stand in the way.
	if c.run.ShipmentID != "" && scopeOvertaken(c.Order, c.run) {
		order.Shipment(patch, c.run.ShipmentID).Delete("orderStatus")
	}
	return patch
}

// other returns the status that a patch sets, or "" if that is what was sent.
func other(status, sent string) string {
	if spelling.SameName(status, sent) {
		return ""
	}
	return status
}

// stops reports whether the answer cancels the workflow of a step that heeds it.
func (c *completion) stops() bool { return c.outcome.Answer.CancelWorkflow && c.step.StopOnError }
