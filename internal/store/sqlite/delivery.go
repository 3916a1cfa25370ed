package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// What a delivery shows is in three tables. CROSS JOIN keeps SQLite from
// reading them in another order than the list's.
const (
	deliveryColumns = `deliveries.event, deliveries.endpoint, events.id, endpoints.id, events.type, events.order_id,
		grp, status, attempts, max_attempts, due, last_status, last_error, events.at, updated`
	itsEvent     = ` CROSS JOIN events ON events.seq = deliveries.event`
	itsEndpoint  = ` CROSS JOIN endpoints ON endpoints.tenant = deliveries.tenant AND endpoints.no = deliveries.endpoint`
	fromDelivery = `SELECT ` + deliveryColumns + ` FROM deliveries` + itsEvent + itsEndpoint
	fromFailed   = `SELECT ` + deliveryColumns + ` FROM deliveries INDEXED BY deliveries_failed` + itsEvent + itsEndpoint
	fromItsEvent = `SELECT ` + deliveryColumns + ` FROM events CROSS JOIN deliveries ON deliveries.event = events.seq` + itsEndpoint
)

// scanDelivery reads deliveryColumns.
func scanDelivery(r row) (*oms.Delivery, error) {
	d := &oms.Delivery{}
	return d, scanDeliveryInto(r, d)
}

// scanDeliveryInto reads deliveryColumns, and whatever more is selected.
func scanDeliveryInto(r row, d *oms.Delivery, more ...any) error {
	var status string
	var due, created, updated int64
	err := r.Scan(append([]any{&d.Event, &d.Endpoint, &d.EventID, &d.EndpointID, &d.EventType, &d.OrderID,
		&d.Group, &status, &d.Attempts, &d.MaxAttempts, &due, &d.LastStatus, &d.LastError, &created, &updated}, more...)...)
	d.Status = deliveryStatuses[status]
	d.Group = strings.TrimPrefix(d.Group, staged)
	d.Due, d.Created, d.Updated = fromMicrosOrZero(due), fromMicros(created), fromMicros(updated)
	return err
}

// deliveryStatuses is the statuses by the letter that is stored.
var deliveryStatuses = map[string]oms.DeliveryStatus{
	"p": oms.DeliveryPending, "s": oms.DeliverySucceeded, "f": oms.DeliveryFailed, "c": oms.DeliveryCanceled}

// letter is the reverse of deliveryStatuses.
func letter(s oms.DeliveryStatus) string { return string(s[:1]) }

// Delivery implements [store.EventReader].
func (q queries) Delivery(ctx context.Context, tenant string, key oms.DeliveryKey) (*oms.Delivery, error) {
	found, err := collect(ctx, q.q.query, scanDelivery, fromDelivery+`
		WHERE deliveries.tenant = ? AND deliveries.event = ? AND deliveries.endpoint = ?`, tenant, key.Event, key.Endpoint)
	if err == nil && len(found) == 0 {
		return nil, noDelivery(key)
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func noDelivery(key oms.DeliveryKey) error {
	return oms.Errorf(oms.NotFound, "no delivery of event number %d to endpoint number %d", key.Event, key.Endpoint)
}

// Deliveries implements [store.EventReader].
func (q queries) Deliveries(ctx context.Context, tenant string, f store.DeliveryFilter, p store.Page) (store.List[*oms.Delivery], error) {
	after, err := p.After()
	if err != nil {
		return store.List[*oms.Delivery]{}, err
	}
	return descend(ctx, q, tenant, deliveriesLike(tenant, f, after), p, scanDelivery, func(d *oms.Delivery) store.Cursor {
		return store.Cursor{At: d.Event, ID: strconv.FormatInt(d.Endpoint, 10)}
	})
}

// deliveriesLike returns the list of the deliveries that the filter picks. An
// order's, and those of a type, are found through their events; an endpoint's
// failed ones have an index. Everything else is filtered on the way through all
// of the tenant's.
func deliveriesLike(tenant string, f store.DeliveryFilter, after *store.Cursor) descent {
	d := descent{selected: fromDelivery, number: "deliveries.event"}
	if f != (store.DeliveryFilter{}) && f.OrderID == "" && f.Event == 0 {
		d.steps = deliverySteps
	}
	d.where("deliveries.tenant = ?", tenant)
	if f.Endpoint != 0 && f.Status == oms.DeliveryFailed {
		d.selected = fromFailed
		if f == (store.DeliveryFilter{Endpoint: f.Endpoint, Status: f.Status}) {
			d.steps = ""
		}
	}
	if f.OrderID != "" || f.EventType != "" && f.Endpoint == 0 {
		d.selected, d.number = fromItsEvent, "events.seq"
		d.where("events.tenant = ?", tenant)
		if d.steps != "" {
			d.steps = eventSteps
		}
	}
	d.indexed("events.order_id", f.OrderID)
	if f.Status != "" {
		d.where("status = '" + letter(f.Status) + "'") // SQLite must see the letter to take an index that holds no other
	}
	if f.Endpoint != 0 {
		d.where("deliveries.endpoint = ?", f.Endpoint)
	}
	if f.Event != 0 {
		d.where(d.number+" = ?", f.Event)
	}
	d.named("events.type", f.EventType)
	d.between("events.at", f.From, f.To)
	d.lastStatus(f.StatusFilter)
	if after != nil {
		endpoint, _ := strconv.ParseInt(after.ID, 10, 64)
		d.where("("+d.number+", deliveries.endpoint) < (?, ?)", after.At, endpoint)
	}
	d.sorted = d.number + " DESC, deliveries.endpoint DESC"
	return d
}

// lastStatus picks by what the last attempt came to.
func (l *list) lastStatus(f store.StatusFilter) {
	if f.NoStatus {
		// What succeeded had an answer, also where it did before its status was kept.
		l.where("attempts > 0 AND last_status = 0 AND status <> 's'")
	}
	if f.StatusFrom > 0 {
		l.where("last_status >= ?", f.StatusFrom)
	}
	if f.StatusTo > 0 {
		l.where("last_status BETWEEN 1 AND ?", f.StatusTo)
	}
}

// selectDue reads from an index which are due now, and behind them those that
// will be: many of them may be left out.
const selectDue = `SELECT event, due FROM deliveries WHERE tenant = ? AND endpoint = ? AND due > 0 ORDER BY due, event`

// selectTheDue reads some of them whole. What was settled meanwhile is not there.
const selectTheDue = `SELECT ` + deliveryColumns + `, ` + eventColumns + `, iif(length(events.data) <= ?, events.data, NULL)
	FROM deliveries` + itsEvent + itsEndpoint + `
	WHERE deliveries.tenant = ? AND deliveries.endpoint = ? AND deliveries.event IN (SELECT value FROM json_each(?)) AND due BETWEEN 1 AND ?
	ORDER BY due, deliveries.event`

// DueDeliveries implements [store.EventReader].
func (q queries) DueDeliveries(ctx context.Context, tenant string, ask store.DueQuery) (store.DueList, error) {
	var list store.DueList
	var events []int64
	err := q.q.query(ctx, func(r row) error {
		var event, due int64
		switch err := r.Scan(&event, &due); {
		case err != nil:
			return err
		case due > micros(ask.Now):
			list.Next = fromMicros(due)
			return errEnough
		case ask.Skip != nil && ask.Skip(event):
			return nil
		case len(events) == ask.Limit:
			list.More = true
			return errEnough
		}
		events = append(events, event)
		return nil
	}, selectDue, tenant, ask.Endpoint)
	if err != nil || len(events) == 0 {
		return list, err
	}
	list.Due, err = collect(ctx, q.q.query, func(r row) (store.Due, error) { return scanDue(r, tenant) },
		selectTheDue, ask.MostData, tenant, ask.Endpoint, jsonNumbers(events), micros(ask.Now))
	return list, err
}

// scanDue reads selectTheDue.
func scanDue(r row, tenant string) (store.Due, error) {
	due, e := store.Due{Tenant: tenant}, &oms.Event{}
	var at int64
	var data []byte
	err := scanDeliveryInto(r, &due.Delivery, append(eventFields(e, &at), &data)...)
	if data != nil {
		e.Timestamp, e.Data = fromMicros(at), data
		due.Event = e
	}
	return due, err
}

// deliveryRows is how deliveries that belong to no group are stored.
var deliveryRows = newInsertion("deliveries", "tenant, event, endpoint, max_attempts, due, updated", "")

// mostRows is how many rows are gathered before they are stored.
const mostRows = 1024

// deliver stores the deliveries of events to those that want them, which wanted
// says by an event's place. An event without a Seq was there already.
func (t *tx) deliver(tenant string, events []*oms.Event, wanted func(i int) []oms.Receiver) error {
	now := t.clock()
	var rows []tuple
	for i, e := range events {
		if e.Seq == 0 {
			continue
		}
		for _, to := range wanted(i) {
			d := newDelivery(e, to.Endpoint, now)
			if d.Group == "" {
				rows = append(rows, deliveryRow(tenant, &d))
			} else if err := t.insertInGroup(tenant, &d); err != nil {
				return err
			}
			if !d.Due.IsZero() {
				t.w.changes.due = append(t.w.changes.due, store.Due{Tenant: tenant, Delivery: d, Event: e})
			}
			if to.Unjudged != "" {
				t.w.changes.unjudged = append(t.w.changes.unjudged, store.Unjudged{Tenant: tenant, Endpoint: to.No, EventID: e.ID, Why: to.Unjudged, At: now})
			}
		}
		if len(rows) >= mostRows {
			if _, _, err := t.w.insertAll(&deliveryRows, rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	_, _, err := t.w.insertAll(&deliveryRows, rows)
	return err
}

func deliveryRow(tenant string, d *oms.Delivery) tuple {
	return tuple{often: []any{tenant, d.Event, d.Endpoint, d.MaxAttempts, micros(d.Due), micros(d.Updated)}}
}

// newDelivery returns an event's first delivery to an endpoint.
func newDelivery(e *oms.Event, endpoint *oms.Endpoint, now time.Time) oms.Delivery {
	now = fromMicros(micros(now))
	return oms.Delivery{
		DeliveryKey: oms.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No},
		EventID:     e.ID, EndpointID: endpoint.ID, EventType: e.Type, OrderID: e.OrderID,
		Group: groupOf(e, endpoint), Status: oms.DeliveryPending, MaxAttempts: 1 + len(endpoint.Schedule),
		Due: now, Created: fromMicros(micros(e.Timestamp)), Updated: now,
	}
}

func (t *tx) insertDelivery(tenant string, d *oms.Delivery) error {
	if d.Group != "" {
		return t.insertInGroup(tenant, d)
	}
	_, _, err := t.w.insertAll(&deliveryRows, []tuple{deliveryRow(tenant, d)})
	return err
}

// settle changes a delivery after an attempt. One that waits for another of its
// group, since its endpoint wants them in order now, waits on.
const settle = `
	UPDATE deliveries SET attempts = ?4, updated = ?5, status = ?6, due = CASE WHEN due > 0 THEN ?7 ELSE 0 END, last_status = ?8, last_error = ?9
	WHERE tenant = ?1 AND event = ?2 AND endpoint = ?3 AND status = 'p'`

// settleSome is settle for several that succeeded.
const settleSome = `
	UPDATE deliveries SET attempts = ?, updated = ?, status = 's', due = 0, last_status = ?, last_error = ''
	WHERE tenant = ? AND (event, endpoint) IN (SELECT value->>0, value->>1 FROM json_each(?)) AND status = 'p'`

// settleEnded is settle for one that has ended meanwhile: it stays so, unless
// the attempt succeeded.
const settleEnded = `
	UPDATE deliveries SET attempts = ?, updated = ?, status = iif(? = 's', 's', status), last_status = ?, last_error = ?
	WHERE tenant = ? AND event = ? AND endpoint = ? AND status <> 'p'`

// Settle implements [store.EventTx].
func (t *tx) Settle(ctx context.Context, tenant string, list ...store.Settlement) error {
	set, err := t.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	together := map[alike][]*store.Settlement{}
	for i := range list {
		s := &list[i]
		ordered := ordered(set.get(s.Key.Endpoint))
		if s.Status == oms.DeliverySucceeded && !ordered {
			status, _ := s.Outcome()
			same := alike{s.Attempts, status}
			together[same] = append(together[same], s)
		} else if err := t.settleOne(ctx, tenant, s, ordered); err != nil {
			return err
		}
	}
	for same, some := range together {
		if err := t.settleTogether(ctx, tenant, same, some); err != nil {
			return err
		}
	}
	var attempts []*oms.Attempt
	for i := range list {
		if list[i].Attempt != nil {
			attempts = append(attempts, list[i].Attempt)
		}
	}
	return t.addAttempts(tenant, attempts)
}

// alike is what deliveries that are settled by one statement have in common.
type alike struct {
	attempts int // that were made
	status   int // of the answer
}

// settleTogether settles deliveries that succeeded alike, all as the last of
// them did.
func (t *tx) settleTogether(ctx context.Context, tenant string, same alike, some []*store.Settlement) error {
	keys, at := []byte{'['}, time.Time{}
	for _, s := range some {
		keys = append(strconv.AppendInt(append(separated(keys, '['), '['), s.Key.Event, 10), ',')
		keys = append(strconv.AppendInt(keys, s.Key.Endpoint, 10), ']')
		if s.At.After(at) {
			at = s.At
		}
	}
	n, err := t.w.exec(settleSome, same.attempts, micros(at), same.status, tenant, string(append(keys, ']')))
	if err != nil || n == int64(len(some)) {
		return err
	}
	for _, s := range some { // some had ended already, or are gone
		if err := t.settleOne(ctx, tenant, s, false); err != nil {
			return err
		}
	}
	return nil
}

// settleOne settles a delivery. If its event was erased meanwhile, the attempt
// says no more of it.
func (t *tx) settleOne(ctx context.Context, tenant string, s *store.Settlement, ordered bool) (err error) {
	status, failure := s.Outcome()
	args := []any{tenant, s.Key.Event, s.Key.Endpoint, s.Attempts, micros(s.At), letter(s.Status), microsOrZero(s.Due), status, failure}
	if s.Status != oms.DeliveryPending {
		args[6] = 0
	}
	found := false
	if ordered {
		found, err = t.changeInGroup(ctx, tenant, s.Key.Endpoint, s.At, settle, args...)
	} else {
		var n int64
		n, err = t.w.exec(settle, args...)
		found = n > 0
	}
	if err == nil && !found {
		err = t.settleEnded(ctx, tenant, s)
	}
	return err
}

// settleEnded is for an attempt that ended after its delivery did. If the
// event's data was erased meanwhile, nothing of it is recorded either.
func (t *tx) settleEnded(ctx context.Context, tenant string, s *store.Settlement) error {
	status, failure := s.Outcome()
	_, err := t.w.exec(settleEnded, s.Attempts, micros(s.At), letter(s.Status), status, failure, tenant, s.Key.Event, s.Key.Endpoint)
	if err != nil || s.Attempt == nil {
		return err
	}
	erased := t.hasData(ctx, tenant, &oms.Event{Seq: s.Key.Event})
	switch oms.KindOf(erased) {
	case oms.Conflict, oms.NotFound:
		bare := *s.Attempt
		bare.Detail = bare.Detail.Bare()
		s.Attempt = &bare
		return nil
	}
	return erased
}

// CancelDelivery implements [store.EventTx].
func (t *tx) CancelDelivery(ctx context.Context, tenant string, key oms.DeliveryKey, at time.Time) error {
	d, err := t.Delivery(ctx, tenant, key)
	if err != nil {
		return err
	}
	if d.Status != oms.DeliveryPending {
		return oms.Errorf(oms.Conflict, "the delivery has ended: it is %s", d.Status)
	}
	t.w.changes.end(endedDelivery{tenant, key})
	_, err = t.changeInGroup(ctx, tenant, key.Endpoint, at, `
		UPDATE deliveries SET status = 'c', due = 0, updated = ?4 WHERE tenant = ?1 AND event = ?2 AND endpoint = ?3`,
		tenant, key.Event, key.Endpoint, micros(at))
	return err
}

// SendAgain implements [store.EventTx].
func (t *tx) SendAgain(ctx context.Context, tenant string, e *oms.Event, endpoint *oms.Endpoint, at time.Time, trial bool) error {
	if err := t.hasEndpoint(ctx, tenant, endpoint); err != nil {
		return err
	}
	if err := t.hasData(ctx, tenant, e); err != nil {
		return err
	}
	d, err := t.Delivery(ctx, tenant, oms.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No})
	switch {
	case oms.KindOf(err) == oms.NotFound:
		first := newDelivery(e, endpoint, at)
		return t.queue(tenant, e, &first, trial, t.insertDelivery)
	case err != nil:
		return err
	case d.Status == oms.DeliveryPending:
		if group := groupOf(e, endpoint); d.Group == "" && strings.HasPrefix(group, staged) {
			d.Group, d.Due = group, time.Time{} // it is to be moved, which must not miss it
			return t.queue(tenant, e, d, trial, t.stage)
		}
		d.Due = earlier(d.Due, at)
		return t.queue(tenant, e, d, trial, t.hasten)
	}
	d.Status, d.Group, d.MaxAttempts = oms.DeliveryPending, groupOf(e, endpoint), d.Attempts+1+len(endpoint.Schedule)
	d.Due, d.Updated = fromMicros(micros(at)), fromMicros(micros(at))
	return t.queue(tenant, e, d, trial, t.reopen)
}

// earlier returns at, or the due that was there if that is earlier; zero, of
// one that waits in its group, stays.
func earlier(due, at time.Time) time.Time {
	if at.Before(due) {
		return fromMicros(micros(at))
	}
	return due
}

// hasData is [oms.Conflict] if the event's data was erased, and [oms.NotFound]
// if there is no such event.
func (t *tx) hasData(ctx context.Context, tenant string, e *oms.Event) error {
	var erased bool
	err := one(ctx, t.q, []any{&erased}, `SELECT data IS NULL FROM events WHERE seq = ? AND tenant = ?`, e.Seq, tenant)
	if err != nil {
		return orNotFound(err, "no event %q", e.ID)
	}
	if erased {
		return oms.Errorf(oms.Conflict, "the data of event %q was erased", e.ID)
	}
	return nil
}

// queue stores a delivery that was sent again, and tells of it if it is due. Of
// one that waits in its group the one that it waits for is tried.
func (t *tx) queue(tenant string, e *oms.Event, d *oms.Delivery, trial bool, put func(tenant string, d *oms.Delivery) error) error {
	if err := put(tenant, d); err != nil {
		return err
	}
	if d.Due.IsZero() {
		if trial {
			return t.tryDueOfGroup(tenant, d)
		}
		return nil
	}
	due := store.Due{Tenant: tenant, Delivery: *d, Event: e, Trial: trial}
	if e.Data == nil {
		due.Event = nil // it came from a list: the whole one is to be read
	}
	t.w.changes.due = append(t.w.changes.due, due)
	return nil
}

// tryDueOfGroup has the delivery that another of its group waits for be tried at
// once: nobody waits an hour for what he sent by hand.
func (t *tx) tryDueOfGroup(tenant string, waits *oms.Delivery) error {
	ctx := context.Background()
	first := oms.DeliveryKey{Endpoint: waits.Endpoint}
	err := one(ctx, t.q, []any{&first.Event}, selectDueOfGroup, tenant, waits.Endpoint, waits.Group)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := t.Delivery(ctx, tenant, first)
	if err != nil {
		return err
	}
	d.Due = earlier(d.Due, t.clock())
	t.w.changes.due = append(t.w.changes.due, store.Due{Tenant: tenant, Delivery: *d, Trial: true})
	return t.hasten(tenant, d)
}

func (t *tx) hasten(tenant string, d *oms.Delivery) error {
	_, err := t.w.exec(`UPDATE deliveries SET due = ? WHERE tenant = ? AND event = ? AND endpoint = ?`,
		microsOrZero(d.Due), tenant, d.Event, d.Endpoint)
	return err
}

// stage has one wait until its endpoint's pending deliveries follow its ordering.
func (t *tx) stage(tenant string, d *oms.Delivery) error {
	return t.regroup(tenant, d.Endpoint, d.Event, 0, d.Group)
}

// reopen makes one pending that had ended.
func (t *tx) reopen(tenant string, d *oms.Delivery) error {
	if err := t.waitInGroup(tenant, d); err != nil {
		return err
	}
	_, err := t.w.exec(`
		UPDATE deliveries SET status = 'p', max_attempts = ?, due = ?, grp = ?, updated = ?
		WHERE tenant = ? AND event = ? AND endpoint = ?`,
		d.MaxAttempts, microsOrZero(d.Due), d.Group, micros(d.Updated), tenant, d.Event, d.Endpoint)
	return err
}
