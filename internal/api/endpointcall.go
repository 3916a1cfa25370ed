package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
)

// endpointCalls registers the calls that have something sent to an endpoint.
func endpointCalls(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "test-endpoint", Method: http.MethodPost, Path: "/api/endpoints/{id}/test", Tags: []string{"Endpoints"},
		Summary: "Send an example event to an endpoint now", DefaultStatus: http.StatusOK,
		Description: "200 with the attempt, whether it succeeded or not. It is not repeated, and an endpoint that is off gets it, too."}, a.testEndpoint)
	handle(a, access.Operator, huma.Operation{OperationID: "recover-endpoint", Method: http.MethodPost, Path: "/api/endpoints/{id}/recover", Tags: []string{"Endpoints"},
		Summary: "Send again what failed, or what an endpoint never got", DefaultStatus: http.StatusAccepted, Responses: recoverResponses(a),
		Description: "202 with a job, which goes on after a restart. With `dryRun` nothing is sent: 200 says how many there are, and names some of what is missing. `failed` is what failed for good; `missing` what the endpoint would have got if it had been there, and on.",
		RequestBody: bodyOf(a, recoveryShape, "The time of the events, and which of them", map[string]any{"from": "2026-11-20T22:00:00Z", "to": "2026-11-21T06:30:00Z", "what": "failed"})}, a.recoverEndpoint)
}

// endpointRequest is a POST about an endpoint.
type endpointRequest struct {
	EndpointID
	OnceParams
}

// testEndpoint sends an example event, once, and answers with the attempt, which is a 200
// also where the attempt failed: the call did what it was for. The request is made
// outside of any write. A repeated request is shown the attempt of the first one. If the
// caller hangs up meanwhile, the attempt is made and recorded all the same.
func (a *api) testEndpoint(ctx context.Context, in *endpointRequest) (*attemptAnswer, error) {
	tenant := tenantOf(ctx)
	e, err := a.Store.Endpoint(ctx, tenant, in.ID)
	if err != nil {
		return nil, err
	}
	// Whether the endpoint is on makes no difference: a test is how one finds out whether
	// to turn it on.
	if err := a.testable(ctx, e); err != nil {
		return nil, err
	}
	// id is that of the attempt which was made here, or of the one that the first request
	// made.
	id := ""
	earlier, err := a.onceOutside(ctx, in.OnceParams, func(ctx context.Context) (string, error) {
		at, err := a.Deliveries.Test(ctx, tenant, e)
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

// testable checks an endpoint that an example is to be sent to, whether it is on
// or off. It is checked before the Idempotency-Key is used, so a refusal leaves the key
// free.
func (a *api) testable(ctx context.Context, e *event.Endpoint) error {
	if e.FeedOnly() {
		return errFeedOnly
	}
	switch e.Origin {
	// An example event would be no order, and the system behind it would not know what to
	// do with it.
	case event.OriginConnector:
		return apierr.Errorf(apierr.Conflict, "this endpoint belongs to an ExportOrder step of the settings, and gets orders alone")
	case event.OriginWebHook:
		// Its URL is in the config file, and may have gone from it since.
		today, err := a.Deliveries.Request(ctx, tenantOf(ctx), e, &event.Event{}, 1)
		if err == nil && today.URL == "" {
			err = apierr.Errorf(apierr.Conflict, "the config file has no webHook section any more")
		}
		return err
	}
	return nil
}
