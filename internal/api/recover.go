package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// recoveryShape is the body of a recover call. A span of time is needed: without one,
// everything that ever failed would be sent.
var recoveryShape = &schema.Shape{Name: "Recovery", Noun: "the request", Fields: []schema.ShapeField{
	{Name: "from", Type: schema.ShapeTime, Required: true, Doc: "Events from this time on"},
	{Name: "to", Type: schema.ShapeTime, Doc: "Events before this time; now if it is left out"},
	{Name: "what", Enum: []string{job.RecoverFailed, job.RecoverMissing}, Required: true},
	{Name: "dryRun", Type: schema.ShapeFlag, Doc: "Send nothing: say how many there are"},
}}

// Recoverable is how many deliveries a recover job would make due. For what failed it is
// a count of the database. For what is missing the filter of the endpoint has to look at
// each event, so it is what could be found quickly.
type Recoverable struct {
	DryRun  bool           `json:"dryRun"`
	Matched int            `json:"matched" doc:"How many there are now"`
	More    bool           `json:"more,omitempty" doc:"There may be more: so many were found, and no further was looked"`
	Newest  []missingEvent `json:"newest,omitempty" nullable:"false" doc:"Some of the events that are missing, the newest first"`
}

// missingEvent is an event that an endpoint never got. It has no delivery id, since there
// is no delivery.
type missingEvent struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
}

// recoverResponses describes the answers to a recover call.
func recoverResponses(a *api) map[string]*huma.Response {
	return bulkResponses[Recoverable](a)
}

// answerRecoverable answers a dry run. Failed deliveries are counted as a list of
// deliveries is. Missing events are looked for as the job would do it, from the newest event of
// now to older ones.
func (a *api) answerRecoverable(ctx context.Context, j *job.Job, endpoint string) (*bulkAnswer, error) {
	// A dry run may look at many events, so the limits for callers hold for its questions.
	ctx = store.Read.Mark(ctx)
	e, err := a.Store.Endpoint(ctx, tenantOf(ctx), endpoint)
	if err != nil {
		return nil, err
	}
	if err := sendable(e, nil); err != nil {
		return nil, err
	}
	out, m := Recoverable{DryRun: true}, delivery.Missing{}
	if j.What == job.RecoverFailed {
		m.Count, err = a.Store.DeliveryCount(ctx, tenantOf(ctx), store.DeliveryFilter{Endpoint: e.No, Status: event.DeliveryFailed, From: j.From, To: j.To, Sendable: store.SendableAtAll})
	} else if j.Last, err = newestSeq(ctx, a.Store); err == nil {
		m, err = a.Deliveries.Missing(ctx, tenantOf(ctx), e, *j)
	}
	// Counting stops at a limit, and More says that there may be more than were counted.
	out.Matched, out.More = m.Count.N, m.Count.Capped
	for _, event := range m.Newest {
		out.Newest = append(out.Newest, missingEvent{event.ID, event.Type, event.Timestamp})
	}
	return &bulkAnswer{Status: http.StatusOK, Body: out}, err
}

// errOff is the answer where something is to be sent to an endpoint that is off: nothing
// would be sent, and the caller would not see why.
var errOff = apierr.Errorf(apierr.Conflict, "the endpoint is off; turn it on first")

// newestSeq is the number of the newest event, 0 if there is none. A job ends there, so
// that it leaves out what happens after the call: the endpoint gets that by itself.
func newestSeq(ctx context.Context, r store.Reader) (int64, error) {
	newest, err := r.Events(ctx, tenantOf(ctx), store.EventFilter{}, store.Page{Limit: 1})
	if err != nil || len(newest.Items) == 0 {
		return 0, err
	}
	return newest.Items[0].Seq, nil
}

// recoverEndpoint makes a job that sends again what failed, or what an endpoint never got
// while it was off or did not exist (docs/contract.md#endpoints). The endpoint is looked
// at within the write, so it is on when the job is stored. A dry run only counts, and
// leaves the Idempotency-Key free.
func (a *api) recoverEndpoint(ctx context.Context, in *endpointRequest) (*bulkAnswer, error) {
	body, err := readBody(ctx, recoveryShape)
	if err != nil {
		return nil, err
	}
	wanted, dryRun, err := parseRecovery(body, a.now())
	if err != nil {
		return nil, err
	}
	if dryRun {
		return a.answerRecoverable(ctx, wanted, in.ID)
	}
	if err := a.expectFailed(ctx, wanted, in.ID); err != nil {
		return nil, err
	}
	var job job.Job
	earlier, err := a.once(ctx, in.OnceParams, func(tx store.Tx, _ time.Time) (string, error) {
		e, err := tx.Endpoint(ctx, tenantOf(ctx), in.ID)
		if err != nil {
			return "", err
		}
		if err := sendable(e, nil); err != nil {
			return "", err
		}
		// The write may run twice, so the job is a copy that begins anew each time.
		job = *wanted
		job.EndpointID = e.ID
		if job.Last, err = newestSeq(ctx, tx); err != nil {
			return "", err
		}
		return job.ID, tx.PutJob(ctx, tenantOf(ctx), &job)
	})
	return a.answerJob(ctx, &job, earlier, err)
}

// expectFailed counts what failed at an endpoint. The events that it never got are known only
// once its filter has evaluated them. So a job for missing events does not say how many
// it expects.
func (a *api) expectFailed(ctx context.Context, j *job.Job, endpoint string) error {
	if j.What != job.RecoverFailed {
		return nil
	}
	f, err := store.DeliveriesOf(ctx, a.Store, tenantOf(ctx), event.DeliveryQuery{EndpointID: endpoint, Status: event.DeliveryFailed, From: j.From, To: j.To})
	if apierr.KindOf(err) == apierr.NotFound { // the write says so
		return nil
	}
	if err != nil {
		return err
	}
	n, err := a.Store.DeliveryCount(ctx, tenantOf(ctx), f)
	expect(j, n)
	return err
}

// parseRecovery reads `{"from", "to", "what", "dryRun"}`. The job that it returns has no
// endpoint and is not stored.
func parseRecovery(body *schema.ObjectReader, now time.Time) (j *job.Job, dryRun bool, err error) {
	j, dryRun = job.NewJob(job.JobRecover, now), body.Flag("dryRun")
	j.From, j.To, j.What = body.Time("from"), body.Time("to"), body.Text("what")
	// Without an end the job covers what happened until now.
	if j.To.IsZero() {
		j.To = now
	}
	// A period without any time in it is an error of the caller, and would find nothing.
	if body.OK() && !j.From.Before(j.To) {
		body.Wrong("from", "must be before to")
	}
	return j, dryRun, within(body.Err())
}
