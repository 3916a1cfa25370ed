package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

const (
	canceled = `{"OrderActionExecutionResults":[{"CancelWorkflow":true,"ErrorReason":"too dear"}]}`
	unfit    = `{"OrderPatch":{"OrderLines":[{"LineItemId":"L1","Quantity":3}],"OrderForm":{"LineItems":[{"LineItemId":"L1","Quantity":4}]}}}`
	name     = "WebhookWorkflowStep (step 1 of 1): "
)

// result is an answer with one result and a patch.
func result(fields, patch string) string {
	return fmt.Sprintf(`{"OrderActionExecutionResults":[{%s}],"OrderPatch":%s}`, fields, patch)
}

// docs/contract.md#effects.
func TestTheEffectOfACall(t *testing.T) {
	ended := told{Run: "succeeded", Order: "W"}
	done := func(steps, errors, history, events string) told {
		w := ended
		w.Steps, w.Errors, w.History, w.Events = steps, errors, history, events
		return w
	}
	for _, row := range []struct {
		name, step string
		then       func(*stage) *stage
		want       told
	}{
		{"an empty answer", one, func(s *stage) *stage { return s.answer(``) }, done("Success", "", "ExecuteExportOrder", "")},
		{"{}", one, func(s *stage) *stage { return s.answer(`{}`) }, done("Success", "", "ExecuteExportOrder", "")},
		{"Success", one, func(s *stage) *stage { return s.answer(result(`"ActionStatus":"Success"`, `{"Tags":["a"]}`)) }, done("Success", "", "ExecuteExportOrder", "")},
		{"Warning", one, func(s *stage) *stage { return s.answer(result(`"ActionStatus":"warning"`, `{}`)) }, done("Warning", "", "ExecuteExportOrder", "")},
		{"Error adds one, and the workflow goes on, StopOnError or not", stop, func(s *stage) *stage {
			return s.answer(result(`"ActionStatus":"Error","ErrorReason":"no stock"`, `{}`))
		}, done("Error", name+"no stock", "ExecuteExportOrder", "workflow_failed")},
		{"Error without a reason", one, func(s *stage) *stage { return s.answer(result(`"ActionStatus":"Error"`, `{}`)) },
			done("Error", name+"the endpoint gave no reason", "ExecuteExportOrder", "workflow_failed")},
		{"CancelWorkflow of a step that heeds it", stop, func(s *stage) *stage {
			return s.answer(result(`"CancelWorkflow":true,"ErrorReason":"too dear"`, `{"Status":"Paid","Tags":["a"]}`))
		}, told{Run: "aborted", Reason: name + "too dear", Steps: "Error", Order: "Stopped", Errors: name + "too dear",
			History: "WorkflowStepFailed StatusChanged WorkflowEnded", Events: "workflow_failed"}},
		{"CancelWorkflow of one that does not", one, func(s *stage) *stage { return s.answer(canceled) },
			done("Warning", "", "WorkflowStepWarning", "")},
		{"a failure, StopOnError", stop, (*stage).fails, told{Run: "aborted", Reason: name + "status 400", Steps: "Error", Order: "Stopped",
			Errors: name + "status 400", History: "WorkflowStepFailed StatusChanged WorkflowEnded", Events: "workflow_failed"}},
		{"a failure, no StopOnError", one, (*stage).fails, done("Error", name+"status 400", "WorkflowStepFailed", "workflow_failed")},
		{"the worst of several results, all reasons", one, func(s *stage) *stage {
			return s.answer(`{"OrderActionExecutionResults":[{"ActionStatus":"Warning","ErrorReason":"a"},{"ActionStatus":"Error","ErrorReason":"b"},{"ActionStatus":"Success"}]}`)
		}, done("Error", name+"a; b", "ExecuteExportOrder", "workflow_failed")},
		{"any CancelWorkflow counts", stop, func(s *stage) *stage {
			return s.answer(`{"OrderActionExecutionResults":[{"ActionStatus":"Success"},{"CancelWorkflow":true,"ErrorReason":"b"}]}`)
		}, told{Run: "aborted", Reason: name + "b", Steps: "Error", Order: "Stopped", Errors: name + "b", History: "WorkflowStepFailed StatusChanged WorkflowEnded", Events: "workflow_failed"}},
		{"a patch's Status notifies", one, func(s *stage) *stage { return s.answer(result(``, `{"Status":"Accepted"}`)) }, told{Run: "succeeded", Steps: "Success",
			Order: "Accepted", History: "ExecuteExportOrder StatusChanged", Events: "OrderAccepted"}},
		{"what the target guard refused", stop, func(s *stage) *stage { return s.comesTo(decide.Outcome{Failure: "private", Refused: true}) },
			told{Run: "aborted", Reason: name + "private", Steps: "Error", Order: "Stopped", Errors: name + "private",
				History: "WorkflowStepFailed StatusChanged WorkflowEnded", Events: "workflow_failed"}},
		{"a field that a step may not change", one, func(s *stage) *stage { return s.answer(result(``, `{"MarketId":"SWE"}`)) },
			done("Success", "", "ExecuteExportOrder PatchFieldsNotApplied", "")},
		{"a patch that cannot be applied", one, func(s *stage) *stage { return s.answer(unfit) },
			done("Error", name+"invalid response: orderPatch: orderLines: is another name of orderForm.lineItems, and differs from it", "WorkflowStepFailed", "workflow_failed")},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.then(inW(t, workflow(row.step))).is(row.want)
		})
	}
}

// That a workflow failed is told once, at its end.
func TestAFailureIsToldAtTheEndOfTheRun(t *testing.T) {
	s := inW(t, workflow(one, one)).fails()
	equal(t, "before", s.told().Events, "")
	equal(t, "at the end", s.answer(`{}`).told().Events, "workflow_failed")
}

// An answer that cannot be taken is the record of a failure, and takes nothing
// off the order.
func TestAnAnswerThatCannotBeTakenIsAFailedAttempt(t *testing.T) {
	s := inW(t, workflow(one)).fails().enter(decide.StatusChange{Status: "W"}).answer(unfit)
	equal(t, "outcome", s.last.Attempt.Outcome, attempt.OutcomeFailed)
	equal(t, "error", strings.HasPrefix(s.last.Attempt.Error, "invalid response: orderPatch: "), true)
	equal(t, "errors", len(s.last.Order.Doc.Objects("errors")), 2)
}

// TriggerNewStatus makes the order enter that status with its workflow once the
// run has ended; a chain of more than ten ends with an error.
func TestAStatusThatAnAnswerTriggers(t *testing.T) {
	trigger := result(`"TriggerNewStatus":"Checked"`, `{}`)
	s := inW(t, workflow(one)).answer(trigger)
	s.is(told{Run: "succeeded", Steps: "Success", Order: "Checked", History: "ExecuteExportOrder StatusChanged", Next: "Checked"})
	equal(t, "triggered", s.last.Run.Triggered, s.last.Next.ID)
	equal(t, "chain", s.last.Next.Chain, 1)
	equal(t, "knows the status", s.last.Next.StatusVersion, s.last.Order.StatusVersion)
	equal(t, "carried from", s.last.Rebase, s.versions[2].StatusVersion)

	s = inW(t, workflow(one, one)).answer(trigger)
	equal(t, "not before the end", s.last.Next, nil)
	equal(t, "asked for", s.last.Run.Trigger, "Checked")
	equal(t, "after an abort, too", inW(t, workflow(stop)).answer(result(`"TriggerNewStatus":"Checked","CancelWorkflow":true`, `{}`)).last.Next.EnteredStatus, "Checked")

	for chain, want := range map[int]string{9: "Checked", 10: ""} {
		s = inW(t, workflow(one))
		s.f.Run.Chain = chain
		s.answer(trigger)
		equal(t, fmt.Sprint("after ", chain), s.told().Next, want)
		equal(t, "an error", strings.Contains(s.told().Errors, "10 runs had triggered one another"), want == "")
	}
}

// docs/contract.md#retries: what is tried again, and when.
func TestAnAttemptThatMayPassIsMadeAgain(t *testing.T) {
	passing := decide.Outcome{Failure: "status 503", Retry: true}
	s := inW(t, workflow(one))
	call := s.f.Run.Position.CallID
	sent := s.f.Run.Position.BaseVersion
	for i, delay := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second} {
		s.patched(fmt.Sprintf(`{"customerPhone":"%d"}`, i))
		s.comesTo(passing).is(told{Run: "waiting " + delay.String(), Steps: "Pending", Order: "W"})
		equal(t, "next attempt", s.f.Run.Position.Attempt, i+2)
		equal(t, "call", s.f.Run.Position.CallID, call)
		equal(t, "what is sent", s.f.Run.Position.BaseVersion, sent)
		s.f.Now = s.f.Run.Position.DueAt
		equal(t, "woken", s.pure(decide.Wake).Run.Status, run.RunRunning)
	}
	s.comesTo(passing).is(told{Run: "succeeded", Steps: "Error", Order: "W", Errors: name + "status 503", History: "WorkflowStepFailed", Events: "workflow_failed"})
	r := s.last.Run.Results[0]
	equal(t, "attempts", r.Attempts, 4)
	equal(t, "from the first attempt to the end of the last", r.DurationMs, 21_030)

	s = inW(t, workflow(one))
	s.pure(func(f decide.Facts) *decide.Decision { // disableStandardErrorPolicy
		a := s.attempt()
		a.MaxNumber = 1
		return decide.Answer(f, a, passing)
	})
	equal(t, "without repeats", s.told().Run, "succeeded")
}

// docs/contract.md#order-errors.
func TestErrorsOfEarlierRunsAreClearedBySuccess(t *testing.T) {
	failed := func(t *testing.T) *stage {
		s := inW(t, workflow(one)).fails()
		return s.enter(decide.StatusChange{Status: "W"})
	}
	s := failed(t).answer(`{}`)
	s.is(told{Run: "succeeded", Steps: "Success", Order: "W", History: "ExecuteExportOrder ErrorsCleared"})
	for _, body := range []string{canceled, result(`"ActionStatus":"Error"`, `{}`)} {
		if s := failed(t).answer(body); !strings.Contains(s.told().Errors, "status 400") {
			t.Errorf("cleared by %s", body)
		}
	}
	s = inW(t, workflow(one, one)).fails().answer(`{}`)
	equal(t, "one that a step of this run added", s.told().Errors, "WebhookWorkflowStep (step 1 of 2): status 400")
	e := s.last.Order.Doc.Objects("errors")[0]
	for field, want := range map[string]string{"key": "WebhookWorkflowStep", "severity": "Error", "status": "New", "runId": s.f.Run.ID, "referenceId": ""} {
		equal(t, field, e.Text(field), want)
	}
	s = on(t, workflow(one)).enter(decide.StatusChange{Status: "W", ShipmentID: "S1"}).fails()
	equal(t, "of a shipment's run", s.last.Order.Doc.Objects("errors")[0].Text("referenceId"), "S1")
	s = inW(t, workflow(one, one)).answer(result(``, `{"Errors":[{"Key":"WebhookWorkflowStep","Message":"mine"}]}`)).answer(`{}`)
	equal(t, "one that a patch of this run added", s.told().Errors, "mine")
}

// What is not read, and what is not applied, is named: in the result, the
// history and the attempt.
func TestWhatIsNotTakenOfAnAnswerIsNamed(t *testing.T) {
	s := inW(t, workflow(one)).answer(`{"OrderPach":{},"OrderPatch":{"MarketId":"SWE"}}`)
	const want = "orderPach orderPatch.marketId"
	paths := func(list []apierr.Warning) string {
		return joined(list, func(w apierr.Warning) string { return w.Path })
	}
	equal(t, "result", paths(s.last.Run.Results[0].Warnings), want)
	equal(t, "history", paths(s.entry(order.OpExecuteExportOrder).Warnings), want)
	equal(t, "attempt", paths(s.last.Attempt.Warnings), want)
}
