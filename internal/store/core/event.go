package core

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

const eventColumns = `events.seq, events.id, events.type, events.at, events.subject_kind, events.subject_id,
	events.order_id, events.shipment_id, events.return_id, events.cart_id, events.subscription_id, events.stock_item_id, events.webhook_id`

// eventFields is where eventColumns go.
func eventFields(e *oms.Event, at *int64) []any {
	return []any{&e.Seq, &e.ID, &e.Type, at, &e.Subject.Kind, &e.Subject.ID,
		&e.OrderID, &e.ShipmentID, &e.ReturnID, &e.CartID, &e.SubscriptionID, &e.StockItemID, &e.WebhookID}
}

// scanEvent reads eventColumns, and whatever more is selected.
func scanEvent(r Row, more ...any) (*oms.Event, error) {
	e, at := &oms.Event{}, int64(0)
	err := r.Scan(append(eventFields(e, &at), more...)...)
	e.Timestamp = fromMicros(at)
	return e, err
}

// Event implements [store.EventReader].
func (q queries) Event(ctx context.Context, tenant, id string) (*oms.Event, error) {
	e, err := oneEvent(ctx, q.q, `SELECT `+eventColumns+`, data FROM events WHERE tenant = ? AND id = ?`, tenant, id)
	if err == nil && e == nil {
		return nil, oms.Errorf(oms.NotFound, "no event %q", id)
	}
	return e, err
}

// EventBySeq implements [store.EventReader].
func (q queries) EventBySeq(ctx context.Context, tenant string, seq int64) (*oms.Event, error) {
	e, err := oneEvent(ctx, q.q, `SELECT `+eventColumns+`, data FROM events WHERE seq = ? AND tenant = ?`, seq, tenant)
	if err == nil && e == nil {
		return nil, oms.Errorf(oms.NotFound, "no event of number %d", seq)
	}
	return e, err
}

// oneEvent returns the event of a query, nil if there is none.
func oneEvent(ctx context.Context, q Engine, text string, args ...any) (*oms.Event, error) {
	found, err := collect(ctx, q.Query, func(r Row) (*oms.Event, error) {
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

// Events implements [store.EventReader].
func (q queries) Events(ctx context.Context, tenant string, f store.EventFilter, p store.Page) (store.List[*oms.Event], error) {
	return descend(ctx, q, tenant, func(after *store.Cursor) descent { return eventsLike(tenant, f, after) }, p,
		func(r Row) (*oms.Event, error) { return scanEvent(r) },
		func(e *oms.Event) store.Cursor { return store.Cursor{At: e.Seq} })
}

// EventCount implements [store.EventReader].
func (q queries) EventCount(ctx context.Context, tenant string, f store.EventFilter) (store.Count, error) {
	return countDown(ctx, q, tenant, eventsLike(tenant, f, nil))
}

// eventsLike returns the list of the events that the filter picks. An order's
// have an index; of all others the type and the time are in the index that the
// list is read from.
func eventsLike(tenant string, f store.EventFilter, after *store.Cursor) descent {
	d := descent{columns: eventColumns, from: `events`, list: *listOf(tenant), number: "seq", sorted: "seq DESC"}
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

// eventRows is how events are stored.
var eventRows = &Insertion{"events",
	[]string{"seq", "tenant", "id", "type", "at", "subject_kind", "subject_id", "order_id", "webhook_id", "data"},
	[]string{"shipment_id", "return_id", "cart_id", "subscription_id", "stock_item_id"}}

// AddEvents implements [store.EventTx]. Who gets the events is decided here, by
// the endpoints as they are known: the write is overtaken if they have changed.
func (d *draft) AddEvents(ctx context.Context, tenant string, events ...*oms.Event) error {
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
	d.rests(tenant, set)
	effort, subscriptions := filter.NewEffort(), set.subscriptions()
	d.deliver(tenant, events, func(e *oms.Event) []oms.Receiver { return subscriptions.Match(e, effort) })
	return nil
}

// Publish implements [store.Store].
func (s *Store) Publish(ctx context.Context, tenant string, events ...*oms.Event) error {
	return s.write(ctx, func(d *draft) error {
		if err := d.AddEvents(ctx, tenant, events...); err != nil {
			return err
		}
		d.batch.Alike = d.alike()
		return nil
	})
}

// alike returns what publications have in common that may be run as one: they are
// new rows of events, and of deliveries that belong to no group if anybody wants
// them, and rest on the same endpoints. It is "" for one that is anything else.
func (d *draft) alike() string {
	c := d.batch.Changes
	wanted := len(c) == 2 && c[0].Insertion == eventRows && c[1].Insertion == deliveryRows
	if d.again || len(d.batch.Checks) != 1 || !wanted && !(len(c) == 1 && c[0].Insertion == eventRows) {
		return ""
	}
	return fmt.Sprint(append([]any{len(c)}, d.batch.Checks[0].Args...)...)
}

// AddEventFor implements [store.EventTx].
func (d *draft) AddEventFor(ctx context.Context, tenant string, e *oms.Event, endpoint *oms.Endpoint) error {
	if err := d.hasEndpoint(ctx, tenant, endpoint); err != nil {
		return err
	}
	events := []*oms.Event{e}
	if err := d.insertEvents(ctx, tenant, events); err != nil {
		return err
	}
	if e.Seq == 0 {
		return oms.Errorf(oms.Conflict, "an event %q exists already", e.ID)
	}
	d.deliver(tenant, events, func(*oms.Event) []oms.Receiver { return []oms.Receiver{{Endpoint: endpoint}} })
	return nil
}

// insertEvents stores events and sets their Seq, which stays 0 where the id is
// taken: by one that the write has stored itself, or else by one that was there.
// That hardly ever happens: it is looked up once the write was overtaken.
func (d *draft) insertEvents(ctx context.Context, tenant string, events []*oms.Event) error {
	d.touch(tenant, oms.TopicEvents)
	if d.events == nil {
		d.events = map[key]bool{}
	}
	if d.again {
		if err := d.findTaken(ctx, tenant, events); err != nil {
			return err
		}
	}
	first, err := d.q.Numbers(ctx, len(events))
	if err != nil {
		return err
	}
	rows := make([]Tuple, 0, len(events))
	for i, e := range events {
		id := key{tenant, e.ID}
		if e.Seq = 0; d.events[id] {
			continue
		}
		d.events[id] = true
		e.Seq = first + int64(i)
		rows = append(rows, Tuple{
			[]any{e.Seq, tenant, e.ID, e.Type, micros(e.Timestamp), e.Subject.Kind, e.Subject.ID, e.OrderID, e.WebhookID, []byte(e.Data)},
			rareSet(e.ShipmentID, e.ReturnID, e.CartID, e.SubscriptionID, e.StockItemID)})
	}
	d.of(tenant).insert(eventRows, rows...)
	return nil
}

// findTaken notes which ids of events are there already.
func (d *draft) findTaken(ctx context.Context, tenant string, events []*oms.Event) error {
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
	}, `SELECT id FROM events WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))`, tenant, list)
}
