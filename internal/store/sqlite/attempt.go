package sqlite

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

const attemptColumns = `id, kind, attempts.call_id, number, max_number, started, duration_ms, url, host, status,
	outcome, error, connector_id, order_id, shipment_id, return_id, cart_id, run_id`

// scanAttempt reads attemptColumns, and whatever more is selected.
func scanAttempt(r row, more ...any) (*oms.Attempt, error) {
	a, started := &oms.Attempt{}, int64(0)
	err := r.Scan(append([]any{&a.ID, &a.Kind, &a.CallID, &a.Number, &a.MaxNumber, &started, &a.DurationMs, &a.URL, &a.Host, &a.Status,
		&a.Outcome, &a.Error, &a.ConnectorID, &a.OrderID, &a.ShipmentID, &a.ReturnID, &a.CartID, &a.RunID}, more...)...)
	a.StartedAt = fromMicros(started)
	return a, err
}

// Attempt implements [store.Reader].
func (q queries) Attempt(ctx context.Context, tenant, id string) (*oms.Attempt, error) {
	found, err := collect(ctx, q.q.query, scanWholeAttempt, `
		SELECT `+attemptColumns+`, detail, body, response_body
		FROM attempts LEFT JOIN bodies ON bodies.tenant = attempts.tenant AND bodies.call_id = attempts.call_id
		WHERE attempts.tenant = ? AND id = ?`, tenant, id)
	if err == nil && len(found) == 0 {
		return nil, oms.Errorf(oms.NotFound, "no attempt %q", id)
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func scanWholeAttempt(r row) (*oms.Attempt, error) {
	var detail, request, response []byte
	a, err := scanAttempt(r, &detail, &request, &response)
	if err != nil || detail == nil {
		return a, err
	}
	a.Detail = &oms.AttemptDetail{}
	if err := decode(detail, a.Detail, "attempt"); err != nil {
		return nil, err
	}
	a.Detail.Request.Body = request
	if a.Detail.Response != nil {
		a.Detail.Response.Body = response
	}
	return a, nil
}

// Attempts implements [store.Reader].
func (q queries) Attempts(ctx context.Context, tenant string, f store.AttemptFilter, p store.Page) (store.List[*oms.Attempt], error) {
	return newestFirst(ctx, q.q, attemptsLike(tenant, f), p, `SELECT `+attemptColumns+` FROM attempts`, "started",
		func(r row) (*oms.Attempt, error) { return scanAttempt(r) },
		func(a *oms.Attempt) store.Cursor { return store.Cursor{At: micros(a.StartedAt), ID: a.ID} })
}

func attemptsLike(tenant string, f store.AttemptFilter) *list {
	l := listOf(tenant)
	l.equal("kind", f.Kind)
	l.equal("call_id", f.CallID)
	l.equal("connector_id", f.ConnectorID)
	l.equal("host", f.Host)
	l.indexed("order_id", f.OrderID)
	l.equal("shipment_id", f.ShipmentID)
	l.equal("return_id", f.ReturnID)
	l.indexed("cart_id", f.CartID)
	l.indexed("run_id", f.RunID)
	l.equal("outcome", f.Outcome)
	l.between("started", f.From, f.To)
	if f.NoStatus {
		l.where("status = 0")
	}
	if f.StatusFrom > 0 {
		l.where("status >= ?", f.StatusFrom)
	}
	if f.StatusTo > 0 {
		l.where("status BETWEEN 1 AND ?", f.StatusTo)
	}
	if f.MinDuration > 0 {
		l.where("duration_ms >= ?", float64(f.MinDuration)/float64(time.Millisecond))
	}
	return l
}

// AddAttempt implements [store.Tx].
func (t *tx) AddAttempt(_ context.Context, tenant string, a *oms.Attempt) error {
	detail, request, response, err := splitDetail(a.Detail)
	if err != nil {
		return err
	}
	n, err := t.w.exec(`
		INSERT INTO attempts (tenant, id, kind, call_id, number, max_number, started, duration_ms, url, host, status,
			outcome, error, connector_id, order_id, shipment_id, return_id, cart_id, run_id, detail, response_body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, a.ID, a.Kind, a.CallID, a.Number, a.MaxNumber, micros(a.StartedAt), a.DurationMs, a.URL, a.Host, a.Status,
		a.Outcome, a.Error, a.ConnectorID, a.OrderID, a.ShipmentID, a.ReturnID, a.CartID, a.RunID, detail, response)
	if err == nil && n == 0 {
		return oms.Errorf(oms.Conflict, "an attempt %q exists already", a.ID)
	}
	if err != nil || len(request) == 0 {
		return err
	}
	_, err = t.w.exec(`INSERT INTO bodies (tenant, call_id, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, tenant, a.CallID, request)
	return err
}

// splitDetail returns the JSON of a detail, nil if there is none, and its
// bodies, which are stored by themselves.
func splitDetail(d *oms.AttemptDetail) (detail any, request, response []byte, err error) {
	if d == nil {
		return nil, nil, nil, nil
	}
	if d.Response != nil {
		response = d.Response.Body
	}
	detail, err = encode(d)
	return detail, d.Request.Body, response, err
}
