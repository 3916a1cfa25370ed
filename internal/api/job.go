package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func jobs(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "list-jobs", Method: http.MethodGet, Path: "/api/jobs", Tags: []string{"Jobs"},
		Summary: "List background jobs, the newest first"}, a.listJobs)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-job", Method: http.MethodGet, Path: "/api/jobs/{id}", Tags: []string{"Jobs"},
		Summary: "Read a job and how far it is"}, a.getJob)
	handle(a, oms.Operator, huma.Operation{OperationID: "cancel-job", Method: http.MethodPost, Path: "/api/jobs/{id}/cancel", Tags: []string{"Jobs"},
		Summary: "End a job that has not ended", DefaultStatus: http.StatusOK, Description: "What it did until then stays done."}, a.cancelJob)
}

// JobID is the job that a path names.
type JobID struct {
	ID string `path:"id" example:"job_019aa4d11f0a7e2c8b45c1f7d2930e6a"`
}

// Job is a job as the API shows it.
type Job struct {
	ID             string        `json:"id"`
	Kind           string        `json:"kind" enum:"recover,redeliver,reorder,resume,erase"`
	EndpointID     string        `json:"endpointId,omitempty"`
	OrderID        string        `json:"orderId,omitempty" doc:"Of an erase job"`
	What           string        `json:"what,omitempty" enum:"failed,missing" doc:"Of a recover job"`
	From           *time.Time    `json:"from,omitempty" doc:"Of a recover job"`
	To             *time.Time    `json:"to,omitempty" doc:"Of a recover job"`
	Filter         jobFilter     `json:"filter,omitzero" doc:"Which of a list it is about"`
	Status         oms.JobStatus `json:"status" enum:"running,succeeded,canceled,failed"`
	Reason         string        `json:"reason,omitempty" doc:"Why it failed or was canceled"`
	Examined       int64         `json:"examined" doc:"Events, deliveries or runs looked at"`
	Expected       int64         `json:"expected,omitempty" doc:"How many there were to look at when the job was asked for, counted up to 10,000; absent where that is not known before"`
	ExpectedCapped bool          `json:"expectedCapped,omitempty" doc:"There were more than expected says"`
	Sent           int64         `json:"sent" doc:"Deliveries that were made due again"`
	Resumed        int64         `json:"resumed" doc:"Runs that go on"`
	Skipped        int64         `json:"skipped" doc:"Runs that cannot go on, and deliveries that cannot be sent again"`
	Skips          []oms.JobSkip `json:"skips,omitempty" doc:"The first of what was skipped, and why"`
	Created        time.Time     `json:"created"`
	Updated        time.Time     `json:"updated"`
	Ended          *time.Time    `json:"ended,omitempty"`
}

// jobFilter is the body that asked for a job over a list.
type jobFilter struct{ payload }

// Schema implements huma.SchemaProvider.
func (jobFilter) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{schemaRef("BulkFilter"), schemaRef("Resumption")}}
}

type jobAnswer struct {
	Location string `header:"Location"`
	Body     Job
}

func showJob(j *oms.Job) Job {
	return Job{ID: j.ID, Kind: j.Kind, EndpointID: j.EndpointID, OrderID: j.OrderID, What: j.What, From: timeOrNil(j.From), To: timeOrNil(j.To),
		Filter: jobFilter{payload{j.Filter}}, Status: j.Status, Reason: j.Reason, Examined: j.Examined, Expected: j.Expected, ExpectedCapped: j.ExpectedCapped, Sent: j.Sent,
		Resumed: j.Resumed, Skipped: j.Skipped, Skips: j.Skips, Created: j.Created, Updated: j.Updated, Ended: timeOrNil(j.Ended)}
}

func (a *api) listJobs(ctx context.Context, in *PageParams) (*listOf[Job], error) {
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[*oms.Job], error) { return a.Store.Jobs(ctx, tenantOf(ctx), p) }, showJob)
}

func (a *api) getJob(ctx context.Context, in *JobID) (*jobAnswer, error) {
	j, err := a.Store.Job(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &jobAnswer{Location: "/api/jobs/" + j.ID, Body: showJob(j)}, nil
}

func (a *api) cancelJob(ctx context.Context, in *struct {
	JobID
	OnceParams
}) (*jobAnswer, error) {
	_, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		j, err := tx.Job(ctx, tenantOf(ctx), in.ID)
		if err != nil {
			return "", err
		}
		if j.Kind == oms.JobReorder {
			return "", oms.Errorf(oms.Conflict, "this job cannot be canceled halfway; give the endpoint its former ordering instead")
		}
		if j.Kind == oms.JobErase {
			return "", oms.Errorf(oms.Conflict, "this job cannot be canceled: the order is gone already")
		}
		if j.Status != oms.JobRunning {
			return "", oms.Errorf(oms.Conflict, "the job has ended: it is %s", j.Status)
		}
		j.Updated = now
		j.End(oms.JobCanceled, "")
		return j.ID, tx.PutJob(ctx, tenantOf(ctx), j)
	})
	if err != nil {
		return nil, err
	}
	return a.getJob(ctx, &in.JobID)
}

// bulkAnswer is the answer to a call about all that a filter picks: 202 with
// the job that does it, or, of a dry run, 200 and how many there are.
type bulkAnswer struct {
	Status   int
	Location string `header:"Location"`
	Body     any    // Job or Counted
}

// Counted is how many a filter picks.
type Counted struct {
	DryRun  bool `json:"dryRun"`
	Matched int  `json:"matched" doc:"How many there are now"`
	More    bool `json:"more,omitempty" doc:"There are more: so many were counted, and no further"`
}

// bulkResponses describes a bulkAnswer.
func bulkResponses(a *api) map[string]*huma.Response {
	of := func(t reflect.Type, description string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
			"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(t, true, "")},
		}}
	}
	return map[string]*huma.Response{"200": of(reflect.TypeFor[Counted](), "How many there are"), "202": of(reflect.TypeFor[Job](), "The job that does it")}
}

// mostCounted is where a dry run stops to count.
const mostCounted = 100_000

// countAll counts what a list has, page by page, as one who reads it.
func countAll[T any](ctx context.Context, list func(context.Context, store.Page) (store.List[T], error)) (*bulkAnswer, error) {
	ctx = store.Read.Mark(ctx)
	out := Counted{DryRun: true}
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := list(ctx, page)
		if err != nil {
			return nil, err
		}
		out.Matched += len(l.Items)
		page.Cursor = l.NextCursor
		if out.More = out.Matched >= mostCounted && page.Cursor != ""; out.More || page.Cursor == "" {
			return &bulkAnswer{Status: http.StatusOK, Body: out}, nil
		}
	}
}

// expect notes on a job how much it is about, so that one can see how far it is.
func expect(j *oms.Job, n store.Count) { j.Expected, j.ExpectedCapped = int64(n.N), n.Capped }

// answerJob begins a job that was stored, and answers with it, or with the one
// that an earlier call with the same Idempotency-Key made.
func (a *api) answerJob(ctx context.Context, j *oms.Job, earlier *store.Idempotency, err error) (*bulkAnswer, error) {
	if err == nil && earlier != nil {
		j, err = a.Store.Job(ctx, tenantOf(ctx), earlier.Resource)
	} else if err == nil {
		a.Jobs.Begin(tenantOf(ctx), j)
	}
	if err != nil {
		return nil, err
	}
	return &bulkAnswer{Status: http.StatusAccepted, Location: "/api/jobs/" + j.ID, Body: showJob(j)}, nil
}
