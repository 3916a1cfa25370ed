package core

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// Tenants implements [store.Maintenance].
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	return collect(ctx, s.q.Query, func(r Row) (tenant string, err error) {
		err = r.Scan(&tenant)
		return tenant, err
	}, `SELECT tenant FROM tenants ORDER BY tenant`)
}

// OldestAttempt implements [store.Store].
func (s *Store) OldestAttempt(ctx context.Context, tenant string) (time.Time, error) {
	var seq int64
	err := one(ctx, s.q, []any{&seq}, `SELECT a.seq FROM attempts AS a INDEXED BY attempts_tenant WHERE a.tenant = ? ORDER BY a.seq LIMIT 1`, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return ids.NumberTime(seq), err
}

// RemoveOld implements [store.Maintenance].
func (s *Store) RemoveOld(ctx context.Context, tenant string, what store.Retained, before time.Time, yield store.Yield) error {
	old := &old{db: s, tenant: tenant, before: before, yield: yield}
	switch what {
	// Segments go by themselves, also if some attempts of theirs could not be removed.
	case store.RetainedAttempts:
		return errors.Join(old.removeAttempts(ctx), old.removeSegments(ctx))
	case store.RetainedDeliveries:
		return old.removeEvents(ctx)
	case store.RetainedVersions:
		return old.removeVersions(ctx)
	case store.RetainedHistory:
		return old.removeHistory(ctx)
	case store.RetainedCalls:
		return old.removeCalls(ctx)
	case store.RetainedAudit:
		return old.removeAudit(ctx)
	case store.RetainedSessions:
		return old.removeSessions(ctx)
	}
	return old.removeRuns(ctx)
}

// old is what a tenant has from before a time: one call of RemoveOld.
type old struct {
	db     *Store
	tenant string
	before time.Time
	yield  store.Yield
	begun  int64 // the event that is being removed in more than one write; 0: none is
}

// removedAtOnce is how many rows one write removes.
const removedAtOnce = 100

// removeEach removes rows in steps. next returns the first of the rows behind a key, whose
// zero value is before all of them; each adds to the batch what removes one row. After each
// write the caller's yield decides whether to go on.
func removeEach[K any](ctx context.Context, o *old, next func(last K) ([]K, error), each func(b *Batch, key K)) error {
	// A row that must stay, as one whose run goes on, is passed over: the next step begins
	// behind it.
	var last K
	for {
		// The rows are looked for outside of the write. What is found may have changed by
		// then, so each statement says again what it may remove, where that matters.
		keys, err := next(last)
		if err != nil || len(keys) == 0 {
			return err
		}
		last = keys[len(keys)-1]
		err = o.db.write(ctx, func(d *draft) error {
			for _, key := range keys {
				each(d.of(o.tenant), key)
			}
			return nil
		})
		if err == nil {
			err = o.yield(ctx)
		}
		if err != nil || len(keys) < removedAtOnce {
			return err
		}
	}
}

// removeAttempts removes old attempts. The request body of a call goes with the last
// attempt of the call. An attempt that says that its event was delivered stays as long as
// the event (removeEvents): without it the event would seem never to have been sent, and a
// job for missing events would send it again.
func (o *old) removeAttempts(ctx context.Context) error {
	type attempt struct {
		seq  int64
		call string
		goes bool
	}
	return removeEach(ctx, o, func(last attempt) ([]attempt, error) {
		return collect(ctx, o.db.q.Query, func(r Row) (a attempt, err error) {
			err = r.Scan(&a.seq, &a.call, &a.goes)
			return a, err
		}, `SELECT a.seq, a.call_id, NOT (`+recordOfDelivery+`) FROM attempts AS a INDEXED BY attempts_tenant
			WHERE a.tenant = ? AND a.seq > ? AND a.seq < ? ORDER BY a.seq LIMIT ?`,
			o.tenant, last.seq, ids.FirstNumber(o.before), removedAtOnce)
	}, func(b *Batch, a attempt) {
		// An attempt that stays is passed over, and comes back at the next removal.
		if a.goes {
			removeAttempt(b, o.tenant, a.seq, a.call)
		}
	})
}

// recordOfDelivery is true for an attempt that is all that says that its event went to its
// endpoint: the delivery succeeded with it, or has neither a row nor a later attempt.
const recordOfDelivery = `a.event > 0
	AND EXISTS (SELECT 1 FROM events AS e WHERE e.tenant = a.tenant AND e.seq = a.event)
	AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.tenant = a.tenant AND d.event = a.event AND d.endpoint = a.endpoint)
	AND (a.delivered = 1 OR NOT EXISTS (SELECT 1 FROM attempts AS l INDEXED BY attempts_delivery
		WHERE l.tenant = a.tenant AND l.event = a.event AND l.endpoint = a.endpoint AND l.event > 0 AND l.seq > a.seq))`

// removeAttempt removes an attempt, and the body of its call if no other attempt has that.
// An attempt at a delivery has no call of its own.
func removeAttempt(b *Batch, tenant string, seq int64, call string) {
	b.change(`DELETE FROM attempts WHERE seq = ? AND tenant = ?`, seq, tenant)
	if call != "" {
		b.change(`DELETE FROM bodies WHERE tenant = ?1 AND call_id = ?2 AND NOT EXISTS
			(SELECT 1 FROM attempts WHERE tenant = ?1 AND call_id = ?2 AND call_id <> '')`, tenant, call)
	}
}

// removeSegments removes the segments whose attempts are all gone. A segment of which some
// attempts are left stays. It still names those that are gone, but a search reads the
// bodies of what it names, and finds none there.
func (o *old) removeSegments(ctx context.Context) error {
	// newest is the start of the last attempt in a segment, so all of them are old.
	segments, err := collect(ctx, o.db.q.Query, scanSegment, `
		SELECT `+segmentColumns+` FROM body_segments
		WHERE tenant = ? AND newest < ? AND state <> 'void'`, o.tenant, micros(o.before))
	for _, g := range segments {
		if err == nil {
			err = o.db.dropSegment(ctx, o.tenant, g.id, o.yield)
		}
	}
	return err
}

// removeVersions removes old versions of orders, except of orders with an unfinished run: a
// run compares the order with the version that it has sent (docs/contract.md#conflicts).
// The current version of an order is in another table.
func (o *old) removeVersions(ctx context.Context) error {
	type version struct{ modified, row int64 }
	return removeEach(ctx, o, func(last version) ([]version, error) {
		return collect(ctx, o.db.q.Query, func(r Row) (v version, err error) {
			err = r.Scan(&v.modified, &v.row)
			return v, err
		}, `SELECT modified, rowid FROM order_versions AS v INDEXED BY order_versions_modified
			WHERE tenant = ?1 AND (modified, rowid) > (?2, ?3) AND modified < ?4 AND NOT EXISTS
				(SELECT 1 FROM runs WHERE tenant = ?1 AND order_id = v.order_id AND ended = 0)
			ORDER BY modified, rowid LIMIT ?5`, o.tenant, last.modified, last.row, micros(o.before), removedAtOnce)
	}, func(b *Batch, v version) { b.change(`DELETE FROM order_versions WHERE rowid = ?`, v.row) })
}

// removeHistory removes old entries of the history of orders. It reads from the beginning
// each time: what it found before is gone.
func (o *old) removeHistory(ctx context.Context) error {
	type entry struct {
		order string
		seq   int64
	}
	return removeEach(ctx, o, func(entry) ([]entry, error) { // those before are gone
		return collect(ctx, o.db.q.Query, func(r Row) (e entry, err error) {
			err = r.Scan(&e.order, &e.seq)
			return e, err
		}, `SELECT order_id, seq FROM order_history INDEXED BY order_history_at WHERE tenant = ? AND at < ? LIMIT ?`,
			o.tenant, micros(o.before), removedAtOnce)
	}, func(b *Batch, e entry) {
		b.change(`DELETE FROM order_history WHERE tenant = ? AND order_id = ? AND seq = ?`, o.tenant, e.order, e.seq)
	})
}

// removeRuns removes old runs that have ended, by when they were created. The statement
// compares again that the run has ended: somebody may have resumed it since it was found.
func (o *old) removeRuns(ctx context.Context) error {
	type run struct {
		created int64
		id      string
	}
	return removeEach(ctx, o, func(last run) ([]run, error) {
		return collect(ctx, o.db.q.Query, func(r Row) (found run, err error) {
			err = r.Scan(&found.created, &found.id)
			return found, err
		}, `SELECT created, id FROM runs INDEXED BY runs_created
			WHERE tenant = ? AND (created, id) > (?, ?) AND created < ? AND ended = 1 ORDER BY created, id LIMIT ?`,
			o.tenant, last.created, last.id, micros(o.before), removedAtOnce)
	}, func(b *Batch, r run) {
		b.change(`DELETE FROM runs WHERE tenant = ? AND id = ? AND ended = 1`, o.tenant, r.id)
	})
}

// removeAudit removes old entries of the audit log.
func (o *old) removeAudit(ctx context.Context) error {
	type entry struct {
		at int64
		id string
	}
	return removeEach(ctx, o, func(last entry) ([]entry, error) {
		return collect(ctx, o.db.q.Query, func(r Row) (e entry, err error) {
			err = r.Scan(&e.at, &e.id)
			return e, err
		}, `SELECT at, id FROM audit WHERE tenant = ? AND (at, id) > (?, ?) AND at < ? ORDER BY at, id LIMIT ?`,
			o.tenant, last.at, last.id, micros(o.before), removedAtOnce)
	}, func(b *Batch, e entry) {
		b.change(`DELETE FROM audit WHERE tenant = ? AND at = ? AND id = ?`, o.tenant, e.at, e.id)
	})
}

// removeSessions removes the sessions that have expired. They do not open anything from
// that moment on, whether their rows are there or not.
func (o *old) removeSessions(ctx context.Context) error {
	return removeEach(ctx, o, func([]byte) ([][]byte, error) { // those before are gone
		return collect(ctx, o.db.q.Query, func(r Row) (hash []byte, err error) {
			err = r.Scan(&hash)
			return hash, err
		}, `SELECT hash FROM sessions INDEXED BY sessions_expires WHERE tenant = ? AND expires < ? LIMIT ?`,
			o.tenant, micros(o.before), removedAtOnce)
	}, func(b *Batch, hash []byte) { b.change(`DELETE FROM sessions WHERE hash = ?`, hash) })
}
