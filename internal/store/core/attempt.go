package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// attemptColumns are everything but the detail of an attempt a, with what its event says.
// An attempt at a delivery has none of that in its own row: e is its event. There is one
// exception, an attempt whose event was removed before there was a rule that an event stays
// as long as its attempts.
const attemptColumns = `a.seq, a.id, a.kind, a.call_id, a.event, a.endpoint, coalesce(e.type, a.event_type), a.format, a.number, a.max_number, a.duration_ms,
	a.url, a.host, a.status, a.outcome, a.error, a.connector_id, coalesce(e.order_id, a.order_id), coalesce(e.shipment_id, a.shipment_id),
	coalesce(e.return_id, a.return_id), coalesce(e.cart_id, a.cart_id), coalesce(e.subscription_id, a.subscription_id),
	coalesce(e.stock_item_id, a.stock_item_id), a.run_id, a.warnings, e.id,
	(SELECT id FROM endpoints WHERE tenant = a.tenant AND no = a.endpoint)`

// eventOfAttempt joins the event e of an attempt a. An attempt that is not at a delivery
// has the event 0, which no event has.
const eventOfAttempt = ` LEFT JOIN events AS e ON e.seq = a.event AND e.tenant = a.tenant`

// scanAttempt reads attemptColumns, and into more what is selected after them. For an
// attempt at a delivery the id of the call is that of the delivery.
func scanAttempt(r Row, more ...any) (a *attempt.Attempt, seq int64, err error) {
	a = &attempt.Attempt{}
	var id, e, endpoint sql.NullString
	var warnings []byte
	err = r.Scan(append([]any{&seq, &id, &a.Kind, &a.CallID, &a.Delivery.Event, &a.Delivery.Endpoint, &a.EventType, &a.Format, &a.Number,
		&a.MaxNumber, &a.DurationMs, &a.URL, &a.Host, &a.Status, &a.Outcome, &a.Error, &a.ConnectorID, &a.OrderID,
		&a.ShipmentID, &a.ReturnID, &a.CartID, &a.SubscriptionID, &a.StockItemID, &a.RunID, &warnings, &e, &endpoint}, more...)...)
	a.ID, a.StartedAt, a.EventID, a.EndpointID = attemptID(seq, id), ids.NumberTime(seq), e.String, endpoint.String
	// The id of a call of an event is that of its delivery.
	if a.EventID != "" {
		a.DeliveryID = (&event.Delivery{DeliveryKey: a.Delivery, EventID: a.EventID}).ID()
		a.CallID = a.DeliveryID
	}
	if err == nil && len(warnings) > 0 {
		err = decode(warnings, &a.Warnings, "attempt's warnings")
	}
	return a, seq, err
}

// attemptID returns the id of an attempt. It is in the row only if it is not made of the
// seq, as that of an attempt which an earlier version recorded.
func attemptID(seq int64, id sql.NullString) string {
	if id.Valid {
		return id.String
	}
	return ids.OfNumber(ids.Attempt, seq)
}

// Attempt implements [store.Reader]. Unlike a list, it also reads the detail and the
// bodies.
func (q queries) Attempt(ctx context.Context, tenant, id string) (*attempt.Attempt, error) {
	seq, found, err := q.attemptSeq(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	var all []*attempt.Attempt
	if found {
		all, err = collect(ctx, q.q.Query, scanWholeAttempt, `
			SELECT `+attemptColumns+`, detail, `+bodyColumns+` FROM attempts AS a `+bodyJoins+` WHERE a.tenant = ? AND a.seq = ?`, tenant, seq)
	}
	if err == nil && len(all) == 0 {
		return nil, apierr.Errorf(apierr.NotFound, "no attempt %q", id)
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// attemptSeq returns the seq of the attempt of an id. Nearly every id is made of its seq,
// so no index of ids is needed. Another id is looked for in the index of those that are
// stored.
func (q queries) attemptSeq(ctx context.Context, tenant, id string) (seq int64, found bool, err error) {
	// An attempt with an id of its own may have this seq all the same: so id must be NULL.
	if seq, made := ids.NumberOf(ids.Attempt, id); made {
		err := one(ctx, q.q, []any{&found}, `SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = ? AND seq = ? AND id IS NULL)`, tenant, seq)
		if found || err != nil {
			return seq, found, err
		}
	}
	err = one(ctx, q.q, []any{&seq}, `SELECT seq FROM attempts INDEXED BY attempts_other WHERE tenant = ? AND id = ? AND id IS NOT NULL`, tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return seq, err == nil, err
}

// scanWholeAttempt reads an attempt with its detail and its bodies. It copies the bodies,
// because the driver uses their memory again.
func scanWholeAttempt(r Row) (*attempt.Attempt, error) {
	var detail []byte
	var b bodies
	a, _, err := scanAttempt(r, append([]any{&detail}, b.columns()...)...)
	if err != nil || detail == nil {
		return a, err
	}
	a.Detail = &attempt.AttemptDetail{}
	if err := decode(detail, a.Detail, "attempt"); err != nil {
		return nil, err
	}
	a.Detail.Request.Body = clone(b.request())
	if a.Detail.Response != nil {
		a.Detail.Response.Body = clone(b.response)
	}
	return a, nil
}

// attemptRows is how attempts are stored. An attempt at a delivery has no value for most of
// the second list: its event has that.
var attemptRows = &Insertion{"attempts",
	[]string{"tenant", "seq", "kind", "event", "endpoint", "format", "number", "max_number", "duration_ms", "url", "host", "status", "outcome", "delivered", "detail"},
	[]string{"id", "call_id", "error", "connector_id", "event_type", "order_id", "shipment_id", "return_id", "cart_id", "subscription_id", "stock_item_id",
		"run_id", "warnings", "response_body"}}

// AddAttempt implements [store.Tx]. It is for attempts that no completion records: those of
// steps, validators, tests and replays.
func (d *draft) AddAttempt(ctx context.Context, tenant string, a *attempt.Attempt) error {
	if d.again {
		if err := d.numberIsFree(ctx, tenant, a); err != nil {
			return err
		}
	}
	if a.Kind == attempt.KindShadow {
		if err := d.orderIsThere(ctx, tenant, a.OrderID); err != nil {
			return err
		}
	}
	// Somebody has asked for it; steps and deliveries attempt by themselves.
	if a.Kind == attempt.KindReplay {
		d.auditReplay(tenant, a)
	}
	return d.addAttempts(ctx, tenant, recorded{Attempt: a})
}

// orderIsThere has a write depend on an order that it does not read, whatever its version is:
// the order may change at any time, but once it is erased nothing more is to be recorded of
// it. It is [apierr.NotFound] if it is not there.
func (d *draft) orderIsThere(ctx context.Context, tenant, id string) error {
	const there = `SELECT 1 FROM orders WHERE tenant = ? AND id = ?`
	if d.again {
		var found int64
		if err := one(ctx, d.q, []any{&found}, there, tenant, id); err != nil {
			return orNotFound(err, "order %q", id)
		}
	}
	d.of(tenant).lockShared(tenant, "order/"+id)
	d.of(tenant).check(there, tenant, id)
	return nil
}

// numberIsFree finds out whether the number of an attempt is still free. It is
// [store.ErrRecorded] if the attempt is there already, as after a commit of which nobody knew
// what became of it. It is [store.ErrNumberTaken] if another attempt has the number, which
// another node may have given for the same microsecond.
func (d *draft) numberIsFree(ctx context.Context, tenant string, a *attempt.Attempt) error {
	seq, there, err := d.attemptSeq(ctx, tenant, a.ID)
	if err != nil || !there {
		return err
	}
	var call, run string
	var number int
	err = one(ctx, d.q, []any{&call, &run, &number}, `SELECT call_id, run_id, number FROM attempts WHERE tenant = ? AND seq = ?`, tenant, seq)
	switch {
	case err != nil:
		return err
	case call == a.CallID && run == a.RunID && number == a.Number:
		return fmt.Errorf("%w (%w)", apierr.Errorf(apierr.Conflict, "the attempt %q is recorded already", a.ID), store.ErrRecorded)
	}
	return fmt.Errorf("%w (%w)", apierr.Errorf(apierr.Conflict, "another attempt has the id %q", a.ID), store.ErrNumberTaken)
}

// auditReplay notes that a request was sent again. It takes the part of the URL that every role
// may see.
func (d *draft) auditReplay(tenant string, again *attempt.Attempt) {
	if note := d.audit(tenant, access.AuditAttempt, again.ID); note != nil {
		note.AttemptID, note.URL = again.ID, weburl.PublicURL(again.URL)
	}
}

// recorded is an attempt that is to be stored.
type recorded struct {
	*attempt.Attempt
	// delivered says that its delivery succeeded with it. The delivery has no row then: this
	// attempt is the record of it.
	delivered bool
}

// addAttempts stores attempts, and counts the calls that they are of. The request body of a
// call is stored once, with its first attempt. An attempt at a delivery has none, because
// its body is made from the event, nor has it anything else that the event has. If an
// attempt is recorded late, the index of bodies is told (indexLate).
func (d *draft) addAttempts(ctx context.Context, tenant string, all ...recorded) error {
	if len(all) == 0 {
		return nil
	}
	d.touch(tenant, changes.TopicAttempts)
	rows := make([]Tuple, len(all))
	seqs := make([]int64, len(all))
	for i, a := range all {
		warnings := ""
		if len(a.Warnings) > 0 {
			var err error
			if warnings, err = encode(a.Warnings); err != nil {
				return err
			}
		}
		var id any // nil: it is made of the number, as [ids.Numbered] makes it
		seq, made := ids.NumberOf(ids.Attempt, a.ID)
		if !made {
			seq, id = ids.NumberAt(a.StartedAt), a.ID
		}
		detail, request, response := splitDetail(a.Detail)
		call, kind, about := a.CallID, a.EventType, a.Related
		if a.Delivery.Event > 0 { // the event has all that
			call, kind, about, request = "", "", event.Related{}, nil
		}
		seqs[i] = seq
		rows[i] = Tuple{
			[]any{tenant, seq, a.Kind, a.Delivery.Event, a.Delivery.Endpoint, string(a.Format), a.Number, a.MaxNumber,
				a.DurationMs, a.URL, a.Host, a.Status, a.Outcome, a.delivered, detail},
			rareSet(id, call, a.Error, a.ConnectorID, kind, about.OrderID, about.ShipmentID, about.ReturnID, about.CartID, about.SubscriptionID, about.StockItemID,
				a.RunID, warnings, response)}
		if len(request) > 0 {
			d.of(tenant).change(`INSERT INTO bodies (tenant, call_id, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, tenant, call, request)
		}
		now := d.clock()
		d.lateness.note(now, now.Sub(a.StartedAt))
	}
	d.of(tenant).insert(attemptRows, rows...)
	d.countCalls(tenant, all)
	return d.indexLate(ctx, tenant, seqs)
}

// splitDetail returns the JSON of a detail, nil if there is none, and its bodies. These are
// in columns of their own, so that a search reads them without the rest. An answer without
// a body differs from an answer with an empty one: only the latter has a value.
func splitDetail(d *attempt.AttemptDetail) (detail any, request []byte, response any) {
	if d == nil {
		return nil, nil, nil
	}
	if d.Response != nil && d.Response.Body != nil {
		response = d.Response.Body
	}
	return string(appendDetail(make([]byte, 0, 1024), d)), d.Request.Body, response
}
