package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func endpointCalls(a *api) {
	handle(a, oms.Operator, huma.Operation{OperationID: "test-endpoint", Method: http.MethodPost, Path: "/api/endpoints/{id}/test", Tags: []string{"Endpoints"},
		Summary: "Send an example event to an endpoint now", DefaultStatus: http.StatusOK,
		Description: "200 with the attempt, whether it succeeded or not. It is not repeated, and an endpoint that is off gets it, too."}, a.testEndpoint)
	handle(a, oms.Operator, huma.Operation{OperationID: "recover-endpoint", Method: http.MethodPost, Path: "/api/endpoints/{id}/recover", Tags: []string{"Endpoints"},
		Summary: "Send again what failed, or what an endpoint never got", DefaultStatus: http.StatusAccepted,
		Description: "202 with a job, which goes on after a restart. `failed` is what failed for good; `missing` what the endpoint would have got if it had been there, and on.",
		RequestBody: bodyOf[recovery](a, "The time of the events, and which of them", map[string]any{"from": "2026-11-20T22:00:00Z", "to": "2026-11-21T06:30:00Z", "what": "failed"})}, a.recoverEndpoint)
}

// endpointRequest is a POST about an endpoint.
type endpointRequest struct {
	EndpointID
	OnceParams
}

func (a *api) testEndpoint(ctx context.Context, in *endpointRequest) (*attemptAnswer, error) {
	tenant := tenantOf(ctx)
	e, err := a.Store.Endpoint(ctx, tenant, in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.testable(ctx, e); err != nil {
		return nil, err
	}
	id := ""
	earlier, err := a.onceOutside(ctx, in.OnceParams, func(ctx context.Context) (string, error) {
		at, err := a.Notify.Test(ctx, tenant, e)
		if err != nil {
			return "", err
		}
		id = at.ID
		return id, nil
	})
	if err != nil {
		return nil, err
	}
	if earlier != nil {
		id = earlier.Resource
	}
	return a.getAttempt(ctx, &AttemptID{id})
}

// testable judges an endpoint that an example is to be sent to, whether it is on
// or off.
func (a *api) testable(ctx context.Context, e *oms.Endpoint) error {
	switch e.Origin {
	case oms.OriginConnector:
		return oms.Errorf(oms.Conflict, "this endpoint belongs to an ExportOrder step of the settings, and gets orders alone")
	case oms.OriginWebHook:
		today, err := a.Notify.Request(ctx, tenantOf(ctx), e, &oms.Event{}, 1)
		if err == nil && today.URL == "" {
			err = oms.Errorf(oms.Conflict, "the config file has no webHook section any more")
		}
		return err
	}
	return nil
}

// recovery is the body of a recover call.
type recovery struct {
	From string `json:"from" format:"date-time" doc:"Events from this time on"`
	To   string `json:"to,omitempty" format:"date-time" doc:"Events before this time; now if it is left out"`
	What string `json:"what" enum:"failed,missing"`
}

func (a *api) recoverEndpoint(ctx context.Context, in *endpointRequest) (*jobAnswer, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	wanted, err := parseRecovery(doc, a.now())
	if err != nil {
		return nil, err
	}
	if err := a.expectFailed(ctx, wanted, in.ID); err != nil {
		return nil, err
	}
	var job oms.Job
	earlier, err := a.once(ctx, in.OnceParams, func(tx store.Tx, _ time.Time) (string, error) {
		e, err := tx.Endpoint(ctx, tenantOf(ctx), in.ID)
		if err != nil {
			return "", err
		}
		if !e.Enabled {
			return "", oms.Errorf(oms.Conflict, "the endpoint is off; turn it on first")
		}
		newest, err := tx.Events(ctx, tenantOf(ctx), store.EventFilter{}, store.Page{Limit: 1})
		if err != nil {
			return "", err
		}
		job = *wanted
		job.EndpointID = e.ID
		for _, event := range newest.Items {
			job.Last = event.Seq
		}
		return job.ID, tx.PutJob(ctx, tenantOf(ctx), &job)
	})
	if err != nil {
		return nil, err
	}
	if earlier != nil {
		return a.getJob(ctx, &JobID{earlier.Resource})
	}
	a.Jobs.Begin(tenantOf(ctx), &job)
	return &jobAnswer{Location: "/api/jobs/" + job.ID, Body: showJob(&job)}, nil
}

// expectFailed counts what failed at an endpoint. What it never got is known only once
// its filter has judged the events.
func (a *api) expectFailed(ctx context.Context, j *oms.Job, endpoint string) error {
	if j.What != oms.RecoverFailed {
		return nil
	}
	f, err := store.DeliveriesOf(ctx, a.Store, tenantOf(ctx), oms.DeliveryQuery{EndpointID: endpoint, Status: oms.DeliveryFailed, From: j.From, To: j.To})
	if oms.KindOf(err) == oms.NotFound { // the write says so
		return nil
	}
	if err != nil {
		return err
	}
	n, err := a.Store.DeliveryCount(ctx, tenantOf(ctx), f)
	expect(j, n)
	return err
}

// parseRecovery reads `{"from", "to", "what"}`.
func parseRecovery(doc *oms.Object, now time.Time) (*oms.Job, error) {
	f := fields{doc: doc}
	f.only("from", "to", "what")
	job := oms.NewJob(oms.JobRecover, now)
	job.From, job.To, job.What = f.time("from"), f.time("to"), f.text("what")
	if from, _ := doc.Get("from"); from == nil || from == "" {
		f.wrong("from", "is needed")
	}
	if job.To.IsZero() {
		job.To = now
	}
	if len(f.mistakes) == 0 && !job.From.Before(job.To) {
		f.wrong("from", "must be before to")
	}
	if job.What != oms.RecoverFailed && job.What != oms.RecoverMissing {
		f.wrong("what", "must be failed or missing")
	}
	return job, f.err()
}
