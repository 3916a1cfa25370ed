package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
)

// Session implements [store.Store]. A request brings a session's token before it has a
// tenant, as it does with a key. The token itself is not stored, only its hash. The join
// makes a session worthless once its key is deleted, whether its row is still there or not.
func (s *Store) Session(ctx context.Context, tokenHash []byte) (access.Key, error) {
	found, err := collect(ctx, s.q.Query, scanKey, `
		SELECT k.tenant, k.id, k.role, k.name, k.hash, k.created, k.rate_limit, k.expires, k.last_used
		FROM sessions AS s CROSS JOIN api_keys AS k ON k.tenant = s.tenant AND k.id = s.key_id
		WHERE s.hash = ? AND s.expires > ?`, tokenHash, micros(s.clock()))
	if err == nil && (len(found) == 0 || found[0].Expired(s.clock())) {
		return access.Key{}, apierr.Errorf(apierr.NotFound, "no such session")
	}
	if err != nil {
		return access.Key{}, err
	}
	return found[0], nil
}

// CreateSession implements [store.Store]. The statement finds the key itself: if somebody
// deletes the key after it was looked for, the statement inserts nothing, and the write is
// overtaken. If the key has more sessions than it may have, the oldest ones end in the same
// write.
func (s *Store) CreateSession(ctx context.Context, n access.Session) error {
	return s.write(ctx, func(d *draft) error {
		var there int
		err := one(ctx, d.q, []any{&there}, `SELECT 1 FROM api_keys WHERE tenant = ? AND id = ?`, n.Tenant, n.KeyID)
		if err != nil {
			return orNotFound(err, "key %q", n.KeyID)
		}
		// Two sessions of a key may be made at the same time; one more than the bound does
		// no harm.
		b := d.of(n.Tenant)
		b.changeOne(`INSERT INTO sessions (hash, tenant, key_id, created, expires)
			SELECT ?, tenant, id, ?, ? FROM api_keys WHERE tenant = ? AND id = ?`,
			n.Hash, micros(n.Created), micros(n.Expires), n.Tenant, n.KeyID)
		b.change(`DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions INDEXED BY sessions_key
			WHERE tenant = ? AND key_id = ? ORDER BY created DESC LIMIT 1000000 OFFSET ?)`, n.Tenant, n.KeyID, access.MostSessions)
		return nil
	})
}

// DeleteSession implements [store.Store]. The tenant is read only because each write has
// one: it waits in the queue of its tenant.
func (s *Store) DeleteSession(ctx context.Context, tokenHash []byte) error {
	return s.write(ctx, func(d *draft) error {
		var tenant string
		err := one(ctx, d.q, []any{&tenant}, `SELECT tenant FROM sessions WHERE hash = ?`, tokenHash)
		if apierr.KindOf(orNotFound(err, "session")) == apierr.NotFound {
			return nil
		}
		if err == nil {
			d.of(tenant).change(`DELETE FROM sessions WHERE hash = ?`, tokenHash)
		}
		return err
	})
}
