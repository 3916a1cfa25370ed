package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

func resumes(a *api) {
	handle(a, oms.Operator, huma.Operation{OperationID: "resume-runs", Method: http.MethodPost, Path: "/api/runs/resume", Tags: []string{runsTag},
		Summary: "Let all aborted runs that a filter picks go on", DefaultStatus: http.StatusAccepted, Responses: bulkResponses(a),
		Description: "202 with a job, which goes on after a restart. It resumes each run as `POST /api/runs/{id}/resume` does; those that cannot go on are counted as `skipped`, and some of them named in `skips`. With `dryRun` nothing is changed: 200 says how many there are.",
		RequestBody: bodyOf[resumption](a, "The filter of the list of runs", map[string]any{"step": "Send to ERP", "from": "2026-11-27T22:00:00Z", "dryRun": true})}, a.resumeRuns)
}

// resumption is the body of a call that resumes runs.
type resumption struct {
	Status  string `json:"status,omitempty" enum:"aborted" doc:"Other runs cannot be resumed; alone, it picks every aborted run"`
	OrderID string `json:"orderId,omitempty"`
	Step    string `json:"step,omitempty" doc:"Key or display name of the step that stopped the run"`
	From    string `json:"from,omitempty" format:"date-time" doc:"Created at or after this time"`
	To      string `json:"to,omitempty" format:"date-time" doc:"Created before this time"`
	DryRun  bool   `json:"dryRun,omitempty" doc:"Change nothing: say how many there are"`
}

func (a *api) resumeRuns(ctx context.Context, in *OnceParams) (*bulkAnswer, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	filter, dryRun, err := parseResumption(doc)
	if err != nil {
		return nil, err
	}
	if dryRun {
		return countAll(ctx, func(ctx context.Context, p store.Page) (store.List[*oms.Run], error) {
			return a.Store.Runs(ctx, tenantOf(ctx), filter.Runs(), p)
		})
	}
	job, err := workflow.NewResumeJob(filter, a.caller(ctx, *in, MatchParams{}).By, a.now())
	if err != nil {
		return nil, err
	}
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

// parseResumption reads a filter. One that says nothing is refused: it is more
// likely a slip than a wish to resume all that ever stopped.
func parseResumption(doc *oms.Object) (workflow.ResumeFilter, bool, error) {
	f := fields{doc: doc}
	f.only("status", "orderId", "step", "from", "to", "dryRun")
	filter := workflow.ResumeFilter{OrderID: f.text("orderId"), Step: f.text("step"), From: f.time("from"), To: f.time("to")}
	status := f.text("status")
	if status != "" && status != string(oms.RunAborted) {
		f.wrong("status", "must be aborted: no other run can be resumed")
	}
	if !filter.From.IsZero() && !filter.To.IsZero() && !filter.From.Before(filter.To) {
		f.wrong("from", "must be before to")
	}
	dryRun := f.flag("dryRun")
	if len(f.mistakes) == 0 && status == "" && filter == (workflow.ResumeFilter{}) {
		return filter, dryRun, oms.Wrong("body", `must name a status, a step, an orderId or a time: {"status":"aborted"} picks every run that was ever stopped`)
	}
	return filter, dryRun, f.err()
}
