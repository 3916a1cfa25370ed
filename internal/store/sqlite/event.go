package sqlite

import (
	"context"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

const eventColumns = `seq, id, type, at, subject_kind, subject_id,
	order_id, shipment_id, return_id, cart_id, subscription_id, stock_item_id`

// scanEvent reads eventColumns, and whatever more is selected.
func scanEvent(r row, more ...any) (*oms.Event, error) {
	e, at := &oms.Event{}, int64(0)
	err := r.Scan(append([]any{&e.Seq, &e.ID, &e.Type, &at, &e.Subject.Kind, &e.Subject.ID,
		&e.OrderID, &e.ShipmentID, &e.ReturnID, &e.CartID, &e.SubscriptionID, &e.StockItemID}, more...)...)
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
	text, args := eventsLike(tenant, f, after, p.Size()+1)
	rows, err := collect(ctx, q.q.queryOnce, func(r row) (*oms.Event, error) { return scanEvent(r) }, text, args...)
	return store.Cut(p, rows, func(e *oms.Event) store.Cursor { return store.Cursor{At: e.Seq} }), err
}

// eventsLike returns the query of the events that the filter picks. An order's
// have an index; of all others the type and the time are in the index that the
// list is read from.
func eventsLike(tenant string, f store.EventFilter, after *store.Cursor, limit int) (string, []any) {
	l := listOf(tenant)
	l.indexed("order_id", f.OrderID)
	l.equal("type", f.Type)
	l.equal("shipment_id", f.ShipmentID)
	l.equal("return_id", f.ReturnID)
	l.equal("cart_id", f.CartID)
	l.equal("subscription_id", f.SubscriptionID)
	l.equal("stock_item_id", f.StockItemID)
	l.between("at", f.From, f.To)
	if after != nil {
		l.where("seq < ?", after.At)
	}
	return `SELECT ` + eventColumns + ` FROM events WHERE ` + strings.Join(l.conditions, " AND ") +
		` ORDER BY seq DESC LIMIT ?`, append(l.args, limit)
}

// AddEvent implements [store.EventTx].
func (t *tx) AddEvent(ctx context.Context, tenant string, e *oms.Event) (added bool, err error) {
	if added, err = t.insertEvent(tenant, e); err != nil || !added {
		return false, err
	}
	subscriptions, err := t.Subscriptions(ctx, tenant)
	if err != nil {
		return false, err
	}
	return true, t.deliver(tenant, e, subscriptions.Match(e))
}

// AddEventFor implements [store.EventTx].
func (t *tx) AddEventFor(ctx context.Context, tenant string, e *oms.Event, endpoint *oms.Endpoint) error {
	if err := t.hasEndpoint(ctx, tenant, endpoint); err != nil {
		return err
	}
	added, err := t.insertEvent(tenant, e)
	if err == nil && !added {
		return oms.Errorf(oms.Conflict, "an event %q exists already", e.ID)
	}
	if err != nil {
		return err
	}
	return t.deliver(tenant, e, []*oms.Endpoint{endpoint})
}

// insertEvent stores an event and sets its Seq; added is false if its id is taken.
func (t *tx) insertEvent(tenant string, e *oms.Event) (added bool, err error) {
	seq, added, err := t.w.insert(`
		INSERT INTO events (tenant, id, type, at, subject_kind, subject_id,
			order_id, shipment_id, return_id, cart_id, subscription_id, stock_item_id, data)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, e.ID, e.Type, micros(e.Timestamp), e.Subject.Kind, e.Subject.ID,
		e.OrderID, e.ShipmentID, e.ReturnID, e.CartID, e.SubscriptionID, e.StockItemID, []byte(e.Data))
	if added {
		e.Seq = seq
	}
	return added, err
}
