package core

import (
	"context"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// Tenants implements [store.Upkeep].
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	return collect(ctx, s.q.Query, func(r Row) (tenant string, err error) {
		err = r.Scan(&tenant)
		return tenant, err
	}, `SELECT tenant FROM tenants ORDER BY tenant`)
}

// RemoveOld implements [store.Upkeep].
func (s *Store) RemoveOld(ctx context.Context, tenant string, what store.Kept, before time.Time, rest store.Rest) error {
	old := &old{s, tenant, before, rest}
	switch what {
	case store.KeptAttempts:
		return errors.Join(old.removeAttempts(ctx), old.removeSegments(ctx))
	case store.KeptDeliveries:
		return old.removeEvents(ctx)
	case store.KeptVersions:
		return old.removeVersions(ctx)
	case store.KeptHistory:
		return old.removeHistory(ctx)
	case store.KeptCalls:
		return old.removeCalls(ctx)
	case store.KeptAudit:
		return old.removeAudit(ctx)
	case store.KeptSessions:
		return old.removeSessions(ctx)
	}
	return old.removeRuns(ctx)
}

// old is what a tenant has from before a time.
type old struct {
	db     *Store
	tenant string
	before time.Time
	rest   store.Rest
}

// removedAtOnce is how many rows one write removes.
const removedAtOnce = 100

// removeEach removes rows in steps: next returns the first of those behind one,
// its zero value being before all, and each removes one.
func removeEach[K any](ctx context.Context, o *old, next func(last K) ([]K, error), each func(b *Batch, key K)) error {
	var last K
	for {
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
			err = o.rest(ctx)
		}
		if err != nil || len(keys) < removedAtOnce {
			return err
		}
	}
}

func (o *old) removeAttempts(ctx context.Context) error {
	type attempt struct {
		seq      int64
		id, call string
	}
	return removeEach(ctx, o, func(last attempt) ([]attempt, error) {
		return collect(ctx, o.db.q.Query, func(r Row) (a attempt, err error) {
			err = r.Scan(&a.seq, &a.id, &a.call)
			return a, err
		}, `SELECT seq, id, call_id FROM attempts INDEXED BY attempts_id WHERE tenant = ? AND id > ? AND id < ? ORDER BY id LIMIT ?`,
			o.tenant, last.id, firstID(o.before), removedAtOnce)
	}, func(b *Batch, a attempt) {
		b.change(`DELETE FROM attempts WHERE seq = ?`, a.seq)
		if a.call != "" {
			b.change(`DELETE FROM bodies WHERE tenant = ?1 AND call_id = ?2 AND NOT EXISTS
				(SELECT 1 FROM attempts WHERE tenant = ?1 AND call_id = ?2 AND call_id <> '')`, o.tenant, a.call)
		}
	})
}

// removeSegments removes the segments whose attempts are all gone.
func (o *old) removeSegments(ctx context.Context) error {
	segments, err := collect(ctx, o.db.q.Query, scanSegment, `
		SELECT `+segmentColumns+` FROM body_segments
		WHERE tenant = ? AND newest < ? AND state <> 'void'`, o.tenant, micros(o.before))
	for _, g := range segments {
		if err == nil {
			err = o.db.dropSegment(ctx, o.tenant, g.id, o.rest)
		}
	}
	return err
}

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

func (o *old) removeSessions(ctx context.Context) error {
	return removeEach(ctx, o, func([]byte) ([][]byte, error) { // those before are gone
		return collect(ctx, o.db.q.Query, func(r Row) (hash []byte, err error) {
			err = r.Scan(&hash)
			return hash, err
		}, `SELECT hash FROM sessions INDEXED BY sessions_expires WHERE tenant = ? AND expires < ? LIMIT ?`,
			o.tenant, micros(o.before), removedAtOnce)
	}, func(b *Batch, hash []byte) { b.change(`DELETE FROM sessions WHERE hash = ?`, hash) })
}
