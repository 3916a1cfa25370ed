package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// settlement is one finished attempt on its way into the order.
type settlement struct {
	*transition
	step      *settings.Step
	result    *oms.StepResult
	outcome   outcome
	overtaken bool              // someone else set the status meanwhile
	patched   oms.Patched       // what the answer's patch made of the order
	sentDoc   *oms.Object       // the order as the call sent it
	cleared   *oms.HistoryEntry // that the answer cleared errors of earlier runs; nil: none
	wanted    wanted
}

// wanted is the statuses that an answer's patch would set.
type wanted struct{ order, shipment string }

// settle applies an attempt that was made, and records it.
func (t *transition) settle(a *oms.Attempt, o outcome) error {
	t.attempt = a
	if t.idle = t.run.Status.Ended(); t.idle {
		return nil
	}
	s := t.settlement(o)
	if err := s.applyPatch(); err != nil {
		return err
	}
	s.time()
	if o.answer == nil && (o.late || t.late()) {
		return t.expire()
	}
	if s.retries() {
		s.retry()
		return nil
	}
	return s.take()
}

func (t *transition) settlement(o outcome) *settlement {
	s := &settlement{transition: t, outcome: o, overtaken: t.overtaken(), result: &t.run.Results[t.run.Position.Step]}
	s.step = &stepsOf(t.settings, t.run)[s.result.ConfigIndex]
	t.by = s.result.By()
	return s
}

// take gives the step its result and takes the run on: CONTRACT.md's table
// "Effect of the call", on the order as it is now.
func (s *settlement) take() error {
	stop := s.effect()
	s.conflicts()
	if err := s.noteUnfit(s.patched.Unfit); err != nil {
		return err
	}
	return s.goOn(stop)
}

// time notes how long the call has taken so far, from its first attempt on.
func (s *settlement) time() {
	p := &s.run.Position
	if p.StartedAt.IsZero() {
		p.StartedAt = s.attempt.StartedAt
	}
	s.result.Attempts = s.attempt.Number
	s.result.DurationMs = s.attempt.StartedAt.Sub(p.StartedAt).Milliseconds() + int64(s.attempt.DurationMs)
}

// retries reports whether the attempt failed and another one follows. A run
// that was overtaken is at its end and repeats nothing.
func (s *settlement) retries() bool {
	return s.outcome.answer == nil && s.outcome.retry && s.attempt.Number < s.attempt.MaxNumber && !s.overtaken
}

// retry puts the next attempt behind its delay.
func (s *settlement) retry() {
	s.run.Status = oms.RunWaiting
	s.result.ErrorReason = "" // no breaker holds it up any more
	s.run.Position.Attempt++
	s.run.Position.DueAt = s.now.Add(retryDelays[s.attempt.Number-1])
}

// stops reports whether the answer cancels the workflow of a step that heeds it.
func (s *settlement) stops() bool { return s.outcome.answer.CancelWorkflow && s.step.StopOnError }

// applyPatch tries the answer's patch on the order. One that cannot be applied
// makes the answer an invalid one.
func (s *settlement) applyPatch() error {
	answer, before := s.outcome.answer, s.doc
	if answer == nil {
		return nil
	}
	sent, err := s.sent()
	if err != nil {
		return err
	}
	if !answer.CancelWorkflow && answer.Status != oms.ActionError {
		s.clearErrors()
	}
	patched, err := s.rules().ApplySince(s.doc, sent, s.withoutStatus(answer.Patch, sent.Doc))
	if err != nil {
		s.doc = before
		s.outcome = outcome{failure: "invalid response: orderPatch: " + err.Error()}
		s.attempt.Outcome, s.attempt.Error = oms.OutcomeFailed, s.outcome.failure
		return nil
	}
	s.patched = patched
	if len(patched.Changes) > 0 {
		s.doc = patched.Doc
	}
	return nil
}

// sent is the order as the call sent it, whatever became of it since.
func (s *settlement) sent() (oms.Sent, error) {
	sent := oms.Sent{Doc: s.doc, Scope: oms.StepScope{ShipmentID: s.run.ShipmentID, ReturnID: s.run.ReturnID}}
	if base := s.run.Position.BaseVersion; s.tx != nil && base != s.order.Version { // a dry run sends what it has
		was, err := s.from.OrderVersion(s.ctx, s.tenant, s.order.ID, base)
		if err != nil {
			return sent, err
		}
		sent.Doc = was.Doc
	}
	s.sentDoc = sent.Doc
	return sent, nil
}

// withoutStatus takes out of a patch the statuses that the step may not set
// now: someone else did, or ErrorStatus will.
func (s *settlement) withoutStatus(patch, sent *oms.Object) *oms.Object {
	shipment := oms.Shipment(patch, s.run.ShipmentID)
	s.wanted = wanted{
		order:    other(patch.Text("status"), sent.Text("status")),
		shipment: other(shipment.Text("orderStatus"), oms.Shipment(sent, s.run.ShipmentID).Text("orderStatus")),
	}
	if !s.overtaken && !s.stops() {
		return patch
	}
	patch = patch.Clone()
	patch.Delete("status")
	if s.shipmentOvertaken() {
		oms.Shipment(patch, s.run.ShipmentID).Delete("orderStatus")
	}
	return patch
}

// other is a status that a patch asks for; one that only says what was sent asks
// for nothing.
func other(status, sent string) string {
	if oms.SameName(status, sent) {
		return ""
	}
	return status
}

// clearErrors takes the errors of the step's earlier runs off the order. Where
// there are none the order is not touched: that would be a version of nothing.
func (s *settlement) clearErrors() {
	if len(s.doc.List("errors")) == 0 {
		return
	}
	doc := s.doc.Clone()
	cleared := oms.ClearErrors(doc, s.result.Step, s.run.ID)
	if len(cleared) == 0 {
		return
	}
	s.cleared = &oms.HistoryEntry{Operation: oms.OpErrorsCleared, Step: s.result.Step, CallID: s.result.CallID, Changes: oms.Diff(s.doc, doc),
		Message: s.about(s.run.Position.Step, "errors that earlier runs of the step left were cleared: "+strings.Join(cleared, "; "))}
	s.doc = doc
}

func (s *settlement) rules() *oms.PatchRules {
	if is(s.step, settings.WebhookReturnStep) {
		return oms.ReturnStepPatch
	}
	return oms.OrderStepPatch
}

// effect gives the step its result and the order its history entry and error,
// and reports whether the workflow stops.
func (s *settlement) effect() (stop bool) {
	answer, i := s.outcome.answer, s.run.Position.Step
	if s.outcome.skip {
		s.result.ActionStatus, s.result.ErrorReason = oms.ActionWarning, s.outcome.failure
		s.log(oms.HistoryEntry{Operation: oms.OpStepWarning, Step: s.result.Step, Message: s.about(i, s.outcome.failure)})
		return false
	}
	if answer == nil {
		s.result.ActionStatus, s.result.ErrorReason = oms.ActionError, s.outcome.failure
		if s.outcome.refused {
			s.warn("the target guard refused the target of a step", "call", s.result.CallID, "attempt", s.attemptID(), "host", s.attempt.Host)
		}
		s.fail(i, s.outcome.failure, nil)
		return s.step.StopOnError
	}
	s.report(answer)
	s.ownErrors()
	if s.stops() {
		s.result.ActionStatus = oms.ActionError
		s.fail(i, s.result.ErrorReason, s.patched.Changes)
	} else {
		s.logAnswer(i, answer)
	}
	if s.cleared != nil {
		s.log(*s.cleared)
	}
	s.run.ShipmentsMoved = s.run.ShipmentsMoved || oms.ShipmentsMoved(s.order.Doc, s.doc)
	if len(s.patched.NotApplied) > 0 {
		s.log(oms.HistoryEntry{Operation: oms.OpFieldsNotApplied, Step: s.result.Step, CallID: s.result.CallID,
			Message: s.about(i, fmt.Sprintf("fields that a step may not change were left as they are: %v", s.patched.NotApplied))})
	}
	if was := s.order.Status(); !oms.SameName(was, s.doc.Text("status")) {
		s.logStatus(was)
	}
	return s.stops()
}

// ownErrors makes the errors that the patch has added those of this run.
func (s *settlement) ownErrors() {
	if s.doc == s.order.Doc {
		return
	}
	var keys []string
	for _, r := range s.run.Results {
		keys = append(keys, r.Step)
	}
	oms.OwnErrors(s.doc, s.order.Doc, keys, s.run.ID)
}

// report copies what the endpoint reported into the step's result.
func (s *settlement) report(answer *oms.StepAnswer) {
	r := s.result
	r.ActionStatus, r.CancelWorkflow, r.ErrorReason, r.Changes = answer.Status, answer.CancelWorkflow, answer.Reason(), s.patched.Changes
	r.Warnings = s.warnings()
	s.attempt.Warnings = r.Warnings
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

// logAnswer notes an answer that does not stop the workflow, and adds an error
// where it reported one.
func (s *settlement) logAnswer(i int, answer *oms.StepAnswer) {
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
	e.Message = s.about(i, what) + unread(e.Warnings)
	s.log(e)
}

// warnings is what of the answer was not read, and what of its patch was not
// applied (CONTRACT.md, "What is not read is named").
func (s *settlement) warnings() []oms.Warning {
	all := slices.Clone(s.outcome.answer.Warnings)
	for _, w := range s.patched.Warnings {
		all = append(all, oms.Warning{Path: strings.TrimSuffix("orderPatch."+w.Path, "."), Message: w.Message})
	}
	return all
}

// conflicts notes the fields that the patch set and another writer had changed
// since the call began; the patch stands (CONTRACT.md, "Someone else was faster").
func (s *settlement) conflicts() {
	if len(s.patched.Removed) > 0 {
		s.log(oms.HistoryEntry{Operation: oms.OpConflict, Step: s.result.Step, CallID: s.result.CallID, Changes: s.patched.Removed,
			Message: "another writer had removed what the step's patch changes; it stays removed"})
	}
	if s.tx == nil || s.sentDoc == s.order.Doc || len(s.patched.Set) == 0 {
		return
	}
	if found := oms.Conflicts(oms.Diff(s.sentDoc, s.order.Doc), s.patched.Set); len(found) > 0 {
		s.log(oms.HistoryEntry{Operation: oms.OpConflict, Step: s.result.Step, CallID: s.result.CallID, Changes: found,
			Message: "another writer had changed what the step's patch set; the patch stands"})
	}
}

// goOn takes the workflow to its next step, or stops it.
func (s *settlement) goOn(stop bool) error {
	switch {
	case s.overtaken:
		return s.superseded(stop)
	case stop:
		if s.step.ErrorStatus != "" {
			s.setStatus(s.step.ErrorStatus)
		}
		s.end(oms.RunAborted, s.about(s.run.Position.Step, s.result.ErrorReason))
	default:
		s.forward(s.run.Position.Step + 1)
	}
	return nil
}

// superseded ends a run whose status someone else changed during the call.
func (s *settlement) superseded(stop bool) error {
	want := s.wanted
	if stop {
		want.order = s.step.ErrorStatus
	}
	return s.supersede(oms.HistoryEntry{Step: s.result.Step, CallID: s.result.CallID,
		Message: s.about(s.run.Position.Step, "another writer changed the status during the step's call; theirs stays")}, want)
}
