package oms

import (
	"slices"
	"strings"
	"time"
)

// ErrorNew is the status of an error that nobody has looked at (CONTRACT.md,
// "Errors on an order"). Whoever mends its cause makes it Solved or Deleted.
const ErrorNew = "New"

// OrderError is an error that the workflow leaves on an order (CONTRACT.md,
// "Errors on an order").
type OrderError struct {
	Key         string // of the step
	DisplayName string // of the step; "" where it has none
	Message     string
	Details     string // the delivery of an export; "" for other steps
	ReferenceID string // of the shipment or the return that the run was for; "" for the order itself
	RunID       string
}

// AddError adds an error to the order, as the workflow does when a step fails.
func AddError(order *Object, e OrderError, now time.Time) {
	o := NewObject(Member{"key", e.Key})
	setText(o, "displayName", e.DisplayName)
	o.Set("message", e.Message)
	setText(o, "details", e.Details)
	o.Set("severity", "Error")
	o.Set("status", ErrorNew)
	setText(o, "referenceId", e.ReferenceID)
	setText(o, "runId", e.RunID)
	o.Set("occurred", FormatTime(now))
	order.Set("errors", append(slices.Clone(order.List("errors")), o))
}

// TakeError removes the last error that a step left in a run: it is tried
// again. It reports whether there was one.
func TakeError(order *Object, stepKey, runID string) bool {
	have := order.List("errors")
	for i := len(have) - 1; i >= 0; i-- {
		if o, ok := have[i].(*Object); ok && isErrorOf(o, stepKey) && errorRun(o) == runID {
			order.Set("errors", slices.Delete(slices.Clone(have), i, i+1))
			return true
		}
	}
	return false
}

// ClearErrors removes the errors that a step's earlier runs left, and keeps
// those of the run that is under way (CONTRACT.md, "Effect of the call"). It
// returns the messages of those that it removed.
func ClearErrors(order *Object, stepKey, runID string) (cleared []string) {
	have := order.List("errors")
	left := slices.DeleteFunc(slices.Clone(have), func(e any) bool {
		o, ok := e.(*Object)
		if !ok || !isErrorOf(o, stepKey) || errorRun(o) == runID {
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
// (CONTRACT.md, "Errors on an order"). before is the order without the patch.
func OwnErrors(order, before *Object, keys []string, runID string) {
	if equal(order.List("errors"), before.List("errors")) {
		return
	}
	had := map[string]bool{}
	for _, e := range before.List("errors") {
		had[string(canonical(nil, e))] = true
	}
	for _, e := range order.Objects("errors") {
		ofStep := slices.ContainsFunc(keys, func(key string) bool { return isErrorOf(e, key) })
		if ofStep && errorRun(e) == "" && !had[string(canonical(nil, e))] {
			e.Set("runId", runID)
		}
	}
}

func isErrorOf(e *Object, stepKey string) bool { return strings.EqualFold(e.Text("key"), stepKey) }

// errorRun returns the run that left an error. Before an error had a runId, its
// run was its referenceId; such errors are still stored.
func errorRun(e *Object) string {
	if id := e.Text("runId"); id != "" {
		return id
	}
	if id := e.Text("referenceId"); strings.HasPrefix(id, RunID) {
		return id
	}
	return ""
}
