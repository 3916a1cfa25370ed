package core

import (
	"context"
	"database/sql"
	"errors"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// idempotencyCutoff is the time of creation before which a row is as if it
// were not there.
func (s *shared) idempotencyCutoff() int64 { return micros(s.clock().Add(-store.IdempotencyTTL)) }

// Idempotency implements [store.Reader]. A write that finds a key unused remembers that
// (see overtakenByTwin).
func (q queries) Idempotency(ctx context.Context, tenant, name string) (*store.Idempotency, error) {
	i, created := &store.Idempotency{Key: name}, int64(0)
	err := one(ctx, q.q, []any{&i.Hash, &i.Resource, &created}, `
		SELECT hash, resource, created FROM idempotency WHERE tenant = ? AND key = ? AND created >= ?`,
		tenant, name, q.idempotencyCutoff())
	if errors.Is(err, sql.ErrNoRows) {
		if q.own != nil {
			q.own.unused = append(q.own.unused, key{tenant, name})
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	i.Created = fromMicros(created)
	return i, nil
}

// mostPurged bounds how many old rows one PutIdempotency removes: more than it
// adds, so that they go, and few, so that no caller pays for all of them.
const mostPurged = 10

// PutIdempotency implements [store.Tx]. The key is stored with what the request made, in
// the same write. So either both are there after a crash, or neither is
// (docs/contract.md#idempotency).
func (d *draft) PutIdempotency(ctx context.Context, tenant string, i store.Idempotency) error {
	if d.again {
		stored, err := d.Idempotency(ctx, tenant, i.Key)
		if err == nil && stored != nil {
			err = apierr.Errorf(apierr.Conflict, "the Idempotency-Key %q is in use already", i.Key)
		}
		if err != nil {
			return err
		}
	}
	cutoff := d.idempotencyCutoff()
	b := d.of(tenant)
	b.check(`SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM idempotency WHERE tenant = ? AND key = ? AND created >= ?)`, tenant, i.Key, cutoff)
	b.changeOne(`
		INSERT INTO idempotency (tenant, key, hash, resource, created) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, key) DO UPDATE SET hash = excluded.hash, resource = excluded.resource, created = excluded.created
		WHERE idempotency.created < ?`,
		tenant, i.Key, i.Hash, i.Resource, micros(i.Created), cutoff)
	b.change(`
		DELETE FROM idempotency WHERE tenant = ?1 AND key IN
			(SELECT key FROM idempotency WHERE tenant = ?1 AND created < ?2 ORDER BY created LIMIT ?3)`, tenant, cutoff, mostPurged)
	return nil
}

// overtakenByTwin says whether a request with the same Idempotency-Key was
// carried out after the write had found that key unused. What the write refuses
// then, it may refuse because of what the other one did: an order that exists
// already, a line that is returned already. The caller is owed the other's answer.
func (d *draft) overtakenByTwin(ctx context.Context) bool {
	for _, of := range d.unused {
		if stored, err := d.Idempotency(ctx, of.tenant, of.id); err == nil && stored != nil {
			return true
		}
	}
	return false
}
