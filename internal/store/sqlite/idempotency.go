package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// idempotencyCutoff is the time of creation before which a row is as if it
// were not there.
func (s *shared) idempotencyCutoff() int64 { return micros(s.clock().Add(-store.IdempotencyTTL)) }

// Idempotency implements [store.Reader].
func (q queries) Idempotency(ctx context.Context, tenant, key string) (*store.Idempotency, error) {
	i, created := &store.Idempotency{Key: key}, int64(0)
	err := one(ctx, q.q, []any{&i.Hash, &i.Resource, &created}, `
		SELECT hash, resource, created FROM idempotency WHERE tenant = ? AND key = ? AND created >= ?`,
		tenant, key, q.idempotencyCutoff())
	if errors.Is(err, sql.ErrNoRows) {
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

// PutIdempotency implements [store.Tx].
func (t *tx) PutIdempotency(_ context.Context, tenant string, i store.Idempotency) error {
	cutoff := t.idempotencyCutoff()
	n, err := t.w.exec(`
		INSERT INTO idempotency (tenant, key, hash, resource, created) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET hash = excluded.hash, resource = excluded.resource, created = excluded.created
		WHERE idempotency.created < ?`, tenant, i.Key, i.Hash, i.Resource, micros(i.Created), cutoff)
	if err == nil && n == 0 {
		return oms.Errorf(oms.Conflict, "the Idempotency-Key %q is in use already", i.Key)
	}
	if err != nil {
		return err
	}
	_, err = t.w.exec(`
		DELETE FROM idempotency WHERE tenant = ?1 AND key IN
			(SELECT key FROM idempotency WHERE tenant = ?1 AND created < ?2 ORDER BY created LIMIT ?3)`, tenant, cutoff, mostPurged)
	return err
}
