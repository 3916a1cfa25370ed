package decide_test

import (
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// docs/contract.md#waiting: a deferred step waits a second once the change is
// durable, and those after it follow it.
func TestDeferredSteps(t *testing.T) {
	deferred := func(more string) string { return step(`,"RunAfterOrderIsSaved":true` + more) }
	s := inW(t, workflow(one, deferred(``), deferred(`,"conditions":["Success"]`)))
	equal(t, "no answer yet", s.f.Run.AnswerVersion, 0)
	s.answer(result(``, `{"Tags":["a"]}`))
	s.is(told{Run: "waiting 1s", Steps: "Success Pending Pending", Order: "W", History: "ExecuteExportOrder"})
	equal(t, "the caller has its answer", s.f.Run.AnswerVersion, s.f.Order.Version)
	answered := s.f.Run.AnswerVersion
	s.patched(`{"customerPhone":"1"}`)
	s.f.Now = s.f.Run.Position.DueAt
	s.pure(decide.Begin)
	s.is(told{Run: "running", Steps: "Success Pending Pending", Order: "W"})
	equal(t, "sends the order as it is then", s.f.Run.Position.BaseVersion, s.f.Order.Version)
	s.answer(`{}`).is(told{Run: "running", Steps: "Success Success Pending", Order: "W", History: "ExecuteExportOrder"})
	s.answer(`{}`).is(told{Run: "succeeded", Steps: "Success Success Success", Order: "W", History: "ExecuteExportOrder"})
	equal(t, "the answer stays", s.f.Run.AnswerVersion, answered)

	s = inW(t, workflow(deferred(`,"StopOnError":true`), deferred(``)))
	s.is(told{Run: "waiting 1s", Steps: "Pending Pending", Order: "W", History: "StatusChanged"})
	s.f.Now = s.f.Run.Position.DueAt
	s.pure(decide.Begin)
	equal(t, "StopOnError stops those after it", s.fails().told().Steps, "Error Skipped")
}

// A status's maxDuration bounds a run from its first attempt on.
func TestARunThatTakesTooLong(t *testing.T) {
	config := func(steps ...string) string { return shop(status("W", `,"maxDuration":"PT1M"`, steps...)) }
	const reason = name + "the workflow's maxDuration of 1m0s has passed"
	stopped := told{Run: "aborted", Reason: reason, Steps: "Error", Order: "Stopped", Errors: reason,
		History: "WorkflowStepFailed StatusChanged WorkflowEnded", Events: "workflow_failed"}
	s := inW(t, config(stop))
	equal(t, "deadline", s.f.Run.Deadline, noon.Add(time.Minute))
	s.f.Now = s.f.Run.Deadline
	s.pure(decide.Expire)
	s.is(stopped)

	s = inW(t, config(one))
	s.f.Now = s.f.Run.Deadline
	s.pure(decide.Expire)
	equal(t, "the status stays without StopOnError", s.told().Order, "W")
	equal(t, "it is aborted all the same", s.told().Run, "aborted")

	s = inW(t, config(strings.Replace(stop, `"StopOnError":true,`, "", 1)))
	s.f.Now = s.f.Run.Deadline
	s.pure(decide.Expire)
	equal(t, "so does its ErrorStatus", s.told().Order, "W")

	s = inW(t, config(one, one))
	s.f.Now = s.f.Now.Add(30 * time.Second)
	equal(t, "it is of the whole run", s.answer(`{}`).f.Run.Deadline, noon.Add(time.Minute))

	s = inW(t, config(stop)).comesTo(decide.Outcome{Failure: "time-out", Retry: true, Late: true})
	s.is(stopped)
	equal(t, "the attempt is recorded", s.last.Attempt.ID, "att_1")

	s = inW(t, config(stop))
	s.f.Now = s.f.Run.Deadline
	s.comesTo(decide.Outcome{Failure: "status 400"}).is(stopped)

	s = inW(t, config(stop))
	s.f.Now = s.f.Run.Deadline
	equal(t, "an answer that came counts", s.answer(`{}`).told().Run, "succeeded")

	s = inW(t, config(stop))
	s.f.Now = s.f.Run.Deadline
	equal(t, "one that cannot be taken came, too", s.answer(unfit).told().Reason, name+"invalid response: orderPatch: orderLines: is another name of orderForm.lineItems, and differs from it")

	s = on(t, config(stop))
	s.f.Queued = true
	equal(t, "while it waits for its turn there is none", s.enter(decide.StatusChange{Status: "W"}).f.Run.Deadline, time.Time{})
}

// What an open breaker does to a step is its connector's to say.
func TestAnOpenBreaker(t *testing.T) {
	heldBack := func(s *stage, open settings.WhileOpen) *stage {
		s.pure(func(f decide.Facts) *decide.Decision {
			return decide.BreakerOpen(f, "pay", &settings.Breaker{WhileOpen: open}, f.Now.Add(time.Minute))
		})
		return s
	}
	const reason = "the breaker of connector pay is open: "
	heldBack(inW(t, workflow(stop)), settings.FailWhileOpen).is(told{Run: "aborted", Reason: name + reason + "no call was made", Steps: "Error", Order: "Stopped",
		Errors: name + reason + "no call was made", History: "WorkflowStepFailed StatusChanged WorkflowEnded", Events: "workflow_failed"})
	heldBack(inW(t, workflow(stop)), settings.SkipWhileOpen).is(told{Run: "succeeded", Steps: "Warning", Order: "W", History: "WorkflowStepWarning"})
	s := heldBack(inW(t, workflow(stop)), settings.WaitWhileOpen)
	s.is(told{Run: "waiting 1m0s", Steps: "Pending", Order: "W", History: "WorkflowStepWaits"})
	equal(t, "by", s.entry(order.OpStepWaits).By, "workflow")
	heldBack(s, settings.WaitWhileOpen).is(told{Run: "waiting 1m0s", Steps: "Pending", Order: "W"})
	equal(t, "uses up no attempt", s.f.Run.Position.Attempt, 1)
	// By the reason a queue tells this wait from a retry's, which nobody tries before its time.
	s.pure(decide.Wake)
	s.comesTo(decide.Outcome{Failure: "status 503", Retry: true}).is(told{Run: "waiting 1s", Steps: "Pending", Order: "W"})
	equal(t, "a retry's wait has no reason", s.f.Run.Results[0].ErrorReason, "")
	s = inW(t, workflow(stop))
	s.take(decide.Cancel(s.f))
	equal(t, "a run that has ended", heldBack(s, settings.FailWhileOpen).last.Move, decide.Stays)
}

// A run that cannot go on says why.
func TestARunThatCannotGoOn(t *testing.T) {
	s := inW(t, workflow(stop, one))
	s.pure(func(f decide.Facts) *decide.Decision { return decide.Fail(f, "its connector is gone", nil) })
	s.is(told{Run: "failed", Reason: "its connector is gone", Steps: "Skipped Skipped", Order: "W", History: "WorkflowEnded", Events: "workflow_failed"})
	s = inW(t, workflow(stop, one))
	s.pure(func(f decide.Facts) *decide.Decision { a := s.attempt(); return decide.Fail(f, "an error", &a) })
	s.is(told{Run: "failed", Reason: "an error", Steps: "Error Skipped", Order: "W", History: "WorkflowEnded", Events: "workflow_failed"})
	equal(t, "the attempt is recorded", s.last.Attempt.ID, "att_1")
}

// TestARunThatIsWokenBeforeItsTime, since what it waits for was tried by hand, makes its call now.
func TestARunThatIsWokenBeforeItsTime(t *testing.T) {
	s := inW(t, workflow(one)).comesTo(decide.Outcome{Failure: "HTTP 503", Retry: true})
	equal(t, "it waits", s.last.Run.Position.DueAt.After(s.f.Now), true)
	s.pure(decide.Wake)
	equal(t, "the run", s.last.Run.Status, run.RunRunning)
	equal(t, "its time has come", s.last.Run.Position.DueAt.Equal(s.f.Now), true)
}
