package sqlite

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

const keyColumns = `tenant, id, role, name, hash, created`

func scanKey(r row) (k oms.Key, err error) {
	var created int64
	err = r.Scan(&k.Tenant, &k.ID, (*string)(&k.Role), &k.Name, &k.Hash, &created)
	k.Created = fromMicros(created)
	return k, err
}

// KeyByHash implements [store.Store].
func (db *DB) KeyByHash(ctx context.Context, hash []byte) (oms.Key, error) {
	found, err := collect(ctx, db.readers.query, scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE hash = ?`, hash)
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
	return newestFirst(ctx, q.q, listOf(tenant), p, `SELECT `+keyColumns+` FROM api_keys`, "created", scanKey,
		func(k oms.Key) store.Cursor { return store.Cursor{At: micros(k.Created), ID: k.ID} })
}

// InsertKey implements [store.Tx].
func (t *tx) InsertKey(_ context.Context, k oms.Key) error {
	if _, err := t.w.exec(`INSERT INTO tenants (tenant, created) VALUES (?, ?) ON CONFLICT DO NOTHING`, k.Tenant, micros(k.Created)); err != nil {
		return err
	}
	n, err := t.w.exec(`INSERT INTO api_keys (`+keyColumns+`) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		k.Tenant, k.ID, string(k.Role), k.Name, k.Hash, micros(k.Created))
	if err == nil && n == 0 {
		return oms.Errorf(oms.Conflict, "this key exists already")
	}
	return err
}

// DeleteKey implements [store.Tx]. Whether there is another admin is part of the
// statement, so that two who delete the last two at once leave one.
func (t *tx) DeleteKey(ctx context.Context, tenant, id string) error {
	n, err := t.w.exec(`
		DELETE FROM api_keys WHERE tenant = ?1 AND id = ?2
			AND (role <> ?3 OR EXISTS (SELECT 1 FROM api_keys WHERE tenant = ?1 AND role = ?3 AND id <> ?2))`,
		tenant, id, string(oms.Admin))
	if err != nil || n > 0 {
		return err
	}
	var there int64
	if err := one(ctx, t.q, []any{&there}, `SELECT count(*) FROM api_keys WHERE tenant = ? AND id = ?`, tenant, id); err != nil {
		return err
	}
	if there > 0 {
		return oms.Errorf(oms.Conflict, "the key %q is the last of an admin of its tenant: make another one before you take it away", id)
	}
	return oms.Errorf(oms.NotFound, "no key %q", id)
}

// HasKeys implements [store.Store].
func (db *DB) HasKeys(ctx context.Context) (bool, error) {
	var n int64
	err := one(ctx, db.readers, []any{&n}, `SELECT count(*) FROM (SELECT 1 FROM api_keys LIMIT 1)`)
	return n > 0, err
}
