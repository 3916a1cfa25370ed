package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/intercept"
	"github.com/orderhook/orderhook/internal/store"
)

// keysTag marks the operations that are an operator's door. gateOf goes by it.
const keysTag = "Keys"

// keys registers the operations on API keys (docs/contract.md#keys). Each of them is
// about the caller's own tenant; keys of other tenants are made on the command line.
func keys(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "get-me", Method: http.MethodGet, Path: "/api/me", Tags: []string{keysTag},
		Summary: "Read what your key is"}, a.getMe)
	handle(a, access.Admin, huma.Operation{OperationID: "create-key", Method: http.MethodPost, Path: "/api/keys", Tags: []string{keysTag},
		Summary: "Make a key of your tenant", Description: "The key itself is in this answer alone.", DefaultStatus: http.StatusCreated,
		RequestBody: bodyOf(a, access.KeyShape, "The key", map[string]any{"role": "reader", "name": "dashboard"})}, a.createKey)
	handle(a, access.Admin, huma.Operation{OperationID: "list-keys", Method: http.MethodGet, Path: "/api/keys", Tags: []string{keysTag},
		Summary: "List the keys of your tenant, the newest first"}, a.listKeys)
	handle(a, access.Admin, huma.Operation{OperationID: "get-key", Method: http.MethodGet, Path: "/api/keys/{id}", Tags: []string{keysTag},
		Summary: "Read what a key of your tenant is", Description: "Its id, role, name, age and limits; the key itself is kept nowhere."}, a.getKey)
	handle(a, access.Admin, huma.Operation{OperationID: "patch-key", Method: http.MethodPatch, Path: "/api/keys/{id}", Tags: []string{keysTag},
		Errors: []int{http.StatusConflict}, Summary: "Change the name, the rate limit or the expiry of a key", Description: "Fields that are left out stay; null takes a limit or an expiry away. The role of a key stays. 409 if an end is given to the last key of an admin of your tenant that has none.",
		RequestBody: patchOf(a, access.KeyPatchShape, "The fields to change", map[string]any{"rateLimit": 10, "expiresAt": "2027-11-29T00:00:00Z"})}, a.patchKey)
	handle(a, access.Admin, huma.Operation{OperationID: "delete-key", Method: http.MethodDelete, Path: "/api/keys/{id}", Tags: []string{keysTag},
		Errors: []int{http.StatusConflict}, Summary: "Make a key worthless", Description: "409 if it is the last key of an admin of your tenant that has not expired."}, a.deleteKey)
}

// Key is a key as the API shows it, with what its role lets it do.
type Key struct {
	access.Key
	May []string `json:"may" nullable:"false" doc:"What the role may do, in words"`
}

// showKey adds what the role may do, so that nobody has to know the roles by heart.
func showKey(k access.Key) Key { return Key{k, k.Role.May()} }

// keyAnswer is the answer of the calls about one key. The secret is never in it.
type keyAnswer struct{ Body Key }

// getMe shows the caller's own key. It asks nothing of the database, because the key was
// looked up when the request was let in.
func (a *api) getMe(ctx context.Context, _ *struct{}) (*keyAnswer, error) {
	return &keyAnswer{showKey(callOf(ctx).key)}, nil
}

// newKey is a key with its secret.
type newKey struct {
	Key
	Secret string `json:"key,omitempty" doc:"The key itself; absent when the same Idempotency-Key made it before, since only its hash is kept"`
}

// createKey makes a key of the caller's tenant. Only the hash of its secret is stored, so
// the secret is in this answer alone: whoever loses the answer has to make another key.
func (a *api) createKey(ctx context.Context, in *OnceParams) (*struct{ Body newKey }, error) {
	body, err := readBody(ctx, access.KeyShape)
	if err != nil {
		return nil, err
	}
	wanted := access.Key{Tenant: tenantOf(ctx), Role: access.Role(body.Text("role"))}
	wanted.Take(body, time.Time{})
	if err := within(body.Err()); err != nil {
		return nil, err
	}
	var made newKey
	earlier, err := a.once(ctx, *in, func(tx store.Tx, now time.Time) (string, error) {
		// A request that is sent again gets the answer that it had, though the key has
		// expired by now.
		if err := wanted.CheckExpiry(now); err != nil {
			return "", within(err)
		}
		// The store may call this function again where another write came first. The answer
		// then has the secret of the last call, and the stored hash is that of the same
		// secret.
		made.Key, made.Secret = showKey(wanted), access.NewSecret()
		made.ID, made.Created, made.Hash = ids.New(ids.Key), now, access.HashKey(made.Secret)
		return made.ID, tx.InsertKey(ctx, made.Key.Key)
	})
	if err != nil {
		return nil, err
	}
	if earlier != nil { // all but these is of the body, which is the same; the secret is gone
		made.Key, made.Secret = showKey(wanted), ""
		made.ID, made.Created = earlier.Resource, earlier.Created
	}
	return &struct{ Body newKey }{made}, nil
}

// listKeys shows the keys of the caller's tenant. Keys of other tenants are never in it.
func (a *api) listKeys(ctx context.Context, in *PageParams) (*listOf[Key], error) {
	return listed(ctx, a, in.toPage(), func(p store.Page) (store.List[access.Key], error) { return a.Store.Keys(ctx, tenantOf(ctx), p) }, showKey)
}

// getKey reads what a key of the tenant is.
// For the caller a key of another tenant does not exist, so the answer is 404.
func (a *api) getKey(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*keyAnswer, error) {
	key, err := a.Store.Key(ctx, tenantOf(ctx), in.ID)
	return &keyAnswer{showKey(key)}, err
}

// patchKey changes what of a key may be changed. A node that remembers the key goes on with
// what it remembers for a second at most.
func (a *api) patchKey(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*keyAnswer, error) {
	body, err := readBody(ctx, access.KeyPatchShape)
	if err != nil {
		return nil, err
	}
	now := a.now()
	new(access.Key).Take(body, now) // which says what is wrong, before anything is read
	if err := within(body.Err()); err != nil {
		return nil, err
	}
	var changed access.Key
	err = a.Store.Write(ctx, func(tx store.Tx) (err error) {
		changed, err = tx.UpdateKey(ctx, tenantOf(ctx), in.ID, func(k *access.Key) ([]string, error) { return k.Take(body, now), nil })
		return err
	})
	// The memory is emptied after an error, too: the commit may have succeeded all the
	// same.
	a.keys.forget()
	return &keyAnswer{showKey(changed)}, err
}

// deleteKey deletes a key, and with it its sessions. From the commit on it opens nothing.
// The memory of keys for publishing is emptied after the commit, whether it succeeded or
// not: where nobody knows, the next request asks the database. Other nodes may take the
// key for publishing for as long as keyMemory.
func (a *api) deleteKey(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*struct{}, error) {
	err := a.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, tenantOf(ctx), in.ID) })
	a.keys.forget()
	if err == nil {
		a.Board.LoseOf(tenantOf(ctx), in.ID, intercept.KeyGone)
	}
	return nil, err
}
