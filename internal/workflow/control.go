package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// CancelRun ends a run that has not ended. The answer to a call that is under
// way is recorded and changes nothing. The error is an [apierr.Conflict] if it has ended.
func (e *Engine) CancelRun(ctx context.Context, c Caller, id string) (*run.Run, error) {
	return e.control(ctx, c, id, decide.Cancel)
}

// ResumeRun lets an aborted run go on at the step that stopped it, behind the
// order's other runs.
func (e *Engine) ResumeRun(ctx context.Context, c Caller, id string) (*run.Run, error) {
	return e.control(ctx, c, id, decide.Resume)
}

// WhyNotResumable says why [Engine.ResumeRun] would refuse a run as it is now; "" where it
// would not. It makes the same decision, which nobody commits.
func (e *Engine) WhyNotResumable(ctx context.Context, tenant, id string) (string, error) {
	f, err := e.facts(ctx, e.store, Caller{Tenant: tenant}, subject{run: id})
	if err == nil {
		_, err = decide.Resume(f)
	}
	switch apierr.KindOf(err) {
	case apierr.Conflict, apierr.NotFound: // it cannot go on, or its order was erased
		return err.Error(), nil
	}
	return "", err
}

// control makes a caller's decision about one run, and returns the run as the decision left
// it. A repeated request gets the run as it is by now.
func (e *Engine) control(ctx context.Context, c Caller, id string, do func(decide.Facts) (*decide.Decision, error)) (*run.Run, error) {
	s, d, err := e.change(ctx, c, subject{run: id}, do)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return e.store.Run(ctx, c.Tenant, s.RunID)
	}
	return d.Run, nil
}
