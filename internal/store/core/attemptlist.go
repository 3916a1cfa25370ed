package core

import (
	"context"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// walk is a way through a tenant's attempts, from the highest seq down: the newest first.
// It has one index, and what that answers is never compared again. walkOf calls the methods
// below from the things with few attempts to those with many: the first one that the filter
// names takes the index, and the others become conditions that are compared for each row.
type walk struct {
	index string // each ends with the seq
	// along is what the index answers. Every row of it is examined.
	along list
	// rest is the conditions that each of these rows is compared with.
	rest list
	// sent is how the attempts at deliveries are found that are about a thing: they have not
	// its id themselves, but their events have. The index finds the others. nil: the index
	// finds all.
	sent *eventsAbout
}

// eventsAbout is the events that are about a thing, with the index that finds them.
type eventsAbout struct {
	index string
	list
}

// walkOf returns the way for a filter but for its body: along the index of the
// thing that the attempts are about, where one is given.
func walkOf(tenant string, f store.AttemptFilter) *walk {
	w := &walk{index: "attempts_tenant", along: list{[]string{"a.tenant = ?"}, []any{tenant}}}
	w.delivery(f)
	w.call(tenant, f.CallID)
	w.about("attempts_run", "a.run_id", f.RunID)
	w.related(tenant, "order", f.OrderID) // before its parts: each order may have a shipment of the name 1
	w.related(tenant, "return", f.ReturnID)
	w.related(tenant, "shipment", f.ShipmentID)
	w.related(tenant, "cart", f.CartID)
	w.related(tenant, "stock_item", f.StockItemID)
	w.related(tenant, "subscription", f.SubscriptionID)
	w.endpoint(f.Endpoint, f.Body)
	w.connector(f.ConnectorID, f.Body)
	w.outcome(f.Outcome, f.Body)
	w.rest.equal("a.kind", f.Kind)
	w.rest.named("coalesce(e.type,a.event_type)", f.EventType)
	if f.Host != "" {
		w.rest.where("lower(a.host) = lower(?)", f.Host)
	}
	w.numbers(f)
	return w
}

// throughAll returns the way through all attempts. What the index of w answers is a
// condition as any other on it. It is for a thing that so many attempts are about that to
// sort them takes longer than to find them among all.
func (w *walk) throughAll(tenant string, f store.AttemptFilter) *walk {
	all := walkOf(tenant, store.AttemptFilter{})
	all.rest = w.rest
	for _, about := range relatedTo(f.Related) {
		all.rest.equal(ofEventOrAttempt(about[0]), about[1])
	}
	return all
}

// relatedTo returns the columns of what an attempt may be about, with the values.
func relatedTo(r event.Related) [][2]string {
	return [][2]string{{"order", r.OrderID}, {"return", r.ReturnID}, {"shipment", r.ShipmentID}, {"cart", r.CartID}, {"stock_item", r.StockItemID}, {"subscription", r.SubscriptionID}}
}

// ofEventOrAttempt is the column of a thing that an attempt is about: that of its event, or
// its own.
func ofEventOrAttempt(thing string) string { return "coalesce(e." + thing + "_id,a." + thing + "_id)" }

// delivery picks the attempts of one delivery.
func (w *walk) delivery(f store.AttemptFilter) {
	if d := f.Delivery; d != nil {
		w.index = "attempts_delivery"
		w.along.where("a.event = ? AND a.endpoint = ? AND a.event > 0", d.Event, d.Endpoint)
	}
}

// endpoint picks the attempts at one endpoint, along their index unless another one is
// taken already. If a body is looked for, the index is left alone: an endpoint may have
// nearly all attempts that there are, and bodies are found by their own index.
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
	if outcome != attempt.OutcomeFailed || w.selective() || body != "" {
		w.rest.equal("a.outcome", outcome)
		return
	}
	w.index = "attempts_failed"
	w.along.where("a.outcome = 'failed'") // SQLite takes the index only if the query's text says this
}

// call picks the attempts of one call. A call of an event is called by the id of its
// delivery.
func (w *walk) call(tenant, id string) {
	event, endpoint, err := event.ParseDeliveryID(id)
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

// related picks the attempts that are about a thing, and those at the events that are.
func (w *walk) related(tenant, thing, id string) {
	switch {
	case id == "":
	case w.selective():
		w.rest.equal(ofEventOrAttempt(thing), id)
	default:
		w.about("attempts_"+thing, "a."+thing+"_id", id)
		w.sent = &eventsAbout{index: "events_" + thing}
		w.sent.where("e.tenant = ?", tenant)
		w.sent.indexed("e."+thing+"_id", id)
	}
}

// selective reports whether the way has an index of the attempts of one thing, and not that
// of all.
func (w *walk) selective() bool { return w.index != "attempts_tenant" }

// numbers adds the conditions on the status and the duration. No index has them, so they
// are compared for each row.
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

// span is the seqs below one and not below another; nil is no bound. A cursor, a step and a
// time are all of this form, because a seq says when an attempt began.
type span struct{ below, floor *int64 }

// startedIn is the span of the attempts that started in the time that a filter names: their
// seqs say when.
func startedIn(f store.AttemptFilter) (s span) {
	if !f.From.IsZero() {
		first := ids.FirstNumber(f.From)
		s.floor = &first
	}
	if !f.To.IsZero() {
		first := ids.FirstNumber(f.To)
		s.below = &first
	}
	return s
}

// and returns the span of what is in both.
func (s span) and(o span) span {
	if s.below == nil || o.below != nil && *o.below < *s.below {
		s.below = o.below
	}
	if s.floor == nil || o.floor != nil && *o.floor > *s.floor {
		s.floor = o.floor
	}
	return s
}

// bound adds the conditions of a span.
func (l *list) bound(s span) *list {
	bounded := l.and(&list{})
	if s.below != nil {
		bounded.where("a.seq < ?", *s.below)
	}
	if s.floor != nil {
		bounded.where("a.seq >= ?", *s.floor)
	}
	return bounded
}

// sql returns the query of the rows of a span, from the highest seq down; the limit 0 is
// none.
func (w *walk) sql(selected, joins string, s span, limit int) (string, []any) {
	return w.query(selected, joins, s, "a.seq DESC", limit)
}

// upwards is sql for all rows of a span, from the lowest seq up: SQLite is far quicker to
// find the next row of a table than the one before it.
func (w *walk) upwards(selected, joins string, s span) (string, []any) {
	return w.query(selected, joins, s, "a.seq", 0)
}

// query returns the query of the rows of a span. If the things have attempts of their own
// and others through their events, it first puts the seqs of both together, and then reads
// the rows.
func (w *walk) query(selected, joins string, s span, order string, limit int) (string, []any) {
	if w.sent == nil {
		return w.along.bound(s).and(&w.rest).query(selected, w.fromIndex()+joins, order, limit)
	}
	most := limit
	if len(w.rest.conditions) > 0 {
		most = 0 // any number of rows may not be picked
	}
	found, args := w.found(s, order, most)
	l := list{w.along.conditions[:1], w.along.args[:1]}
	text, more := l.and(&w.rest).query(selected, found+joins, order, limit)
	return text, append(args, more...)
}

// found is the attempts of a span that the index finds, and those that the events lead to,
// at most so many of each. Their seqs are in their order before the attempts are read:
// PostgreSQL, which is told to sort as little as it can, would go through all attempts of
// the tenant to have them in order.
func (w *walk) found(s span, order string, most int) (string, []any) {
	both, args := w.both(s, order, most)
	return `(SELECT seq FROM ` + both + ` AS both_ways ORDER BY ` + strings.TrimPrefix(order, "a.") + `) AS found CROSS JOIN attempts AS a ON a.seq = found.seq`, args
}

// both is the seqs of a span that the index finds, and those that the events lead to: at
// most so many of each, all of them if most is 0.
func (w *walk) both(s span, order string, most int) (string, []any) {
	own, args := w.along.bound(s).query("a.seq", w.fromIndex(), order, most)
	sent, more := w.sent.bound(s).query("a.seq", w.sent.from(), order, most)
	return `(SELECT * FROM (` + own + `) AS own UNION ALL SELECT * FROM (` + sent + `) AS sent)`, append(args, more...)
}

// fromIndex is the table of attempts with the index of the way.
func (w *walk) fromIndex() string { return `attempts AS a INDEXED BY ` + w.index }

// from is the events, and through each the attempts at its deliveries.
func (e *eventsAbout) from() string {
	return `events AS e INDEXED BY ` + e.index + ` {attemptsofevent}`
}

// floor returns the lowest of as many seqs of a span, the highest first, which
// the indexes answer without the table; nil if the span has no more of them.
func (w *walk) floor(ctx context.Context, q Engine, s span, rows int) (floor *int64, err error) {
	bare := walk{index: w.index, along: w.along}
	text, args := bare.sql("a.seq", "", s, 1)
	if w.sent != nil {
		text, args = w.both(s, "a.seq DESC", rows)
		text, args = `SELECT seq FROM `+text+` AS found ORDER BY seq DESC LIMIT ?`, append(args, 1)
	}
	err = q.QueryOnce(ctx, func(r Row) error { return r.Scan(&floor) }, text+" OFFSET ?", append(args, rows-1)...)
	return floor, err
}

// many reports whether the events lead to more attempts than are examined for a page: a
// sorted part of them would take them all to be read.
func (w *walk) many(ctx context.Context, q Engine, most int) (many bool, err error) {
	if w.sent == nil {
		return false, nil
	}
	text, args := w.sent.query("1", w.sent.from(), "", 1)
	err = q.QueryOnce(ctx, func(Row) error { many = true; return nil }, text+" OFFSET ?", append(args, most)...)
	return many, err
}

// needsEvents reports whether what is left to compare is of events.
func (w *walk) needsEvents() bool {
	return strings.Contains(w.rest.sql(), "(e.")
}
