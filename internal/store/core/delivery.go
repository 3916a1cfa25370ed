package core

import (
	"context"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// A delivery has a row as long as it is pending, and after it has failed or was canceled. One
// that has succeeded has none: the attempt that it succeeded with is the record of it, in
// the table attempts, where delivered is 1 (docs/design.md#the-shape-of-a-delivery). In the
// queries such attempts are called deliveries, too: both have a tenant, an event and an
// endpoint.
//
// The fields of a delivery are in three tables. CROSS JOIN makes SQLite read them in the
// order of the list, and not in another order that it thinks better.
const (
	deliveryColumns = `deliveries.event, deliveries.endpoint, events.id, endpoints.id, events.type, events.order_id,
		grp, status, attempts, max_attempts, due, last_status, last_error, events.at, updated`
	itsEvent     = ` CROSS JOIN events ON events.seq = deliveries.event AND events.tenant = deliveries.tenant`
	itsEndpoint  = ` CROSS JOIN endpoints ON endpoints.tenant = deliveries.tenant AND endpoints.no = deliveries.endpoint`
	fromDelivery = `deliveries` + itsEvent + itsEndpoint
	// Failed deliveries of one endpoint, and of all endpoints, have an index each.
	fromFailed   = `deliveries INDEXED BY deliveries_failed` + itsEvent + itsEndpoint
	fromFailures = `deliveries INDEXED BY deliveries_failures` + itsEvent + itsEndpoint
	ofItsEvent   = ` ON deliveries.event = events.seq AND deliveries.tenant = events.tenant` + itsEndpoint
	fromItsEvent = `events CROSS JOIN deliveries` + ofItsEvent

	// deliveredColumns is deliveryColumns of an attempt: a seq is 2048 times the microsecond
	// that the attempt began in ([ids.NumberAt]).
	deliveredColumns = `deliveries.event, deliveries.endpoint, events.id, endpoints.id, events.type, events.order_id,
		'', 's', deliveries.number, deliveries.max_number, 0, deliveries.status, '', events.at,
		deliveries.seq / 2048 + CAST(round(deliveries.duration_ms * 1000) AS bigint)`
	delivered             = `attempts AS deliveries INDEXED BY attempts_delivery`
	fromDelivered         = delivered + itsEvent + itsEndpoint
	fromItsDeliveredEvent = `events CROSS JOIN ` + delivered + ofItsEvent
	isDelivered           = `deliveries.event > 0 AND deliveries.delivered = 1`
)

// scanDelivery reads deliveryColumns.
func scanDelivery(r Row) (*event.Delivery, error) {
	d := &event.Delivery{}
	return d, scanDeliveryInto(r, d)
}

// scanDeliveryInto reads deliveryColumns, and into more what is selected after them.
func scanDeliveryInto(r Row, d *event.Delivery, more ...any) error {
	var status string
	var due, created, updated int64
	err := r.Scan(append([]any{&d.Event, &d.Endpoint, &d.EventID, &d.EndpointID, &d.EventType, &d.OrderID,
		&d.Group, &status, &d.Attempts, &d.MaxAttempts, &due, &d.LastStatus, &d.LastError, &created, &updated}, more...)...)
	d.Status = deliveryStatuses[status]
	d.Group = strings.TrimPrefix(d.Group, staged)
	d.Due, d.Created, d.Updated = fromMicrosOrZero(due), fromMicros(created), fromMicros(updated)
	return err
}

// deliveryStatuses has the statuses by the letters that stand for them in the table.
var deliveryStatuses = map[string]event.DeliveryStatus{
	"p": event.DeliveryPending, "s": event.DeliverySucceeded, "f": event.DeliveryFailed, "c": event.DeliveryCanceled}

// letter is the reverse of deliveryStatuses.
func letter(s event.DeliveryStatus) string { return string(s[:1]) }

// deliveryRows is the columns of a delivery that belongs to no group. One that belongs to a
// group is stored by a statement of its own, which finds out whether it is due
// (insertInGroup).
var deliveryRows = &Insertion{"deliveries", []string{"tenant", "event", "endpoint", "max_attempts", "due", "updated"}, nil}

// deliver stores a delivery for each event and each endpoint that wants it, and has the
// event come into the endpoint's feed. An event with the Seq 0 existed already, and gets no
// deliveries again.
func (d *draft) deliver(tenant string, events []*event.Event, wanted func(*event.Event) []event.Receiver) {
	d.touch(tenant, changes.TopicDeliveries)
	now, feed := d.clock(), feedWrite{tenant: tenant}
	var rows []Tuple
	for _, e := range events {
		// Its id existed already: a publisher has repeated a request.
		if e.Seq == 0 {
			continue
		}
		for _, to := range wanted(e) {
			first := newDelivery(e, to.Endpoint, now)
			// An export has no feed: nobody but its connector is to have it.
			if to.Origin != event.OriginConnector {
				first.Place = &event.Place{}
				feed.given = append(feed.given, given{e.Seq, to.No, first.Place})
			}
			switch {
			// It is read from the feed.
			case to.FeedOnly():
			// No other delivery has to end first, so it is due at once.
			case first.Group == "":
				rows = append(rows, deliveryRow(tenant, &first))
				d.batch.effects.due = append(d.batch.effects.due, store.Due{Tenant: tenant, Delivery: first, Event: e})
			default:
				d.insertInGroup(tenant, e, first)
			}
			if to.FilterError != "" {
				d.batch.effects.filterFailures = append(d.batch.effects.filterFailures, store.FilterFailure{Tenant: tenant, Endpoint: to.No, EventID: e.ID, Why: to.FilterError, At: now})
			}
		}
	}
	d.of(tenant).insert(deliveryRows, rows...)
	if len(feed.given) > 0 {
		d.batch.feed = append(d.batch.feed, feed)
	}
}

// deliveryRow is the row of a new delivery. The columns that it leaves out have their
// default, which says that the delivery is pending and was not attempted.
func deliveryRow(tenant string, d *event.Delivery) Tuple {
	return Tuple{Often: []any{tenant, d.Event, d.Endpoint, d.MaxAttempts, micros(d.Due), micros(d.Updated)}}
}

// newDelivery returns the first delivery of an event to an endpoint, due at once. Its times
// are cut to microseconds, so that it is the same as what is read from the table later.
func newDelivery(e *event.Event, endpoint *event.Endpoint, now time.Time) event.Delivery {
	now = fromMicros(micros(now))
	return event.Delivery{
		DeliveryKey: event.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No},
		EventID:     e.ID, EndpointID: endpoint.ID, EventType: e.Type, OrderID: e.OrderID,
		Group: groupOf(e, endpoint), Status: event.DeliveryPending, MaxAttempts: 1 + len(endpoint.Schedule),
		Due: now, Created: fromMicros(micros(e.Timestamp)), Updated: now,
	}
}

// Delivery implements [store.EventReader]. It finds the row of a delivery, or the attempt
// that is the record of it.
func (q queries) Delivery(ctx context.Context, tenant string, key event.DeliveryKey) (*event.Delivery, error) {
	found, err := q.delivery(ctx, tenant, key)
	return found.Delivery, err
}

// storedDelivery is a delivery, with its group as it is stored: it may have the prefix
// staged.
type storedDelivery struct {
	*event.Delivery
	group string
}

// delivery returns a delivery as it is stored. Within a write it returns the delivery as
// the write has changed it, and always a copy. It looks for the row first, and then for the
// attempt that is the record of a delivery that succeeded; there is never both.
func (q queries) delivery(ctx context.Context, tenant string, of event.DeliveryKey) (found storedDelivery, err error) {
	if q.own != nil {
		if changed, is := q.own.deliveries[tenantDelivery{tenant, of}]; is {
			same := *changed.Delivery
			return storedDelivery{&same, changed.group}, nil
		}
	}
	err = q.q.Query(ctx, func(r Row) error {
		found.Delivery = &event.Delivery{}
		return scanDeliveryInto(r, found.Delivery, &found.group)
	}, selectDelivery, tenant, of.Event, of.Endpoint)
	if err == nil && found.Delivery == nil {
		err = apierr.Errorf(apierr.NotFound, "no delivery of event number %d to endpoint number %d", of.Event, of.Endpoint)
	}
	return found, err
}

// tenantDelivery names a delivery of any tenant.
type tenantDelivery struct {
	tenant string
	event.DeliveryKey
}

// selectDelivery looks for the row of a delivery and for the record of it in one statement,
// of one moment: a delivery that is sent again goes from one to the other.
const selectDelivery = `SELECT ` + deliveryColumns + `, grp FROM deliveries` + itsEvent + itsEndpoint + `
		WHERE deliveries.tenant = ?1 AND deliveries.event = ?2 AND deliveries.endpoint = ?3
	UNION ALL SELECT ` + deliveredColumns + `, '' FROM ` + fromDelivered + `
		WHERE deliveries.tenant = ?1 AND deliveries.event = ?2 AND deliveries.endpoint = ?3 AND ` + isDelivered + ` LIMIT 1`

// theDelivery is the condition that a delivery is still as it was read. If it is not, the
// write is overtaken.
const theDelivery = ` WHERE tenant = ?1 AND event = ?2 AND endpoint = ?3 AND status = ?4 AND grp = ?5 AND due = ?6`

// changeDelivery adds a statement that changes the row of a delivery. was is the delivery as
// it was read, is what it becomes, and set is the statement up to its WHERE. The arguments
// of set are ?7 and following.
func (d *draft) changeDelivery(tenant string, was, is storedDelivery, set string, args ...any) {
	d.noteDelivery(tenant, was, is)
	d.of(tenant).changeOne(`UPDATE deliveries SET `+set+theDelivery, append(was.key(tenant), args...)...)
}

// key returns the arguments of theDelivery.
func (s storedDelivery) key(tenant string) []any {
	return []any{tenant, s.Event, s.Endpoint, letter(s.Status), s.group, microsOrZero(s.Due)}
}

// noteDelivery has the write read the delivery as it changes it. It also locks the groups
// that the delivery leaves and joins.
func (d *draft) noteDelivery(tenant string, was, is storedDelivery) {
	d.touch(tenant, changes.TopicDeliveries)
	for _, group := range []string{was.group, is.group} {
		if group != "" {
			d.lockGroup(tenant, was.Endpoint, group)
		}
	}
	if d.deliveries == nil {
		d.deliveries = map[tenantDelivery]storedDelivery{}
	}
	is.Group = strings.TrimPrefix(is.group, staged)
	d.deliveries[tenantDelivery{tenant, was.DeliveryKey}] = is
}

// CancelDelivery implements [store.EventTx]. The listener is told, so that the delivery is
// not attempted any more; an attempt that is under way is recorded all the same. The next
// delivery of its group becomes due.
func (d *draft) CancelDelivery(ctx context.Context, tenant string, key event.DeliveryKey, at time.Time) error {
	was, err := d.delivery(ctx, tenant, key)
	if err != nil {
		return err
	}
	next, ok := was.State().After(event.MoveCanceled)
	if !ok {
		return apierr.Errorf(apierr.Conflict, "the delivery has ended: it is %s", was.Status)
	}
	is := was.copy()
	is.Status, is.Due, is.Updated = next.State.Status(), time.Time{}, fromMicros(micros(at))
	d.audit(tenant, access.AuditDelivery, was.ID())
	d.batch.effects.end(endedDelivery{tenant, key})
	d.changeDelivery(tenant, was, is, `status = 'c', due = 0, updated = ?7`, micros(at))
	if next.Unblocks {
		d.unblock(tenant, key.Endpoint, was.group, at)
	}
	return nil
}

// SendAgain implements [store.EventTx]. What happens depends on the delivery that there is.
// If there is none, it is made. If it has ended, it is reopened. If it is pending, it
// becomes due earlier, but stays in its place within its group: order is not given up for
// one that is sent by hand.
func (d *draft) SendAgain(ctx context.Context, tenant string, e *event.Event, endpoint *event.Endpoint, at time.Time, trial bool) error {
	if err := d.hasEndpoint(ctx, tenant, endpoint); err != nil {
		return err
	}
	if endpoint.FeedOnly() {
		return apierr.Errorf(apierr.Conflict, "nothing is sent to the endpoint %q: it is read from its feed", endpoint.ID)
	}
	if err := d.hasData(ctx, tenant, e); err != nil {
		return err
	}
	d.lockEvent(tenant, e.Seq)
	d.of(tenant).check(`SELECT 1 FROM events WHERE seq = ? AND tenant = ? AND data IS NOT NULL`, e.Seq, tenant)
	if note := d.audit(tenant, access.AuditEvent, e.ID); note != nil {
		note.SentAgain(endpoint.ID)
	}
	was, err := d.delivery(ctx, tenant, event.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No})
	if apierr.KindOf(err) == apierr.NotFound {
		d.sendFirst(tenant, e, newDelivery(e, endpoint, at), trial)
		return nil
	}
	if err != nil {
		return err
	}
	is := was.copy()
	switch wanted := groupOf(e, endpoint); {
	case was.Status != event.DeliveryPending:
		is.Status, is.group, is.MaxAttempts = event.DeliveryPending, wanted, was.Attempts+1+len(endpoint.Schedule)
		is.Due, is.Updated = fromMicros(micros(at)), fromMicros(micros(at))
		d.reopen(tenant, e, was, is, trial)
	// A reorder job is at work, and this delivery is still outside of the groups.
	case was.group == "" && strings.HasPrefix(wanted, staged): // it is to be moved, which must not miss it
		is.group, is.Due = wanted, time.Time{}
		d.changeDelivery(tenant, was, is, `grp = ?7, due = 0`, wanted)
		d.tryGroup(tenant, endpoint.No, wanted, trial)
	default:
		is.Due = earlier(was.Due, at)
		d.changeDelivery(tenant, was, is, `due = ?7`, microsOrZero(is.Due))
		if is.Due.IsZero() {
			d.tryGroup(tenant, endpoint.No, is.group, trial)
		} else {
			d.tellDue(tenant, e, is.Delivery, trial)
		}
	}
	return nil
}

// earlier returns at, or the due that was there if that is earlier; zero, of
// one that waits in its group, stays.
func earlier(due, at time.Time) time.Time {
	if at.Before(due) {
		return fromMicros(micros(at))
	}
	return due
}

// sendFirst makes the delivery of an event that was never meant for the endpoint.
func (d *draft) sendFirst(tenant string, e *event.Event, first event.Delivery, trial bool) {
	d.touch(tenant, changes.TopicDeliveries)
	if first.Group == "" {
		d.of(tenant).insert(deliveryRows, deliveryRow(tenant, &first))
		d.tellDue(tenant, e, &first, trial)
		return
	}
	d.insertInGroup(tenant, withData(e), first)
	d.tryGroup(tenant, first.Endpoint, first.Group, trial)
}

// reopen makes a delivery pending that had ended. Without a group it is due at the time
// that the caller names. In a group it waits, and finishGroups finds out whether it is the
// next.
func (d *draft) reopen(tenant string, e *event.Event, was, is storedDelivery, trial bool) {
	at := is.Due
	if is.group != "" {
		is.Due = time.Time{}
	}
	// It has no row, since an attempt is the record of it.
	if was.Status == event.DeliverySucceeded {
		d.noteDelivery(tenant, was, is)
		d.insertReopened(tenant, was, is)
	} else {
		d.changeDelivery(tenant, was, is, `status = 'p', max_attempts = ?7, due = ?8, grp = ?9, updated = ?10`,
			is.MaxAttempts, microsOrZero(is.Due), is.group, micros(is.Updated))
	}
	if is.group == "" {
		d.tellDue(tenant, e, is.Delivery, trial)
		return
	}
	d.unblock(tenant, is.Endpoint, is.group, at)
	d.tryGroup(tenant, is.Endpoint, is.group, trial)
}

// insertReopened makes the row of a delivery that had succeeded. Its attempts are counted on.
// The one that it succeeded with is not the record of it any more: the row is.
func (d *draft) insertReopened(tenant string, was, is storedDelivery) {
	d.of(tenant).changeOne(`UPDATE attempts SET delivered = 0 WHERE tenant = ? AND event = ? AND endpoint = ? AND event > 0 AND delivered = 1`,
		tenant, was.Event, was.Endpoint)
	d.of(tenant).changeOne(`
		INSERT INTO deliveries (tenant, event, endpoint, status, attempts, max_attempts, due, grp, updated, last_status, last_error)
		VALUES (?, ?, ?, 'p', ?, ?, ?, ?, ?, ?, ?)`,
		tenant, is.Event, is.Endpoint, is.Attempts, is.MaxAttempts, microsOrZero(is.Due), is.group, micros(is.Updated), is.LastStatus, is.LastError)
}

// hasData is [apierr.Conflict] if the event's data was erased, and [apierr.NotFound]
// if there is no such event.
func (d *draft) hasData(ctx context.Context, tenant string, e *event.Event) error {
	var erased bool
	err := one(ctx, d.q, []any{&erased}, `SELECT data IS NULL FROM events WHERE seq = ? AND tenant = ?`, e.Seq, tenant)
	if err != nil {
		return orNotFound(err, "event %q", e.ID)
	}
	if erased {
		return apierr.Errorf(apierr.Conflict, "the data of event %q was erased", e.ID)
	}
	return nil
}

// tellDue has the listener told of a delivery that was sent again. trial says that it is to
// be attempted although the circuit of its endpoint is open.
func (d *draft) tellDue(tenant string, e *event.Event, is *event.Delivery, trial bool) {
	d.batch.effects.due = append(d.batch.effects.due, store.Due{Tenant: tenant, Delivery: *is, Event: withData(e), Trial: trial})
}

// withData returns the event for the listener. It is nil if the event came from a list and
// has no data: the listener reads the whole one then.
func withData(e *event.Event) *event.Event {
	if e.Data == nil {
		return nil
	}
	return e
}
