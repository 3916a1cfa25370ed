package core

import (
	"context"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// Deliveries implements [store.EventReader]. The list is sorted by the number of the event,
// the newest first, and then by endpoint.
func (q queries) Deliveries(ctx context.Context, tenant string, f store.DeliveryFilter, p store.Page) (store.List[*event.Delivery], error) {
	// Only a filter by what can be sent again needs it, but it comes from memory.
	off, err := q.endpointsOff(ctx, tenant)
	if err != nil {
		return store.List[*event.Delivery]{}, err
	}
	return scanPage(ctx, q, tenant, func(after *store.Cursor) eventScan { return deliveriesLike(tenant, f, off, after) }, p, scanDelivery,
		func(d *event.Delivery) store.Cursor {
			return store.Cursor{At: d.Event, ID: strconv.FormatInt(d.Endpoint, 10)}
		})
}

// DeliveryCount implements [store.EventReader]. What is pending is counted in two small
// indexes, because the overview asks for it often.
func (q queries) DeliveryCount(ctx context.Context, tenant string, f store.DeliveryFilter) (store.Count, error) {
	if f == (store.DeliveryFilter{Status: event.DeliveryPending, Endpoint: f.Endpoint}) {
		return counted(ctx, q, tenant, store.Listing, func(ctx context.Context, p *page[struct{}]) error { return q.countPending(ctx, tenant, f.Endpoint, p) })
	}
	off, err := q.endpointsOff(ctx, tenant)
	if err != nil {
		return store.Count{}, err
	}
	d := deliveriesLike(tenant, f, off, nil)
	if f.EventType == "" && f.OrderID == "" && f.From.IsZero() && f.To.IsZero() { // the filter needs no column of the events
		d.from = strings.TrimSuffix(d.from, itsEvent+itsEndpoint)
		if d.other != nil {
			d.other.from = strings.TrimSuffix(d.other.from, itsEvent+itsEndpoint)
		}
	}
	return countDown(ctx, q, tenant, d)
}

// countPending counts first the deliveries that are due, then those that wait in groups.
// Each has an index of its own.
func (q queries) countPending(ctx context.Context, tenant string, endpoint int64, p *page[struct{}]) error {
	// What is pending either is due or waits in a group.
	for _, part := range []struct{ from, condition string }{
		{`deliveries INDEXED BY deliveries_due`, `due > 0`},
		{`deliveries INDEXED BY deliveries_group`, `status = 'p' AND grp <> '' AND due = 0`},
	} {
		l := listOf(tenant)
		if endpoint != 0 {
			l.where("endpoint = ?", endpoint)
		}
		l.where(part.condition)
		text, args := l.query("1", part.from, "", p.wanted())
		if err := p.read(ctx, q.q.QueryOnce, scanNothing, text, args...); err != nil || p.ended() {
			return err
		}
	}
	return nil
}

// deliveriesLike returns the list of the deliveries that the filter picks. Its source is
// the rows of deliveries, or the attempts that are the record of deliveries that succeeded,
// or both, as the status of the filter asks. Deliveries of an order, or of an event type,
// are found through their events. Failed ones have indexes. For every other filter, all
// deliveries of the tenant are read and filtered. off is a JSON list of the numbers of the
// endpoints that are off.
func deliveriesLike(tenant string, f store.DeliveryFilter, off string, after *store.Cursor) eventScan {
	// The rows of deliveries have every status but succeeded.
	rows := rowsLike(tenant, f)
	rows.pick(f, off, after)
	if f.Status != "" && f.Status != event.DeliverySucceeded || f.NoStatus { // one that succeeded had an answer
		return rows
	}
	arrived := deliveredLike(tenant, f)
	arrived.pick(f, off, after)
	if f.Status == event.DeliverySucceeded {
		return arrived
	}
	// Both sources are read step by step, so a step has to be measured along both.
	if rows.other = &arrived; arrived.steps == deliveredSteps {
		rows.steps = bothSteps
	}
	return rows
}

// byEvents reports whether deliveries are found through their events. For an endpoint, its
// own deliveries are fewer than the events of a type.
func byEvents(f store.DeliveryFilter) bool {
	return f.OrderID != "" || f.EventType != "" && f.Endpoint == 0
}

// few reports whether a filter picks of few events only: then no steps are needed.
func few(f store.DeliveryFilter) bool { return f.OrderID != "" || f.Event != 0 }

// rowsLike returns the list of the rows of deliveries, before what is picked of them. It
// chooses the index, and how steps are measured along it.
func rowsLike(tenant string, f store.DeliveryFilter) eventScan {
	d := eventScan{columns: deliveryColumns, from: fromDelivery, number: "deliveries.event"}
	d.where("deliveries.tenant = ?", tenant)
	if f != (store.DeliveryFilter{}) && !few(f) {
		d.steps = deliverySteps
	}
	if f.Status == event.DeliveryFailed {
		d.from = fromFailures
		if f.Endpoint != 0 {
			d.from = fromFailed
		} else if d.steps != "" {
			d.steps = failureSteps
		}
		// The index holds exactly these, so every row is one of the list.
		if f == (store.DeliveryFilter{Endpoint: f.Endpoint, Status: f.Status}) {
			d.steps = ""
		}
	}
	if byEvents(f) {
		d.throughEvents(tenant, fromItsEvent)
	}
	if f.Status != "" {
		d.where("status = '" + letter(f.Status) + "'") // the letter must be in the text of the statement: only then SQLite uses the index that has only this status
	}
	d.lastStatus("last_status", f.StatusFilter)
	return d
}

// deliveredLike is rowsLike for the deliveries that succeeded. Its source is the table of
// attempts.
func deliveredLike(tenant string, f store.DeliveryFilter) eventScan {
	d := eventScan{columns: deliveredColumns, from: fromDelivered, number: "deliveries.event"}
	d.where("deliveries.tenant = ? AND "+isDelivered, tenant)
	if !few(f) {
		d.steps = deliveredSteps
	}
	if byEvents(f) {
		d.throughEvents(tenant, fromItsDeliveredEvent)
	}
	d.lastStatus("deliveries.status", f.StatusFilter)
	return d
}

// throughEvents has the list read from the events: first an event, then its deliveries. The
// steps are those of events then.
func (d *eventScan) throughEvents(tenant, from string) {
	d.from, d.number = from, "events.seq"
	d.where("events.tenant = ?", tenant)
	if d.steps != "" {
		d.steps = eventSteps
	}
}

// pick adds the conditions that rows and attempts have in common. The bound of the page is
// a pair: an event may have deliveries on both sides of it.
func (d *eventScan) pick(f store.DeliveryFilter, off string, after *store.Cursor) {
	d.indexed("events.order_id", f.OrderID)
	if f.Endpoint != 0 {
		d.where("deliveries.endpoint = ?", f.Endpoint)
	}
	if f.Event != 0 {
		d.where(d.number+" = ?", f.Event)
	}
	d.named("events.type", f.EventType)
	d.between("events.at", f.From, f.To)
	d.sendable(f.Sendable, off)
	if after != nil {
		// A cursor that a page ended with between two rows has the endpoint 0, below all of
		// an event.
		endpoint, _ := strconv.ParseInt(after.ID, 10, 64)
		d.where("("+d.number+", deliveries.endpoint) < (?, ?)", after.At, endpoint)
	}
	d.sorted = d.number + " DESC, deliveries.endpoint DESC"
	if f.OrderID != "" { // few, which are looked up and sorted, as newest.order says
		d.sorted = "+" + d.sorted
	}
}

// sendable adds the conditions on whether a delivery can be sent again: its endpoint was
// not deleted, and the data of its event was not erased. Whether an endpoint is on is not
// in its row, which is sealed: so the numbers of those that are off come from memory.
func (l *list) sendable(f store.Sendable, off string) {
	const (
		there  = "EXISTS (SELECT 1 FROM endpoints AS e INDEXED BY endpoints_there WHERE e.tenant = deliveries.tenant AND e.no = deliveries.endpoint AND e.deleted = 0)"
		erased = "{erased}"
		isOff  = "deliveries.endpoint {numbers ?}"
	)
	switch f {
	case store.SendableAtAll, store.SendableNow, store.SendableOnceOn:
		l.where(there)
		l.where("NOT " + erased)
	case store.NotSendable:
		l.where("(NOT " + there + " OR " + erased + ")")
	}
	switch f {
	case store.SendableNow:
		l.where("NOT "+isOff, off)
	case store.SendableOnceOn:
		l.where(isOff, off)
	}
}

// lastStatus adds the conditions on what the last attempt came to, whose status a column
// has. 0 stands for an attempt without an answer, and also for a delivery without an
// attempt, which no such condition picks.
func (l *list) lastStatus(column string, f store.StatusFilter) {
	if f.NoStatus {
		l.where("attempts > 0 AND last_status = 0")
	}
	if f.StatusFrom > 0 {
		l.where(column+" >= ?", f.StatusFrom)
	}
	if f.StatusTo > 0 {
		l.where(column+" BETWEEN 1 AND ?", f.StatusTo)
	}
}
