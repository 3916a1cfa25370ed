package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/workflow"
)

// status registers the one operation that has an order enter a status. It is also the way
// to run the workflow of a shipment or of a return (docs/contract.md#runs).
func status(a *api) {
	handle(a, access.Publisher, huma.Operation{OperationID: "enter-status", Method: http.MethodPost, Path: "/api/orders/{id}/status", Tags: []string{"Orders"},
		Summary: "Enter a status and run its workflow", DefaultStatus: http.StatusOK,
		Description: "200 with the workflow's result; 202 with the run's id when the workflow is not done within `wait`. Entering the status that the order is in already runs its workflow again."},
		a.enterStatus)
}

// workflowResult is what a workflow came to (docs/contract.md#runs). Every call that runs
// a workflow answers with it, as soon as there is a result or the wait is over.
type workflowResult struct {
	RunID     string           `json:"runId,omitempty" doc:"Absent when no workflow was to run"`
	ReturnID  string           `json:"returnId,omitempty" doc:"The return that the workflow ran for"`
	RunStatus run.RunStatus    `json:"runStatus,omitempty" enum:"running,waiting,succeeded,aborted,superseded,failed,canceled" doc:"How the run stands; waiting, too, while only background steps are left. Absent when no workflow was to run"`
	Reason    string           `json:"reason,omitempty" doc:"Why the run did not succeed: what stopped it, who canceled it, who was faster"`
	IsAborted bool             `json:"isAborted" doc:"A step stopped the workflow"`
	Order     shownOrder       `json:"order" doc:"The order when the workflow had ended, or as it is while it goes on"`
	Results   []stepResult     `json:"orderActionExecutionResults" nullable:"false"`
	Warnings  []apierr.Warning `json:"warnings,omitempty" nullable:"false" doc:"What of the order that came in is kept, and not read"`
}

// stepResult is what one step came to. A run has them for all its steps. In the answer to
// the call that began it, skipped ones are left out, and deferred ones are Pending.
type stepResult struct {
	Step           string           `json:"step"`
	DisplayName    string           `json:"displayName" doc:"What the settings call it, its key where they give it no name"`
	ActionType     string           `json:"actionType"`
	ActionStatus   run.ActionStatus `json:"actionStatus" enum:"Success,Warning,Error,Pending,Skipped,WouldRun"`
	CancelWorkflow bool             `json:"cancelWorkflow"`
	ErrorReason    string           `json:"errorReason,omitempty"`
	IsInvisible    bool             `json:"isInvisible"`
	TranslateKey   string           `json:"translateKey,omitempty"`
	DurationMs     int64            `json:"durationMs" doc:"From the first attempt's start to the last one's end"`
	Attempts       int              `json:"attempts"`
	CallID         string           `json:"callId,omitempty" doc:"Finds the step's attempts"`
	Changes        []order.Change   `json:"changes,omitempty" nullable:"false" doc:"What the step's patch changed, field by field"`
	Warnings       []apierr.Warning `json:"warnings,omitempty" nullable:"false" doc:"What of the endpoint's answer nobody reads, and what of its patch was not applied"`
}

// showSteps never returns nil, so that the JSON has a list. A step without a display name is
// shown by its key.
func showSteps(results []run.StepResult) []stepResult {
	out := make([]stepResult, len(results))
	for i, r := range results {
		out[i] = stepResult{Step: r.Step, DisplayName: cmp.Or(r.DisplayName, r.Step), ActionType: r.ActionType, ActionStatus: r.ActionStatus, CancelWorkflow: r.CancelWorkflow, ErrorReason: r.ErrorReason,
			IsInvisible: r.IsInvisible, TranslateKey: r.TranslateKey, DurationMs: r.DurationMs, Attempts: r.Attempts, CallID: r.CallID, Changes: r.Changes, Warnings: r.Warnings}
	}
	return out
}

// resultAnswer is a workflow result with its status: that of the operation, or 202. Body
// is nil where the order was erased.
type resultAnswer struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location" doc:"The order, or the run that goes on"`
	Body     *workflowResult
}

// statusRequest is the body of a status change. Huma reads it. One call takes all ways
// into a status, so that a client needs to know one.
type statusRequest struct {
	Status          string `json:"status" minLength:"1" maxLength:"200" example:"Accepted"`
	ShipmentID      string `json:"shipmentId,omitempty" doc:"It is this shipment's orderStatus that changes; the order's status stays"`
	ReturnID        string `json:"returnId,omitempty" doc:"The return workflow runs, for this return"`
	SkipRunWorkflow bool   `json:"skipRunWorkflow,omitempty" doc:"Set the status and run nothing"`
	DryRun          bool   `json:"dryRun,omitempty" doc:"Store nothing, and say what each step would do: WouldRun, Skipped and why, Error"`
	CallWebhooks    bool   `json:"callWebhooks,omitempty" doc:"In a dry run, call the endpoints, once each, to see what they would change"`
}

// TransformSchema implements huma.SchemaTransformer: the usual request is a short one.
func (statusRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{"status": "Accepted"}}
	return s
}

// statusChange is a change to a status of the order itself, with its workflow.
func statusChange(status string) workflow.StatusChange { return workflow.StatusChange{Status: status} }

// enterStatus has an order, or a shipment or return of it, enter a status. What cannot be
// is refused before anything is stored; a dry run stores nothing at all, and does not use
// the Idempotency-Key.
func (a *api) enterStatus(ctx context.Context, in *struct {
	OrderID
	OnceParams
	MatchParams
	WaitParams
	Body statusRequest
}) (*resultAnswer, error) {
	change := statusChange(strings.TrimSpace(in.Body.Status))
	if change.Status == "" {
		return nil, apierr.Wrong("body.status", "must not be empty")
	}
	change.ShipmentID, change.ReturnID, change.SkipRun = in.Body.ShipmentID, in.Body.ReturnID, in.Body.SkipRunWorkflow
	c := a.caller(ctx, in.OnceParams)
	c.IfMatch = version(in.IfMatch)
	if in.Body.CallWebhooks && !in.Body.DryRun {
		return nil, apierr.Wrong("body.callWebhooks", "goes with dryRun")
	}
	if in.Body.DryRun {
		return a.dryRun(ctx, c, in.ID, change, in.Body.CallWebhooks)
	}
	return a.enter(ctx, c, in.ID, change, in.WaitParams)
}

// dryRun answers with what each step would do. With callWebhooks every endpoint of the
// steps is called, once, and no call is recorded.
func (a *api) dryRun(ctx context.Context, c workflow.Caller, id string, change workflow.StatusChange, callWebhooks bool) (*resultAnswer, error) {
	r, err := a.Engine.DryRun(ctx, c, id, change, callWebhooks)
	if err != nil {
		return nil, err
	}
	return &resultAnswer{Status: http.StatusOK, Body: showResult(r)}, nil
}

// enter enters a status and waits for the run. The change is durable before the wait
// begins.
func (a *api) enter(ctx context.Context, c workflow.Caller, id string, change workflow.StatusChange, p WaitParams) (*resultAnswer, error) {
	wait, err := p.duration()
	if err != nil {
		return nil, err
	}
	started, err := a.Engine.EnterStatus(ctx, c, id, change)
	if err != nil {
		return nil, err
	}
	return a.answerResult(ctx, started, wait, http.StatusOK)
}

// answerResult waits for what was started and answers with its result, or with
// 202 while it goes on. Its status is done where the result is final. The wait may be
// long, so a slot for large documents is given back before it. Location is the order, or
// the run where that goes on.
func (a *api) answerResult(ctx context.Context, s workflow.Started, wait time.Duration, done int) (*resultAnswer, error) {
	admission.Pause(ctx)
	r, err := a.Engine.Await(ctx, tenantOf(ctx), s, wait)
	if err != nil {
		return nil, err
	}
	// Ids are chosen by callers, and may have slashes.
	out := &resultAnswer{Status: done, ETag: etag(r.Order.Version), Location: "/api/orders/" + url.PathEscape(s.OrderID)}
	if !r.Done {
		out.Status, out.Location = http.StatusAccepted, "/api/runs/"+r.RunID
	}
	out.Body = showResult(r)
	return out, nil
}

// showResult shows what a workflow came to, or how far it is.
func showResult(r *workflow.Result) *workflowResult {
	return &workflowResult{RunID: r.RunID, ReturnID: r.ReturnID, RunStatus: r.RunStatus, Reason: r.Reason, IsAborted: r.IsAborted, Order: shownOrder{r.Order.Doc}, Results: showSteps(r.Steps)}
}
