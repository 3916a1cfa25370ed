package sqlite

import (
	"context"
	"math"

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
func scanEvent(r row, more ...any) (*oms.Event, error) {
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
func oneEvent(ctx context.Context, q querier, text string, args ...any) (*oms.Event, error) {
	found, err := collect(ctx, q.query, func(r row) (*oms.Event, error) {
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
	after, err := p.After()
	if err != nil {
		return store.List[*oms.Event]{}, err
	}
	return descend(ctx, q, tenant, eventsLike(tenant, f, after), p,
		func(r row) (*oms.Event, error) { return scanEvent(r) },
		func(e *oms.Event) store.Cursor { return store.Cursor{At: e.Seq} })
}

// eventsLike returns the list of the events that the filter picks. An order's
// have an index; of all others the type and the time are in the index that the
// list is read from.
func eventsLike(tenant string, f store.EventFilter, after *store.Cursor) descent {
	d := descent{selected: `SELECT ` + eventColumns + ` FROM events`, list: *listOf(tenant), number: "seq", sorted: "seq DESC"}
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
var eventRows = newInsertion("events", "tenant, id, type, at, subject_kind, subject_id, order_id, webhook_id, data",
	"shipment_id, return_id, cart_id, subscription_id, stock_item_id")

// AddEvents implements [store.EventTx].
func (t *tx) AddEvents(ctx context.Context, tenant string, events ...*oms.Event) error {
	return t.addEvents(ctx, tenant, events, nil)
}

// addEvents is AddEvents for events of which it was judged before who gets them;
// nil where it was not.
func (t *tx) addEvents(ctx context.Context, tenant string, events []*oms.Event, judged []judgement) error {
	if err := t.insertEvents(ctx, tenant, events); err != nil {
		return err
	}
	subscriptions, err := t.Subscriptions(ctx, tenant)
	if err != nil {
		return err
	}
	effort := filter.Inside()
	return t.deliver(tenant, events, func(i int) []oms.Receiver {
		if judged != nil && judged[i].by == subscriptions {
			return judged[i].to
		}
		return subscriptions.Match(events[i], effort)
	})
}

// AddEventFor implements [store.EventTx].
func (t *tx) AddEventFor(ctx context.Context, tenant string, e *oms.Event, endpoint *oms.Endpoint) error {
	if err := t.hasEndpoint(ctx, tenant, endpoint); err != nil {
		return err
	}
	events := []*oms.Event{e}
	if err := t.insertEvents(ctx, tenant, events); err != nil {
		return err
	}
	if e.Seq == 0 {
		return oms.Errorf(oms.Conflict, "an event %q exists already", e.ID)
	}
	return t.deliver(tenant, events, func(int) []oms.Receiver { return []oms.Receiver{{Endpoint: endpoint}} })
}

// insertEvents stores events and sets their Seq, which stays 0 where the id is
// taken.
func (t *tx) insertEvents(ctx context.Context, tenant string, events []*oms.Event) error {
	before := int64(math.MaxInt64) // of a single one nothing has to be looked up
	if len(events) > 1 {
		if err := one(ctx, t.q, []any{&before}, `SELECT coalesce(max(seq), 0) FROM events`); err != nil {
			return err
		}
	}
	rows := make([]tuple, len(events))
	for i, e := range events {
		rows[i] = tuple{
			[]any{tenant, e.ID, e.Type, micros(e.Timestamp), e.Subject.Kind, e.Subject.ID, e.OrderID, e.WebhookID, []byte(e.Data)},
			seldomSet(e.ShipmentID, e.ReturnID, e.CartID, e.SubscriptionID, e.StockItemID)}
	}
	added, last, err := t.w.insertAll(&eventRows, rows)
	if err != nil {
		return err
	}
	if added < int64(len(events)) {
		return t.numberEvents(ctx, tenant, events, before)
	}
	for i, e := range events { // nobody else writes: they have the last numbers
		e.Seq = last - int64(len(events)-1-i)
	}
	return nil
}

// numberEvents sets the Seq of those events that were stored behind a number.
// Of several with one id that is the first.
func (t *tx) numberEvents(ctx context.Context, tenant string, events []*oms.Event, before int64) error {
	added := map[string]int64{}
	err := t.q.query(ctx, func(r row) error {
		var id string
		var seq int64
		err := r.Scan(&id, &seq)
		added[id] = seq
		return err
	}, `SELECT id, seq FROM events WHERE seq > ? AND tenant = ?`, before, tenant)
	for _, e := range events {
		e.Seq = added[e.ID]
		delete(added, e.ID)
	}
	return err
}
