package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
)

// call is what the API knows of a request before its handler runs.
type call struct {
	key  oms.Key
	body []byte
	hash []byte // of the method, path and body
	r    *http.Request
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// tenantOf is the tenant that the request's key belongs to.
func tenantOf(ctx context.Context) string { return callOf(ctx).key.Tenant }

// authenticated lets requests through that carry a key.
func (a *api) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if open(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		key, err := a.keyOf(r)
		if err != nil {
			if oms.KindOf(err) == oms.Unauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="orderhook"`)
			}
			a.refuse(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, &call{key: key, r: r})))
	})
}

func (a *api) keyOf(r *http.Request) (oms.Key, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return oms.Key{}, oms.Errorf(oms.Unauthorized, "a key is needed: Authorization: Bearer <key>")
	}
	key, err := a.Store.KeyByHash(r.Context(), oms.HashKey(strings.TrimSpace(secret)))
	if oms.KindOf(err) == oms.NotFound {
		return oms.Key{}, oms.Errorf(oms.Unauthorized, "the key is not known")
	}
	return key, err
}

// maxBody is how much of a document or a patch the API takes (API.md, "Idempotency").
const maxBody = 10 << 20

// handle registers an operation for keys whose role reaches the needed one.
func handle[I, O any](a *api, needed oms.Role, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	op.MaxBodyBytes = maxBody
	op.BodyReadTimeout = -1 // withBody has read it; a deadline would cut off those who wait for a run
	op.SkipValidateBody = op.RequestBody != nil
	op.Description = strings.TrimSpace(op.Description + "\n\nNeeds a key of the role " + string(needed) + ".")
	op.Errors = []int{http.StatusUnauthorized, http.StatusForbidden}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		if role := callOf(ctx).key.Role; !role.Reaches(needed) {
			return nil, problemOf(a.Log, oms.Errorf(oms.Forbidden, "this needs a key of the role %s; yours is of the role %s", needed, role))
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, problemOf(a.Log, err)
		}
		return out, nil
	})
}
