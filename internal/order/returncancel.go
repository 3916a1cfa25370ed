package order

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// StatusCancelled is the status of the form of a cancelled return
// (docs/contract.md#returns).
const StatusCancelled = "Cancelled"

// ReturnCancelled reports whether a return form counts for nothing any more.
func ReturnCancelled(form *jsondoc.Object) bool { return IsCancelled(form.Text("status")) }

// IsCancelled reports whether the status of a return form says so, in either
// spelling.
func IsCancelled(status string) bool {
	status = strings.TrimSpace(status)
	return spelling.SameName(status, StatusCancelled) || spelling.SameName(status, "Canceled")
}

// CancelReturn frees the quantities of a return, whose form stays. It reports
// whether there is such a return and it was not cancelled already. The quantities of the
// order's lines follow.
func CancelReturn(order *jsondoc.Object, id string) bool {
	form := ReturnForm(order, id)
	if form == nil || ReturnCancelled(form) {
		return false
	}
	was := cloneForms(order)
	form.Set("status", StatusCancelled)
	keepReturned(order, was)
	return true
}

// ReopenReturn makes a cancelled return count again. The error is a [apierr.Conflict]
// where others have returned the same meanwhile.
func ReopenReturn(order *jsondoc.Object, id string) error {
	form := ReturnForm(order, id)
	if form == nil || !ReturnCancelled(form) {
		return nil
	}
	// The form is still cancelled here, so what is left is what others have not taken.
	left, want := tallyReturns(order, order.Objects("returnOrderForms")), map[string]decimal.Decimal{}
	for _, line := range form.Objects("lineItems") {
		id := schema.KeyText(line, "lineItemId")
		want[id] = want[id].Add(quantityOf(line, "returnQuantity"))
		if rest, _ := left.left(id); want[id].GreaterThan(rest) {
			return apierr.Errorf(apierr.Conflict, "the return was cancelled, and of line %q only %s can still be returned", id, rest)
		}
	}
	was := cloneForms(order)
	form.Delete("status")
	keepReturned(order, was)
	return nil
}

// keepReturnedSince makes the returnQuantity of the lines true after a patch changed lines or
// return forms. It reports whether it had to look.
func keepReturnedSince(order, before *jsondoc.Object) bool {
	was := before.Objects("returnOrderForms")
	sameForms := jsondoc.Equal(before.List("returnOrderForms"), order.List("returnOrderForms"))
	sameQuantities := jsondoc.Equal(returnQuantities(before), returnQuantities(order))
	switch {
	case sameForms && (sameQuantities || len(was) == 0):
		return false
	case sameQuantities:
		keepReturned(order, was)
	default:
		// A patch that sets the quantities itself is trusted, as far as the forms allow: other
		// systems count their returns themselves.
		raiseReturned(order)
	}
	return true
}

// returnQuantities are those of an order's lines.
func returnQuantities(order *jsondoc.Object) []any {
	var out []any
	for _, line := range order.Object("orderForm").Objects("lineItems") {
		quantity, _ := line.Get("returnQuantity")
		out = append(out, quantity)
	}
	return out
}

// cloneForms copies the returns of an order, which a cancelation changes.
func cloneForms(order *jsondoc.Object) (forms []*jsondoc.Object) {
	for _, form := range order.Objects("returnOrderForms") {
		forms = append(forms, form.Clone())
	}
	return forms
}

// StatusAfterCancel returns the status of an order that has a return less: what
// is left of its returns says it, as it did when they were made, and where none
// is left, the status from before them. An order that is not in a status of a
// return stays as it is, and so does one that nobody knows better of. It is the order's
// status, not the form's.
func StatusAfterCancel(order *jsondoc.Object) string {
	status := order.Text("status")
	if !isReturnStatus(status) {
		return status
	}
	forms := order.Objects("returnOrderForms")
	for _, form := range forms {
		if !ReturnCancelled(form) {
			return returnStatus(order)
		}
	}
	// The newest form that knows a status from before all returns says it.
	for i := len(forms) - 1; i >= 0; i-- {
		// A form that was stored before blanks were refused may have some.
		if was := strings.TrimSpace(forms[i].Text("prevStatus")); was != "" && !isReturnStatus(was) {
			return was
		}
	}
	return status
}

// isReturnStatus reports whether a status is one that orderhook sets for returns.
func isReturnStatus(status string) bool {
	return spelling.SameName(status, StatusReturned) || spelling.SameName(status, StatusPartiallyReturned)
}
