package workflow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// CancelRun ends a run that has not ended. The answer to a call that is under
// way is recorded and changes nothing.
func (e *Engine) CancelRun(ctx context.Context, c Caller, id string) (*oms.Run, error) {
	return e.control(ctx, c, id, func(t *transition) error {
		if t.run.Status.Ended() {
			return oms.Errorf(oms.Conflict, "the run has ended already: it is %s", t.run.Status)
		}
		t.end(oms.RunCanceled, "canceled by "+c.By)
		return t.save()
	})
}

// ResumeRun lets an aborted run go on at the step that stopped it, behind the
// order's other runs.
func (e *Engine) ResumeRun(ctx context.Context, c Caller, id string) (*oms.Run, error) {
	return e.control(ctx, c, id, (*transition).resume)
}

// resumable says why a run cannot go on, as [oms.Conflict]; nil if it can.
func (t *transition) resumable() error {
	if t.run.Status != oms.RunAborted {
		return oms.Errorf(oms.Conflict, "only an aborted run can go on; this one is %s", t.run.Status)
	}
	if t.run.Triggered != "" {
		return oms.Errorf(oms.Conflict, "the run has made the order enter %s already", t.run.Trigger)
	}
	if t.overtaken() {
		return oms.Errorf(oms.Conflict, "the status is %s by now, which the run did not set", t.order.Status())
	}
	return nil
}

// resume lets the run go on. What says that it cannot comes before any write.
func (t *transition) resume() error {
	if err := t.resumable(); err != nil {
		return err
	}
	if err := t.reopen(); err != nil {
		return err
	}
	at := t.run.Position.Step
	t.log(oms.HistoryEntry{Operation: oms.OpRunResumed, Step: t.run.Results[at].Step, Changes: oms.Diff(t.order.Doc, t.doc),
		Message: fmt.Sprintf("the workflow of %s goes on at %s, which stopped it", t.run.EnteredStatus, t.run.StepName(at))})
	t.requeue = true
	return t.save()
}

// reopen puts the run back before the step that stopped it, and takes the error
// of that off the order.
func (t *transition) reopen() error {
	r := t.run
	at := r.Position.Step
	if err := t.renewSettings(); err != nil {
		return err
	}
	doc := t.doc.Clone()
	taken, back := oms.TakeError(doc, r.Results[at].Step, r.ID), oms.ReturnCancelled(oms.ReturnForm(doc, r.ReturnID))
	if err := oms.ReopenReturn(doc, r.ReturnID); err != nil {
		return err
	}
	if taken || back {
		t.doc = doc
	}
	r.Status, r.Ended, r.Reason = oms.RunWaiting, nil, ""
	r.Deadline = time.Time{}
	r.Trigger, r.Triggered, r.Chain, r.AnswerVersion = "", "", 0, 0
	r.Position = oms.Position{Step: at}
	for i := at; i < len(r.Results); i++ {
		was := r.Results[i]
		r.Results[i] = oms.StepResult{Step: was.Step, ActionType: was.ActionType, ActionStatus: oms.ActionPending, IsInvisible: was.IsInvisible,
			TranslateKey: was.TranslateKey, DisplayName: was.DisplayName, ConfigIndex: was.ConfigIndex, Deferred: was.Deferred}
	}
	return nil
}

// renewSettings lets a run go on with the settings as they are now, so that
// what stopped it can be put right; unless its status has other steps by now. Then it
// keeps those it has, but not the secrets that were removed since.
func (t *transition) renewSettings() error {
	s, err := t.from.Settings(t.ctx, t.tenant)
	if err != nil {
		return err
	}
	t.run.Since = s.Version
	was, is := stepsOf(t.settings, t.run), stepsOf(s, t.run)
	if slices.EqualFunc(was, is, func(a, b settings.Step) bool {
		return a.Name == b.Name && a.Active == b.Active && a.RunAfterOrderIsSaved == b.RunAfterOrderIsSaved
	}) {
		t.settings, t.run.SettingsVersion = s, s.Version
	}
	return nil
}

// control changes a run for a caller and has its order's lane look at it.
func (e *Engine) control(ctx context.Context, c Caller, id string, do func(*transition) error) (*oms.Run, error) {
	var (
		run  *oms.Run
		made *transition
	)
	err := e.store.Write(ctx, func(tx store.Tx) error {
		made = nil
		again, err := replay(ctx, tx, c)
		if err != nil {
			return err
		}
		if again != nil {
			run, err = tx.Run(ctx, c.Tenant, again.RunID)
			return err
		}
		if run, err = tx.Run(ctx, c.Tenant, id); err != nil {
			return err
		}
		t, err := load(ctx, tx, c.Tenant, held{run: run}, e.clock.Now().UTC())
		if err != nil {
			return err
		}
		t.by, run, made = c.By, t.run, t
		if err := do(t); err != nil {
			return err
		}
		return remember(ctx, tx, c, Started{OrderID: run.OrderID, RunID: run.ID, Version: t.order.Version}, t)
	})
	if err != nil {
		return nil, err
	}
	e.tell(made)
	if run.AnswerVersion > 0 {
		e.watchers.tell(run.ID, held{})
	}
	e.lanes.kick(orderKey{c.Tenant, run.OrderID})
	return run, nil
}
