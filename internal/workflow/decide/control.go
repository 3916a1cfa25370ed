package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
)

// Cancel ends a run that has not ended. A call that is under way cannot be called back:
// [Answer] records its attempt and changes nothing. A status that one of the steps has
// asked for is not entered.
func Cancel(f Facts) (*Decision, error) {
	b := ofRun(f)
	if b.run.Status.Ended() {
		return nil, apierr.Errorf(apierr.Conflict, "the run has ended already: it is %s", b.run.Status)
	}
	b.end(run.RunCanceled, "canceled by "+b.By)
	return b.finish(), nil
}

// Resume lets an aborted run go on at the step that stopped it, behind the
// order's other runs. The error is an [apierr.Conflict] that says in words why this run
// cannot go on. Callers see it, and the list of what a resume job has skipped has it, too.
func Resume(f Facts) (*Decision, error) {
	b := ofRun(f)
	r, at := b.run, b.run.Position.Step
	switch {
	case r.Status != run.RunAborted:
		return nil, apierr.Errorf(apierr.Conflict, "only an aborted run can go on; this one is %s", r.Status)
	case r.Triggered != "":
		return nil, apierr.Errorf(apierr.Conflict, "the run has made the order enter %s already", r.Trigger)
	case Overtaken(b.Order, r):
		return nil, apierr.Errorf(apierr.Conflict, "the status is %s by now, which the run did not set", b.Order.Status())
	}
	if err := b.takeBack(at); err != nil {
		return nil, err
	}
	// The results are kept by reopen, with the index of their step in the settings. That is
	// right for either version, since renewSettings takes only settings whose status has
	// the same steps.
	b.renewSettings()
	b.reopen(at)
	b.note(order.HistoryEntry{Operation: order.OpRunResumed, Step: r.Results[at].Step, Changes: order.Diff(b.Order.Doc, b.doc),
		Message: fmt.Sprintf("the workflow of %s goes on at %s, which stopped it", r.EnteredStatus, r.StepName(at))})
	b.d.Move = Requeues
	return b.finish(), nil
}

// takeBack takes off the order what the run left when it was stopped at a step:
// the step's error, and that its return is cancelled. It works on a copy, so a refusal has
// changed nothing. The copy is taken only if something was taken back, since any new
// document makes a version.
func (b *runBuilder) takeBack(at int) error {
	doc := b.doc.Clone()
	taken := order.TakeError(doc, b.run.Results[at].Step, b.run.ID)
	back := order.ReturnCancelled(order.ReturnForm(doc, b.run.ReturnID))
	if err := order.ReopenReturn(doc, b.run.ReturnID); err != nil {
		return err
	}
	if taken || back {
		b.doc = doc
	}
	return nil
}

// reopen puts the run back before the step that stopped it. What the steps before it came
// to stays, and they do not run again. The time that the run has begins anew, with its next
// call.
func (b *runBuilder) reopen(at int) {
	r := b.run
	r.Status, r.Ended, r.Reason = run.RunWaiting, nil, ""
	r.Deadline = time.Time{}
	// The caller of the aborted run has had its answer. A caller that waits from now on
	// gets the one to come.
	r.Trigger, r.Triggered, r.Chain, r.AnswerVersion = "", "", 0, 0
	r.Position = run.Position{Step: at}
	if r.Trace = b.Trace; r.Trace.Parent != "" { // what it was until now has been told as a span already
		r.Trace.Began = b.Now
	}
	for i := at; i < len(r.Results); i++ {
		was := r.Results[i]
		r.Results[i] = run.StepResult{Step: was.Step, ActionType: was.ActionType, ActionStatus: run.ActionPending, IsInvisible: was.IsInvisible,
			TranslateKey: was.TranslateKey, DisplayName: was.DisplayName, ConfigIndex: was.ConfigIndex, Deferred: was.Deferred}
	}
}

// renewSettings lets a run go on with the settings as they are now, so that
// what stopped it can be put right; unless its status has other steps by now. Then it
// keeps those it has, but not the secrets that were removed since. The steps are the same
// if their names are, and if they are active and deferred as before: then the results of
// the run still fit.
func (b *runBuilder) renewSettings() {
	b.run.Since = b.Today.Version
	was, is := b.Settings.StatusOf(b.run).Steps, b.Today.StatusOf(b.run).Steps
	if slices.EqualFunc(was, is, func(a, b settings.Step) bool {
		return a.Name == b.Name && a.Active == b.Active && a.RunAfterOrderIsSaved == b.RunAfterOrderIsSaved
	}) {
		b.Settings, b.run.SettingsVersion = b.Today, b.Today.Version
	}
}
