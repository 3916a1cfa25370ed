package rerun

import (
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Outcome is what one attempt came to.
type Outcome string

// The outcomes.
const (
	Answered Outcome = "answered" // the answer was taken, or the event acknowledged
	Retry    Outcome = "retry"    // it failed, and is tried again
	Failed   Outcome = "failed"   // it failed for good
)

// Decision is what the engine makes of one answer: of the order, of the run, of the cart, of
// the delivery. It is about that answer alone, and not about what follows from it, as the
// next step, or a workflow in another status.
type Decision struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // what the endpoint gave, or why the attempt failed

	// These are for a step.
	Result       run.ActionStatus `json:"result,omitempty"`
	Cancels      bool             `json:"cancels,omitzero"`    // the answer has CancelWorkflow
	Stops        bool             `json:"stops,omitzero"`      // the workflow is aborted
	Superseded   bool             `json:"superseded,omitzero"` // somebody else had set the status meanwhile
	Status       string           `json:"status,omitempty"`    // what the order's status becomes; "": it stays
	Triggers     string           `json:"triggers,omitempty"`  // the status to enter once the run has ended
	TranslateKey string           `json:"translateKey,omitempty"`
	Errors       []string         `json:"errors,omitempty"`  // that the order gets
	Cleared      []string         `json:"cleared,omitempty"` // errors of the order that go
	Events       []string         `json:"events,omitzero"`   // the types; nil: not known

	// These are for a validator.
	Passed             bool                   `json:"passed,omitzero"`
	ValidationErrors   []cart.ValidationError `json:"validationErrors,omitempty"`
	ValidationWarnings []cart.ValidationError `json:"validationWarnings,omitempty"`
	Message            string                 `json:"message,omitempty"`

	// This is for a delivery.
	TurnsOff bool `json:"turnsOff,omitzero"` // its endpoint

	// Changes are those of the order, its status and errors aside, or of the cart.
	Changes  []order.Change   `json:"changes,omitempty"`
	Warnings []apierr.Warning `json:"warnings,omitempty"`

	// after is the order or the cart with the changes; nil where only Changes are known.
	after *jsondoc.Object
}

// ofStep is what of a decision is about the answer to the one step of its run.
func ofStep(f decide.Facts, d *decide.Decision) *Decision {
	r := d.Run.Results[0]
	out := &Decision{
		Outcome: Answered, Reason: r.ErrorReason, Result: r.ActionStatus, Cancels: r.CancelWorkflow, TranslateKey: r.TranslateKey, Warnings: r.Warnings,
		Stops: d.Run.Status == run.RunAborted, Superseded: d.Run.Status == run.RunSuperseded, Triggers: d.Run.Trigger,
		Status: statusSet(d.History), Events: eventTypes(d), after: d.Order.Doc,
	}
	switch {
	case d.Run.Status == run.RunWaiting:
		return &Decision{Outcome: Retry, Reason: d.Attempt.Error, Events: []string{}, after: d.Order.Doc}
	case d.Attempt.Error != "":
		out.Outcome = Failed
	}
	out.of(f.Order.Doc, d.Order.Doc, d.Run.StepName(0)+": ", nil)
	return out
}

// of completes a decision with what it made of the order. own begins the messages of the
// step's errors, others those of other steps, which are not its own.
func (d *Decision) of(before, after *jsondoc.Object, own string, others []string) {
	d.after = after
	d.Changes = slices.DeleteFunc(order.Differences(before, after), func(c order.Change) bool { return apart(c.Path) })
	had, has := errorTexts(before), errorTexts(after)
	for _, text := range beyond(had, has) {
		if !slices.ContainsFunc(others, func(other string) bool { return strings.HasPrefix(text, other) }) {
			d.Errors = append(d.Errors, strings.TrimPrefix(text, own))
		}
	}
	d.Cleared = beyond(has, had)
}

// apart reports whether a field of an order is told of apart from the changes.
func apart(path string) bool {
	return path == "status" || path == "errors" || strings.HasPrefix(path, "errors[")
}

// errorTexts returns the messages of the errors of an order. That a status was not entered is
// said when the run ends, so it is not of any answer.
func errorTexts(doc *jsondoc.Object) (texts []string) {
	for _, e := range doc.Objects("errors") {
		if e.Text("key") != decide.TriggerErrorKey {
			texts = append(texts, e.Text("message"))
		}
	}
	return texts
}

// beyond returns what b has that a does not have, or has less often.
func beyond(a, b []string) (more []string) {
	left := slices.Clone(a)
	for _, text := range b {
		if i := slices.Index(left, text); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			more = append(more, text)
		}
	}
	return more
}

// statusSet is the status that an order was given by an answer, as the history tells; "" for
// none. What stands behind the end of the run follows from that end, and not from the answer.
func statusSet(entries []order.HistoryEntry) (status string) {
	for _, h := range entries {
		switch h.Operation {
		case order.OpRunEnded:
			return status
		case order.OpStatusChanged:
			status = h.Status
		}
	}
	return status
}

// eventTypes returns the types of the events of a decision, in their order.
func eventTypes(d *decide.Decision) []string {
	types := []string{}
	for _, e := range d.Events {
		types = append(types, e.Type)
	}
	return types
}
