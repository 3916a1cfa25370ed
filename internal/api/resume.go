package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// resumes registers the call that resumes many runs, as after an outage
// (docs/contract.md#runs).
func resumes(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "resume-runs", Method: http.MethodPost, Path: "/api/runs/resume", Tags: []string{runsTag},
		Summary: "Let all aborted runs that a filter picks go on", DefaultStatus: http.StatusAccepted, Responses: bulkResponses[Counted](a),
		Description: "202 with a job, which goes on after a restart. It resumes each run as `POST /api/runs/{id}/resume` does; those that cannot go on are counted as `skipped`, and some of them named in `skips`. With `dryRun` nothing is changed: 200 says how many can go on, and how many would be skipped.",
		RequestBody: bodyOf(a, resumptionShape, "The filter of the list of runs", map[string]any{"step": "Send to ERP", "from": "2026-11-27T22:00:00Z", "dryRun": true})}, a.resumeRuns)
}

// resumptionShape is the body of a call that resumes runs. It has the status only so that
// somebody can pick all aborted runs on purpose.
var resumptionShape = &schema.Shape{Name: "Resumption", Noun: "the request", Fields: []schema.ShapeField{
	{Name: "status", Enum: []string{string(run.RunAborted)}, Blank: true, Form: "aborted: no other run can be resumed", Doc: "Other runs cannot be resumed; alone, it picks every aborted run"},
	// The names are those of the list of runs.
	{Name: "orderId"},
	{Name: "step", Doc: "Key or display name of the step that stopped the run"},
	{Name: "from", Type: schema.ShapeTime, Doc: "Created at or after this time"},
	{Name: "to", Type: schema.ShapeTime, Doc: "Created before this time"},
	{Name: "dryRun", Type: schema.ShapeFlag, Doc: "Change nothing: say how many can go on"},
}}

// resumeRuns makes a job that resumes all runs that a filter picks; a dry run only counts
// them. The job notes who asked, so that the history of each order says it.
func (a *api) resumeRuns(ctx context.Context, in *OnceParams) (*bulkAnswer, error) {
	body, err := readBody(ctx, resumptionShape)
	if err != nil {
		return nil, err
	}
	filter, dryRun, err := parseResumption(body)
	if err != nil {
		return nil, err
	}
	if dryRun {
		return a.countRuns(ctx, filter.Runs())
	}
	// The job has the filter and the caller in it, so any node can go on with it.
	job, err := workflow.NewResumeJob(filter, a.caller(ctx, *in).By, a.now())
	if err != nil {
		return nil, err
	}
	// The count says how far the job is. Runs that are aborted later are not in it.
	n, err := a.Store.RunCount(ctx, tenantOf(ctx), filter.Runs())
	if err != nil {
		return nil, err
	}
	expect(job, n)
	earlier, err := a.once(ctx, *in, func(tx store.Tx, _ time.Time) (string, error) {
		return job.ID, tx.PutJob(ctx, tenantOf(ctx), job)
	})
	return a.answerJob(ctx, job, earlier, err)
}

// countRuns answers a dry run: with what the job would resume, and what it would skip.
// The runs that can go on are those whose order nobody has moved on since
// (store.RunFilter, Current); the others that the filter picks are the difference to all.
// Both are counted while runs come and go, so the difference is never shown below 0.
func (a *api) countRuns(ctx context.Context, f store.RunFilter) (*bulkAnswer, error) {
	ctx = store.Read.Mark(ctx)
	// Two counts instead of three: those that can go on, and all.
	all, err := a.Store.RunCount(ctx, tenantOf(ctx), f)
	if err != nil {
		return nil, err
	}
	f.Current = true
	out, newest, err := countAll(ctx, func(ctx context.Context, p store.Page) (store.List[*run.Run], error) {
		return a.Store.Runs(ctx, tenantOf(ctx), f, p)
	})
	// If counting stopped at its bound, the difference is a lower bound, too.
	out.NotResumable = &CappedCount{max(all.N-out.Matched, 0), all.Capped}
	for _, r := range newest {
		out.Runs = append(out.Runs, showRun(r))
	}
	return &bulkAnswer{Status: http.StatusOK, Body: out}, err
}

// parseResumption reads a filter. One that says nothing is refused: it is more
// likely a slip than a wish to resume all that ever stopped.
func parseResumption(body *schema.ObjectReader) (workflow.ResumeFilter, bool, error) {
	filter := workflow.ResumeFilter{OrderID: body.Text("orderId"), Step: body.Text("step"), From: body.Time("from"), To: body.Time("to")}
	refuseBlank(body, "orderId", "step")
	// A period that ends before it begins would pick nothing, and nobody means that.
	if !filter.From.IsZero() && !filter.To.IsZero() && !filter.From.Before(filter.To) {
		body.Wrong("from", "must be before to")
	}
	dryRun := body.Flag("dryRun")
	if body.OK() && body.Text("status") == "" && filter == (workflow.ResumeFilter{}) {
		return filter, dryRun, apierr.Wrong("body", `must name a status, a step, an orderId or a time: {"status":"aborted"} picks every run that was ever stopped`)
	}
	return filter, dryRun, within(body.Err())
}
