package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
)

// completion is one finished attempt on its way into the order. It lives for one decision.
// result points into the run that the decision stores, so that what is written to it is
// stored.
type completion struct {
	*runBuilder
	step      *settings.Step
	result    *run.StepResult
	outcome   Outcome
	overtaken bool                // someone else set the status meanwhile
	patched   order.Patched       // what the answer's patch made of the order
	cleared   *order.HistoryEntry // that the answer cleared errors of earlier runs; nil: none
	wanted    wanted
}

// newCompletion begins the completion of the step that the run is at. The history names that
// step as the author of all that follows.
func (b *runBuilder) newCompletion(o Outcome) *completion {
	c := &completion{runBuilder: b, outcome: o, overtaken: Overtaken(b.Order, b.run), result: b.run.Current(), step: Step(b.Settings, b.run)}
	b.Author = order.Author{By: c.result.By()}
	return c
}

// apply gives the step its result and takes the run on: docs/contract.md#effects,
// on the order as it is now. The result, the patch and the history come before the question
// of whether the workflow stops: what an endpoint has reported is stored in any case.
func (c *completion) apply() {
	i, stop := c.run.Position.Step, false
	switch answer := c.outcome.Answer; {
	case c.outcome.Skip:
		c.result.ActionStatus, c.result.ErrorReason = run.ActionWarning, c.outcome.Failure
		c.note(order.HistoryEntry{Operation: order.OpStepWarning, Step: c.result.Step, Message: c.about(i, c.outcome.Failure)})
	case answer == nil:
		if c.outcome.Refused {
			c.warn("the target guard refused the target of a step", "call", c.result.CallID, "attempt", c.attemptID(), "host", c.d.Attempt.Host)
		}
		c.fail(i, c.outcome.Failure, nil)
		stop = c.step.StopOnError
	default:
		stop = c.stops()
		c.giveAnswer(i, answer)
		c.noteConflicts()
	}
	if len(c.patched.Unfit) > 0 {
		c.noteUnfit(c.patched.Unfit)
	}
	// That somebody else has set the status counts first: they decided on the order, and an
	// ErrorStatus of this run would undo that.
	switch {
	case c.overtaken:
		if stop {
			c.wanted.order = c.step.ErrorStatus
		}
		c.supersede(order.HistoryEntry{Step: c.result.Step, CallID: c.result.CallID,
			Message: c.about(i, "another writer changed the status during the step's call; theirs stays")}, c.wanted)
	case stop:
		if c.step.ErrorStatus != "" {
			c.setStatus(c.step.ErrorStatus)
		}
		c.end(run.RunAborted, c.about(i, c.result.ErrorReason))
	default:
		c.advance(i + 1)
	}
}

// giveAnswer gives the step, the run's i-th, the result that the endpoint reported, and
// the order its history entry and error.
func (c *completion) giveAnswer(i int, answer *run.StepAnswer) {
	c.report(answer)
	if c.doc != c.Order.Doc { // the errors that the patch has added are those of this run
		var steps []string
		for _, r := range c.run.Results {
			steps = append(steps, r.Step)
		}
		order.OwnErrors(c.doc, c.Order.Doc, steps, c.run.ID)
	}
	// An answer that stops the workflow is a failure whose patch is applied all the same.
	if c.stops() {
		c.fail(i, c.result.ErrorReason, c.patched.Changes)
	} else {
		c.noteAnswer(i, answer)
	}
	if c.cleared != nil {
		c.note(*c.cleared)
	}
	// This is remembered until the run ends. Then a mainOrderStatus may follow from it.
	c.run.ShipmentsMoved = c.run.ShipmentsMoved || order.ShipmentsMoved(c.Order.Doc, c.doc)
	if len(c.patched.NotApplied) > 0 {
		c.note(order.HistoryEntry{Operation: order.OpFieldsNotApplied, Step: c.result.Step, CallID: c.result.CallID,
			Message: c.about(i, fmt.Sprintf("fields that a step may not change were left as they are: %v", c.patched.NotApplied))})
	}
	// A status that the patch set has its history entry and its events, and starts no
	// workflow.
	if was := c.Order.Status(); !spelling.SameName(was, c.doc.Text("status")) {
		c.noteStatus(was)
	}
}

// report copies what the endpoint reported into the step's result, with what of
// the answer was not read and what of its patch was not applied
// (docs/contract.md#unread-members).
func (c *completion) report(answer *run.StepAnswer) {
	r := c.result
	r.ActionStatus, r.CancelWorkflow, r.ErrorReason, r.Changes = answer.Status, answer.CancelWorkflow, strings.Join(answer.Reasons, "; "), c.patched.Changes
	r.Warnings = slices.Clone(answer.Warnings)
	for _, w := range c.patched.Warnings {
		r.Warnings = append(r.Warnings, apierr.Warning{Path: strings.TrimSuffix("orderPatch."+w.Path, "."), Message: w.Message})
	}
	c.d.Attempt.Warnings = r.Warnings
	if answer.TranslateKey != "" {
		r.TranslateKey = answer.TranslateKey
	}
	// When several steps ask for a status, the last one gets it: an order can enter one
	// only.
	if answer.Trigger != "" {
		c.run.Trigger = answer.Trigger
	}
	// That is for a step that does not heed it. Otherwise fail makes it an Error.
	if answer.CancelWorkflow {
		r.ActionStatus = run.ActionWarning
	}
	if r.ErrorReason == "" && (answer.CancelWorkflow || answer.Status == run.ActionError) {
		r.ErrorReason = "the endpoint gave no reason"
	}
}

// noteAnswer notes an answer that does not stop the workflow, and adds an error
// where it reported one.
func (c *completion) noteAnswer(i int, answer *run.StepAnswer) {
	e := order.HistoryEntry{Operation: order.OpExecuteExportOrder, Step: c.result.Step, CallID: c.result.CallID,
		Changes: c.patched.Changes, Warnings: c.result.Warnings}
	what := strings.TrimSuffix(fmt.Sprintf("answered %s: %s", c.result.ActionStatus, c.result.ErrorReason), ": ")
	switch {
	// This comes before the status that was reported: the endpoint wanted the workflow to
	// end.
	case answer.CancelWorkflow:
		e.Operation = order.OpStepWarning
		what = "the endpoint canceled, which the step does not heed without StopOnError: " + c.result.ErrorReason
	case answer.Status == run.ActionError:
		e.IsError = true
		c.addError(i, c.result.ErrorReason)
	}
	e.Message = c.about(i, what) + untaken(e.Warnings)
	c.note(e)
}

// untaken is what a message adds about the warnings of a step's answer.
func untaken(warnings []apierr.Warning) string {
	if len(warnings) == 0 {
		return ""
	}
	return "; not all of the answer was taken: " + apierr.WarningText(warnings)
}

// noteConflicts notes the fields that the patch set and another writer had changed
// since the call began; the patch stands (docs/contract.md#conflicts).
func (c *completion) noteConflicts() {
	if len(c.patched.Removed) > 0 {
		c.note(order.HistoryEntry{Operation: order.OpConflict, Step: c.result.Step, CallID: c.result.CallID, Changes: c.patched.Removed,
			Message: "another writer had removed what the step's patch changes; it stays removed"})
	}
	// If the order still is the version that was sent, nobody else can have changed
	// anything, and the comparison of whole documents is saved.
	if c.Sent == c.Order.Doc || len(c.patched.Set) == 0 {
		return
	}
	if found := order.Conflicts(order.Differences(c.Sent, c.Order.Doc), c.patched.Set); len(found) > 0 {
		c.note(order.HistoryEntry{Operation: order.OpConflict, Step: c.result.Step, CallID: c.result.CallID, Changes: found,
			Message: "another writer had changed what the step's patch set; the patch stands"})
	}
}

// noteUnfit says that the order holds amounts which orderhook does not compute
// and which no longer fit its totals.
func (b *builder) noteUnfit(fields []string) {
	b.note(order.HistoryEntry{Category: order.CategoryOrder, Operation: order.OpTotalsUnfit,
		Message: "the totals were computed anew; orderhook does not compute " + strings.Join(fields, ", ") + ", which are as they were"})
}

// SaidOnce reports whether an entry says what the history of an order says only once: that
// totals no longer fit (docs/contract.md#totals). The write of a decision leaves the entry
// out where the order's history has one.
func SaidOnce(e order.HistoryEntry) bool { return e.Operation == order.OpTotalsUnfit }
