package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// DryRun says what a change of status would do: which steps would run, which
// would be skipped and why, and, where they are to be called, what they would
// change. Its decisions are those of a real run, and nobody commits them; calls
// are made once and not recorded.
func (e *Engine) DryRun(ctx context.Context, c Caller, id string, change StatusChange, callWebhooks bool) (*Result, error) {
	f, err := e.facts(ctx, e.store, c, subject{order: id})
	if err != nil {
		return nil, err
	}
	f.Rehearsal = decide.WithoutCalls
	if callWebhooks {
		f.Rehearsal = decide.WithCalls
	}
	return e.dryRun(ctx, c.Tenant, f, change)
}

// DryRunWith is [Engine.DryRun] as it would be with settings that are not stored. It
// makes no calls: their secrets are not stored, either, so none could be sent.
func (e *Engine) DryRunWith(ctx context.Context, c Caller, id string, change StatusChange, s *settings.Settings) (*Result, error) {
	f, err := e.facts(ctx, e.store, c, subject{order: id})
	if err != nil {
		return nil, err
	}
	f.Rehearsal, f.Today = decide.WithoutCalls, s
	return e.dryRun(ctx, c.Tenant, f, change)
}

func (e *Engine) dryRun(ctx context.Context, tenant string, f decide.Facts, change StatusChange) (*Result, error) {
	d, err := decide.Enter(f, change)
	for err == nil && d.Run != nil && !d.Run.Status.Ended() {
		f.Order, f.Run, f.Settings, f.Sent = d.Order, d.Run, f.Today, d.Order.Doc
		d, err = e.rehearse(ctx, tenant, f)
	}
	if err != nil {
		return nil, err
	}
	out := &Result{Done: true, Order: d.Order}
	if run := d.Run; run != nil {
		for i := range run.Results { // no attempt is kept that they could find
			run.Results[i].CallID = ""
		}
		out.ReturnID, out.Steps, out.IsAborted = run.ReturnID, run.Results, run.Status == oms.RunAborted
	}
	return out, nil
}

// rehearse makes the call that a run is at, and decides by its answer.
func (e *Engine) rehearse(ctx context.Context, tenant string, f decide.Facts) (*decide.Decision, error) {
	c, err := newCall(tenant, f.Settings, f.Run, f.Order.Doc)
	if err != nil {
		return nil, err
	}
	a, o := e.attempt(ctx, c)
	defer o.memory.Give()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.own {
		return nil, oms.Errorf(oms.Unavailable, "the step could not be called: %s", o.Failure)
	}
	o.Retry = false
	return decide.Answer(f, *a, o.Outcome), nil
}
