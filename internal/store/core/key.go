package core

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/store"
)

const keyColumns = `tenant, id, role, name, hash, created, rate_limit, expires, last_used`

// scanKey reads keyColumns.
func scanKey(r Row) (k access.Key, err error) {
	var created, expires, used int64
	err = r.Scan(&k.Tenant, &k.ID, (*string)(&k.Role), &k.Name, &k.Hash, &created, &k.RateLimit, &expires, &used)
	k.Created, k.ExpiresAt, k.LastUsed = fromMicros(created), fromMicrosOrZero(expires), fromMicrosOrZero(used)
	return k, err
}

// KeyByHash implements [store.Store]. A request has no tenant before its key is known, so
// this looks among the keys of all.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (access.Key, error) {
	found, err := collect(ctx, s.q.Query, scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE hash = ?`, hash)
	if err == nil && len(found) == 0 {
		return access.Key{}, apierr.Errorf(apierr.NotFound, "no such key")
	}
	if err != nil {
		return access.Key{}, err
	}
	return found[0], nil
}

// Key implements [store.Reader]. It is [apierr.NotFound] for a key of another tenant.
func (q queries) Key(ctx context.Context, tenant, id string) (access.Key, error) {
	found, err := collect(ctx, q.q.Query, scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE tenant = ? AND id = ?`, tenant, id)
	if err == nil && len(found) == 0 {
		err = apierr.Errorf(apierr.NotFound, "no key %q", id)
	}
	if err != nil {
		return access.Key{}, err
	}
	return found[0], nil
}

// Keys implements [store.Reader].
func (q queries) Keys(ctx context.Context, tenant string, p store.Page) (store.List[access.Key], error) {
	return newestFirst(ctx, q, tenant, newestOf(tenant, "api_keys"), p, paged[access.Key]{keyColumns, scanKey,
		func(k access.Key) store.Cursor { return store.Cursor{At: micros(k.Created), ID: k.ID} }})
}

// InsertKey implements [store.Tx]. The first key of a tenant makes the tenant. The lock on
// the tenant's keys is for DeleteKey, which looks for another admin among them.
func (d *draft) InsertKey(ctx context.Context, k access.Key) error {
	d.touch(k.Tenant, changes.TopicKeys)
	if d.again {
		var there bool
		err := one(ctx, d.q, []any{&there}, `SELECT EXISTS (SELECT 1 FROM api_keys WHERE hash = ? OR tenant = ? AND id = ?)`, k.Hash, k.Tenant, k.ID)
		if err == nil && there {
			err = apierr.Errorf(apierr.Conflict, "this key exists already")
		}
		if err != nil {
			return err
		}
	}
	b := d.of(k.Tenant)
	b.lock(k.Tenant, "keys")
	// A tenant that is there already stays as it is.
	b.change(`INSERT INTO tenants (tenant, created) VALUES (?, ?) ON CONFLICT DO NOTHING`, k.Tenant, micros(k.Created))
	b.changeOne(`INSERT INTO api_keys (`+keyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING`,
		k.Tenant, k.ID, string(k.Role), k.Name, k.Hash, micros(k.Created), k.RateLimit, microsOrZero(k.ExpiresAt))
	d.auditKey(k)
	return nil
}

// UpdateKey implements [store.Tx]. What is read of the key is part of the statement, too: of
// two who change it at once, one is overtaken.
func (d *draft) UpdateKey(ctx context.Context, tenant, id string, change func(k *access.Key) (changed []string, err error)) (access.Key, error) {
	k, err := d.Key(ctx, tenant, id)
	if err != nil {
		return k, err
	}
	was := k
	changed, err := change(&k)
	if err != nil {
		return was, err
	}
	update := `UPDATE api_keys SET name = ?, rate_limit = ?, expires = ? WHERE tenant = ? AND id = ? AND name = ? AND rate_limit = ? AND expires = ?`
	args := []any{k.Name, k.RateLimit, microsOrZero(k.ExpiresAt), tenant, id, was.Name, was.RateLimit, microsOrZero(was.ExpiresAt)}
	// An end that everybody forgets would lock the tenant out as surely as a deletion.
	if was.Role == access.Admin && was.ExpiresAt.IsZero() && !k.ExpiresAt.IsZero() {
		lasting := []any{tenant, string(access.Admin), id}
		var another bool
		if err := one(ctx, d.q, []any{&another}, `SELECT `+otherLastingAdmin, lasting...); err != nil {
			return was, err
		}
		if !another {
			return was, apierr.Errorf(apierr.Conflict, "the key %q is the last of an admin of its tenant that does not expire: make another one before you give it an end", id)
		}
		// When two give an end to the last two keys at once, one is overtaken, as in DeleteKey.
		update, args = update+` AND `+otherLastingAdmin, append(args, lasting...)
	}
	d.touch(tenant, changes.TopicKeys)
	d.of(tenant).lock(tenant, "keys")
	d.of(tenant).changeOne(update, args...)
	if note := d.auditKey(k); note != nil {
		note.Change(changed...)
	}
	return k, nil
}

// NoteKeyUses implements [store.Tx]. Nobody is told of it, and it takes no lock: a key that
// several nodes are asked with keeps the latest time.
func (d *draft) NoteKeyUses(_ context.Context, tenant string, used map[string]time.Time) error {
	for _, id := range slices.Sorted(maps.Keys(used)) {
		at := micros(used[id])
		d.of(tenant).change(`UPDATE api_keys SET last_used = ? WHERE tenant = ? AND id = ? AND last_used < ?`, at, tenant, id, at)
	}
	return nil
}

// otherLastingAdmin finds the key of another admin of a tenant that does not expire.
const otherLastingAdmin = `EXISTS (SELECT 1 FROM api_keys WHERE tenant = ? AND role = ? AND id <> ? AND expires = 0)`

// otherAdmin finds the key of another admin of a tenant that has not expired.
const otherAdmin = `EXISTS (SELECT 1 FROM api_keys WHERE tenant = ? AND role = ? AND id <> ? AND (expires = 0 OR expires > ?))`

// DeleteKey implements [store.Tx]. A tenant keeps one admin key at least. The statement
// that deletes the key checks that again: when two callers delete the last two admin keys
// at the same time, one is overtaken.
func (d *draft) DeleteKey(ctx context.Context, tenant, id string) error {
	d.touch(tenant, changes.TopicKeys)
	k := access.Key{Tenant: tenant, ID: id}
	var another bool
	now := micros(d.clock())
	err := one(ctx, d.q, []any{(*string)(&k.Role), &k.Name, &another}, `SELECT role, name, `+otherAdmin+` FROM api_keys WHERE tenant = ? AND id = ?`,
		tenant, string(access.Admin), id, now, tenant, id)
	if err != nil {
		return orNotFound(err, "key %q", id)
	}
	// The caller is told at once; the statement below is for who comes at the same time.
	if k.Role == access.Admin && !another {
		return apierr.Errorf(apierr.Conflict, "the key %q is the last of an admin of its tenant: make another one before you take it away", id)
	}
	// On PostgreSQL two transactions that delete a key each would not see each other's:
	// both would find another admin. The lock lets one be committed before the other
	// checks.
	d.of(tenant).lock(tenant, "keys")
	d.of(tenant).changeOne(`DELETE FROM api_keys WHERE tenant = ? AND id = ? AND (role <> ? OR `+otherAdmin+`)`,
		tenant, id, string(access.Admin), tenant, string(access.Admin), id, now)
	d.auditKey(k)
	return nil
}

// auditKey notes that a key is made, changed or deleted.
func (d *draft) auditKey(k access.Key) *access.AuditDetail {
	note := d.audit(k.Tenant, access.AuditKey, k.ID)
	if note != nil {
		note.Role, note.Name = k.Role, k.Name
	}
	return note
}

// HasKeys implements [store.Store]. A start of a server that was given no key asks it, to
// know whether it has to make one: a key that has expired lets nobody in.
func (s *Store) HasKeys(ctx context.Context) (bool, error) {
	var n int64
	err := one(ctx, s.q, []any{&n}, `SELECT count(*) FROM (SELECT 1 FROM api_keys WHERE expires = 0 OR expires > ? LIMIT 1) AS one`, micros(s.clock()))
	return n > 0, err
}
