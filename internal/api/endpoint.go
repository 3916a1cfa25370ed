package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/notify"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

func endpoints(a *api) {
	example := map[string]any{"url": "https://warehouse.example.com/webhooks", "eventTypes": []string{"order_*", "shipment_shipped"},
		"description": "The warehouse in Oslo", "ordering": "subject", "filter": `data.marketId == "NOR"`}
	handle(a, oms.Operator, huma.Operation{OperationID: "create-endpoint", Method: http.MethodPost, Path: "/api/endpoints", Tags: []string{"Endpoints"},
		Summary: "Subscribe a URL to events", DefaultStatus: http.StatusCreated, Description: "The secret is in this answer alone.",
		RequestBody: bodyOf[endpointBody](a, "The endpoint", example)}, a.createEndpoint)
	handle(a, oms.Reader, huma.Operation{OperationID: "list-endpoints", Method: http.MethodGet, Path: "/api/endpoints", Tags: []string{"Endpoints"},
		Summary: "List endpoints, the newest first"}, a.listEndpoints)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-endpoint", Method: http.MethodGet, Path: "/api/endpoints/{id}", Tags: []string{"Endpoints"},
		Summary: "Read an endpoint, with its counts and health", Description: "Secrets are shown as ***."}, a.getEndpoint)
	handle(a, oms.Operator, huma.Operation{OperationID: "patch-endpoint", Method: http.MethodPatch, Path: "/api/endpoints/{id}", Tags: []string{"Endpoints"},
		Summary: "Change fields of an endpoint", Description: "Fields that are left out stay; null gives a field its default. *** keeps a secret that is stored, unless the URL's origin changes. `headers` and `tls` are replaced whole. Turning an endpoint on makes what it failed at forgotten. Where many deliveries are pending, they follow a change of `ordering` in a job, which `reorderingJob` names: until it has ended, events of one subject may arrive in another order.",
		Errors: []int{http.StatusConflict}, RequestBody: patchOf[EndpointFields](a, "EndpointPatch", "The fields to change", map[string]any{"enabled": true, "timeout": "PT10S"})}, a.patchEndpoint)
	handle(a, oms.Operator, huma.Operation{OperationID: "delete-endpoint", Method: http.MethodDelete, Path: "/api/endpoints/{id}", Tags: []string{"Endpoints"},
		Errors: []int{http.StatusConflict}, Summary: "Remove an endpoint", Description: "Its pending deliveries are canceled; what was delivered, and the attempts, stay."}, a.deleteEndpoint)
}

// EndpointID is the endpoint that a path names.
type EndpointID struct {
	ID string `path:"id" doc:"The endpoint's id" example:"ep_019aa4c27d3e7f0c9b61d2e8f4a05b37"`
}

type endpointAnswer struct{ Body Endpoint }

// secretAnswer is an endpoint with the secret that was made.
type secretAnswer struct {
	Location string `header:"Location"`
	Body     newEndpoint
}

func (a *api) createEndpoint(ctx context.Context, in *OnceParams) (*secretAnswer, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	wanted, err := oms.NewEndpoint(doc, a.endpointChecks(ctx), a.now())
	if err != nil {
		return nil, within(err)
	}
	given := doc.Text("secret")
	given = cmp.Or(addKeys(wanted), given)
	if err := a.endpointCount.load(ctx, a.Store); err != nil {
		return nil, err
	}
	var made oms.Endpoint
	counted := false
	earlier, err := a.once(ctx, *in, func(tx store.Tx, _ time.Time) (string, error) {
		if !counted {
			if err := a.endpointCount.take(tenantOf(ctx)); err != nil {
				return "", err
			}
		}
		counted, made = true, *wanted // which is stored under a number; this may run again
		return made.ID, tx.PutEndpoint(ctx, tenantOf(ctx), &made)
	})
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
	out.Endpoint = showEndpoint(&made, oms.Health{}, notify.CircuitClosed, roleOf(ctx), a.now())
	if out.Warnings, err = a.endpointWarnings(ctx, &made); err != nil {
		return nil, err
	}
	return &secretAnswer{Location: "/api/endpoints/" + made.ID, Body: out}, nil
}

// addKeys gives an endpoint the keys that it asks for and lacks, and returns the
// secret that it made, "" if none.
func addKeys(e *oms.Endpoint) (made string) {
	if len(e.Secrets) == 0 {
		made = hook.NewSecret()
		e.Secrets = []oms.Secret{{Value: secret.New(made)}}
	}
	if e.SigningKey.IsZero() && slices.Contains(e.Signatures, oms.SignatureV1a) {
		e.SigningKey = secret.New(hook.NewPrivateKey())
	}
	return made
}

func (a *api) listEndpoints(ctx context.Context, in *struct {
	PageParams
	RecentParams
	Q         string         `query:"q" doc:"A piece of the id, the description or the URL, in any case. Not of what the URL hides: the values of its query"`
	EventType string         `query:"eventType" doc:"Which want events of this type; a filter is not asked"`
	Enabled   optional[bool] `query:"enabled"`
}) (*listOf[Endpoint], error) {
	f := store.EndpointFilter{Text: in.Q, EventType: in.EventType, Enabled: in.Enabled.orNil()}
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[Endpoint], error) {
		list, err := a.Store.Endpoints(ctx, tenantOf(ctx), f, p)
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

func (a *api) recent(ctx context.Context, e *oms.Endpoint, in RecentParams) ([]recentAttempt, error) {
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

// endpointNow is an endpoint with how it has been doing until now.
func (a *api) endpointNow(ctx context.Context, e *oms.Endpoint) (Endpoint, error) {
	h, err := a.Notify.Health(ctx, tenantOf(ctx), e.No)
	if err == nil && e.Step != nil {
		e, err = a.withStepHeaders(ctx, e)
	}
	if err != nil {
		return Endpoint{}, err
	}
	shown := showEndpoint(e, h, a.Notify.Circuit(tenantOf(ctx), e.No), roleOf(ctx), a.now())
	if e.Origin == oms.OriginWebHook && e.Enabled {
		shown.Warnings = a.webHookWarnings(ctx)
	}
	return shown, nil
}

// webHookWarnings names what the config file's webHook section leaves open.
func (a *api) webHookWarnings(ctx context.Context) []oms.Warning {
	if !a.Notify.TrustsAll(tenantOf(ctx)) {
		return nil
	}
	return []oms.Warning{{Path: "webHook.useSslTrustAll", Message: "every certificate is trusted, so anybody on the way can read and answer; set it to false"}}
}

// withStepHeaders returns the endpoint of an export with the headers that its step
// has today.
func (a *api) withStepHeaders(ctx context.Context, e *oms.Endpoint) (*oms.Endpoint, error) {
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

func (a *api) patchEndpoint(ctx context.Context, in *EndpointID) (*endpointAnswer, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	var next *oms.Endpoint
	var job *oms.Job
	err = a.Store.Write(ctx, func(tx store.Tx) error {
		was, err := endpointToChange(ctx, tx, in.ID)
		if err != nil {
			return err
		}
		now := a.now()
		if next, err = was.Changed(doc, a.endpointChecks(ctx), now); err != nil {
			return err
		}
		addKeys(next)
		if job = nil; next.Ordering == was.Ordering {
			return tx.PutEndpoint(ctx, tenantOf(ctx), next)
		}
		job, err = a.Notify.PutReordered(ctx, tx, tenantOf(ctx), next, now)
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
// types that are published those of the newest events are known.
func (a *api) endpointWarnings(ctx context.Context, e *oms.Endpoint) ([]oms.Warning, error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	list, err := a.Store.Events(ctx, tenantOf(ctx), store.EventFilter{}, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	known := s.EventTypes()
	for _, one := range list.Items {
		known = append(known, one.Type)
	}
	return oms.WarnTypes(e.EventTypes, known), nil
}

// endpointToChange reads an endpoint that the API may change: the others belong
// to the config file, or to a step of the settings.
func endpointToChange(ctx context.Context, tx store.Tx, id string) (*oms.Endpoint, error) {
	e, err := tx.Endpoint(ctx, tenantOf(ctx), id)
	switch {
	case err != nil:
		return nil, err
	case e.Origin == oms.OriginWebHook:
		return nil, oms.Errorf(oms.Conflict, "this endpoint is the webHook section of the config file, and is changed there")
	case e.Origin != oms.OriginAPI:
		return nil, oms.Errorf(oms.Conflict, "this endpoint belongs to an ExportOrder step of the settings")
	}
	return e, nil
}

func (a *api) deleteEndpoint(ctx context.Context, in *EndpointID) (*struct{}, error) {
	if err := a.endpointCount.load(ctx, a.Store); err != nil {
		return nil, err
	}
	var gone *oms.Endpoint
	err := a.Store.Write(ctx, func(tx store.Tx) (err error) {
		if gone, err = endpointToChange(ctx, tx, in.ID); err != nil {
			return err
		}
		return tx.DeleteEndpoint(ctx, tenantOf(ctx), in.ID)
	})
	if err == nil {
		a.endpointCount.giveBack(tenantOf(ctx))
		a.Notify.EndpointDeleted(tenantOf(ctx), gone.No)
	}
	return nil, err
}
