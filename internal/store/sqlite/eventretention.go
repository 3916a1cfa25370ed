package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// eventsAtOnce is how many events are looked at in one step.
const eventsAtOnce = 500

// removeEvents removes the events of which no delivery is pending, or was
// touched since, with their deliveries.
func (o *old) removeEvents(ctx context.Context) error {
	newest, err := o.db.eventsBefore(ctx, o.before)
	for last := int64(0); err == nil && last < newest; {
		var gone []int64
		if last, gone, err = o.oldEvents(ctx, last, newest); err == nil {
			err = o.rest(ctx)
		}
		for len(gone) > 0 && err == nil {
			gone, err = o.removeSome(ctx, gone)
		}
	}
	return err
}

// oldEvents looks at the next events behind a seq and returns the last of them,
// and those that are to go.
func (o *old) oldEvents(ctx context.Context, after, newest int64) (last int64, gone []int64, err error) {
	last, rows := after, 0
	err = o.db.readers.query(ctx, func(r row) error {
		var goes bool
		if err := r.Scan(&last, &goes); err != nil {
			return err
		}
		if rows++; goes {
			gone = append(gone, last)
		}
		return nil
	}, `SELECT seq, NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.tenant = ?1 AND d.event = seq AND (d.status = 'p' OR d.updated >= ?2))
		FROM events INDEXED BY events_seq WHERE tenant = ?1 AND seq > ?3 AND seq <= ?4 ORDER BY seq LIMIT ?5`,
		o.tenant, micros(o.before), after, newest, eventsAtOnce)
	if rows < eventsAtOnce {
		last = newest
	}
	return last, gone, err
}

// removeSome removes as much as one transaction may of some events and their
// deliveries, and returns the events that are left.
func (o *old) removeSome(ctx context.Context, events []int64) (left []int64, err error) {
	err = o.db.change(ctx, func(t *tx) error {
		left = events
		for rows := int64(removedAtOnce); len(left) > 0 && rows > 0; {
			n, err := o.removeDeliveries(t, left[0], rows)
			if rows -= n; err != nil || rows == 0 {
				return err
			}
			if err := o.removeEvent(t, left[0]); err != nil {
				return err
			}
			left, rows = left[1:], rows-1
		}
		return nil
	})
	if err == nil {
		err = o.rest(ctx)
	}
	return left, err
}

func (o *old) removeDeliveries(t *tx, event, most int64) (int64, error) {
	return t.w.exec(`
		DELETE FROM deliveries WHERE tenant = ?1 AND event = ?2 AND endpoint IN
			(SELECT endpoint FROM deliveries WHERE tenant = ?1 AND event = ?2 AND status <> 'p' AND updated < ?3 LIMIT ?4)`,
		o.tenant, event, micros(o.before), most)
}

// removeEvent removes an event unless a delivery of it came to life again.
func (o *old) removeEvent(t *tx, event int64) error {
	_, err := t.w.exec(`
		DELETE FROM events WHERE tenant = ?1 AND seq = ?2 AND NOT EXISTS
			(SELECT 1 FROM deliveries WHERE tenant = ?1 AND event = ?2)`, o.tenant, event)
	return err
}

// markEvery is how far apart the marks are that tell how old events are.
const markEvery = time.Hour

// eventsBefore returns a seq that an event had before a time, the newest that
// is known of; 0 for none. It has the database remember what is newest now.
func (db *DB) eventsBefore(ctx context.Context, before time.Time) (seq int64, err error) {
	now := db.clock()
	var marked int64
	err = one(ctx, db.readers, []any{&marked}, `SELECT coalesce(max(at), 0) FROM event_marks`)
	if err == nil && now.Sub(fromMicros(marked)) >= markEvery {
		err = db.change(ctx, func(t *tx) error {
			_, err := t.w.exec(`INSERT INTO event_marks (at, seq) SELECT ?, coalesce(max(seq), 0) FROM events`, micros(now))
			return err
		})
	}
	if err != nil {
		return 0, err
	}
	err = one(ctx, db.readers, []any{&seq}, `SELECT seq FROM event_marks WHERE at < ? ORDER BY at DESC LIMIT 1`, micros(before))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}
