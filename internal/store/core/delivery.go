package core

import (
	"context"
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
	fromDelivery = `deliveries` + itsEvent + itsEndpoint
	fromFailed   = `deliveries INDEXED BY deliveries_failed` + itsEvent + itsEndpoint
	fromFailures = `deliveries INDEXED BY deliveries_failures` + itsEvent + itsEndpoint
	fromItsEvent = `events CROSS JOIN deliveries ON deliveries.event = events.seq` + itsEndpoint
)

// scanDelivery reads deliveryColumns.
func scanDelivery(r Row) (*oms.Delivery, error) {
	d := &oms.Delivery{}
	return d, scanDeliveryInto(r, d)
}

// scanDeliveryInto reads deliveryColumns, and whatever more is selected.
func scanDeliveryInto(r Row, d *oms.Delivery, more ...any) error {
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

// Deliveries implements [store.EventReader].
func (q queries) Deliveries(ctx context.Context, tenant string, f store.DeliveryFilter, p store.Page) (store.List[*oms.Delivery], error) {
	return descend(ctx, q, tenant, func(after *store.Cursor) descent { return deliveriesLike(tenant, f, after) }, p, scanDelivery,
		func(d *oms.Delivery) store.Cursor {
			return store.Cursor{At: d.Event, ID: strconv.FormatInt(d.Endpoint, 10)}
		})
}

// DeliveryCount implements [store.EventReader]. What is pending stands in indexes.
func (q queries) DeliveryCount(ctx context.Context, tenant string, f store.DeliveryFilter) (store.Count, error) {
	if f == (store.DeliveryFilter{Status: oms.DeliveryPending, Endpoint: f.Endpoint}) {
		return counted(ctx, q, tenant, store.Listing, func(ctx context.Context, p *page[struct{}]) error { return q.countPending(ctx, tenant, f.Endpoint, p) })
	}
	d := deliveriesLike(tenant, f, nil)
	if f.EventType == "" && f.OrderID == "" && f.From.IsZero() && f.To.IsZero() {
		d.from = strings.TrimSuffix(d.from, itsEvent+itsEndpoint) // nothing of them is asked
	}
	return countDown(ctx, q, tenant, d)
}

// countPending counts the deliveries that are due, then those that wait in groups:
// of each group but one is due, so that no more of these are met than were counted.
func (q queries) countPending(ctx context.Context, tenant string, endpoint int64, p *page[struct{}]) error {
	for _, part := range []struct{ from, condition string }{
		{`deliveries INDEXED BY deliveries_due`, `due > 0`},
		{`deliveries INDEXED BY deliveries_group`, `status = 'p' AND grp <> '' AND due = 0`},
	} {
		l := listOf(tenant)
		if endpoint != 0 {
			l.where("endpoint = ?", endpoint)
		}
		l.where(part.condition)
		text, args := `SELECT 1 FROM `+part.from+` WHERE `+l.sql()+` LIMIT ?`, append(l.args, p.wanted())
		if err := p.read(ctx, q.q.QueryOnce, scanNothing, text, args...); err != nil || p.ended() {
			return err
		}
	}
	return nil
}

// deliveriesLike returns the list of the deliveries that the filter picks. An
// order's, and those of a type, are found through their events; failed ones have
// indexes. Everything else is filtered on the way through all
// of the tenant's.
func deliveriesLike(tenant string, f store.DeliveryFilter, after *store.Cursor) descent {
	d := descent{columns: deliveryColumns, from: fromDelivery, number: "deliveries.event"}
	if f != (store.DeliveryFilter{}) && f.OrderID == "" && f.Event == 0 {
		d.steps = deliverySteps
	}
	d.where("deliveries.tenant = ?", tenant)
	if f.Status == oms.DeliveryFailed {
		d.from = fromFailures
		if f.Endpoint != 0 {
			d.from = fromFailed
		}
		if f == (store.DeliveryFilter{Endpoint: f.Endpoint, Status: f.Status}) {
			d.steps = ""
		}
	}
	if f.OrderID != "" || f.EventType != "" && f.Endpoint == 0 {
		d.from, d.number = fromItsEvent, "events.seq"
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
	err := q.q.Query(ctx, func(r Row) error {
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
	list.Due, err = collect(ctx, q.q.Query, func(r Row) (store.Due, error) { return scanDue(r, tenant) },
		selectTheDue, ask.MostData, tenant, ask.Endpoint, jsonNumbers(events), micros(ask.Now))
	return list, err
}

// scanDue reads selectTheDue.
func scanDue(r Row, tenant string) (store.Due, error) {
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
var deliveryRows = &Insertion{"deliveries", []string{"tenant", "event", "endpoint", "max_attempts", "due", "updated"}, nil}

// deliver stores the deliveries of events to those that want them. An event
// without a Seq was there already.
func (d *draft) deliver(tenant string, events []*oms.Event, wanted func(*oms.Event) []oms.Receiver) {
	d.touch(tenant, oms.TopicDeliveries)
	now := d.clock()
	var rows []Tuple
	for _, e := range events {
		if e.Seq == 0 {
			continue
		}
		for _, to := range wanted(e) {
			first := newDelivery(e, to.Endpoint, now)
			if first.Group == "" {
				rows = append(rows, deliveryRow(tenant, &first))
				d.batch.news.due = append(d.batch.news.due, store.Due{Tenant: tenant, Delivery: first, Event: e})
			} else {
				d.insertInGroup(tenant, e, first)
			}
			if to.Unjudged != "" {
				d.batch.news.unjudged = append(d.batch.news.unjudged, store.Unjudged{Tenant: tenant, Endpoint: to.No, EventID: e.ID, Why: to.Unjudged, At: now})
			}
		}
	}
	d.of(tenant).insert(deliveryRows, rows...)
}

func deliveryRow(tenant string, d *oms.Delivery) Tuple {
	return Tuple{Often: []any{tenant, d.Event, d.Endpoint, d.MaxAttempts, micros(d.Due), micros(d.Updated)}}
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

// Delivery implements [store.EventReader].
func (q queries) Delivery(ctx context.Context, tenant string, key oms.DeliveryKey) (*oms.Delivery, error) {
	found, err := q.delivery(ctx, tenant, key)
	return found.Delivery, err
}

// storedDelivery is a delivery with its group as it is stored.
type storedDelivery struct {
	*oms.Delivery
	group string
}

func (q queries) delivery(ctx context.Context, tenant string, of oms.DeliveryKey) (found storedDelivery, err error) {
	if q.own != nil {
		if changed, is := q.own.deliveries[tenantDelivery{tenant, of}]; is {
			same := *changed.Delivery
			return storedDelivery{&same, changed.group}, nil
		}
	}
	err = q.q.Query(ctx, func(r Row) error {
		found.Delivery = &oms.Delivery{}
		return scanDeliveryInto(r, found.Delivery, &found.group)
	}, selectDelivery, tenant, of.Event, of.Endpoint)
	if err == nil && found.Delivery == nil {
		err = oms.Errorf(oms.NotFound, "no delivery of event number %d to endpoint number %d", of.Event, of.Endpoint)
	}
	return found, err
}

type tenantDelivery struct {
	tenant string
	oms.DeliveryKey
}

const selectDelivery = `SELECT ` + deliveryColumns + `, grp FROM deliveries` + itsEvent + itsEndpoint + `
	WHERE deliveries.tenant = ? AND deliveries.event = ? AND deliveries.endpoint = ?`

// theDelivery is the condition that a delivery is as it was read.
const theDelivery = ` WHERE tenant = ?1 AND event = ?2 AND endpoint = ?3 AND status = ?4 AND grp = ?5 AND due = ?6`

// changeDelivery adds a statement, up to its WHERE, that changes a delivery from
// what it was read as to what it is. Its own arguments are ?7 and those behind it.
func (d *draft) changeDelivery(tenant string, was, is storedDelivery, set string, args ...any) {
	d.touch(tenant, oms.TopicDeliveries)
	d.of(tenant).changeOne(`UPDATE deliveries SET `+set+theDelivery,
		append([]any{tenant, was.Event, was.Endpoint, letter(was.Status), was.group, microsOrZero(was.Due)}, args...)...)
	if d.deliveries == nil {
		d.deliveries = map[tenantDelivery]storedDelivery{}
	}
	is.Group = strings.TrimPrefix(is.group, staged)
	d.deliveries[tenantDelivery{tenant, was.DeliveryKey}] = is
}

// settle changes a delivery that belongs to no group, and is taken to be pending,
// after an attempt.
const settle = `
	UPDATE deliveries SET attempts = ?4, updated = ?5, status = ?6, due = ?7, last_status = ?8, last_error = ?9
	WHERE tenant = ?1 AND event = ?2 AND endpoint = ?3 AND status = 'p' AND grp = ''`

// settleSome is settle for several that succeeded.
const settleSome = `
	UPDATE deliveries SET attempts = ?, updated = ?, status = 's', due = 0, last_status = ?, last_error = ''
	WHERE tenant = ? AND (event, endpoint) IN (SELECT value->>0, value->>1 FROM json_each(?)) AND status = 'p' AND grp = ''`

// Settle implements [store.EventTx]. As a rule deliveries are as they were when
// they were attempted: nothing of them is read, and they are changed together.
// Where an endpoint wants them in order, or one failed for good, or the write was
// overtaken, each is read first.
func (d *draft) Settle(ctx context.Context, tenant string, list ...store.Settlement) error {
	d.touch(tenant, oms.TopicDeliveries)
	set, err := d.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	together := map[alike][]*store.Settlement{}
	var attempts []*oms.Attempt
	for i := range list {
		s := list[i]
		switch {
		case d.again || s.Status == oms.DeliveryFailed || ordered(set.get(s.Key.Endpoint)):
			if err := d.settleRead(ctx, tenant, &s); err != nil {
				return err
			}
		case s.Status == oms.DeliverySucceeded:
			status, _ := s.Outcome()
			same := alike{s.Attempts, status}
			together[same] = append(together[same], &s)
		default:
			status, failure := s.Outcome()
			d.of(tenant).changeOne(settle, tenant, s.Key.Event, s.Key.Endpoint, s.Attempts, micros(s.At), letter(s.Status), dueOf(&s), status, failure)
		}
		if s.Attempt != nil {
			attempts = append(attempts, s.Attempt)
		}
	}
	for same, some := range together {
		d.settleTogether(tenant, same, some)
	}
	return d.addAttempts(tenant, attempts)
}

// dueOf is when the next attempt is due; 0 if there is none.
func dueOf(s *store.Settlement) int64 {
	if s.Status != oms.DeliveryPending {
		return 0
	}
	return microsOrZero(s.Due)
}

// alike is what deliveries that are settled by one statement have in common.
type alike struct {
	attempts int // that were made
	status   int // of the answer
}

// settleTogether settles deliveries that succeeded alike, all as the last of
// them did.
func (d *draft) settleTogether(tenant string, same alike, some []*store.Settlement) {
	keys, at := []byte{'['}, time.Time{}
	for _, s := range some {
		keys = append(strconv.AppendInt(append(separated(keys, '['), '['), s.Key.Event, 10), ',')
		keys = append(strconv.AppendInt(keys, s.Key.Endpoint, 10), ']')
		if s.At.After(at) {
			at = s.At
		}
	}
	d.of(tenant).add(Change{Text: settleSome, Args: []any{same.attempts, micros(at), same.status, tenant, string(append(keys, ']'))}, Rows: int64(len(some))})
}

// attempted is the move that an attempt makes of a delivery.
var attempted = map[oms.DeliveryStatus]oms.DeliveryMove{
	oms.DeliverySucceeded: oms.MoveSucceeded, oms.DeliveryPending: oms.MovePutOff, oms.DeliveryFailed: oms.MoveFailed}

// settleRead settles a delivery by what it is. Of one that is gone nothing is
// left to settle. If it has ended, its event may have been erased: then the
// attempt says no more of it.
func (d *draft) settleRead(ctx context.Context, tenant string, s *store.Settlement) error {
	was, err := d.delivery(ctx, tenant, s.Key)
	if oms.KindOf(err) == oms.NotFound {
		return d.bareIfErased(ctx, tenant, s)
	}
	if err != nil {
		return err
	}
	next, _ := was.State().After(attempted[s.Status])
	is := was.copy()
	is.Status, is.Attempts, is.Updated = next.State.Status(), s.Attempts, fromMicros(micros(s.At))
	is.LastStatus, is.LastError = s.Outcome()
	if is.Due = (time.Time{}); next.State == oms.StateDue {
		is.Due = s.Due
	}
	d.changeDelivery(tenant, was, is, `attempts = ?7, updated = ?8, status = ?9, due = ?10, last_status = ?11, last_error = ?12`,
		is.Attempts, micros(is.Updated), letter(is.Status), microsOrZero(is.Due), is.LastStatus, is.LastError)
	if next.Releases {
		d.release(tenant, s.Key.Endpoint, was.group, s.At)
	}
	if was.Status != oms.DeliveryPending {
		return d.bareIfErased(ctx, tenant, s)
	}
	return nil
}

// copy returns a copy that can be changed without changing s.
func (s storedDelivery) copy() storedDelivery {
	same := *s.Delivery
	return storedDelivery{&same, s.group}
}

// bareIfErased takes the details off an attempt whose event's data was erased, or
// is gone.
func (d *draft) bareIfErased(ctx context.Context, tenant string, s *store.Settlement) error {
	if s.Attempt == nil {
		return nil
	}
	switch err := d.hasData(ctx, tenant, &oms.Event{Seq: s.Key.Event}); oms.KindOf(err) {
	case oms.Conflict, oms.NotFound:
		bare := *s.Attempt
		bare.Detail = bare.Detail.Bare()
		s.Attempt = &bare
		return nil
	default:
		return err
	}
}

// CancelDelivery implements [store.EventTx].
func (d *draft) CancelDelivery(ctx context.Context, tenant string, key oms.DeliveryKey, at time.Time) error {
	was, err := d.delivery(ctx, tenant, key)
	if err != nil {
		return err
	}
	next, ok := was.State().After(oms.MoveCanceled)
	if !ok {
		return oms.Errorf(oms.Conflict, "the delivery has ended: it is %s", was.Status)
	}
	is := was.copy()
	is.Status, is.Due, is.Updated = next.State.Status(), time.Time{}, fromMicros(micros(at))
	d.audit(tenant, oms.AuditDelivery, was.ID())
	d.batch.news.end(endedDelivery{tenant, key})
	d.changeDelivery(tenant, was, is, `status = 'c', due = 0, updated = ?7`, micros(at))
	if next.Releases {
		d.release(tenant, key.Endpoint, was.group, at)
	}
	return nil
}

// SendAgain implements [store.EventTx].
func (d *draft) SendAgain(ctx context.Context, tenant string, e *oms.Event, endpoint *oms.Endpoint, at time.Time, trial bool) error {
	if err := d.hasEndpoint(ctx, tenant, endpoint); err != nil {
		return err
	}
	if err := d.hasData(ctx, tenant, e); err != nil {
		return err
	}
	d.of(tenant).check(`SELECT 1 FROM events WHERE seq = ? AND tenant = ? AND data IS NOT NULL`, e.Seq, tenant)
	if note := d.audit(tenant, oms.AuditEvent, e.ID); note != nil {
		note.SentAgain(endpoint.ID)
	}
	was, err := d.delivery(ctx, tenant, oms.DeliveryKey{Event: e.Seq, Endpoint: endpoint.No})
	if oms.KindOf(err) == oms.NotFound {
		d.sendFirst(tenant, e, newDelivery(e, endpoint, at), trial)
		return nil
	}
	if err != nil {
		return err
	}
	is := was.copy()
	switch wanted := groupOf(e, endpoint); {
	case was.Status != oms.DeliveryPending:
		is.Status, is.group, is.MaxAttempts = oms.DeliveryPending, wanted, was.Attempts+1+len(endpoint.Schedule)
		is.Due, is.Updated = fromMicros(micros(at)), fromMicros(micros(at))
		d.reopen(tenant, e, was, is, trial)
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

// sendFirst makes the delivery of an event that never went to the endpoint.
func (d *draft) sendFirst(tenant string, e *oms.Event, first oms.Delivery, trial bool) {
	d.touch(tenant, oms.TopicDeliveries)
	if first.Group == "" {
		d.of(tenant).insert(deliveryRows, deliveryRow(tenant, &first))
		d.tellDue(tenant, e, &first, trial)
		return
	}
	d.insertInGroup(tenant, withData(e), first)
	d.tryGroup(tenant, first.Endpoint, first.Group, trial)
}

// reopen makes a delivery pending that had ended: due, or behind what is pending
// of its group.
func (d *draft) reopen(tenant string, e *oms.Event, was, is storedDelivery, trial bool) {
	const set = `status = 'p', max_attempts = ?7, due = ?8, grp = ?9, updated = ?10`
	if is.group == "" {
		d.changeDelivery(tenant, was, is, set, is.MaxAttempts, micros(is.Due), is.group, micros(is.Updated))
		d.tellDue(tenant, e, is.Delivery, trial)
		return
	}
	at := is.Due
	is.Due = time.Time{}
	d.changeDelivery(tenant, was, is, set, is.MaxAttempts, 0, is.group, micros(is.Updated))
	d.release(tenant, is.Endpoint, is.group, at)
	d.tryGroup(tenant, is.Endpoint, is.group, trial)
}

// hasData is [oms.Conflict] if the event's data was erased, and [oms.NotFound]
// if there is no such event.
func (d *draft) hasData(ctx context.Context, tenant string, e *oms.Event) error {
	var erased bool
	err := one(ctx, d.q, []any{&erased}, `SELECT data IS NULL FROM events WHERE seq = ? AND tenant = ?`, e.Seq, tenant)
	if err != nil {
		return orNotFound(err, "no event %q", e.ID)
	}
	if erased {
		return oms.Errorf(oms.Conflict, "the data of event %q was erased", e.ID)
	}
	return nil
}

// tellDue has the listener told of a delivery that was sent again.
func (d *draft) tellDue(tenant string, e *oms.Event, is *oms.Delivery, trial bool) {
	d.batch.news.due = append(d.batch.news.due, store.Due{Tenant: tenant, Delivery: *is, Event: withData(e), Trial: trial})
}

// withData returns an event, nil if it came from a list: the whole one is to be read.
func withData(e *oms.Event) *oms.Event {
	if e.Data == nil {
		return nil
	}
	return e
}
