package workflow

import (
	"context"

	"go.opentelemetry.io/otel/attribute"

	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/trace"
)

// newTrace returns the place in a trace of a run that begins within a context. Where
// spans are made, the run gets one of its own. Its id is given out here, for the run may
// go on for days, over restarts and on other nodes: whoever ends the run tells of it.
func (e *Engine) newTrace(ctx context.Context) (t run.Trace) {
	if e.tracer != nil {
		t.Context, t.Parent = trace.Reserve(ctx)
		return t
	}
	t.Context = trace.Text(ctx)
	return t
}

// within returns a context of the trace that a run belongs to, for its calls and writes.
func within(ctx context.Context, r *run.Run) context.Context {
	if r == nil || r.Trace.Context == "" {
		return ctx
	}
	return trace.WithText(ctx, r.Trace.Context)
}

// tellSpan tells of the span of a run that has ended. Why it did not succeed is left to
// the run itself: the reason may quote an endpoint.
func (e *Engine) tellSpan(tenant string, r *run.Run) {
	if e.tracer == nil || r.Trace.Parent == "" {
		return
	}
	began := r.Created
	if !r.Trace.Began.IsZero() {
		began = r.Trace.Began
	}
	trace.Ended(e.calls, e.tracer, trace.Interval{Text: r.Trace.Context, Parent: r.Trace.Parent, Name: "workflow run",
		Began: began, Ended: *r.Ended, Failed: r.Status == run.RunAborted || r.Status == run.RunFailed},
		attribute.String("orderhook.tenant", tenant), attribute.String("orderhook.order.id", r.OrderID), attribute.String("orderhook.run.id", r.ID),
		attribute.String("orderhook.run.entered_status", r.EnteredStatus), attribute.String("orderhook.run.status", string(r.Status)),
		attribute.Int("orderhook.run.steps", len(r.Results)))
}
