package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
)

// minKey is the length below which a key that somebody thought up is refused. Keys that
// orderhook makes are longer.
const minKey = 16

// checkAPIKey refuses a key that somebody thought up, if it could be guessed, or if no
// header can carry it.
func checkAPIKey(secret string) error {
	if len(secret) < minKey {
		return UserErrorf("the API key is too short: it needs %d characters or more", minKey)
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return UserErrorf("the API key may hold only letters, digits and signs of ASCII, and no spaces")
	}
	return nil
}

// The actions of commands in the audit log: the calls of the API that do the same.
const (
	actionCreateKey   = "create-key"
	actionPatchKey    = "patch-key"
	actionDeleteKey   = "delete-key"
	actionPutSettings = "put-settings"
)

// byCommand returns a context whose writes the audit log has as those of a command
// (docs/contract.md#audit).
func byCommand(ctx context.Context, command, action string) context.Context {
	return store.Audited(ctx, func() access.AuditEntry {
		return access.AuditEntry{Action: action, Actor: access.Actor{Via: access.ViaCLI, Command: command}}
	})
}

// CreateKey makes a new key for `keys create`, and its tenant if that is new, and
// returns its id and the secret, which is stored nowhere.
func CreateKey(ctx context.Context, st store.Store, k access.Key, now time.Time) (id, secret string, err error) {
	if tenant := k.Tenant; tenant == "" || strings.ContainsFunc(tenant, func(r rune) bool { return r < ' ' }) {
		return "", "", UserErrorf("the tenant needs a name of printable characters")
	}
	secret = access.NewSecret()
	k.Created = now
	err = insertKey(byCommand(ctx, "keys create", actionCreateKey), st, secret, &k)
	return k.ID, secret, err
}

// ReadKey reads what a key is to be, as the API does.
func ReadKey(tenant string, body *jsondoc.Object, now time.Time) (access.Key, error) {
	r := schema.Read(body, access.KeyShape)
	k := access.Key{Tenant: tenant, Role: access.Role(r.Text("role"))}
	k.Take(r, now)
	if err := r.Err(); err != nil {
		return k, firstWrong("the key", err)
	}
	return k, nil
}

// UpdateKey changes a key as the API does, for `keys update`.
func UpdateKey(ctx context.Context, st store.Store, tenant, id string, body *jsondoc.Object, now time.Time) error {
	r := schema.Read(body, access.KeyPatchShape)
	if given := new(access.Key).Take(r, now); r.OK() && len(given) == 0 {
		return UserErrorf("nothing is to be changed: give --name, --rate-limit or --expires-at")
	}
	if err := r.Err(); err != nil {
		return firstWrong("the key", err)
	}
	ctx = byCommand(ctx, "keys update", actionPatchKey)
	return doing("change the key "+id, st.Write(ctx, func(tx store.Tx) error {
		_, err := tx.UpdateKey(ctx, tenant, id, func(k *access.Key) ([]string, error) { return k.Take(r, now), nil })
		return err
	}))
}

// RevokeKey deletes a key, for `keys revoke`. Servers that remember it do so for a second
// at most.
func RevokeKey(ctx context.Context, st store.Store, tenant, id string) error {
	ctx = byCommand(ctx, "keys revoke", actionDeleteKey)
	return doing("revoke the key "+id, st.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, tenant, id) }))
}

// insertKey gives a key its id and the hash of its secret, and stores it.
func insertKey(ctx context.Context, st store.Store, secret string, k *access.Key) error {
	k.ID, k.Hash = ids.New(ids.Key), access.HashKey(secret)
	return doing("store a key of tenant "+k.Tenant, st.Write(ctx, func(tx store.Tx) error { return tx.InsertKey(ctx, *k) }))
}

// adminKey sees to it that there is a way in: it installs the given key, or makes one,
// which it returns, if none is given and the database has none. Keys of any tenant count.
func adminKey(ctx context.Context, st store.Store, given string, now time.Time) (made string, err error) {
	if given != "" {
		return "", installKey(ctx, st, given, now)
	}
	// Somebody has a way in already.
	if has, err := st.HasKeys(ctx); has || err != nil {
		return "", doing("look whether there are keys", err)
	}
	made = access.NewSecret()
	return made, insertKey(byCommand(ctx, "serve", actionCreateKey), st, made, &access.Key{Tenant: access.DefaultTenant, Name: "made by serve", Role: access.Admin, Created: now})
}

// installKey stores the key of --api-key, unless an earlier start has done so. A key that
// is stored already as another tenant's, or with another role, is refused and not changed:
// whoever has it would get more than was given.
func installKey(ctx context.Context, st store.Store, secret string, now time.Time) error {
	have, err := st.KeyByHash(ctx, access.HashKey(secret))
	switch {
	case apierr.KindOf(err) == apierr.NotFound:
		return insertKey(byCommand(ctx, "serve --api-key", actionCreateKey), st, secret, &access.Key{Tenant: access.DefaultTenant, Name: "serve --api-key", Role: access.Admin, Created: now})
	case err != nil:
		return doing("look for the key given to serve", err)
	case have.Tenant != access.DefaultTenant || have.Role != access.Admin:
		return UserErrorf("the API key given to serve is already the key %s, of tenant %s and role %s", have.ID, have.Tenant, have.Role)
	case have.Expired(now):
		return UserErrorf("the API key given to serve is the key %s, which expired at %s: give another one, or give this one a later time with `orderhook keys update`", have.ID, timetext.FormatTime(have.ExpiresAt))
	}
	return nil
}

// CheckTenant refuses a tenant that nobody has a key of, but for the default
// one: it is more likely misspelt than meant.
func CheckTenant(ctx context.Context, st store.Store, tenant string) error {
	if tenant == access.DefaultTenant {
		return nil
	}
	// A tenant is made with its first key, so one without keys is not there.
	keys, err := st.Keys(ctx, tenant, store.Page{Limit: 1})
	if err == nil && len(keys.Items) == 0 {
		return CheckNewTenant(tenant)
	}
	return doing("look for tenant "+tenant, err)
}

// KnownTenant refuses a tenant that is not there, but for the default one. One whose keys were
// all revoked is there still.
func KnownTenant(ctx context.Context, st store.Store, tenant string) error {
	all, err := st.Tenants(ctx)
	if err != nil || slices.Contains(all, tenant) {
		return doing("look for tenant "+tenant, err)
	}
	return CheckNewTenant(tenant)
}

// CheckNewTenant is [CheckTenant] where nobody has a key at all.
func CheckNewTenant(tenant string) error {
	if tenant == access.DefaultTenant {
		return nil
	}
	return UserErrorf("there is no tenant %q: it is made with its first key", tenant)
}
