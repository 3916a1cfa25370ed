package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

// DryRun says what a change of status would do: which steps would run, which
// would be skipped and why, and, where they are to be called, what they would
// change. It takes the very path of a real run, without a transaction to write
// in; calls are made once and not recorded.
func (e *Engine) DryRun(ctx context.Context, c Caller, id string, change StatusChange, callWebhooks bool) (*Result, error) {
	t := &transition{ctx: ctx, from: e.store, tenant: c.Tenant, now: e.clock.Now().UTC(), by: c.By}
	if err := t.read(id, c.IfMatch); err != nil {
		return nil, err
	}
	if err := t.change(change); err != nil {
		return nil, err
	}
	out := &Result{Done: true, Order: t.order}
	if !change.SkipRun {
		if err := e.rehearse(t, change.scope(), callWebhooks); err != nil {
			return nil, err
		}
		out.ReturnID = t.run.ReturnID
		for i := range t.run.Results { // no attempt is kept that they could find
			t.run.Results[i].CallID = ""
		}
		out.Steps, out.IsAborted = t.run.Results, t.run.Status == oms.RunAborted
	}
	order := *t.order
	order.Doc = t.doc
	out.Order = &order
	return out, nil
}

// rehearse takes a run from step to step in memory.
func (e *Engine) rehearse(t *transition, sc scope, callWebhooks bool) error {
	s, err := t.from.Settings(t.ctx, t.tenant)
	if err != nil {
		return err
	}
	t.settings = s
	sc.inactive = true
	t.run = plan(s, t.order.ID, t.doc, sc, t.now)
	t.run.StatusVersion = t.order.StatusVersion
	t.run.ScopeStatus = scopeStatus(t.order.Doc, t.run)
	for t.forward(0); !t.run.Status.Ended(); {
		if !callWebhooks {
			t.run.Results[t.run.Position.Step].ActionStatus = oms.ActionWouldRun
			t.forward(t.run.Position.Step + 1)
			continue
		}
		if t.run.Position.CallID == "" { // a deferred step does not wait here
			t.forward(t.run.Position.Step)
			continue
		}
		if err := e.rehearseCall(t); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) rehearseCall(t *transition) error {
	t.run.Position.BaseVersion = t.order.Version
	c, err := newCall(t.tenant, t.settings, t.run, t.doc)
	if err != nil {
		return err
	}
	a, o := e.attempt(t.ctx, t.tenant, c)
	defer o.memory.Give()
	if err := t.ctx.Err(); err != nil {
		return err
	}
	if o.own {
		return oms.Errorf(oms.Unavailable, "the step could not be called: %s", o.failure)
	}
	o.retry = false
	return t.settle(a, o)
}
