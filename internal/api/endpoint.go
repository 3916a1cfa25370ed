package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// endpoints registers the operations that make, show, change and remove endpoints
// (docs/contract.md#endpoints). Those that call one, or recover what it missed, are in
// endpointcall.go.
func endpoints(a *api) {
	example := map[string]any{"url": "https://warehouse.example.com/webhooks", "eventTypes": []string{"order_*", "shipment_shipped"},
		"description": "The warehouse in Oslo", "ordering": "subject", "filter": `data.marketId == "NOR"`}
	handle(a, access.Operator, huma.Operation{OperationID: "create-endpoint", Method: http.MethodPost, Path: "/api/endpoints", Tags: []string{"Endpoints"},
		Summary: "Subscribe a URL to events", DefaultStatus: http.StatusCreated, Description: "The secret is in this answer alone.",
		RequestBody: bodyOf(a, event.EndpointShape(), "The endpoint", example)}, a.createEndpoint)
	handle(a, access.Reader, huma.Operation{OperationID: "list-endpoints", Method: http.MethodGet, Path: "/api/endpoints", Tags: []string{"Endpoints"},
		Summary: "List endpoints, the newest first"}, a.listEndpoints)
	handle(a, access.Reader, huma.Operation{OperationID: "get-endpoint", Method: http.MethodGet, Path: "/api/endpoints/{id}", Tags: []string{"Endpoints"},
		Summary: "Read an endpoint, with its counts and health", Description: "Secrets are shown as ***."}, a.getEndpoint)
	handle(a, access.Operator, huma.Operation{OperationID: "patch-endpoint", Method: http.MethodPatch, Path: "/api/endpoints/{id}", Tags: []string{"Endpoints"},
		Summary: "Change fields of an endpoint", Description: "Fields that are left out stay; null gives a field its default. *** keeps a secret that is stored, unless the URL's origin changes. `headers` and `tls` are replaced whole. Turning an endpoint on makes what it failed at forgotten. Where many deliveries are pending, they follow a change of `ordering` in a job, which `reorderingJob` names: until it has ended, events of one subject may arrive in another order.",
		Errors: []int{http.StatusConflict}, RequestBody: patchOf(a, event.EndpointPatchShape(), "The fields to change", map[string]any{"enabled": true, "timeout": "PT10S"})}, a.patchEndpoint)
	handle(a, access.Operator, huma.Operation{OperationID: "delete-endpoint", Method: http.MethodDelete, Path: "/api/endpoints/{id}", Tags: []string{"Endpoints"},
		Errors: []int{http.StatusConflict}, Summary: "Remove an endpoint", Description: "Its pending deliveries are canceled; what was delivered, and the attempts, stay."}, a.deleteEndpoint)
}

// EndpointID is the endpoint that a path names.
type EndpointID struct {
	ID string `path:"id" doc:"The endpoint's id" example:"ep_019aa4c27d3e7f0c9b61d2e8f4a05b37"`
}

// endpointAnswer is an endpoint as it was left, or as it is.
type endpointAnswer struct{ Body Endpoint }

// secretAnswer is an endpoint with the secret that was made. No other answer shows a
// secret of an endpoint: the database has it encrypted, and the API cannot open it.
type secretAnswer struct {
	Location string `header:"Location"`
	Body     newEndpoint
}

// createEndpoint makes an endpoint. It is counted before it is stored, so that many
// requests at the same time cannot exceed the limit; the count is given back if the
// endpoint is not stored. If the process dies meanwhile, the count is made anew from what
// is stored.
func (a *api) createEndpoint(ctx context.Context, in *OnceParams) (*secretAnswer, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	// The checks may have to parse certificates, so they are made before the write, which
	// may run several times.
	wanted, err := event.NewEndpoint(doc, a.endpointChecks(ctx), a.now())
	if err != nil {
		return nil, within(err)
	}
	given := doc.Text("secret")
	// The caller sees the secret in this answer alone, whether it gave the secret or this
	// made it.
	given = cmp.Or(AddKeys(wanted), given)
	if err := a.endpointCount.load(ctx, a.Store); err != nil {
		return nil, err
	}
	var made event.Endpoint
	counted := false
	earlier, err := a.once(ctx, *in, func(tx store.Tx, now time.Time) (string, error) {
		// The write may run twice, and the endpoint must be counted once.
		if !counted {
			if err := a.endpointCount.take(tenantOf(ctx)); err != nil {
				return "", err
			}
		}
		counted, made = true, *wanted // which is stored under a number; this may run again
		// The time of the Idempotency-Key, of which the answer to a repeat is made.
		made.Created, made.Updated = now, now
		return made.ID, tx.PutEndpoint(ctx, tenantOf(ctx), &made)
	})
	// A repeated request has made nothing, if it was counted before the earlier one was
	// found.
	if counted && (err != nil || earlier != nil) {
		a.endpointCount.giveBack(tenantOf(ctx))
	}
	if err != nil {
		return nil, err
	}
	out := newEndpoint{Secret: given}
	if earlier != nil { // the body is the same; the secret is gone
		made = *wanted
		made.ID, made.Created, made.Updated, out.Secret = earlier.Resource, earlier.Created, earlier.Created, ""
	}
	out.Endpoint = showEndpoint(&made, event.Health{}, breaker.Closed, roleOf(ctx), a.now())
	if out.Warnings, err = a.endpointWarnings(ctx, &made); err != nil {
		return nil, err
	}
	return &secretAnswer{Location: "/api/endpoints/" + made.ID, Body: out}, nil
}

// AddKeys gives an endpoint the keys that it asks for and lacks, and returns the
// secret that it made, "" if none. It is used for a new endpoint, for one that asks for
// v1a signatures from now on, and for those that `orderhook apply` makes.
func AddKeys(e *event.Endpoint) (made string) {
	if len(e.Secrets) == 0 {
		made = outbound.NewSecret()
		e.Secrets = []event.Secret{{Value: secret.New(made)}}
	}
	// A key that is there already stays, because receivers verify with its public half.
	if e.SigningKey.IsZero() && slices.Contains(e.Signatures, event.SignatureV1a) {
		e.SigningKey = secret.New(outbound.NewPrivateKey())
	}
	return made
}

// listEndpoints lists the endpoints of the API and of the webHook section; those of
// exports are left out. The health of each is read with it, so a page is a question for
// each endpoint on it.
func (a *api) listEndpoints(ctx context.Context, in *struct {
	PageParams
	RecentParams
	Q         string         `query:"q" doc:"A piece of the id, the description or the URL, in any case. Not of what the URL hides: the values of its query"`
	EventType string         `query:"eventType" doc:"Which want events of this type; a filter is not asked"`
	Enabled   optional[bool] `query:"enabled"`
}) (*listOf[Endpoint], error) {
	// The filter is applied by the store, so that pages are full.
	f := store.EndpointFilter{Text: in.Q, EventType: in.EventType, Enabled: in.Enabled.orNil()}
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[Endpoint], error) {
		list, err := a.Store.Endpoints(ctx, tenantOf(ctx), f, p)
		// The cursor and the bytes are those of the stored list, since each endpoint shown
		// is one of it.
		shown := store.List[Endpoint]{Bytes: list.Bytes, NextCursor: list.NextCursor}
		for _, e := range list.Items {
			one, err := a.endpointNow(ctx, e)
			if err == nil {
				one.Recent, err = a.recent(ctx, e, in.RecentParams)
			}
			if err != nil {
				return shown, err
			}
			shown.Items = append(shown.Items, one)
		}
		return shown, err
	}, asIs)
}

// RecentParams ask for what the newest attempts at an endpoint came to.
type RecentParams struct {
	Recent int `query:"recent" minimum:"0" maximum:"100" doc:"How many of the newest attempts at each endpoint to tell of in short"`
}

// recent returns the newest attempts at an endpoint in short; nil where the caller did
// not ask, so that the field is absent then, and empty where there are none.
func (a *api) recent(ctx context.Context, e *event.Endpoint, in RecentParams) ([]recentAttempt, error) {
	// The question costs a read for each endpoint of a page, so only who asks pays for it.
	if in.Recent == 0 {
		return nil, nil
	}
	found, err := a.Store.Recent(ctx, tenantOf(ctx), e.No, in.Recent)
	shown := make([]recentAttempt, len(found))
	for i, at := range found {
		shown[i] = recentAttempt{at.ID, at.StartedAt, at.DurationMs, at.Status, at.Outcome}
	}
	return shown, err
}

// getEndpoint reads one endpoint, also one of an export, which no list has.
func (a *api) getEndpoint(ctx context.Context, in *struct {
	EndpointID
	RecentParams
}) (*endpointAnswer, error) {
	e, err := a.Store.Endpoint(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	shown, err := a.endpointNow(ctx, e)
	if err == nil {
		shown.Recent, err = a.recent(ctx, e, in.RecentParams)
	}
	return &endpointAnswer{shown}, err
}

// endpointNow is an endpoint with how it has been doing until now. What the attempts of
// the last seconds came to is not in the database yet; the dispatcher adds it. The
// circuit is in the memory of the node that has the endpoint.
func (a *api) endpointNow(ctx context.Context, e *event.Endpoint) (Endpoint, error) {
	h, err := a.Deliveries.Health(ctx, tenantOf(ctx), e.No)
	if err == nil && e.Step != nil {
		e, err = a.withStepHeaders(ctx, e)
	}
	if err != nil {
		return Endpoint{}, err
	}
	shown := showEndpoint(e, h, a.Deliveries.Circuit(tenantOf(ctx), e.No), roleOf(ctx), a.now())
	if e.Origin == event.OriginWebHook && e.Enabled {
		shown.Warnings = a.webHookWarnings(ctx)
	}
	return shown, nil
}

// webHookWarnings names what the config file's webHook section leaves open. It is nil if
// the tenant has no such section, or one that verifies certificates.
func (a *api) webHookWarnings(ctx context.Context) []apierr.Warning {
	if !a.Deliveries.TrustsAll(tenantOf(ctx)) {
		return nil
	}
	return []apierr.Warning{{Path: "webHook.useSslTrustAll", Message: "every certificate is trusted, so anybody on the way can read and answer; set it to false"}}
}

// withStepHeaders returns the endpoint of an export with the headers that its step
// has today. The headers are not stored with the endpoint, because each attempt takes
// those that the settings have then (docs/contract.md#exports). What the store has is
// shared, so a copy is changed.
func (a *api) withStepHeaders(ctx context.Context, e *event.Endpoint) (*event.Endpoint, error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	shown := *e
	if step := s.ExportStep(*e.Step); step != nil {
		shown.Headers = step.RequestHeaders
	}
	return &shown, nil
}

// patchEndpoint changes an endpoint. If its ordering changes and deliveries are pending,
// a job applies the new ordering to them.
//
// The endpoint is read within the write and read anew if it runs again, so two changes of
// different fields both stand. The job begins after the write, when the endpoint is
// stored with its new ordering: then it is certain that what is published later comes
// after what the job changes. If the process dies before the job begins, the next start
// finds it in the database.
func (a *api) patchEndpoint(ctx context.Context, in *EndpointID) (*endpointAnswer, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	var next *event.Endpoint
	var job *job.Job
	err = a.Store.Write(ctx, func(tx store.Tx) error {
		was, err := endpointToChange(ctx, tx, in.ID)
		if err != nil {
			return err
		}
		now := a.now()
		if next, err = was.Changed(doc, a.endpointChecks(ctx), now); err != nil {
			return err
		}
		AddKeys(next)
		// An earlier run of this write may have made a job that was never stored.
		if job = nil; next.Ordering == was.Ordering {
			return tx.PutEndpoint(ctx, tenantOf(ctx), next)
		}
		job, err = a.Deliveries.PutReordered(ctx, tx, tenantOf(ctx), next, now)
		return err
	})
	if err != nil {
		return nil, within(err)
	}
	if job != nil {
		a.Jobs.Begin(tenantOf(ctx), job)
	}
	shown, err := a.endpointNow(ctx, next)
	if err == nil {
		shown.Warnings, err = a.endpointWarnings(ctx, next)
	}
	return &endpointAnswer{shown}, err
}

// endpointWarnings names what an endpoint subscribes to and nothing known is. Of
// types that are published those of the newest events are known. These are warnings,
// since the types of publishers need not be known yet when somebody subscribes to them.
func (a *api) endpointWarnings(ctx context.Context, e *event.Endpoint) ([]apierr.Warning, error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	list, err := a.Store.Events(ctx, tenantOf(ctx), store.EventFilter{}, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	// Types of the settings count even if no such event has happened yet.
	known := s.EventTypes()
	for _, one := range list.Items {
		known = append(known, one.Type)
	}
	return event.WarnTypes(e.EventTypes, known), nil
}

// endpointToChange reads an endpoint that the API may change: the others belong
// to the config file, or to a step of the settings. If the API changed one of those, the
// next start, or the next change of the settings, would change it back
// (docs/contract.md#endpoints).
func endpointToChange(ctx context.Context, tx store.Tx, id string) (*event.Endpoint, error) {
	e, err := tx.Endpoint(ctx, tenantOf(ctx), id)
	switch {
	case err != nil:
		return nil, err
	case e.Origin == event.OriginWebHook:
		return nil, apierr.Errorf(apierr.Conflict, "this endpoint is the webHook section of the config file, and is changed there")
	case e.Origin != event.OriginAPI:
		return nil, apierr.Errorf(apierr.Conflict, "this endpoint belongs to an ExportOrder step of the settings")
	}
	return e, nil
}

// deleteEndpoint removes an endpoint and destroys its secrets. Its pending deliveries are
// canceled in the background. The endpoints are counted before, because giveBack needs a
// count to take one from.
func (a *api) deleteEndpoint(ctx context.Context, in *EndpointID) (*struct{}, error) {
	if err := a.endpointCount.load(ctx, a.Store); err != nil {
		return nil, err
	}
	err := a.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := endpointToChange(ctx, tx, in.ID); err != nil {
			return err
		}
		return tx.DeleteEndpoint(ctx, tenantOf(ctx), in.ID)
	})
	if err == nil {
		a.endpointCount.giveBack(tenantOf(ctx))
	}
	return nil, err
}
