package core

import (
	"context"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// selectDue reads from an index which deliveries of an endpoint are due now, and behind
// them those that will be due later. It reads no more than that: many of them may be left
// out, since the endpoint's queue has them in memory already.
const selectDue = `SELECT event, due FROM deliveries WHERE tenant = ? AND endpoint = ? AND due > 0 AND (due, event) > (?, ?) ORDER BY due, event LIMIT ?`

// dueBounds remembers, for each endpoint, a time before which no delivery of it is due. The
// next look at the table begins at that time instead of at 0. On PostgreSQL a removed row
// stays in the index as long as any older transaction is open, and a look from 0 would go
// through all of them (docs/design.md#the-shape-of-a-delivery).
//
// Nothing is missed for long. The bound is at least dueSlack before the time of the look
// that it comes from: what becomes due from then on is above it, whichever node's clock it
// has. What becomes due with an earlier time all the same, because somebody set a clock
// back, is found by the next look that begins at 0: after dueLookAtAll at most.
type dueBounds struct {
	// The queues of several endpoints look at the same time.
	mu sync.Mutex
	of map[endpointKey]dueBound
}

// endpointKey names an endpoint of a tenant by its No.
type endpointKey struct {
	tenant   string
	endpoint int64
}

// dueBound is what is known of one endpoint.
type dueBound struct {
	from int64     // no due is below
	all  time.Time // when a look began at 0
}

// dueSlack allows for clocks of nodes that differ, and for writes that were decided a while
// before they are committed.
const (
	dueSlack     = time.Minute
	dueLookAtAll = time.Minute
)

// begin returns the due that a look begins at. It is 0 for an endpoint that was not looked
// at yet, once a minute, and if the clock was set back since.
func (b *dueBounds) begin(of endpointKey, now time.Time) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	bound, known := b.of[of]
	if age := now.Sub(bound.all); known && age >= 0 && age < dueLookAtAll {
		return bound.from
	}
	return 0
}

// note notes what a look that began at from has found: first is the due of its first row, 0
// for none. A row that was found keeps the bound at its due, so that it is found again
// until it is attempted.
func (b *dueBounds) note(of endpointKey, now time.Time, from, first int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bound := b.of[of]
	if from == 0 {
		bound.all = now
	}
	if bound.from = micros(now.Add(-dueSlack)); first > 0 {
		bound.from = min(bound.from, first)
	}
	if b.of == nil {
		b.of = map[endpointKey]dueBound{}
	}
	b.of[of] = bound
}

// forget has all looks begin at 0: something may have become due that nobody was told of.
func (b *dueBounds) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of = nil
}

// forgetOne is forget for one endpoint. Another node may have decided long ago what it has
// committed only now.
func (b *dueBounds) forgetOne(of endpointKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.of, of)
}

// dueAtOnce is how many of those that may be left out are asked for with one question.
const dueAtOnce = 500

// selectTheDue reads some of them whole. A delivery whose attempt was completed since
// selectDue is not among them. Data that is too large for the memory budget is left out,
// and read when the attempt begins. Each is looked up by itself ({alldue}, and the plus, which
// keeps both databases from the index by due): with a million that wait, PostgreSQL went
// through all of them for each 256 (docs/design.md#postgresql).
const selectTheDue = `SELECT ` + deliveryColumns + `, ` + eventColumns + `, CASE WHEN length(events.data) <= ? THEN events.data END
	FROM {alldue}` + itsEndpoint + `
	WHERE +due BETWEEN 1 AND ?
	ORDER BY +due, deliveries.event`

// DueDeliveries implements [store.EventReader]. It first finds the events by an index
// alone, and then reads what is chosen in one query: one event at a time cost three times
// as much (docs/design.md#deliveries).
func (q queries) DueDeliveries(ctx context.Context, tenant string, ask store.DueQuery) (store.DueList, error) {
	var list store.DueList
	var events []int64
	of := endpointKey{tenant, ask.Endpoint}
	from, first := q.due.begin(of, ask.Now), int64(0)
	for event, due, rows := int64(0), from, dueAtOnce; rows == dueAtOnce; {
		rows = 0
		err := q.q.Query(ctx, func(r Row) error {
			rows++
			err := r.Scan(&event, &due)
			if first == 0 {
				first = due
			}
			switch {
			case err != nil:
				return err
			case due > micros(ask.Now):
				list.Next, rows = fromMicros(due), 0
				return errEnough
			case ask.Skip != nil && ask.Skip(event):
				return nil
			case len(events) == ask.Limit:
				list.More, rows = true, 0
				return errEnough
			}
			events = append(events, event)
			return nil
		}, selectDue, tenant, ask.Endpoint, due, event, dueAtOnce)
		if err != nil {
			return list, err
		}
	}
	q.due.note(of, ask.Now, from, first)
	if len(events) == 0 {
		return list, nil
	}
	var err error
	list.Due, err = collect(ctx, q.q.Query, func(r Row) (store.Due, error) { return scanDue(r, tenant) },
		selectTheDue, ask.MostData, jsonNumbers(events), tenant, ask.Endpoint, micros(ask.Now))
	if err == nil {
		err = q.addPlaces(ctx, tenant, ask.Endpoint, list.Due)
	}
	return list, err
}

// scanDue reads selectTheDue. The event stays nil if its data was left out, or was erased.
func scanDue(r Row, tenant string) (store.Due, error) {
	due, e := store.Due{Tenant: tenant}, &event.Event{}
	var at int64
	var data []byte
	err := scanDeliveryInto(r, &due.Delivery, append(eventFields(e, &at), &data)...)
	if data != nil {
		e.Timestamp, e.Data = fromMicros(at), data
		due.Event = e
	}
	return due, err
}
