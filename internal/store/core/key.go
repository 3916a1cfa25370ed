package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

const keyColumns = `tenant, id, role, name, hash, created`

func scanKey(r Row) (k oms.Key, err error) {
	var created int64
	err = r.Scan(&k.Tenant, &k.ID, (*string)(&k.Role), &k.Name, &k.Hash, &created)
	k.Created = fromMicros(created)
	return k, err
}

// KeyByHash implements [store.Store].
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (oms.Key, error) {
	found, err := collect(ctx, s.q.Query, scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE hash = ?`, hash)
	if err == nil && len(found) == 0 {
		return oms.Key{}, oms.Errorf(oms.NotFound, "no such key")
	}
	if err != nil {
		return oms.Key{}, err
	}
	return found[0], nil
}

// Keys implements [store.Reader].
func (q queries) Keys(ctx context.Context, tenant string, p store.Page) (store.List[oms.Key], error) {
	return newestFirst(ctx, q, tenant, newestOf(tenant, "api_keys"), p, keyColumns, scanKey,
		func(k oms.Key) store.Cursor { return store.Cursor{At: micros(k.Created), ID: k.ID} })
}

// InsertKey implements [store.Tx].
func (d *draft) InsertKey(ctx context.Context, k oms.Key) error {
	d.touch(k.Tenant, oms.TopicKeys)
	if d.again {
		var there bool
		err := one(ctx, d.q, []any{&there}, `SELECT EXISTS (SELECT 1 FROM api_keys WHERE hash = ? OR tenant = ? AND id = ?)`, k.Hash, k.Tenant, k.ID)
		if err == nil && there {
			err = oms.Errorf(oms.Conflict, "this key exists already")
		}
		if err != nil {
			return err
		}
	}
	b := d.of(k.Tenant)
	b.change(`INSERT INTO tenants (tenant, created) VALUES (?, ?) ON CONFLICT DO NOTHING`, k.Tenant, micros(k.Created))
	b.changeOne(`INSERT INTO api_keys (`+keyColumns+`) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		k.Tenant, k.ID, string(k.Role), k.Name, k.Hash, micros(k.Created))
	d.auditKey(k)
	return nil
}

// otherAdmin finds the key of another admin of a tenant.
const otherAdmin = `EXISTS (SELECT 1 FROM api_keys WHERE tenant = ? AND role = ? AND id <> ?)`

// DeleteKey implements [store.Tx]. That there is another admin is part of the
// statement, too: of two who delete the last two at once, one is overtaken.
func (d *draft) DeleteKey(ctx context.Context, tenant, id string) error {
	d.touch(tenant, oms.TopicKeys)
	k := oms.Key{Tenant: tenant, ID: id}
	var another bool
	err := one(ctx, d.q, []any{(*string)(&k.Role), &k.Name, &another}, `SELECT role, name, `+otherAdmin+` FROM api_keys WHERE tenant = ? AND id = ?`,
		tenant, string(oms.Admin), id, tenant, id)
	if err != nil {
		return orNotFound(err, "no key %q", id)
	}
	if k.Role == oms.Admin && !another {
		return oms.Errorf(oms.Conflict, "the key %q is the last of an admin of its tenant: make another one before you take it away", id)
	}
	d.of(tenant).changeOne(`DELETE FROM api_keys WHERE tenant = ? AND id = ? AND (role <> ? OR `+otherAdmin+`)`,
		tenant, id, string(oms.Admin), tenant, string(oms.Admin), id)
	d.auditKey(k)
	return nil
}

// auditKey notes that a key is made or deleted.
func (d *draft) auditKey(k oms.Key) {
	if note := d.audit(k.Tenant, oms.AuditKey, k.ID); note != nil {
		note.Role, note.Name = k.Role, k.Name
	}
}

// HasKeys implements [store.Store].
func (s *Store) HasKeys(ctx context.Context) (bool, error) {
	var n int64
	err := one(ctx, s.q, []any{&n}, `SELECT count(*) FROM (SELECT 1 FROM api_keys LIMIT 1)`)
	return n > 0, err
}
