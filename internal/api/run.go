package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func runs(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "list-runs", Method: http.MethodGet, Path: "/api/runs", Tags: []string{"Runs"},
		Summary: "List workflow runs, the newest first"}, a.listRuns)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-run", Method: http.MethodGet, Path: "/api/runs/{id}", Tags: []string{"Runs"},
		Summary: "Read a workflow run"}, a.getRun)
}

// run is a workflow run as the API shows it.
type run struct {
	ID              string        `json:"id"`
	OrderID         string        `json:"orderId"`
	Status          oms.RunStatus `json:"status" enum:"running,waiting,succeeded,aborted,superseded,failed,canceled"`
	EnteredStatus   string        `json:"enteredStatus" doc:"The status whose steps run"`
	ShipmentID      string        `json:"shipmentId,omitempty"`
	ReturnID        string        `json:"returnId,omitempty"`
	SettingsVersion int64         `json:"settingsVersion"`
	Reason          string        `json:"reason,omitempty" doc:"Why it did not succeed"`
	TriggeredRunID  string        `json:"triggeredRunId,omitempty" doc:"The run of the status that one of its steps asked for"`
	NextAttempt     int           `json:"nextAttempt,omitempty" doc:"Number of the attempt under way or next"`
	NextAttemptAt   *time.Time    `json:"nextAttemptAt,omitempty"`
	Created         time.Time     `json:"created"`
	Updated         time.Time     `json:"updated"`
	Ended           *time.Time    `json:"ended,omitempty"`
	Results         []stepResult  `json:"orderActionExecutionResults" nullable:"false"`
}

func showRun(r *oms.Run) run {
	out := run{ID: r.ID, OrderID: r.OrderID, Status: r.Status, EnteredStatus: r.EnteredStatus, ShipmentID: r.ShipmentID, ReturnID: r.ReturnID,
		SettingsVersion: r.SettingsVersion, Reason: r.Reason, TriggeredRunID: r.Triggered, Created: r.Created, Updated: r.Updated, Ended: r.Ended,
		Results: showSteps(r.Results)}
	if !r.Status.Ended() && r.Position.Attempt > 0 {
		out.NextAttempt, out.NextAttemptAt = r.Position.Attempt, &r.Position.DueAt
	}
	return out
}

func (a *api) listRuns(ctx context.Context, in *struct {
	PageParams
	Status  oms.RunStatus `query:"status" enum:"running,waiting,succeeded,aborted,superseded,failed,canceled"`
	OrderID string        `query:"orderId"`
}) (*listOf[run], error) {
	list, err := a.Store.Runs(ctx, tenantOf(ctx), store.RunFilter{Status: in.Status, OrderID: in.OrderID}, in.page())
	return answerList(list, err, showRun)
}

func (a *api) getRun(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*struct{ Body run }, error) {
	r, err := a.Store.Run(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body run }{showRun(r)}, nil
}
