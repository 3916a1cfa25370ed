package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// DryRun says what a change of status would do: which steps would run, which
// would be skipped and why, and, where they are to be called, what they would
// change. Its decisions are those of a real run, and nobody commits them; calls
// are made once and not recorded. It goes from step to step without a pause: delays,
// retries and other runs of the order play no part. A call is real, though: its endpoint
// may act on it.
func (e *Engine) DryRun(ctx context.Context, c Caller, id string, change StatusChange, callWebhooks bool) (*Result, error) {
	f, err := e.facts(ctx, e.store, c, subject{order: id})
	if err != nil {
		return nil, err
	}
	f.DryRun = decide.WithoutCalls
	if callWebhooks {
		f.DryRun = decide.WithCalls
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
	f.DryRun, f.Today = decide.WithoutCalls, s
	return e.dryRun(ctx, c.Tenant, f, change)
}

// dryRun enters the status and goes from call to call until the run has ended. What each
// decision made of the order and the run are the facts of the next, and nothing is stored
// in between.
func (e *Engine) dryRun(ctx context.Context, tenant string, f decide.Facts, change StatusChange) (*Result, error) {
	d, err := decide.Enter(f, change)
	for err == nil && d.Run != nil && !d.Run.Status.Ended() {
		f.Order, f.Run, f.Settings, f.Sent = d.Order, d.Run, f.Today, d.Order.Doc
		d, err = e.dryRunStep(ctx, tenant, f)
	}
	if err != nil {
		return nil, err
	}
	out := &Result{Done: true, Order: d.Order}
	if r := d.Run; r != nil {
		for i := range r.Results { // no attempt is stored that they could find
			r.Results[i].CallID = ""
		}
		out.ReturnID, out.Steps, out.IsAborted = r.ReturnID, r.Results, r.Status == run.RunAborted
	}
	return out, nil
}

// dryRunStep makes the call that a run is at, and decides by its answer.
func (e *Engine) dryRunStep(ctx context.Context, tenant string, f decide.Facts) (*decide.Decision, error) {
	c, err := newCall(tenant, f.Settings, f.Run, f.Order.Doc)
	if err != nil {
		return nil, err
	}
	a, o := e.attempt(ctx, c, nil)
	defer o.memory.Give()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.own {
		return nil, apierr.Errorf(apierr.Unavailable, "the step could not be called: %s", o.Failure)
	}
	// A failure is final at once: a dry run calls each endpoint once.
	o.Retry = false
	return decide.Answer(f, *a, o.Outcome), nil
}
