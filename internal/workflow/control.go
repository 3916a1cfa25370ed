package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// CancelRun ends a run that has not ended. The answer to a call that is under
// way is recorded and changes nothing.
func (e *Engine) CancelRun(ctx context.Context, c Caller, id string) (*oms.Run, error) {
	return e.control(ctx, c, id, decide.Cancel)
}

// ResumeRun lets an aborted run go on at the step that stopped it, behind the
// order's other runs.
func (e *Engine) ResumeRun(ctx context.Context, c Caller, id string) (*oms.Run, error) {
	return e.control(ctx, c, id, decide.Resume)
}

func (e *Engine) control(ctx context.Context, c Caller, id string, do func(decide.Facts) (*decide.Decision, error)) (*oms.Run, error) {
	s, d, err := e.change(ctx, c, subject{run: id}, do)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return e.store.Run(ctx, c.Tenant, s.RunID)
	}
	return d.Run, nil
}
