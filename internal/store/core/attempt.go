package core

import (
	"context"
	"database/sql"

	"github.com/orderhook/orderhook/internal/oms"
)

// attemptColumns says all but the detail of an attempt a, with the ids that an
// event and an endpoint are known by outside.
const attemptColumns = `a.id, a.kind, a.call_id, a.event, a.endpoint, a.event_type, a.format, a.number, a.max_number, a.started, a.duration_ms,
	a.url, a.host, a.status, a.outcome, a.error, a.connector_id, a.order_id, a.shipment_id, a.return_id, a.cart_id, a.subscription_id,
	a.stock_item_id, a.run_id, a.warnings,
	(SELECT id FROM events WHERE seq = a.event AND tenant = a.tenant),
	(SELECT id FROM endpoints WHERE tenant = a.tenant AND no = a.endpoint)`

// scanAttempt reads attemptColumns, and whatever more is selected.
func scanAttempt(r Row, more ...any) (*oms.Attempt, error) {
	a, started := &oms.Attempt{}, int64(0)
	var event, endpoint sql.NullString
	var warnings []byte
	err := r.Scan(append([]any{&a.ID, &a.Kind, &a.CallID, &a.Delivery.Event, &a.Delivery.Endpoint, &a.EventType, &a.Format, &a.Number,
		&a.MaxNumber, &started, &a.DurationMs, &a.URL, &a.Host, &a.Status, &a.Outcome, &a.Error, &a.ConnectorID, &a.OrderID,
		&a.ShipmentID, &a.ReturnID, &a.CartID, &a.SubscriptionID, &a.StockItemID, &a.RunID, &warnings, &event, &endpoint}, more...)...)
	a.StartedAt, a.EventID, a.EndpointID = fromMicros(started), event.String, endpoint.String
	if a.EventID != "" {
		a.DeliveryID = (&oms.Delivery{DeliveryKey: a.Delivery, EventID: a.EventID}).ID()
		a.CallID = a.DeliveryID
	}
	if err == nil && len(warnings) > 0 {
		err = decode(warnings, &a.Warnings, "attempt's warnings")
	}
	return a, err
}

// Attempt implements [store.Reader].
func (q queries) Attempt(ctx context.Context, tenant, id string) (*oms.Attempt, error) {
	found, err := collect(ctx, q.q.Query, scanWholeAttempt, `
		SELECT `+attemptColumns+`, detail, `+bodyColumns+` FROM attempts AS a `+bodyJoins+`
		WHERE a.tenant = ? AND a.id = ?`, tenant, id)
	if err == nil && len(found) == 0 {
		return nil, oms.Errorf(oms.NotFound, "no attempt %q", id)
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func scanWholeAttempt(r Row) (*oms.Attempt, error) {
	var detail []byte
	var b bodies
	a, err := scanAttempt(r, append([]any{&detail}, b.columns()...)...)
	if err != nil || detail == nil {
		return a, err
	}
	a.Detail = &oms.AttemptDetail{}
	if err := decode(detail, a.Detail, "attempt"); err != nil {
		return nil, err
	}
	a.Detail.Request.Body = clone(b.request())
	if a.Detail.Response != nil {
		a.Detail.Response.Body = clone(b.response)
	}
	return a, nil
}

// attemptRows is how attempts are stored.
var attemptRows = &Insertion{"attempts",
	[]string{"tenant", "id", "kind", "event", "endpoint", "event_type", "format", "number", "max_number", "started", "duration_ms",
		"url", "host", "status", "outcome", "order_id", "detail"},
	[]string{"call_id", "error", "connector_id", "shipment_id", "return_id", "cart_id", "subscription_id", "stock_item_id", "run_id", "warnings", "response_body"}}

// AddAttempt implements [store.Tx].
func (d *draft) AddAttempt(ctx context.Context, tenant string, a *oms.Attempt) error {
	if d.again {
		var there bool
		err := one(ctx, d.q, []any{&there}, `SELECT EXISTS (SELECT 1 FROM attempts WHERE tenant = ? AND id = ?)`, tenant, a.ID)
		if err == nil && there {
			err = oms.Errorf(oms.Conflict, "an attempt %q exists already", a.ID)
		}
		if err != nil {
			return err
		}
	}
	if a.Kind == oms.KindReplay {
		d.auditReplay(tenant, a)
	}
	return d.addAttempts(tenant, []*oms.Attempt{a})
}

// auditReplay notes that a request was sent again.
func (d *draft) auditReplay(tenant string, again *oms.Attempt) {
	if note := d.audit(tenant, oms.AuditAttempt, again.ID); note != nil {
		note.AttemptID, note.URL = again.ID, oms.PublicURL(again.URL)
	}
}

func (d *draft) addAttempts(tenant string, attempts []*oms.Attempt) error {
	d.touch(tenant, oms.TopicAttempts)
	rows := make([]Tuple, len(attempts))
	for i, a := range attempts {
		warnings, err := encodeWarnings(a.Warnings)
		if err != nil {
			return err
		}
		detail, request, response := splitDetail(a.Detail)
		call := a.CallID
		if a.Delivery.Event > 0 { // whose id is the delivery's, and whose body the event's
			call, request = "", nil
		}
		rows[i] = Tuple{
			[]any{tenant, a.ID, a.Kind, a.Delivery.Event, a.Delivery.Endpoint, a.EventType, string(a.Format), a.Number, a.MaxNumber,
				micros(a.StartedAt), a.DurationMs, a.URL, a.Host, a.Status, a.Outcome, a.OrderID, detail},
			rareSet(call, a.Error, a.ConnectorID, a.ShipmentID, a.ReturnID, a.CartID, a.SubscriptionID, a.StockItemID, a.RunID, warnings, response)}
		if len(request) > 0 {
			d.of(tenant).change(`INSERT INTO bodies (tenant, call_id, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, tenant, call, request)
		}
	}
	d.of(tenant).insert(attemptRows, rows...)
	d.countCalls(tenant, attempts)
	return nil
}

// encodeWarnings returns warnings as they are stored; "" for none.
func encodeWarnings(warnings []oms.Warning) (string, error) {
	if len(warnings) == 0 {
		return "", nil
	}
	return encode(warnings)
}

// splitDetail returns the JSON of a detail, nil if there is none, and its
// bodies, which are stored by themselves.
func splitDetail(d *oms.AttemptDetail) (detail any, request []byte, response any) {
	if d == nil {
		return nil, nil, nil
	}
	if d.Response != nil && d.Response.Body != nil {
		response = d.Response.Body
	}
	return string(appendDetail(make([]byte, 0, 1024), d)), d.Request.Body, response
}
