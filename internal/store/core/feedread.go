package core

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

const (
	// selectFeedFrom begins with the part that a position is in: it may be in the middle of one.
	selectFeedFrom = `SELECT position, first, given FROM feed WHERE tenant = ?1
		AND position >= coalesce((SELECT max(position) FROM feed WHERE tenant = ?1 AND position <= ?2), 0) ORDER BY position LIMIT ?3`
	selectFeedEnd = `SELECT position, first, given FROM feed WHERE tenant = ? ORDER BY position DESC LIMIT 1`
	selectRemoved = `SELECT removed, position, heads FROM feed_heads WHERE tenant = ?`

	// partsAtOnce is how many parts of the feed are read with one question.
	partsAtOnce = 256
)

// Feed implements [store.EventReader]. The parts are those of all endpoints together, so an
// endpoint that is given few events has many looked through: a page of it may end before it
// is full, as that of a list.
func (q queries) Feed(ctx context.Context, tenant string, endpoint int64, ask store.FeedQuery) (store.Feed, error) {
	admission.Pause(ctx)
	ctx, leave, err := q.enter(ctx, tenant, store.Listing)
	if err != nil {
		return store.Feed{}, err
	}
	defer leave()
	f := store.Feed{Next: ask.After}
	entries, err := q.feedEntries(ctx, tenant, endpoint, ask, &f)
	if err != nil {
		return f, err
	}
	// Retention may have removed parts between two that were read. The next page begins
	// there, and says so.
	for i := 1; i < len(entries); i++ {
		if entries[i].Previous != entries[i-1].Position {
			entries, f.Next, f.More = entries[:i], entries[i-1].Position, true
		}
	}
	// What retention removes meanwhile is seen here, since this is asked behind the parts.
	if f.LostTo, err = q.lostFeed(ctx, tenant, endpoint, ask.After, entries); err != nil {
		return f, err
	}
	f.Next = max(f.Next, f.LostTo) // or who follows would be told of the same loss again
	return f, q.addEvents(ctx, tenant, entries, ask.Bytes, &f)
}

// feedEntries reads the entries of a page, and notes where it ends.
func (q queries) feedEntries(ctx context.Context, tenant string, endpoint int64, ask store.FeedQuery, f *store.Feed) (entries []feedEntry, err error) {
	until := q.clock().Add(q.effort.time)
	from, looked, text := ask.After, 0, selectFeedFrom
	for rows := partsAtOnce; rows == partsAtOnce; text = selectFeed + ` LIMIT ?` {
		rows = 0
		err := q.q.Query(ctx, func(r Row) error {
			p, err := scanFeedPart(r)
			if err != nil {
				return err
			}
			rows++
			from, looked = p.position, looked+1+len(p.given)/16 // a small entry costs less than a row
			for _, e := range p.given {
				if e.endpoint != endpoint || e.Position <= ask.After {
					continue
				}
				if len(entries) == ask.Limit {
					f.More = true
					return errEnough
				}
				entries, f.Next = append(entries, e), e.Position
			}
			f.Next = max(f.Next, p.position+p.events-1)
			return nil
		}, text, tenant, from, partsAtOnce)
		if err != nil || f.More {
			return entries, err
		}
		// An eighth of the work is done whatever the time is, so that each page gets on.
		if rows == partsAtOnce && (looked >= q.effort.rows || looked >= q.effort.rows/8 && q.clock().After(until)) {
			f.More = true
			break
		}
	}
	return entries, nil
}

// lostFeed returns up to which position entries behind another one may have been removed; 0:
// none were. What was before the first entry that is there is known exactly. Where a page has
// none, nothing behind what was removed is lost, whatever was committed since it was read.
func (q queries) lostFeed(ctx context.Context, tenant string, endpoint, after int64, entries []feedEntry) (int64, error) {
	var removed int64
	h := &feedHeads{endpoints: map[int64]int64{}}
	var heads []byte
	err := one(ctx, q.q, []any{&removed, &h.last, &heads}, selectRemoved, tenant)
	if errors.Is(err, sql.ErrNoRows) || err == nil && after >= removed {
		return 0, nil
	}
	if err == nil {
		err = h.decode(heads)
	}
	last := min(h.endpoints[endpoint], removed)
	if len(entries) > 0 {
		last = entries[0].Previous
	}
	if err != nil || last <= after {
		return 0, err
	}
	return last, nil
}

// addEvents adds to a page the events of its entries, as many as have so many bytes.
func (q queries) addEvents(ctx context.Context, tenant string, entries []feedEntry, most int, f *store.Feed) error {
	if len(entries) == 0 {
		return nil
	}
	sizes, bytes := map[int64]int{}, 0
	err := q.q.Query(ctx, func(r Row) error {
		var seq int64
		var size int
		err := r.Scan(&seq, &size)
		sizes[seq] = size
		return err
	}, `SELECT seq, coalesce(length(data), 0) FROM events WHERE tenant = ? AND seq {numbers ?}`, tenant, jsonNumbers(eventsOf(entries)))
	if err != nil {
		return err
	}
	for i, e := range entries {
		if bytes += sizes[e.event]; bytes > most && i > 0 {
			entries, f.Next, f.More = entries[:i], entries[i-1].Position, true
			break
		}
	}
	events := map[int64]*event.Event{}
	err = q.q.Query(ctx, func(r Row) error {
		var data []byte
		e, err := scanEvent(r, &data)
		e.Data = jsontext.Value(data)
		events[e.Seq] = e
		return err
	}, `SELECT `+eventColumns+`, data FROM events WHERE tenant = ? AND seq {numbers ?}`, tenant, jsonNumbers(eventsOf(entries)))
	for _, e := range entries {
		f.Entries = append(f.Entries, store.FeedEntry{Place: e.Place, Event: events[e.event]})
	}
	return err
}

// eventsOf returns the numbers of the events of entries.
func eventsOf(entries []feedEntry) []int64 {
	numbers := make([]int64, len(entries))
	for i, e := range entries {
		numbers[i] = e.event
	}
	return numbers
}

// FeedEnd implements [store.EventReader]. Retention may have removed all parts; where the
// feeds ended then is stored with the heads.
func (q queries) FeedEnd(ctx context.Context, tenant string) (end int64, err error) {
	if err := q.q.Query(ctx, func(r Row) error {
		p, err := scanFeedPart(r)
		end = p.position + p.events - 1
		return err
	}, selectFeedEnd, tenant); err != nil || end > 0 {
		return end, err
	}
	err = one(ctx, q.q, []any{&end}, `SELECT position FROM feed_heads WHERE tenant = ?`, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return end, err
}

// Place implements [store.EventReader].
func (q queries) Place(ctx context.Context, tenant string, key event.DeliveryKey) (*event.Place, error) {
	due := []store.Due{{Delivery: event.Delivery{DeliveryKey: key}}}
	err := q.addPlaces(ctx, tenant, key.Endpoint, due)
	return due[0].Delivery.Place, err
}

// selectParts finds the parts that some events are in, if they are in any: a part has all
// numbers from its first one on, up to its last.
const selectParts = `SELECT position, first, given FROM feed WHERE tenant = ?1 AND first {feedparts ?1 ?2}`

// addPlaces adds to deliveries of an endpoint where their events stand in its feed.
func (q queries) addPlaces(ctx context.Context, tenant string, endpoint int64, due []store.Due) error {
	of := make(map[int64]*event.Place, len(due))
	numbers := make([]int64, len(due))
	for i := range due {
		d := &due[i].Delivery
		d.Place = &event.Place{}
		of[d.Event], numbers[i] = d.Place, d.Event
	}
	if len(due) == 0 {
		return nil
	}
	return q.q.Query(ctx, func(r Row) error {
		p, err := scanFeedPart(r)
		for _, e := range p.given {
			if place := of[e.event]; place != nil && e.endpoint == endpoint {
				*place = e.Place
			}
		}
		return err
	}, selectParts, tenant, jsonNumbers(numbers))
}

// partsRemovedAtOnce is how many parts of the feed one write removes.
const partsRemovedAtOnce = 500

// removeFeed removes the parts of the feed that are old, and notes up to where. Those that
// were committed since the heads were stored stay: without them nobody would know where the
// feeds end.
func (o *old) removeFeed(ctx context.Context) error {
	for {
		var last feedPart
		found := 0
		err := o.db.q.Query(ctx, func(r Row) (err error) {
			found++
			last, err = scanFeedPart(r)
			return err
		}, `SELECT position, first, given FROM feed WHERE tenant = ?1 AND position < ?2
			AND position <= (SELECT position FROM feed_heads WHERE tenant = ?1) ORDER BY position LIMIT ?3`, o.tenant, micros(o.before), partsRemovedAtOnce)
		if err != nil || found == 0 {
			return err
		}
		err = o.db.write(ctx, func(d *draft) error {
			d.of(o.tenant).feedRemoved = &feedRemoval{o.tenant, last.position, last.position + last.events - 1}
			return nil
		})
		if err == nil {
			err = o.yield(ctx)
		}
		if err != nil || found < partsRemovedAtOnce {
			return err
		}
	}
}

// feedWaiters wakes those who wait for an endpoint to be given an event.
type feedWaiters struct {
	mu sync.Mutex
	of map[endpointKey]chan struct{}
}

// FeedGrows implements [store.EventReader].
func (q queries) FeedGrows(tenant string, endpoint int64) <-chan struct{} {
	w, of := &q.feeds, endpointKey{tenant, endpoint}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[endpointKey]chan struct{}{}
	}
	if w.of[of] == nil {
		w.of[of] = make(chan struct{})
	}
	return w.of[of]
}

// wake wakes those who wait for what was committed. They read the feed anew.
func (w *feedWaiters) wake(committed []feedWrite) {
	if len(committed) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range committed {
		for _, g := range committed[i].given {
			// Nearly always nobody waits for anything.
			if len(w.of) == 0 {
				return
			}
			w.wakeOne(endpointKey{committed[i].tenant, g.endpoint})
		}
	}
}

func (w *feedWaiters) wakeOne(of endpointKey) {
	if waiting := w.of[of]; waiting != nil {
		close(waiting)
		delete(w.of, of)
	}
}

// wakeAll wakes all who wait in a tenant, or in any: another node has committed something.
func (w *feedWaiters) wakeAll(tenant string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for of := range w.of {
		if tenant == "" || of.tenant == tenant {
			w.wakeOne(of)
		}
	}
}
