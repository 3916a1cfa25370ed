package core

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
	err = o.db.q.Query(ctx, func(r Row) error {
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

// removeSome removes as much as one write may of some events and their
// deliveries, and returns the events that are left.
func (o *old) removeSome(ctx context.Context, events []int64) (left []int64, err error) {
	err = o.db.write(ctx, func(d *draft) error {
		left = events
		for rows := removedAtOnce; len(left) > 0 && rows > 0; {
			endpoints, err := o.oldDeliveries(ctx, left[0], rows)
			if err != nil {
				return err
			}
			for _, endpoint := range endpoints {
				d.of(o.tenant).change(`DELETE FROM deliveries WHERE tenant = ? AND event = ? AND endpoint = ? AND status <> 'p' AND updated < ?`,
					o.tenant, left[0], endpoint, micros(o.before))
			}
			if rows -= len(endpoints); rows == 0 {
				return nil
			}
			// The event stays if a delivery of it came to life again.
			d.of(o.tenant).change(`DELETE FROM events WHERE tenant = ?1 AND seq = ?2 AND NOT EXISTS
				(SELECT 1 FROM deliveries WHERE tenant = ?1 AND event = ?2)`, o.tenant, left[0])
			left, rows = left[1:], rows-1
		}
		return nil
	})
	if err == nil {
		err = o.rest(ctx)
	}
	return left, err
}

func (o *old) oldDeliveries(ctx context.Context, event int64, most int) ([]int64, error) {
	return collect(ctx, o.db.q.Query, func(r Row) (endpoint int64, err error) {
		err = r.Scan(&endpoint)
		return endpoint, err
	}, `SELECT endpoint FROM deliveries WHERE tenant = ? AND event = ? AND status <> 'p' AND updated < ? LIMIT ?`,
		o.tenant, event, micros(o.before), most)
}

// markEvery is how far apart the marks are that tell how old events are.
const markEvery = time.Hour

// eventsBefore returns a seq that an event had before a time, the newest that
// is known of; 0 for none. It has the database remember what is newest now.
func (s *Store) eventsBefore(ctx context.Context, before time.Time) (seq int64, err error) {
	now := s.clock()
	var marked int64
	err = one(ctx, s.q, []any{&marked}, `SELECT coalesce(max(at), 0) FROM event_marks`)
	if err == nil && now.Sub(fromMicros(marked)) >= markEvery {
		err = s.write(ctx, func(d *draft) error {
			d.batch.change(`INSERT INTO event_marks (at, seq) SELECT ?, coalesce(max(seq), 0) FROM events`, micros(now))
			return nil
		})
	}
	if err != nil {
		return 0, err
	}
	err = one(ctx, s.q, []any{&seq}, `SELECT seq FROM event_marks WHERE at < ? ORDER BY at DESC LIMIT 1`, micros(before))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}
