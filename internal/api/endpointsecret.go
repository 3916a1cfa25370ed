package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
)

// endpointSecrets registers the operations on what signs the requests to an endpoint
// (docs/contract.md#signing).
// Only an operator may change a secret. The public key is for every reader.
func endpointSecrets(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "rotate-endpoint-secret", Method: http.MethodPost, Path: "/api/endpoints/{id}/rotate-secret", Tags: []string{"Endpoints"},
		Summary: "Give an endpoint a new secret", DefaultStatus: http.StatusOK, Description: "The new secret is in this answer alone. The one before signs too until `overlap` is over. At most 5 sign at the same time.",
		RequestBody: optionalBody(bodyOf(a, rotationShape, "The overlap, and the new secret", map[string]any{"overlap": "PT24H"}))}, a.rotateSecret)
	handle(a, access.Reader, huma.Operation{OperationID: "get-endpoint-public-key", Method: http.MethodGet, Path: "/api/endpoints/{id}/public-key", Tags: []string{"Endpoints"},
		Summary: "Read the key that v1a signatures are verified with", Description: "404 for an endpoint without them."}, a.getPublicKey)
}

// rotationShape is the body that gives an endpoint a new secret.
var rotationShape = &schema.Shape{Name: "Rotation", Noun: "the request", Fields: []schema.ShapeField{
	{Name: "overlap", Doc: "How long the secret before signs too, at most P30D; PT24H if it is left out"},
	{Name: "secret", Doc: "The new secret, whsec_ and the base64 of 24 to 64 bytes; one is made if it is left out"},
}}

// rotateSecret gives an endpoint a new secret, and shows it, once. Both secrets sign
// until the overlap is over, so that the receiver can change in its own time. A repeated
// request is answered without the secret: it is stored encrypted, and the API cannot open
// it.
func (a *api) rotateSecret(ctx context.Context, in *struct {
	EndpointID
	OnceParams
}) (*secretAnswer, error) {
	body, err := readGivenBody(ctx, rotationShape)
	if err != nil {
		return nil, err
	}
	overlap, text, err := parseRotation(body)
	if err != nil {
		return nil, err
	}
	var next *event.Endpoint
	earlier, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		e, err := endpointToChange(ctx, tx, in.ID)
		if err != nil {
			return "", err
		}
		// Whether the new text signs already must be asked of the database, since the
		// endpoint has references in place of its secrets.
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

// parseRotation reads `{"overlap", "secret"}`, both of which may be left out. An empty
// secret is an error, and not a wish for a new one: a script whose variable is empty
// sends that.
func parseRotation(r *schema.ObjectReader) (overlap time.Duration, text string, err error) {
	// An overlap that is left out is a day, so a receiver has time to learn the new
	// secret.
	overlap = event.DefaultOverlap
	if given := r.Text("overlap"); given != "" {
		var ok bool
		if overlap, ok = timetext.ParseDuration(given, event.MaxOverlap); !ok {
			r.Wrong("overlap", "must be a duration of at most P30D, as PT24H or 1.00:00:00")
		}
	}
	if text = r.Text("secret"); text == "" && !r.Has("secret") {
		return overlap, outbound.NewSecret(), within(r.Err())
	}
	if why := checkSecret(text); why != "" && r.OK() {
		r.Wrong("secret", "%s", why)
	}
	return overlap, text, within(r.Err())
}

// publicKey is what v1a signatures are verified with. It is no secret, and any reader of
// the tenant may have it.
type publicKey struct {
	PublicKey string `json:"publicKey" example:"whpk_nIuV2J4nIqeT6KQDgbTNzfJUhGx2EFrY4TOnhkQNyyA="`
}

// getPublicKey works the public key out from the private one, which only the client
// opens.
func (a *api) getPublicKey(ctx context.Context, in *EndpointID) (*struct{ Body publicKey }, error) {
	e, err := a.Store.Endpoint(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	// Such an endpoint may have a private key from before, but nothing is signed with it.
	if !slices.Contains(e.Signatures, event.SignatureV1a) {
		return nil, apierr.Errorf(apierr.NotFound, "this endpoint has no v1a signatures")
	}
	key, err := a.Client.PublicKey(ctx, tenantOf(ctx), e.SigningKey)
	return &struct{ Body publicKey }{publicKey{key}}, err
}
