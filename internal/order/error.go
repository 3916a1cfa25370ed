package order

import (
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/timetext"
)

// ErrorNew is the status of an error that nobody has looked at
// (docs/contract.md#order-errors). A person who mends its cause makes it Solved or
// Deleted.
const ErrorNew = "New"

// OrderError is an error that the workflow leaves on an order
// (docs/contract.md#order-errors). It is written into the order's errors, where the
// dashboard and other systems read it. An endpoint sees it in the order that it is sent.
type OrderError struct {
	Key         string // of the step
	DisplayName string // of the step; "" where it has none
	Message     string
	Details     string // the delivery of an export; "" for other steps
	ReferenceID string // of the shipment or the return that the run was for; "" for the order itself
	RunID       string
}

// AddError adds an error to the order, as the workflow does when a step fails.
func AddError(order *jsondoc.Object, e OrderError, now time.Time) {
	o := jsondoc.NewObject(jsondoc.Pair("key", e.Key))
	o.SetText("displayName", e.DisplayName)
	o.Set("message", e.Message)
	o.SetText("details", e.Details)
	o.Set("severity", "Error")
	o.Set("status", ErrorNew)
	o.SetText("referenceId", e.ReferenceID)
	o.SetText("runId", e.RunID)
	o.Set("occurred", timetext.FormatTime(now))
	order.Set("errors", append(slices.Clone(order.List("errors")), o))
}

// TakeError removes the last error that a step left in a run: it is tried
// again. It reports whether there was one.
func TakeError(order *jsondoc.Object, stepKey, runID string) bool {
	have := order.List("errors")
	// Several steps of one key may each have left an error in the run. The last one is that
	// of the failure that stopped it.
	for i := len(have) - 1; i >= 0; i-- {
		if o, ok := have[i].(*jsondoc.Object); ok && IsErrorOf(o, stepKey) && ErrorRun(o) == runID {
			order.Set("errors", slices.Delete(slices.Clone(have), i, i+1))
			return true
		}
	}
	return false
}

// ClearErrors removes the errors that a step's earlier runs left, and keeps
// those of the run that is under way (docs/contract.md#effects). It
// returns the messages of those that it removed.
func ClearErrors(order *jsondoc.Object, stepKey, runID string) (cleared []string) {
	have := order.List("errors")
	left := slices.DeleteFunc(slices.Clone(have), func(e any) bool {
		o, ok := e.(*jsondoc.Object)
		if !ok || !IsErrorOf(o, stepKey) || ErrorRun(o) == runID {
			return false
		}
		cleared = append(cleared, o.Text("message"))
		return true
	})
	if len(cleared) > 0 {
		order.Set("errors", left)
	}
	return cleared
}

// OwnErrors gives the errors that a step's patch has added under one of the keys
// the run's id, unless they have one: later steps of the run must not clear them
// (docs/contract.md#order-errors). before is the order without the patch. Errors of other
// keys are none of a step's, and stay without a run.
func OwnErrors(order, before *jsondoc.Object, keys []string, runID string) {
	if jsondoc.Equal(order.List("errors"), before.List("errors")) {
		return
	}
	had := map[string]bool{}
	for _, e := range before.List("errors") {
		had[string(jsondoc.Canonical(nil, e))] = true
	}
	for _, e := range order.Objects("errors") {
		ofStep := slices.ContainsFunc(keys, func(key string) bool { return IsErrorOf(e, key) })
		if ofStep && ErrorRun(e) == "" && !had[string(jsondoc.Canonical(nil, e))] {
			e.Set("runId", runID)
		}
	}
}

// IsErrorOf reports whether an error of an order is that of a step. Keys are names of
// steps, which have no case.
func IsErrorOf(e *jsondoc.Object, stepKey string) bool {
	return strings.EqualFold(e.Text("key"), stepKey)
}

// ErrorRun returns the run that left an error. Before an error had a runId, its
// run was its referenceId; such errors are still stored.
func ErrorRun(e *jsondoc.Object) string {
	if id := e.Text("runId"); id != "" {
		return id
	}
	if id := e.Text("referenceId"); strings.HasPrefix(id, ids.Run) {
		return id
	}
	return ""
}
