package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// keysTag marks the operations that are an operator's door.
const keysTag = "Keys"

func keys(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "get-me", Method: http.MethodGet, Path: "/api/me", Tags: []string{keysTag},
		Summary: "Read what your key is"}, a.getMe)
	handle(a, oms.Admin, huma.Operation{OperationID: "create-key", Method: http.MethodPost, Path: "/api/keys", Tags: []string{keysTag},
		Summary: "Make a key of your tenant", Description: "The key itself is in this answer alone.", DefaultStatus: http.StatusCreated}, a.createKey)
	handle(a, oms.Admin, huma.Operation{OperationID: "list-keys", Method: http.MethodGet, Path: "/api/keys", Tags: []string{keysTag},
		Summary: "List the keys of your tenant, the newest first"}, a.listKeys)
	handle(a, oms.Admin, huma.Operation{OperationID: "delete-key", Method: http.MethodDelete, Path: "/api/keys/{id}", Tags: []string{keysTag},
		Errors: []int{http.StatusConflict}, Summary: "Make a key worthless", Description: "409 if it is the last key of an admin of your tenant."}, a.deleteKey)
}

func (a *api) getMe(ctx context.Context, _ *struct{}) (*struct{ Body oms.Key }, error) {
	return &struct{ Body oms.Key }{callOf(ctx).key}, nil
}

// newKey is a key with its secret.
type newKey struct {
	oms.Key
	Secret string `json:"key,omitempty" doc:"The key itself; absent when the same Idempotency-Key made it before, since only its hash is kept"`
}

// keyRequest is the body that makes a key.
type keyRequest struct {
	Role string `json:"role" enum:"reader,publisher,operator,admin"`
	Name string `json:"name,omitempty" maxLength:"200"`
}

// TransformSchema implements huma.SchemaTransformer.
func (keyRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{"role": "reader", "name": "dashboard"}}
	return s
}

func (a *api) createKey(ctx context.Context, in *struct {
	OnceParams
	Body keyRequest
}) (*struct{ Body newKey }, error) {
	role, err := oms.ParseRole(in.Body.Role)
	if err != nil {
		return nil, within(err)
	}
	var made newKey
	earlier, err := a.once(ctx, in.OnceParams, func(tx store.Tx, now time.Time) (string, error) {
		made = newKey{Key: oms.Key{ID: oms.NewID(oms.KeyID), Tenant: tenantOf(ctx), Role: role, Name: in.Body.Name, Created: now}, Secret: oms.NewSecret()}
		made.Hash = oms.HashKey(made.Secret)
		return made.ID, tx.InsertKey(ctx, made.Key)
	})
	if err != nil {
		return nil, err
	}
	if earlier != nil { // role and name are those of the body, which is the same; the secret is gone
		made = newKey{Key: oms.Key{ID: earlier.Resource, Tenant: tenantOf(ctx), Role: role, Name: in.Body.Name, Created: earlier.Created}}
	}
	return &struct{ Body newKey }{made}, nil
}

func (a *api) listKeys(ctx context.Context, in *PageParams) (*listOf[oms.Key], error) {
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[oms.Key], error) { return a.Store.Keys(ctx, tenantOf(ctx), p) }, asIs)
}

func (a *api) deleteKey(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*struct{}, error) {
	err := a.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, tenantOf(ctx), in.ID) })
	a.keys.forget()
	return nil, err
}
