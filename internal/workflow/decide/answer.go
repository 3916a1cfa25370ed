package decide

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// RetryDelays are the waits before the second, third and fourth attempt
// (order-workflow-step.txt, "Retry Policy").
var RetryDelays = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}

// Outcome is what one attempt came to (CONTRACT.md, "Outcome of one attempt").
type Outcome struct {
	Answer  *oms.StepAnswer // nil when the attempt failed
	Failure string
	Retry   bool // the failure may pass
	Skip    bool // no call was made, and that is but a warning
	Late    bool // it had no more time than the run's deadline left
	Refused bool // by the target guard
}

// Invalid is the outcome of an answer that cannot be taken.
func Invalid(why string) Outcome { return Outcome{Failure: "invalid response: " + why} }

// Answer decides what becomes of a run, and of its order, by an attempt at its
// call that was made. The answer is applied to the order as it is now. That of
// a run that has ended is recorded, and changes nothing.
func Answer(f Facts, attempt oms.Attempt, o Outcome) *Decision {
	b := move(f)
	made := attempt // an answer that cannot be taken makes a failure of it
	b.d.Attempt = &made
	if b.run.Status.Ended() {
		return b.stays()
	}
	s := b.settlement(o)
	if o.Answer != nil {
		s.applyPatch(o.Answer)
	}
	s.time()
	switch failed := o.Answer == nil; {
	case failed && (o.Late || b.late()):
		b.Author = oms.Author{By: byWorkflow}
		b.orSuperseded((*builder).expire)
	case failed && o.Retry && made.Number < made.MaxNumber && !s.overtaken: // one that was overtaken is at its end
		s.retry()
	default:
		s.take()
	}
	d := b.finish()
	if o.Answer == nil {
		return d
	}
	if err := b.overLimit(); err != nil {
		return Answer(f, failed(attempt, err.Error()), Invalid(err.Error()))
	}
	return d
}

// failed is the record of an attempt whose answer cannot be taken.
func failed(a oms.Attempt, why string) oms.Attempt {
	a.Outcome, a.Error = oms.OutcomeFailed, Invalid(why).Failure
	return a
}

// settlement is one finished attempt on its way into the order.
type settlement struct {
	*builder
	step      *settings.Step
	result    *oms.StepResult
	outcome   Outcome
	overtaken bool              // someone else set the status meanwhile
	patched   oms.Patched       // what the answer's patch made of the order
	cleared   *oms.HistoryEntry // that the answer cleared errors of earlier runs; nil: none
	wanted    wanted
}

func (b *builder) settlement(o Outcome) *settlement {
	s := &settlement{builder: b, outcome: o, overtaken: Overtaken(b.Order, b.run), result: &b.run.Results[b.run.Position.Step], step: Step(b.Settings, b.run)}
	b.Author = oms.Author{By: s.result.By()}
	return s
}

// time notes how long the call has taken so far, from its first attempt on.
func (s *settlement) time() {
	p, a := &s.run.Position, s.d.Attempt
	if p.StartedAt.IsZero() {
		p.StartedAt = a.StartedAt
	}
	s.result.Attempts = a.Number
	s.result.DurationMs = a.StartedAt.Sub(p.StartedAt).Milliseconds() + int64(a.DurationMs)
}

// retry puts the next attempt behind its delay.
func (s *settlement) retry() {
	s.run.Status = oms.RunWaiting
	s.result.ErrorReason = "" // no breaker holds it up any more
	s.run.Position.Attempt++
	s.run.Position.DueAt = s.Now.Add(RetryDelays[s.d.Attempt.Number-1])
}

// applyPatch tries the answer's patch on the order. One that cannot be applied
// makes the answer an invalid one.
func (s *settlement) applyPatch(answer *oms.StepAnswer) {
	before := s.doc
	if !answer.CancelWorkflow && answer.Status != oms.ActionError && len(s.doc.List("errors")) > 0 {
		s.clearErrors()
	}
	rules := oms.OrderStepPatch
	if is(s.step, settings.WebhookReturnStep) {
		rules = oms.ReturnStepPatch
	}
	sent := oms.Sent{Doc: s.Sent, Scope: oms.StepScope{ShipmentID: s.run.ShipmentID, ReturnID: s.run.ReturnID}}
	patched, err := rules.ApplySince(s.doc, sent, s.withoutStatus(answer.Patch))
	if err != nil {
		s.doc = before
		why := "orderPatch: " + err.Error()
		s.outcome, *s.d.Attempt = Invalid(why), failed(*s.d.Attempt, why)
		return
	}
	s.patched = patched
	if len(patched.Changes) > 0 {
		s.doc = patched.Doc
	}
}

// clearErrors takes the errors of the step's earlier runs off the order. Where
// there are none the order is not touched: that would be a version of nothing.
func (s *settlement) clearErrors() {
	doc := s.doc.Clone()
	cleared := oms.ClearErrors(doc, s.result.Step, s.run.ID)
	if len(cleared) == 0 {
		return
	}
	s.cleared = &oms.HistoryEntry{Operation: oms.OpErrorsCleared, Step: s.result.Step, CallID: s.result.CallID, Changes: oms.Diff(s.doc, doc),
		Message: s.about(s.run.Position.Step, "errors that earlier runs of the step left were cleared: "+strings.Join(cleared, "; "))}
	s.doc = doc
}

// withoutStatus takes out of a patch the statuses that the step may not set
// now: someone else did, or ErrorStatus will. One that only says what was sent
// is none that the patch wants.
func (s *settlement) withoutStatus(patch *oms.Object) *oms.Object {
	shipment := oms.Shipment(patch, s.run.ShipmentID)
	s.wanted = wanted{
		order:    other(patch.Text("status"), s.Sent.Text("status")),
		shipment: other(shipment.Text("orderStatus"), oms.Shipment(s.Sent, s.run.ShipmentID).Text("orderStatus")),
	}
	if !s.overtaken && !s.stops() {
		return patch
	}
	patch = patch.Clone()
	patch.Delete("status")
	if s.run.ShipmentID != "" && scopeOvertaken(s.Order, s.run) {
		oms.Shipment(patch, s.run.ShipmentID).Delete("orderStatus")
	}
	return patch
}

func other(status, sent string) string {
	if oms.SameName(status, sent) {
		return ""
	}
	return status
}

// stops reports whether the answer cancels the workflow of a step that heeds it.
func (s *settlement) stops() bool { return s.outcome.Answer.CancelWorkflow && s.step.StopOnError }

// take gives the step its result and takes the run on: CONTRACT.md's table
// "Effect of the call", on the order as it is now.
func (s *settlement) take() {
	stop := s.effect()
	s.noteConflicts()
	if len(s.patched.Unfit) > 0 {
		s.noteUnfit(s.patched.Unfit)
	}
	i := s.run.Position.Step
	switch {
	case s.overtaken:
		if stop {
			s.wanted.order = s.step.ErrorStatus
		}
		s.supersede(oms.HistoryEntry{Step: s.result.Step, CallID: s.result.CallID,
			Message: s.about(i, "another writer changed the status during the step's call; theirs stays")}, s.wanted)
	case stop:
		if s.step.ErrorStatus != "" {
			s.setStatus(s.step.ErrorStatus)
		}
		s.end(oms.RunAborted, s.about(i, s.result.ErrorReason))
	default:
		s.forward(i + 1)
	}
}

// effect gives the step its result and the order its history entry and error,
// and reports whether the workflow stops.
func (s *settlement) effect() (stop bool) {
	answer, i := s.outcome.Answer, s.run.Position.Step
	if s.outcome.Skip {
		s.result.ActionStatus, s.result.ErrorReason = oms.ActionWarning, s.outcome.Failure
		s.note(oms.HistoryEntry{Operation: oms.OpStepWarning, Step: s.result.Step, Message: s.about(i, s.outcome.Failure)})
		return false
	}
	if answer == nil {
		if s.outcome.Refused {
			s.tell("the target guard refused the target of a step", "call", s.result.CallID, "attempt", s.attemptID(), "host", s.d.Attempt.Host)
		}
		s.fail(i, s.outcome.Failure, nil)
		return s.step.StopOnError
	}
	s.report(answer)
	if s.doc != s.Order.Doc {
		s.ownErrors()
	}
	if s.stops() {
		s.fail(i, s.result.ErrorReason, s.patched.Changes)
	} else {
		s.noteAnswer(i, answer)
	}
	if s.cleared != nil {
		s.note(*s.cleared)
	}
	s.run.ShipmentsMoved = s.run.ShipmentsMoved || oms.ShipmentsMoved(s.Order.Doc, s.doc)
	if len(s.patched.NotApplied) > 0 {
		s.note(oms.HistoryEntry{Operation: oms.OpFieldsNotApplied, Step: s.result.Step, CallID: s.result.CallID,
			Message: s.about(i, fmt.Sprintf("fields that a step may not change were left as they are: %v", s.patched.NotApplied))})
	}
	if was := s.Order.Status(); !oms.SameName(was, s.doc.Text("status")) {
		s.noteStatus(was)
	}
	return s.stops()
}

// report copies what the endpoint reported into the step's result, with what of
// the answer was not read and what of its patch was not applied (CONTRACT.md,
// "What is not read is named").
func (s *settlement) report(answer *oms.StepAnswer) {
	r := s.result
	r.ActionStatus, r.CancelWorkflow, r.ErrorReason, r.Changes = answer.Status, answer.CancelWorkflow, answer.Reason(), s.patched.Changes
	r.Warnings = slices.Clone(answer.Warnings)
	for _, w := range s.patched.Warnings {
		r.Warnings = append(r.Warnings, oms.Warning{Path: strings.TrimSuffix("orderPatch."+w.Path, "."), Message: w.Message})
	}
	s.d.Attempt.Warnings = r.Warnings
	if answer.TranslateKey != "" {
		r.TranslateKey = answer.TranslateKey
	}
	if answer.Trigger != "" {
		s.run.Trigger = answer.Trigger
	}
	if answer.CancelWorkflow {
		r.ActionStatus = oms.ActionWarning
	}
	if r.ErrorReason == "" && (answer.CancelWorkflow || answer.Status == oms.ActionError) {
		r.ErrorReason = "the endpoint gave no reason"
	}
}

// ownErrors makes the errors that the patch has added those of this run.
func (s *settlement) ownErrors() {
	var keys []string
	for _, r := range s.run.Results {
		keys = append(keys, r.Step)
	}
	oms.OwnErrors(s.doc, s.Order.Doc, keys, s.run.ID)
}

// noteAnswer notes an answer that does not stop the workflow, and adds an error
// where it reported one.
func (s *settlement) noteAnswer(i int, answer *oms.StepAnswer) {
	e := oms.HistoryEntry{Operation: oms.OpExecuteExportOrder, Step: s.result.Step, CallID: s.result.CallID,
		Changes: s.patched.Changes, Warnings: s.result.Warnings}
	what := strings.TrimSuffix(fmt.Sprintf("answered %s: %s", s.result.ActionStatus, s.result.ErrorReason), ": ")
	switch {
	case answer.CancelWorkflow:
		e.Operation = oms.OpStepWarning
		what = "the endpoint canceled, which the step does not heed without StopOnError: " + s.result.ErrorReason
	case answer.Status == oms.ActionError:
		e.IsError = true
		s.addError(i, s.result.ErrorReason)
	}
	e.Message = s.about(i, what) + untaken(e.Warnings)
	s.note(e)
}

// untaken is what a message adds about the warnings of a step's answer.
func untaken(warnings []oms.Warning) string {
	if len(warnings) == 0 {
		return ""
	}
	return "; not all of the answer was taken: " + oms.WarningText(warnings)
}

// noteConflicts notes the fields that the patch set and another writer had changed
// since the call began; the patch stands (CONTRACT.md, "Someone else was faster").
func (s *settlement) noteConflicts() {
	if len(s.patched.Removed) > 0 {
		s.note(oms.HistoryEntry{Operation: oms.OpConflict, Step: s.result.Step, CallID: s.result.CallID, Changes: s.patched.Removed,
			Message: "another writer had removed what the step's patch changes; it stays removed"})
	}
	if s.Sent == s.Order.Doc || len(s.patched.Set) == 0 {
		return
	}
	if found := oms.Conflicts(oms.Differences(s.Sent, s.Order.Doc), s.patched.Set); len(found) > 0 {
		s.note(oms.HistoryEntry{Operation: oms.OpConflict, Step: s.result.Step, CallID: s.result.CallID, Changes: found,
			Message: "another writer had changed what the step's patch set; the patch stands"})
	}
}

// noteUnfit says that the order holds amounts which orderhook does not compute
// and which no longer fit its totals. Who writes the decision leaves the entry
// out where the order's history has one (CONTRACT.md, "Patch").
func (b *builder) noteUnfit(fields []string) {
	b.note(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpTotalsUnfit,
		Message: "the totals were computed anew; orderhook does not compute " + strings.Join(fields, ", ") + ", which are as they were"})
}
