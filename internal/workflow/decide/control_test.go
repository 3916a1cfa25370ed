package decide_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// A run is canceled, or goes on at the step that stopped it.
func TestRunsAreCanceledAndResumed(t *testing.T) {
	s := inW(t, workflow(one, stop, one)).answer(`{}`)
	if _, err := decide.Resume(s.f); apierr.KindOf(err) != apierr.Conflict {
		t.Errorf("one that goes on: %v", err)
	}
	s.answer(canceled)
	if _, err := decide.Cancel(s.f); apierr.KindOf(err) != apierr.Conflict {
		t.Errorf("one that has ended: %v", err)
	}
	s.f.Today, s.f.Now = settingsOf(t, workflow(one, stop, one), 2), s.f.Now.Add(5e9)
	s.take(decide.Resume(s.f))
	s.is(told{Run: "waiting", Steps: "Success Pending Pending", Order: "Stopped", History: "WorkflowResumed"})
	equal(t, "behind the others", s.last.Move, decide.Requeues)
	equal(t, "with the settings of today", s.last.Run.SettingsVersion, 2)
	equal(t, "the error is taken off", s.told().Errors, "")
	s.f.Settings = s.f.Today
	s.pure(decide.Begin)
	s.answer(`{}`).answer(`{}`)
	equal(t, "to its end", s.told().Steps, "Success Success Success")

	s = inW(t, workflow(stop)).answer(canceled)
	s.f.Trace = run.Trace{Context: "its span", Parent: "that of the run before"}
	s.take(decide.Resume(s.f))
	equal(t, "what goes on is a span of its own", s.last.Run.Trace, run.Trace{Context: "its span", Parent: "that of the run before", Began: s.f.Now})

	s = inW(t, workflow(stop)).answer(canceled)
	s.f.Today = settingsOf(t, workflow(one, one), 2)
	s.take(decide.Resume(s.f))
	equal(t, "with its own settings, where the steps are others", s.last.Run.SettingsVersion, 1)
	equal(t, "but not with the secrets that were removed since", s.last.Run.Since, 2)
	equal(t, "whoever waits from now on gets the answer to come", s.last.Run.AnswerVersion, 0)

	s = inW(t, shop(status("W", `,"maxDuration":"PT1M"`, step(``), stop))).answer(`{}`).answer(canceled)
	s.f.Today = settingsOf(t, shop(status("W", "", step(`,"active":false`), stop)), 2)
	s.take(decide.Resume(s.f))
	equal(t, "or not all of them run", s.last.Run.SettingsVersion, 1)
	equal(t, "its time begins anew", s.last.Run.Deadline.IsZero(), true)

	s = inW(t, workflow(one, stop)).answer(`{}`).answer(canceled)
	s.f.Today = settingsOf(t, workflow(step(`,"RunAfterOrderIsSaved":true`), stop), 2)
	s.take(decide.Resume(s.f))
	equal(t, "or another one waits until the order is saved", s.last.Run.SettingsVersion, 1)

	s = inW(t, workflow(stop)).answer(canceled)
	s.meanwhile(func(f decide.Facts) (*decide.Decision, error) {
		return decide.Enter(f, decide.StatusChange{Status: "W", SkipRun: true})
	})
	_, err := decide.Resume(s.f)
	if e, ok := errors.AsType[*apierr.Error](err); !ok || !strings.Contains(e.Detail, "the status is W by now") {
		t.Errorf("another status: %v", err)
	}
	s = inW(t, workflow(stop)).answer(result(`"TriggerNewStatus":"Checked","CancelWorkflow":true`, `{}`))
	if _, err := decide.Resume(s.f); apierr.KindOf(err) != apierr.Conflict {
		t.Errorf("one that triggered a status: %v", err)
	}
	s = inW(t, workflow(one, one))
	s.take(decide.Cancel(s.f))
	s.is(told{Run: "canceled", Reason: "canceled by key k", Steps: "Skipped Skipped", Order: "W", History: "WorkflowEnded"})
	equal(t, "why the step has no answer whose call was under way", s.last.Run.Results[0].ErrorReason, "the run ended before its call was answered")
	equal(t, "why the step was skipped that it had not come to", s.last.Run.Results[1].ErrorReason, "the run ended before it")
}
