package core

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
)

// eventColumns are what scanEvent reads: an event without its data, which may be large.
const eventColumns = `events.seq, events.id, events.type, events.at, events.subject_kind, events.subject_id,
	events.order_id, events.shipment_id, events.return_id, events.cart_id, events.subscription_id, events.stock_item_id, events.webhook_id, events.trace`

// eventFields returns where the values of eventColumns go.
func eventFields(e *event.Event, at *int64) []any {
	return []any{&e.Seq, &e.ID, &e.Type, at, &e.Subject.Kind, &e.Subject.ID,
		&e.OrderID, &e.ShipmentID, &e.ReturnID, &e.CartID, &e.SubscriptionID, &e.StockItemID, &e.WebhookID, &e.Trace}
}

// scanEvent reads eventColumns, and into more what is selected after them.
func scanEvent(r Row, more ...any) (*event.Event, error) {
	e, at := &event.Event{}, int64(0)
	err := r.Scan(append(eventFields(e, &at), more...)...)
	e.Timestamp = fromMicros(at)
	return e, err
}

// Event implements [store.EventReader]. An event whose data was erased has none.
func (q queries) Event(ctx context.Context, tenant, id string) (*event.Event, error) {
	e, err := oneEvent(ctx, q.q, `SELECT `+eventColumns+`, data FROM events WHERE tenant = ? AND id = ?`, tenant, id)
	if err == nil && e == nil {
		return nil, apierr.Errorf(apierr.NotFound, "no event %q", id)
	}
	return e, err
}

// EventBySeq implements [store.EventReader]. The tenant is a condition, too: a number alone
// must not lead to an event of another one.
func (q queries) EventBySeq(ctx context.Context, tenant string, seq int64) (*event.Event, error) {
	e, err := oneEvent(ctx, q.q, `SELECT `+eventColumns+`, data FROM events WHERE seq = ? AND tenant = ?`, seq, tenant)
	if err == nil && e == nil {
		return nil, apierr.Errorf(apierr.NotFound, "no event of number %d", seq)
	}
	return e, err
}

// oneEvent returns the event of a query, with its data; nil if there is none.
func oneEvent(ctx context.Context, q Engine, text string, args ...any) (*event.Event, error) {
	found, err := collect(ctx, q.Query, func(r Row) (*event.Event, error) {
		var data []byte
		e, err := scanEvent(r, &data)
		e.Data = jsontext.Value(data)
		return e, err
	}, text, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Events implements [store.EventReader]. The order is that of their numbers, and not of
// their time, which a publisher may set.
func (q queries) Events(ctx context.Context, tenant string, f store.EventFilter, p store.Page) (store.List[*event.Event], error) {
	return scanPage(ctx, q, tenant, func(after *store.Cursor) eventScan { return eventsLike(tenant, f, after) }, p,
		func(r Row) (*event.Event, error) { return scanEvent(r) },
		func(e *event.Event) store.Cursor { return store.Cursor{At: e.Seq} })
}

// EventCount implements [store.EventReader].
func (q queries) EventCount(ctx context.Context, tenant string, f store.EventFilter) (store.Count, error) {
	return countDown(ctx, q, tenant, eventsLike(tenant, f, nil))
}

// eventsLike returns the list of the events that the filter picks. Events of an order
// have an index. For all others, the index that the list is read from has the type and
// the time.
func eventsLike(tenant string, f store.EventFilter, after *store.Cursor) eventScan {
	d := eventScan{columns: eventColumns, from: `events`, list: *listOf(tenant), number: "seq", sorted: "seq DESC"}
	// Without a filter each row is picked, and an order has few: neither needs steps.
	if f != (store.EventFilter{}) && f.OrderID == "" {
		d.steps = eventSteps
	}
	d.indexed("order_id", f.OrderID)
	d.named("type", f.Type)
	d.equal("shipment_id", f.ShipmentID)
	d.equal("return_id", f.ReturnID)
	d.equal("cart_id", f.CartID)
	d.equal("subscription_id", f.SubscriptionID)
	d.equal("stock_item_id", f.StockItemID)
	d.between("at", f.From, f.To)
	if after != nil {
		d.where("seq < ?", after.At)
	}
	return d
}

// eventRows is the columns of an event.
var eventRows = &Insertion{"events",
	[]string{"seq", "tenant", "id", "type", "at", "subject_kind", "subject_id", "order_id", "webhook_id", "data"},
	[]string{"shipment_id", "return_id", "cart_id", "subscription_id", "stock_item_id", "trace"}}

// AddEvents implements [store.EventTx]. It decides who gets the events, by the endpoints
// that are in memory. If the endpoints have changed by the time of the commit, the write is
// overtaken. All filters share one budget of steps: a call with many events, or an
// installation with many filters, must not take longer for that (docs/contract.md#filters).
func (d *draft) AddEvents(ctx context.Context, tenant string, events ...*event.Event) error {
	if len(events) == 0 {
		return nil
	}
	set, err := d.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	if err := d.insertEvents(ctx, tenant, events); err != nil {
		return err
	}
	d.dependsOn(tenant, set)
	effort, subscriptions := filter.NewEffort(), set.subscriptions()
	d.deliver(tenant, events, func(e *event.Event) []event.Receiver { return subscriptions.ReceiversOf(e, effort) })
	return nil
}

// ImportEvents implements [store.EventTx]. A file is imported again after an interruption, so
// that an id exists already is no rare thing here.
func (d *draft) ImportEvents(ctx context.Context, tenant string, events ...*event.Event) error {
	if d.events == nil {
		d.events = map[key]bool{}
	}
	if err := d.findTaken(ctx, tenant, events); err != nil {
		return err
	}
	// Each keeps the trace that it came of, which is not that of the import.
	for _, e := range events {
		if err := d.insertEvents(trace.WithText(ctx, e.Trace), tenant, []*event.Event{e}); err != nil {
			return err
		}
	}
	return nil
}

// Publish implements [store.Store].
func (s *Store) Publish(ctx context.Context, tenant string, events ...*event.Event) error {
	return s.write(ctx, func(d *draft) error {
		if err := d.AddEvents(ctx, tenant, events...); err != nil {
			return err
		}
		d.batch.Alike = d.alike()
		return nil
	})
}

// alike returns a text that is equal for publications which may be run as one. They only
// insert events, and deliveries that belong to no group, and depend on the same version of
// the same endpoints: that version is the argument of their only check. The text is "" for
// a write that does anything else, and for one that is made by a lease: if that is lost, this
// write alone must fail. There are no calls to count in an alike write, since each call is counted
// beside its attempt, which is another row.
func (d *draft) alike() string {
	c := d.batch.Changes
	// The events, and the deliveries if anybody wants them.
	wanted := len(c) == 2 && c[0].Insertion == eventRows && c[1].Insertion == deliveryRows
	// A write that was overtaken has looked up what exists, and may have more checks.
	if d.again || len(d.batch.Leases) > 0 || len(d.batch.Checks) != 1 || !wanted && !(len(c) == 1 && c[0].Insertion == eventRows) {
		return ""
	}
	return fmt.Sprint(append([]any{len(c)}, d.batch.Checks[0].Args...)...)
}

// AddEventFor implements [store.EventTx]. An ExportOrder step uses it: its event is for the
// hidden endpoint of its connector alone.
func (d *draft) AddEventFor(ctx context.Context, tenant string, e *event.Event, endpoint *event.Endpoint) error {
	if err := d.hasEndpoint(ctx, tenant, endpoint); err != nil {
		return err
	}
	events := []*event.Event{e}
	if err := d.insertEvents(ctx, tenant, events); err != nil {
		return err
	}
	if e.Seq == 0 {
		return apierr.Errorf(apierr.Conflict, "an event %q exists already", e.ID)
	}
	d.deliver(tenant, events, func(*event.Event) []event.Receiver { return []event.Receiver{{Endpoint: endpoint}} })
	return nil
}

// insertEvents stores events and sets their Seq and their Trace, which is that of the
// context: whatever writes an event belongs to the trace that the event came of. The Seq stays 0 if the id exists
// already: in this write, or in the database. The database is only asked once the write
// was overtaken, because it hardly ever happens.
func (d *draft) insertEvents(ctx context.Context, tenant string, events []*event.Event) error {
	d.touch(tenant, changes.TopicEvents)
	if d.events == nil {
		d.events = map[key]bool{}
	}
	if d.again {
		if err := d.findTaken(ctx, tenant, events); err != nil {
			return err
		}
	}
	// Some of them are not used if ids exist already.
	first, err := d.q.Numbers(ctx, len(events))
	if err != nil {
		return err
	}
	rows, of := make([]Tuple, 0, len(events)), trace.Text(ctx)
	for i, e := range events {
		e.Trace = of
		id := key{tenant, e.ID}
		// The event keeps the Seq 0, by which deliver and the caller know that it existed
		// before.
		if e.Seq = 0; d.events[id] {
			continue
		}
		d.events[id] = true
		e.Seq = first + int64(i)
		rows = append(rows, Tuple{
			[]any{e.Seq, tenant, e.ID, e.Type, micros(e.Timestamp), e.Subject.Kind, e.Subject.ID, e.OrderID, e.WebhookID, []byte(e.Data)},
			rareSet(e.ShipmentID, e.ReturnID, e.CartID, e.SubscriptionID, e.StockItemID, e.Trace)})
	}
	d.of(tenant).insert(eventRows, rows...)
	return nil
}

// findTaken notes which ids of events exist already. A publisher that repeats a request,
// since it had no answer, gives the same ids again (docs/contract.md#publishing).
func (d *draft) findTaken(ctx context.Context, tenant string, events []*event.Event) error {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	list, err := encode(ids)
	if err != nil {
		return err
	}
	return d.q.Query(ctx, func(r Row) error {
		var id string
		err := r.Scan(&id)
		d.events[key{tenant, id}] = true
		return err
	}, `SELECT id FROM events WHERE tenant = ? AND id {texts ?}`, tenant, list)
}
