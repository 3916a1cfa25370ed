package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// Cancel ends a run that has not ended.
func Cancel(f Facts) (*Decision, error) {
	b := move(f)
	if b.run.Status.Ended() {
		return nil, oms.Errorf(oms.Conflict, "the run has ended already: it is %s", b.run.Status)
	}
	b.end(oms.RunCanceled, "canceled by "+b.By)
	return b.finish(), nil
}

// Resume lets an aborted run go on at the step that stopped it, behind the
// order's other runs.
func Resume(f Facts) (*Decision, error) {
	b := move(f)
	r, at := b.run, b.run.Position.Step
	switch {
	case r.Status != oms.RunAborted:
		return nil, oms.Errorf(oms.Conflict, "only an aborted run can go on; this one is %s", r.Status)
	case r.Triggered != "":
		return nil, oms.Errorf(oms.Conflict, "the run has made the order enter %s already", r.Trigger)
	case Overtaken(b.Order, r):
		return nil, oms.Errorf(oms.Conflict, "the status is %s by now, which the run did not set", b.Order.Status())
	}
	if err := b.takeBack(at); err != nil {
		return nil, err
	}
	b.renewSettings()
	b.reopen(at)
	b.note(oms.HistoryEntry{Operation: oms.OpRunResumed, Step: r.Results[at].Step, Changes: oms.Diff(b.Order.Doc, b.doc),
		Message: fmt.Sprintf("the workflow of %s goes on at %s, which stopped it", r.EnteredStatus, r.StepName(at))})
	b.d.Move = Requeues
	return b.finish(), nil
}

// takeBack takes off the order what the run left when it was stopped at a step:
// the step's error, and that its return is cancelled.
func (b *builder) takeBack(at int) error {
	doc := b.doc.Clone()
	taken := oms.TakeError(doc, b.run.Results[at].Step, b.run.ID)
	back := oms.ReturnCancelled(oms.ReturnForm(doc, b.run.ReturnID))
	if err := oms.ReopenReturn(doc, b.run.ReturnID); err != nil {
		return err
	}
	if taken || back {
		b.doc = doc
	}
	return nil
}

// reopen puts the run back before the step that stopped it.
func (b *builder) reopen(at int) {
	r := b.run
	r.Status, r.Ended, r.Reason = oms.RunWaiting, nil, ""
	r.Deadline = time.Time{}
	r.Trigger, r.Triggered, r.Chain, r.AnswerVersion = "", "", 0, 0
	r.Position = oms.Position{Step: at}
	for i := at; i < len(r.Results); i++ {
		was := r.Results[i]
		r.Results[i] = oms.StepResult{Step: was.Step, ActionType: was.ActionType, ActionStatus: oms.ActionPending, IsInvisible: was.IsInvisible,
			TranslateKey: was.TranslateKey, DisplayName: was.DisplayName, ConfigIndex: was.ConfigIndex, Deferred: was.Deferred}
	}
}

// renewSettings lets a run go on with the settings as they are now, so that
// what stopped it can be put right; unless its status has other steps by now. Then it
// keeps those it has, but not the secrets that were removed since.
func (b *builder) renewSettings() {
	b.run.Since = b.Today.Version
	was, is := statusOf(b.Settings, b.run).Steps, statusOf(b.Today, b.run).Steps
	if slices.EqualFunc(was, is, func(a, b settings.Step) bool {
		return a.Name == b.Name && a.Active == b.Active && a.RunAfterOrderIsSaved == b.RunAfterOrderIsSaved
	}) {
		b.Settings, b.run.SettingsVersion = b.Today, b.Today.Version
	}
}
