package core

import (
	"context"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// walk is a way through a tenant's attempts, from the highest key down.
type walk struct {
	index string // each ends with the key
	key   string // a.id, or a.seq
	along list   // what the index answers: every row of it is examined …
	rest  list   // … as to this
}

// walkOf returns the way for a filter but for its body: along the index of the
// thing that the attempts are about, where one is given.
func walkOf(tenant string, f store.AttemptFilter) *walk {
	w := &walk{index: "attempts_id", key: "a.id", along: list{[]string{"a.tenant = ?"}, []any{tenant}}}
	w.delivery(f)
	w.call(tenant, f.CallID)
	w.about("attempts_run", "a.run_id", f.RunID)
	w.about("attempts_return", "a.return_id", f.ReturnID)
	w.about("attempts_shipment", "a.shipment_id", f.ShipmentID)
	w.about("attempts_order", "a.order_id", f.OrderID)
	w.about("attempts_cart", "a.cart_id", f.CartID)
	w.about("attempts_stock_item", "a.stock_item_id", f.StockItemID)
	w.about("attempts_subscription", "a.subscription_id", f.SubscriptionID)
	w.endpoint(f.Endpoint, f.Body)
	w.connector(f.ConnectorID, f.Body)
	w.outcome(f.Outcome, f.Body)
	w.rest.equal("a.kind", f.Kind)
	w.rest.named("a.event_type", f.EventType)
	w.rest.equal("a.host", f.Host)
	w.numbers(f)
	between(&w.along, f)
	return w
}

// asRecorded returns the way through all attempts in the order they came.
func (w *walk) asRecorded(f store.AttemptFilter) *walk {
	all := &walk{index: "attempts_tenant", key: "a.seq", along: list{w.along.conditions[:1], w.along.args[:1]}, rest: w.rest}
	between(&all.rest, f)
	return all
}

// delivery picks the attempts of one delivery.
func (w *walk) delivery(f store.AttemptFilter) {
	if d := f.Delivery; d != nil {
		w.index = "attempts_delivery"
		w.along.where("a.event = ? AND a.endpoint = ? AND a.event > 0", d.Event, d.Endpoint)
	}
}

// endpoint picks the attempts at one endpoint, along their index unless another is
// taken already. They may be all that there are: bodies are found by their own index.
func (w *walk) endpoint(no int64, body string) {
	switch {
	case no == 0:
	case w.selective() || body != "":
		w.rest.where("a.endpoint = ?", no)
	default:
		w.index = "attempts_endpoint"
		w.along.where("a.endpoint = ? AND a.endpoint > 0", no)
	}
}

// connector is endpoint for the attempts of one connector.
func (w *walk) connector(id, body string) {
	if body != "" {
		w.rest.equal("a.connector_id", id)
		return
	}
	w.about("attempts_connector", "a.connector_id", id)
}

// outcome picks the attempts that came to it: those that failed, which are few, along
// their index unless another is taken already.
func (w *walk) outcome(outcome, body string) {
	if outcome != oms.OutcomeFailed || w.selective() || body != "" {
		w.rest.equal("a.outcome", outcome)
		return
	}
	w.index = "attempts_failed"
	w.along.where("a.outcome = 'failed'") // SQLite takes the index only if the query's text says this
}

// call picks the attempts of one call; what an event's is called is its delivery.
func (w *walk) call(tenant, id string) {
	event, endpoint, err := oms.ParseDeliveryID(id)
	if err != nil {
		w.about("attempts_call", "a.call_id", id)
		return
	}
	of := &w.along
	if w.selective() {
		of = &w.rest
	}
	w.index = "attempts_delivery"
	of.where("a.event = (SELECT seq FROM events WHERE tenant = ? AND id = ?) AND a.endpoint = ? AND a.event > 0", tenant, event, endpoint)
}

// about picks what a column names: along its index, unless another is taken
// already. SQLite takes an index that leaves out the empty values only if the
// condition says it needs none of them.
func (w *walk) about(index, column, value string) {
	switch {
	case value == "":
	case w.selective():
		w.rest.equal(column, value)
	default:
		w.index = index
		w.along.indexed(column, value)
	}
}

// selective reports whether the index has but the attempts of one thing.
func (w *walk) selective() bool { return w.index != "attempts_id" }

func (w *walk) numbers(f store.AttemptFilter) {
	if f.NoStatus {
		w.rest.where("a.status = 0")
	}
	if f.StatusFrom > 0 {
		w.rest.where("a.status >= ?", f.StatusFrom)
	}
	if f.StatusTo > 0 {
		w.rest.where("a.status BETWEEN 1 AND ?", f.StatusTo)
	}
	if f.MinDuration > 0 {
		w.rest.where("a.duration_ms >= ?", float64(f.MinDuration)/float64(time.Millisecond))
	}
}

// between bounds when the attempts started, which their ids say.
func between(l *list, f store.AttemptFilter) {
	if !f.From.IsZero() {
		l.where("a.id >= ?", firstID(f.From))
	}
	if !f.To.IsZero() {
		l.where("a.id < ?", firstID(f.To))
	}
}

// firstID is where the ids of the attempts begin that started at a time: what
// [oms.NewIDAt] makes of it, without the random part.
func firstID(at time.Time) string {
	if at.UnixMicro() < 0 {
		return oms.AttemptID
	}
	return oms.NewIDAt(oms.AttemptID, at)[:len(oms.AttemptID)+16]
}

// span is the keys below one and not below another; nil is no bound.
type span struct{ below, floor any }

// sql returns the query of the rows of a span, from the highest key down.
func (w *walk) sql(selected, joins string, s span, limit int) (string, []any) {
	text, args := w.unsorted(selected, joins, s)
	return text + ` ORDER BY ` + w.key + ` DESC LIMIT ?`, append(args, limit)
}

// upwards is sql for all rows of a span, from the lowest key up: SQLite is far
// quicker to find the next row of a table than the one before.
func (w *walk) upwards(selected, joins string, s span) (string, []any) {
	text, args := w.unsorted(selected, joins, s)
	return text + ` ORDER BY ` + w.key, args
}

func (w *walk) unsorted(selected, joins string, s span) (string, []any) {
	var l list
	l.where(strings.Join(w.along.conditions, " AND "), w.along.args...)
	if s.below != nil {
		l.where(w.key+" < ?", s.below)
	}
	if s.floor != nil {
		l.where(w.key+" >= ?", s.floor)
	}
	l.conditions, l.args = append(l.conditions, w.rest.conditions...), append(l.args, w.rest.args...)
	return `SELECT ` + selected + ` FROM attempts AS a INDEXED BY ` + w.index + joins +
		` WHERE ` + strings.Join(l.conditions, " AND "), l.args
}

// floor returns the lowest of as many keys of a span, the highest first, which
// the index answers without the table; nil if the span has no more of them.
func (w *walk) floor(ctx context.Context, q Engine, s span, rows int) (floor any, err error) {
	index := walk{index: w.index, key: w.key, along: w.along}
	text, args := index.sql(w.key, "", s, 1)
	err = q.QueryOnce(ctx, func(r Row) error { return r.Scan(&floor) }, text+" OFFSET ?", append(args, rows-1)...)
	return floor, err
}
