package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

func endpointSecrets(a *api) {
	handle(a, oms.Operator, huma.Operation{OperationID: "rotate-endpoint-secret", Method: http.MethodPost, Path: "/api/endpoints/{id}/rotate-secret", Tags: []string{"Endpoints"},
		Summary: "Give an endpoint a new secret", DefaultStatus: http.StatusOK, Description: "The new secret is in this answer alone. The one before signs too until `overlap` is over. At most 5 sign at the same time.",
		RequestBody: optionalBody(bodyOf[rotation](a, "The overlap, and the new secret", map[string]any{"overlap": "PT24H"}))}, a.rotateSecret)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-endpoint-public-key", Method: http.MethodGet, Path: "/api/endpoints/{id}/public-key", Tags: []string{"Endpoints"},
		Summary: "Read the key that v1a signatures are verified with", Description: "404 for an endpoint without them."}, a.getPublicKey)
}

// rotation is the body that gives an endpoint a new secret.
type rotation struct {
	Overlap string `json:"overlap,omitempty" doc:"How long the secret before signs too, at most P30D; PT24H if it is left out"`
	Secret  string `json:"secret,omitempty" doc:"The new secret, whsec_ and the base64 of 24 to 64 bytes; one is made if it is left out"`
}

func (a *api) rotateSecret(ctx context.Context, in *struct {
	EndpointID
	OnceParams
}) (*secretAnswer, error) {
	doc, err := givenBody(ctx)
	if err != nil {
		return nil, err
	}
	overlap, text, err := parseRotation(doc)
	if err != nil {
		return nil, err
	}
	var next *oms.Endpoint
	earlier, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		e, err := endpointToChange(ctx, tx, in.ID)
		if err != nil {
			return "", err
		}
		is := func(v secret.Value) bool { return a.Store.SecretIs(ctx, tenantOf(ctx), v, text) }
		if next, err = e.Rotated(text, is, overlap, now); err != nil {
			return "", err
		}
		return e.ID, tx.PutEndpoint(ctx, tenantOf(ctx), next)
	})
	if err == nil && earlier != nil { // the secret is gone
		text = ""
		next, err = a.Store.Endpoint(ctx, tenantOf(ctx), in.ID)
	}
	if err != nil {
		return nil, err
	}
	shown, err := a.endpointNow(ctx, next)
	return &secretAnswer{Body: newEndpoint{shown, text}}, err
}

// parseRotation reads `{"overlap", "secret"}`, both of which may be left out.
func parseRotation(doc *oms.Object) (overlap time.Duration, text string, err error) {
	r := fields{doc: doc}
	r.only("overlap", "secret")
	overlap = oms.DefaultOverlap
	if given := r.text("overlap"); given != "" {
		var ok bool
		if overlap, ok = oms.ParseDuration(given, oms.MaxOverlap); !ok {
			r.wrong("overlap", "must be a duration of at most P30D, as PT24H or 1.00:00:00")
		}
	}
	if text = r.text("secret"); text == "" && !r.doc.Has("secret") {
		return overlap, hook.NewSecret(), r.err()
	}
	if why := checkSecret(text); why != "" {
		r.wrong("secret", "%s", why)
	}
	return overlap, text, r.err()
}

// publicKey is what v1a signatures are verified with.
type publicKey struct {
	PublicKey string `json:"publicKey" example:"whpk_nIuV2J4nIqeT6KQDgbTNzfJUhGx2EFrY4TOnhkQNyyA="`
}

func (a *api) getPublicKey(ctx context.Context, in *EndpointID) (*struct{ Body publicKey }, error) {
	e, err := a.Store.Endpoint(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(e.Signatures, oms.SignatureV1a) {
		return nil, oms.Errorf(oms.NotFound, "this endpoint has no v1a signatures")
	}
	key, err := a.Client.PublicKey(ctx, tenantOf(ctx), e.SigningKey)
	return &struct{ Body publicKey }{publicKey{key}}, err
}
