package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// runsTag marks the operations about runs, which have a door of their own. Callers that
// wait for hanging runs may have used up all requests of their tenant, and only these
// operations can end the runs.
const runsTag = "Runs"

// runs registers the operations that read runs.
func runs(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "list-runs", Method: http.MethodGet, Path: "/api/runs", Tags: []string{runsTag},
		Summary: "List workflow runs, the newest first"}, a.listRuns)
	handle(a, access.Reader, huma.Operation{OperationID: "get-run", Method: http.MethodGet, Path: "/api/runs/{id}", Tags: []string{runsTag},
		Summary: "Read a workflow run"}, a.getRun)
}

// controls registers the operations by which an operator steps in. Several runs at a time
// are resumed by resume.go.
func controls(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "resume-run", Method: http.MethodPost, Path: "/api/runs/{id}/resume", Tags: []string{runsTag},
		Summary: "Let an aborted run go on at the step that stopped it", DefaultStatus: http.StatusOK}, control(a.Engine.ResumeRun, a))
	handle(a, access.Operator, huma.Operation{OperationID: "cancel-run", Method: http.MethodPost, Path: "/api/runs/{id}/cancel", Tags: []string{runsTag},
		Summary: "End a run that has not ended", DefaultStatus: http.StatusOK,
		Description: "The answer to a call that is under way is recorded and changes nothing."}, control(a.Engine.CancelRun, a))
}

// RunID is the run that a path names. The answer to the request that began it has the id.
type RunID struct {
	ID string `path:"id"`
}

// runAnswer is a run as it is after the call.
type runAnswer struct{ Body Run }

// controlRequest is a POST about a run.
type controlRequest struct {
	RunID
	OnceParams
}

// control makes a handler of what the engine does with one run. The engine checks whether
// it can be done, and heeds the Idempotency-Key, within its write.
func control(do func(context.Context, workflow.Caller, string) (*run.Run, error), a *api) func(context.Context, *controlRequest) (*runAnswer, error) {
	return func(ctx context.Context, in *controlRequest) (*runAnswer, error) {
		r, err := do(ctx, a.caller(ctx, in.OnceParams), in.ID)
		if err != nil {
			return nil, err
		}
		return &runAnswer{showRun(r)}, nil
	}
}

// Run is a workflow run as the API shows it. The results are those of all steps that the
// run has come to, skipped ones included.
type Run struct {
	ID              string        `json:"id"`
	OrderID         string        `json:"orderId"`
	Status          run.RunStatus `json:"status" enum:"running,waiting,succeeded,aborted,superseded,failed,canceled"`
	EnteredStatus   string        `json:"enteredStatus" doc:"The status whose steps run"`
	ShipmentID      string        `json:"shipmentId,omitempty"`
	ReturnID        string        `json:"returnId,omitempty"`
	SettingsVersion int64         `json:"settingsVersion"`
	Reason          string        `json:"reason,omitempty" doc:"Why it did not succeed"`
	Resumable       *bool         `json:"resumable,omitempty" doc:"Of an aborted run that is read alone: whether it can go on now"`
	NotResumable    string        `json:"notResumable,omitempty" doc:"Why it cannot"`
	TriggeredRunID  string        `json:"triggeredRunId,omitempty" doc:"The run of the status that one of its steps asked for"`
	NextAttempt     int           `json:"nextAttempt,omitempty" doc:"Number of the attempt under way or next"`
	NextAttemptAt   *time.Time    `json:"nextAttemptAt,omitempty"`
	Deadline        *time.Time    `json:"deadline,omitempty" doc:"When the run is aborted, where its status has a maxDuration"`
	Created         time.Time     `json:"created"`
	Updated         time.Time     `json:"updated"`
	Ended           *time.Time    `json:"ended,omitempty"`
	Results         []stepResult  `json:"orderActionExecutionResults" nullable:"false"`
}

// showRun shows a run as it is stored. Whether it can be resumed costs a decision, and is
// added by getRun alone.
func showRun(r *run.Run) Run {
	out := Run{ID: r.ID, OrderID: r.OrderID, Status: r.Status, EnteredStatus: r.EnteredStatus, ShipmentID: r.ShipmentID, ReturnID: r.ReturnID,
		SettingsVersion: r.SettingsVersion, Reason: r.Reason, TriggeredRunID: r.Triggered, Created: r.Created, Updated: r.Updated, Ended: r.Ended,
		Results: showSteps(r.Results)}
	if !r.Status.Ended() && r.Position.Attempt > 0 {
		out.NextAttempt, out.NextAttemptAt = r.Position.Attempt, &r.Position.DueAt
	}
	if !r.Deadline.IsZero() {
		out.Deadline = &r.Deadline
	}
	return out
}

// listRuns lists runs.
func (a *api) listRuns(ctx context.Context, in *struct {
	CountParams
	Status   run.RunStatus  `query:"status" enum:"running,waiting,succeeded,aborted,superseded,failed,canceled"`
	OrderID  string         `query:"orderId"`
	Step     string         `query:"step" doc:"Key or display name of the step that the run is at, or that it ended at"`
	From     string         `query:"from" doc:"Created at or after this time"`
	To       string         `query:"to" doc:"Created before this time"`
	Canceled optional[bool] `query:"canceled" doc:"true: the status is canceled; false: it is another"`
	// Resumable is no flag: which runs "false" picks nobody could say of those that
	// have not ended.
	Resumable string `query:"resumable" enum:"true" doc:"true: it was aborted and can go on, as a dry run of resume-runs counts"`
}) (*listOf[Run], error) {
	from, to, err := span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	f := store.RunFilter{Status: in.Status, OrderID: in.OrderID, Step: in.Step, From: from, To: to, Canceled: in.Canceled.orNil()}
	if in.Resumable != "" {
		if f.Status != "" && f.Status != run.RunAborted {
			return nil, apierr.Wrong("query.resumable", "picks none of the status %s: only aborted runs can be resumed", f.Status)
		}
		f.Status, f.Current = run.RunAborted, true
	}
	list, err := listed(ctx, a, in.page(), func(p store.Page) (store.List[*run.Run], error) { return a.Store.Runs(ctx, tenantOf(ctx), f, p) }, showRun)
	return withCount(in.CountParams, list, err, func() (store.Count, error) { return a.Store.RunCount(ctx, tenantOf(ctx), f) })
}

// getRun reads a run. For an aborted one it also says whether it could be resumed now, by
// making the decision that nobody commits.
func (a *api) getRun(ctx context.Context, in *RunID) (*runAnswer, error) {
	r, err := a.Store.Run(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := showRun(r)
	if r.Status == run.RunAborted {
		out.NotResumable, err = a.Engine.WhyNotResumable(ctx, tenantOf(ctx), r.ID)
		out.Resumable = new(out.NotResumable == "")
	}
	return &runAnswer{out}, err
}
