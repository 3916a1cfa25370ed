package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

// Session implements [store.Store]. A request brings a session's token before it
// has a tenant, as it does with a key.
func (s *Store) Session(ctx context.Context, tokenHash []byte) (oms.Key, error) {
	found, err := collect(ctx, s.q.Query, scanKey, `
		SELECT k.tenant, k.id, k.role, k.name, k.hash, k.created
		FROM sessions AS s CROSS JOIN api_keys AS k ON k.tenant = s.tenant AND k.id = s.key_id
		WHERE s.hash = ? AND s.expires > ?`, tokenHash, micros(s.clock()))
	if err == nil && len(found) == 0 {
		return oms.Key{}, oms.Errorf(oms.NotFound, "no such session")
	}
	if err != nil {
		return oms.Key{}, err
	}
	return found[0], nil
}

// CreateSession implements [store.Store]. That the key is there is part of the
// statement, too: if it is taken away meanwhile, the write is overtaken.
func (s *Store) CreateSession(ctx context.Context, n oms.Session) error {
	return s.write(ctx, func(d *draft) error {
		var there int
		err := one(ctx, d.q, []any{&there}, `SELECT 1 FROM api_keys WHERE tenant = ? AND id = ?`, n.Tenant, n.KeyID)
		if err != nil {
			return orNotFound(err, "no key %q", n.KeyID)
		}
		b := d.of(n.Tenant)
		b.changeOne(`INSERT INTO sessions (hash, tenant, key_id, created, expires)
			SELECT ?, tenant, id, ?, ? FROM api_keys WHERE tenant = ? AND id = ?`,
			n.Hash, micros(n.Created), micros(n.Expires), n.Tenant, n.KeyID)
		b.change(`DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions INDEXED BY sessions_key
			WHERE tenant = ? AND key_id = ? ORDER BY created DESC LIMIT -1 OFFSET ?)`, n.Tenant, n.KeyID, oms.MostSessions)
		return nil
	})
}

// DeleteSession implements [store.Store].
func (s *Store) DeleteSession(ctx context.Context, tokenHash []byte) error {
	return s.write(ctx, func(d *draft) error {
		var tenant string
		err := one(ctx, d.q, []any{&tenant}, `SELECT tenant FROM sessions WHERE hash = ?`, tokenHash)
		if oms.KindOf(orNotFound(err, "no session")) == oms.NotFound {
			return nil
		}
		if err == nil {
			d.of(tenant).change(`DELETE FROM sessions WHERE hash = ?`, tokenHash)
		}
		return err
	})
}
