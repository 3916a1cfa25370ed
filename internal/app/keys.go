package app

import (
	"context"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// DefaultTenant is the tenant that `serve` acts on where none is named.
const DefaultTenant = "default"

// minKey is the length below which a key that somebody thought up is refused.
const minKey = 16

// checkAPIKey refuses a key that could be guessed, or that no header can carry.
func checkAPIKey(secret string) error {
	if len(secret) < minKey {
		return Mistakef("the API key is too short: it needs %d characters or more", minKey)
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return Mistakef("the API key may hold only letters, digits and signs of ASCII, and no spaces")
	}
	return nil
}

// The actions of commands in the audit log: the calls of the API that do the same.
const (
	actionCreateKey   = "create-key"
	actionDeleteKey   = "delete-key"
	actionPutSettings = "put-settings"
)

// byCommand returns a context whose writes the audit log has as those of a command.
func byCommand(ctx context.Context, command, action string) context.Context {
	return store.Audited(ctx, func() oms.AuditEntry {
		return oms.AuditEntry{Action: action, Actor: oms.Actor{Via: oms.ViaCLI, Command: command}}
	})
}

// CreateKey makes a new key for `keys create`, and its tenant if that is new, and
// returns the secret, which is kept nowhere.
func CreateKey(ctx context.Context, st store.Store, tenant, name string, role oms.Role, now time.Time) (string, error) {
	if tenant == "" || strings.ContainsFunc(tenant, func(r rune) bool { return r < ' ' }) {
		return "", Mistakef("the tenant needs a name of printable characters")
	}
	secret := oms.NewSecret()
	return secret, insertKey(byCommand(ctx, "keys create", actionCreateKey), st, secret, oms.Key{Tenant: tenant, Name: name, Role: role, Created: now})
}

// RevokeKey makes a key worthless, for `keys revoke`.
func RevokeKey(ctx context.Context, st store.Store, tenant, id string) error {
	ctx = byCommand(ctx, "keys revoke", actionDeleteKey)
	return st.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, tenant, id) })
}

func insertKey(ctx context.Context, st store.Store, secret string, k oms.Key) error {
	k.ID, k.Hash = oms.NewID(oms.KeyID), oms.HashKey(secret)
	return st.Write(ctx, func(tx store.Tx) error { return tx.InsertKey(ctx, k) })
}

// adminKey sees to it that there is a way in: it installs the given key, or
// makes one, which it returns, if none is given and the database has none.
func adminKey(ctx context.Context, st store.Store, given string, now time.Time) (made string, err error) {
	if given != "" {
		return "", installKey(ctx, st, given, now)
	}
	if has, err := st.HasKeys(ctx); has || err != nil {
		return "", err
	}
	made = oms.NewSecret()
	return made, insertKey(byCommand(ctx, "serve", actionCreateKey), st, made, oms.Key{Tenant: DefaultTenant, Name: "made by serve", Role: oms.Admin, Created: now})
}

// installKey stores the key of --api-key, unless an earlier start has done so.
func installKey(ctx context.Context, st store.Store, secret string, now time.Time) error {
	have, err := st.KeyByHash(ctx, oms.HashKey(secret))
	switch {
	case oms.KindOf(err) == oms.NotFound:
		return insertKey(byCommand(ctx, "serve --api-key", actionCreateKey), st, secret, oms.Key{Tenant: DefaultTenant, Name: "serve --api-key", Role: oms.Admin, Created: now})
	case err != nil:
		return err
	case have.Tenant != DefaultTenant || have.Role != oms.Admin:
		return Mistakef("the API key given to serve is already the key %s, of tenant %s and role %s", have.ID, have.Tenant, have.Role)
	}
	return nil
}

// CheckTenant refuses a tenant that nobody has a key of, but for the default
// one: it is more likely misspelt than meant.
func CheckTenant(ctx context.Context, st store.Store, tenant string) error {
	if tenant == DefaultTenant {
		return nil
	}
	keys, err := st.Keys(ctx, tenant, store.Page{Limit: 1})
	if err == nil && len(keys.Items) == 0 {
		return CheckNewTenant(tenant)
	}
	return err
}

// CheckNewTenant is [CheckTenant] where nobody has a key at all.
func CheckNewTenant(tenant string) error {
	if tenant == DefaultTenant {
		return nil
	}
	return Mistakef("there is no tenant %q: it is made with its first key", tenant)
}
