package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// jobs registers the operations on background jobs. An operation that begins a job is beside
// what it is about: recover.go, redeliverbulk.go, cancelbulk.go, resume.go, and endpoint.go for a
// change of the ordering.
func jobs(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "list-jobs", Method: http.MethodGet, Path: "/api/jobs", Tags: []string{"Jobs"},
		Summary: "List background jobs, the newest first"}, a.listJobs)
	handle(a, access.Reader, huma.Operation{OperationID: "get-job", Method: http.MethodGet, Path: "/api/jobs/{id}", Tags: []string{"Jobs"},
		Summary: "Read a job and how far it is"}, a.getJob)
	handle(a, access.Operator, huma.Operation{OperationID: "cancel-job", Method: http.MethodPost, Path: "/api/jobs/{id}/cancel", Tags: []string{"Jobs"},
		Summary: "End a job that has not ended", DefaultStatus: http.StatusOK, Description: "What it did until then stays done."}, a.cancelJob)
}

// JobID is the job that a path names.
type JobID struct {
	ID string `path:"id" example:"job_019aa4d11f0a7e2c8b45c1f7d2930e6a"`
}

// Job is a job as the API shows it. A job is about one of several things, and has the
// fields of its kind alone. Its counts grow while it runs; they are written with each of
// its steps, so a restart loses none that was shown.
type Job struct {
	ID             string        `json:"id"`
	Kind           string        `json:"kind" enum:"recover,redeliver,cancel,reorder,resume,erase"`
	EndpointID     string        `json:"endpointId,omitempty"`
	OrderID        string        `json:"orderId,omitempty" doc:"Of an erase job"`
	What           string        `json:"what,omitempty" enum:"failed,missing" doc:"Of a recover job"`
	From           *time.Time    `json:"from,omitempty" doc:"Of a recover job"`
	To             *time.Time    `json:"to,omitempty" doc:"Of a recover job"`
	Filter         jobFilter     `json:"filter,omitzero" doc:"Which of a list it is about"`
	Status         job.JobStatus `json:"status" enum:"running,succeeded,canceled,failed"`
	Reason         string        `json:"reason,omitempty" doc:"Why it failed or was canceled"`
	Examined       int64         `json:"examined" doc:"Events, deliveries or runs looked at"`
	Expected       int64         `json:"expected,omitempty" doc:"How many there were to look at when the job was asked for, counted up to 10,000; absent where that is not known before"`
	ExpectedCapped bool          `json:"expectedCapped,omitempty" doc:"There were more than expected says"`
	Sent           int64         `json:"sent" doc:"Deliveries that were made due again"`
	Canceled       int64         `json:"canceled" doc:"Deliveries that were canceled"`
	Resumed        int64         `json:"resumed" doc:"Runs that go on"`
	Skipped        int64         `json:"skipped" doc:"Runs that cannot go on, and deliveries that cannot be sent again"`
	Skips          []job.JobSkip `json:"skips,omitempty" nullable:"false" doc:"The first of what was skipped, and why"`
	Created        time.Time     `json:"created"`
	Updated        time.Time     `json:"updated"`
	Ended          *time.Time    `json:"ended,omitempty"`
}

// jobFilter is the body that asked for a job over a list. It is stored as it was sent and
// shown so; the kind of the job says which of the two bodies it is.
type jobFilter struct{ payload }

// Schema implements huma.SchemaProvider.
func (jobFilter) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{schemaRef("BulkFilter"), schemaRef("Resumption")}}
}

// Location is where it can be followed.
type jobAnswer struct {
	Location string `header:"Location"`
	Body     Job
}

// showJob shows a job as it is stored.
func showJob(j *job.Job) Job {
	return Job{ID: j.ID, Kind: j.Kind, EndpointID: j.EndpointID, OrderID: j.OrderID, What: j.What, From: timeOrNil(j.From), To: timeOrNil(j.To),
		Filter: jobFilter{payload{j.Filter}}, Status: j.Status, Reason: j.Reason, Examined: j.Examined, Expected: j.Expected, ExpectedCapped: j.ExpectedCapped, Sent: j.Sent, Canceled: j.Canceled,
		Resumed: j.Resumed, Skipped: j.Skipped, Skips: j.Skips, Created: j.Created, Updated: j.Updated, Ended: timeOrNil(j.Ended)}
}

// listJobs lists all jobs of the tenant, ended ones, too.
func (a *api) listJobs(ctx context.Context, in *PageParams) (*listOf[Job], error) {
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[*job.Job], error) { return a.Store.Jobs(ctx, tenantOf(ctx), p) }, showJob)
}

// getJob reads one job, and how far it is.
func (a *api) getJob(ctx context.Context, in *JobID) (*jobAnswer, error) {
	j, err := a.Store.Job(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &jobAnswer{Location: "/api/jobs/" + j.ID, Body: showJob(j)}, nil
}

// cancelJob cancels a running job. A job that changes an ordering, or erases an order,
// cannot be canceled: half of its work would leave something that is wrong.
//
// The step that is under way when the job is canceled finds its row changed, and is not
// written, on whichever node it runs. What earlier steps did stays done.
func (a *api) cancelJob(ctx context.Context, in *struct {
	JobID
	OnceParams
}) (*jobAnswer, error) {
	_, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		j, err := tx.Job(ctx, tenantOf(ctx), in.ID)
		if err != nil {
			return "", err
		}
		if j.Kind == job.JobReorder {
			return "", apierr.Errorf(apierr.Conflict, "this job cannot be canceled halfway; give the endpoint its former ordering instead")
		}
		if j.Kind == job.JobErase {
			return "", apierr.Errorf(apierr.Conflict, "this job cannot be canceled: the order is gone already")
		}
		if j.Status != job.JobRunning {
			return "", apierr.Errorf(apierr.Conflict, "the job has ended: it is %s", j.Status)
		}
		j.Updated = now
		j.End(job.JobCanceled, "")
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
	Body     any    // Job, or what a dry run says
}

// Counted is how many of what a filter picks a job would do something about. It is the
// answer to a dry run: whoever is about to send or resume thousands sees how many, and a
// few of them, before anything happens. Fields of the other kind of things are absent.
type Counted struct {
	DryRun  bool `json:"dryRun"`
	Matched int  `json:"matched" doc:"How many there are now, without those that the job would skip"`
	More    bool `json:"more,omitempty" doc:"There are more: so many were counted, and no further"`

	EndpointOff  *CappedCount `json:"endpointOff,omitempty" doc:"Of deliveries: those that would not be sent because their endpoint is off"`
	NotSendable  *CappedCount `json:"notSendable,omitempty" doc:"Of deliveries: those that cannot be sent, because their endpoint was removed or their event's data was erased"`
	NotResumable *CappedCount `json:"notResumable,omitempty" doc:"Of runs: those that cannot go on, because the status of their order, shipment or return was set again since"`
	Deliveries   []Delivery   `json:"deliveries,omitempty" nullable:"false" doc:"The first five of those that would be sent or canceled, those of the newest events first"`
	Runs         []Run        `json:"runs,omitempty" nullable:"false" doc:"The first five of those that would go on, the newest first"`
}

// bulkResponses describes a bulkAnswer, whose dry run answers with T. The two answers
// have different bodies, which one Go type cannot describe.
func bulkResponses[T any](a *api) map[string]*huma.Response {
	of := func(t reflect.Type, description string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
			"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(t, true, "")},
		}}
	}
	return map[string]*huma.Response{"200": of(reflect.TypeFor[T](), "How many there are"), "202": of(reflect.TypeFor[Job](), "The job that does it")}
}

// mostCounted is where a dry run stops to count. A page holds up to 200, so this is up to
// 500 questions to the database.
const mostCounted = 100_000

// mostNewest is how many of what it counts a dry run shows, the newest.
const mostNewest = 5

// countAll counts what a list has, page by page, as one who reads it, and returns the
// first few. To count this way takes longer than the counts of lists, which stop at
// 10,000; but who asks for a dry run of a job wants to know how many there really are.
// The work goes as that of a reader, with others in turn.
func countAll[T any](ctx context.Context, list func(context.Context, store.Page) (store.List[T], error)) (out Counted, newest []T, err error) {
	out.DryRun = true
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := list(ctx, page)
		if err != nil {
			return out, nil, err
		}
		newest = append(newest, l.Items[:min(len(l.Items), mostNewest-len(newest))]...)
		out.Matched += len(l.Items)
		page.Cursor = l.NextCursor
		if out.More = out.Matched >= mostCounted && page.Cursor != ""; out.More || page.Cursor == "" {
			return out, newest, nil
		}
	}
}

// expect notes on a job how much it is about, so that one can see how far it is. It is
// called before the job is stored, so the number is that of the call, and not of now.
func expect(j *job.Job, n store.Count) { j.Expected, j.ExpectedCapped = int64(n.N), n.Capped }

// answerJob begins a job that was stored, and answers with it, or with the one
// that an earlier call with the same Idempotency-Key made. The job begins after the
// commit: only then it is certain that there is one. If the process dies in between, the
// next start begins it, since its row says that it runs. err is that of the write, handed
// through so that callers need not look at it themselves.
func (a *api) answerJob(ctx context.Context, j *job.Job, earlier *store.Idempotency, err error) (*bulkAnswer, error) {
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
