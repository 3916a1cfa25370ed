package core

import (
	"context"
	"database/sql"
	"errors"

	"github.com/orderhook/orderhook/internal/oms"
)

// EraseOrder implements [store.Tx]. The order is gone at once, and so is what
// would go on with it: its runs that have not ended. How much else there is of it
// nobody knows, so that goes in steps (EraseSome); meanwhile the id is not free.
func (d *draft) EraseOrder(ctx context.Context, tenant, id string) error {
	d.touch(tenant, oms.TopicOrders)
	if _, err := d.order(ctx, tenant, id); err != nil {
		return err
	}
	d.audit(tenant, oms.AuditOrder, id)
	b := d.of(tenant)
	b.changeOne(`DELETE FROM orders WHERE tenant = ? AND id = ?`, tenant, id)
	b.change(`DELETE FROM order_external_ids WHERE of_tenant = ? AND of_order = ?`, tenant, id)
	b.change(`DELETE FROM runs WHERE tenant = ? AND order_id = ? AND ended = 0`, tenant, id)
	b.changeOne(`INSERT INTO erasures (tenant, order_id) VALUES (?, ?)`, tenant, id)
	return nil
}

// notBeingErased holds while an order's id is free, as far as its erasing goes.
const notBeingErased = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE tenant = ? AND order_id = ?)`

// EraseSome implements [store.Tx]. Of an attempt stays that it was made and what
// came of it, of an event that there was one; the headers of attempts go with
// their bodies, and with the bodies what is indexed of them.
//
// What is still to be sent comes first: an attempt at it that is under way is
// recorded without its details then, for its event has none.
func (d *draft) EraseSome(ctx context.Context, tenant string, j *oms.Job, limit int) (done bool, err error) {
	d.touch(tenant, oms.TopicRuns|oms.TopicAttempts|oms.TopicEvents|oms.TopicDeliveries)
	for _, step := range []func(context.Context, string, *oms.Job, int) (int, error){
		d.cancelSomeOf, d.eraseEventsOf, d.eraseAttemptsOf, d.eraseVersionsOf, d.eraseHistoryOf, d.eraseRunsOf,
	} {
		n, err := step(ctx, tenant, j, limit)
		if err != nil || n > 0 { // there may be more of it
			return false, err
		}
	}
	d.of(tenant).change(`DELETE FROM erasures WHERE tenant = ? AND order_id = ?`, tenant, j.OrderID)
	return true, nil
}

// cancelSomeOf cancels what is still to be sent of an order's events. The last of
// a group goes first, so that none is released to be canceled itself.
func (d *draft) cancelSomeOf(ctx context.Context, tenant string, j *oms.Job, limit int) (int, error) {
	pending, err := collect(ctx, d.q.Query, func(r Row) (key oms.DeliveryKey, err error) {
		err = r.Scan(&key.Event, &key.Endpoint)
		return key, err
	}, `SELECT d.event, d.endpoint FROM events AS e CROSS JOIN deliveries AS d ON d.tenant = e.tenant AND d.event = e.seq
		WHERE e.tenant = ? AND e.order_id = ? AND e.order_id <> '' AND d.status = 'p' ORDER BY e.seq DESC LIMIT ?`, tenant, j.OrderID, limit)
	for _, key := range pending {
		if err == nil {
			err = d.CancelDelivery(ctx, tenant, key, d.clock())
		}
	}
	return len(pending), err
}

func (d *draft) eraseEventsOf(ctx context.Context, tenant string, j *oms.Job, limit int) (int, error) {
	events, err := collect(ctx, d.q.Query, scanNumber,
		`SELECT seq FROM events WHERE tenant = ? AND order_id = ? AND order_id <> '' AND data IS NOT NULL LIMIT ?`, tenant, j.OrderID, limit)
	for _, seq := range events {
		d.of(tenant).change(`UPDATE events SET data = NULL WHERE seq = ?`, seq)
	}
	return len(events), err
}

// eraseAttemptsOf goes through the attempts in the order of their ids. One whose
// bodies are in a segment of the index waits until nothing is left of that.
func (d *draft) eraseAttemptsOf(ctx context.Context, tenant string, j *oms.Job, limit int) (int, error) {
	type attempt struct {
		seq      int64
		id, call string
	}
	some, err := collect(ctx, d.q.Query, func(r Row) (a attempt, err error) {
		err = r.Scan(&a.seq, &a.id, &a.call)
		return a, err
	}, `SELECT seq, id, call_id FROM attempts INDEXED BY attempts_order
		WHERE tenant = ? AND order_id = ? AND order_id <> '' AND id > ? ORDER BY id LIMIT ?`, tenant, j.OrderID, j.Cursor, limit)
	if err != nil {
		return 0, err
	}
	for n, a := range some {
		emptied, err := d.eraseSegmentOf(ctx, tenant, a.seq)
		if err != nil || !emptied {
			return n + 1, err
		}
		b := d.of(tenant)
		if a.call != "" {
			b.change(`DELETE FROM bodies WHERE tenant = ? AND call_id = ?`, tenant, a.call)
		}
		b.change(`UPDATE attempts SET response_body = NULL, warnings = '', detail = json_remove(detail, '$.request.headers', '$.response.headers')
			WHERE seq = ?`, a.seq)
		j.Cursor = a.id
	}
	return len(some), nil
}

// eraseSegmentOf removes some of what the index has of the segment that holds an
// attempt. It reports whether nothing is left, so that the attempt can go, too: the
// segment is built anew then, from what is left. A build under way is put an end to.
func (d *draft) eraseSegmentOf(ctx context.Context, tenant string, seq int64) (emptied bool, err error) {
	var id int64
	var state string
	err = one(ctx, d.q, []any{&id, &state}, `
		SELECT id, state FROM body_segments WHERE tenant = ? AND first <= ? AND last >= ? AND state <> 'bare' ORDER BY first DESC LIMIT 1`, tenant, seq, seq)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if state == segmentVoid {
		d.dropSegment(tenant, id)
		return false, nil
	}
	chunks, err := d.chunksOf(ctx, id)
	if err != nil {
		return false, err
	}
	d.dropSome(tenant, chunks)
	if len(chunks) < chunksGoneAtOnce {
		d.bareSegment(tenant, id)
	}
	return false, nil
}

func (d *draft) eraseVersionsOf(ctx context.Context, tenant string, j *oms.Job, _ int) (int, error) {
	versions, err := collect(ctx, d.q.Query, scanNumber, `SELECT version FROM order_versions WHERE tenant = ? AND order_id = ? LIMIT ?`,
		tenant, j.OrderID, versionsGoneAtOnce)
	for _, version := range versions {
		d.of(tenant).change(`DELETE FROM order_versions WHERE tenant = ? AND order_id = ? AND version = ?`, tenant, j.OrderID, version)
	}
	return len(versions), err
}

// versionsGoneAtOnce is how many versions one write removes: each may be of 10 MiB.
const versionsGoneAtOnce = 4

func (d *draft) eraseHistoryOf(ctx context.Context, tenant string, j *oms.Job, limit int) (int, error) {
	entries, err := collect(ctx, d.q.Query, scanNumber, `SELECT seq FROM order_history WHERE tenant = ? AND order_id = ? LIMIT ?`, tenant, j.OrderID, limit)
	for _, seq := range entries {
		d.of(tenant).change(`DELETE FROM order_history WHERE tenant = ? AND order_id = ? AND seq = ?`, tenant, j.OrderID, seq)
	}
	return len(entries), err
}

func (d *draft) eraseRunsOf(ctx context.Context, tenant string, j *oms.Job, limit int) (int, error) {
	runs, err := collect(ctx, d.q.Query, scanNumber, `SELECT seq FROM runs INDEXED BY runs_order WHERE tenant = ? AND order_id = ? LIMIT ?`, tenant, j.OrderID, limit)
	for _, seq := range runs {
		d.of(tenant).change(`DELETE FROM runs WHERE tenant = ? AND order_id = ? AND seq = ?`, tenant, j.OrderID, seq)
	}
	return len(runs), err
}
