package core

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
)

// eventsAtOnce is how many events are looked at in one step. Looking takes no lock, so a
// step may have more rows than one that removes.
const eventsAtOnce = 500

// removeEvents removes the events of which no delivery is pending, or was touched or
// attempted since, with their deliveries and the attempts at these. Each call looks at all
// events that are old enough to go, also at those that had to stay at the call before.
func (o *old) removeEvents(ctx context.Context) error {
	newest, err := o.db.eventsBefore(ctx, o.before)
	if err == nil {
		err = o.removeLeftDeliveries(ctx, newest)
	}
	for last := int64(0); err == nil && last < newest; {
		var gone []int64
		if last, gone, err = o.oldEvents(ctx, last, newest); err == nil {
			err = o.yield(ctx)
		}
		for len(gone) > 0 && err == nil {
			gone, err = o.removeSome(ctx, gone)
		}
	}
	if err == nil {
		err = o.removeFeed(ctx)
	}
	return err
}

// removeLeftDeliveries removes what is left of events that are gone: an event with many
// deliveries goes in several writes, and the process may have died, or the server been
// stopped, between two of them. The attempts that are left go by their own age.
func (o *old) removeLeftDeliveries(ctx context.Context, newest int64) error {
	type delivery struct{ event, endpoint int64 }
	return removeEach(ctx, o, func(last delivery) ([]delivery, error) {
		return collect(ctx, o.db.q.Query, func(r Row) (d delivery, err error) {
			err = r.Scan(&d.event, &d.endpoint)
			return d, err
		}, `SELECT event, endpoint FROM deliveries AS d WHERE tenant = ?1 AND (event, endpoint) > (?2, ?3) AND event <= ?4
				AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.tenant = ?1 AND e.seq = d.event)
			ORDER BY event, endpoint LIMIT ?5`, o.tenant, last.event, last.endpoint, newest, removedAtOnce)
	}, func(b *Batch, d delivery) {
		b.change(`DELETE FROM deliveries WHERE tenant = ? AND event = ? AND endpoint = ?`, o.tenant, d.event, d.endpoint)
	})
}

// oldEvents looks at the next events behind a seq, and returns the last of them and those
// that are to go. It only reads: removeEvent checks again in the write.
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
	}, `SELECT seq, NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.tenant = ?1 AND d.event = events.seq AND (d.status = 'p' OR d.updated >= ?2))
			AND NOT EXISTS (SELECT 1 FROM attempts AS a INDEXED BY attempts_delivery WHERE a.tenant = ?1 AND a.event = events.seq AND a.event > 0 AND a.seq >= ?6)
		FROM events INDEXED BY events_seq WHERE tenant = ?1 AND seq > ?3 AND seq <= ?4 ORDER BY seq LIMIT ?5`,
		o.tenant, micros(o.before), after, newest, eventsAtOnce, ids.FirstNumber(o.before))
	// There are no more before newest.
	if rows < eventsAtOnce {
		last = newest
	}
	return last, gone, err
}

// removeSome removes as much as one write may of some events, their deliveries and the
// attempts at these, and returns the events that are left. An event goes first, before its
// attempts: with fewer attempts than it had, it would seem not to have been sent to some
// endpoint. The event stays, and so does everything of it, if a delivery of it came to life
// again.
func (o *old) removeSome(ctx context.Context, events []int64) (left []int64, err error) {
	err = o.db.write(ctx, func(d *draft) error {
		left = events
		for rows := removedAtOnce; len(left) > 0 && rows > 0; {
			n, err := o.removeEvent(ctx, d, left[0], rows)
			if err != nil {
				return err
			}
			// If the write is full, more rows of this event may be left: it stays the
			// first.
			if rows -= n + 1; rows > 0 {
				left = left[1:]
			}
		}
		return nil
	})
	if err == nil && len(left) > 0 {
		o.begun = left[0]
	}
	if err == nil {
		err = o.yield(ctx)
	}
	return left, err
}

// removeEvent removes an event and at most so many rows of it, and returns how many there
// were. The caller goes on with the same event until all of its rows are gone. Each
// statement that removes a row of it has the condition that the event is gone, so none is
// removed of one that stays.
func (o *old) removeEvent(ctx context.Context, d *draft, event int64, most int) (rows int, err error) {
	// The write before this one began with the event, but it may have come to life and
	// stayed.
	if o.begun == event {
		var there bool
		err := one(ctx, d.q, []any{&there}, `SELECT EXISTS (SELECT 1 FROM events WHERE tenant = ? AND seq = ?)`, o.tenant, event)
		if err != nil || there {
			return 0, err
		}
	}
	attempts, err := o.attemptsAt(ctx, event, most)
	if err != nil {
		return 0, err
	}
	endpoints, err := o.deliveriesOf(ctx, event, most-len(attempts))
	if err != nil {
		return 0, err
	}
	b := d.of(o.tenant)
	d.lockEvent(o.tenant, event)
	b.change(`DELETE FROM events WHERE tenant = ?1 AND seq = ?2
		AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.tenant = ?1 AND d.event = ?2 AND (d.status = 'p' OR d.updated >= ?3))
		AND NOT EXISTS (SELECT 1 FROM attempts AS a INDEXED BY attempts_delivery WHERE a.tenant = ?1 AND a.event = ?2 AND a.event > 0 AND a.seq >= ?4)`,
		o.tenant, event, micros(o.before), ids.FirstNumber(o.before))
	const gone = ` AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.tenant = ?1 AND e.seq = ?2)`
	for _, seq := range attempts {
		b.change(`DELETE FROM attempts WHERE tenant = ?1 AND seq = ?3`+gone, o.tenant, event, seq)
	}
	for _, endpoint := range endpoints {
		b.change(`DELETE FROM deliveries WHERE tenant = ?1 AND event = ?2 AND endpoint = ?3`+gone, o.tenant, event, endpoint)
	}
	return len(attempts) + len(endpoints), nil
}

// attemptsAt returns the seqs of some attempts at an event's deliveries.
func (o *old) attemptsAt(ctx context.Context, event int64, most int) ([]int64, error) {
	return collect(ctx, o.db.q.Query, scanNumber,
		`SELECT seq FROM attempts INDEXED BY attempts_delivery WHERE tenant = ? AND event = ? AND event > 0 LIMIT ?`, o.tenant, event, most)
}

// deliveriesOf returns the endpoints of some of an event's deliveries.
func (o *old) deliveriesOf(ctx context.Context, event int64, most int) ([]int64, error) {
	return collect(ctx, o.db.q.Query, scanNumber, `SELECT endpoint FROM deliveries WHERE tenant = ? AND event = ? LIMIT ?`, o.tenant, event, most)
}

// markEvery is how far apart the marks are that tell how old events are. An event may stay
// for that much longer than its tenant wants.
const markEvery = time.Hour

// eventsBefore returns a seq that an event had before a time, the newest that is known of;
// 0 for none. The time of an event is its publisher's, and may be any: so marks say which
// number was the highest at which moment. A call first notes that, unless it was noted in
// the last hour.
func (s *Store) eventsBefore(ctx context.Context, before time.Time) (seq int64, err error) {
	now := s.clock()
	var marked int64
	err = one(ctx, s.q, []any{&marked}, `SELECT coalesce(max(at), 0) FROM event_marks`)
	// Two calls at the same time make two marks, which does no harm.
	if err == nil && now.Sub(fromMicros(marked)) >= markEvery {
		err = s.write(ctx, func(d *draft) error {
			d.batch.change(`INSERT INTO event_marks (at, seq) SELECT ?, {newestevent}`, micros(now))
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
