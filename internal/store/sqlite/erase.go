package sqlite

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

// EraseOrder implements [store.Tx]. Of an attempt stays that it was made and
// what came of it, of an event that there was one; the headers of attempts go
// with their bodies, and with the bodies what is indexed of them.
func (t *tx) EraseOrder(ctx context.Context, tenant, id string) error {
	n, err := t.w.exec(`DELETE FROM orders WHERE tenant = ? AND id = ?`, tenant, id)
	if err == nil && n == 0 {
		return oms.Errorf(oms.NotFound, "no order %q", id)
	}
	if err == nil {
		err = t.cancelDeliveriesOf(ctx, tenant, id)
	}
	if err == nil {
		err = t.eraseSegmentsOf(ctx, tenant, id)
	}
	for _, text := range []string{
		`DELETE FROM order_versions WHERE tenant = ? AND order_id = ?`,
		`DELETE FROM order_history WHERE tenant = ? AND order_id = ?`,
		`DELETE FROM runs WHERE tenant = ? AND order_id = ?`,
		`DELETE FROM bodies WHERE tenant = ?1 AND call_id IN
			(SELECT call_id FROM attempts WHERE tenant = ?1 AND order_id = ?2 AND order_id <> '')`,
		`UPDATE attempts SET response_body = NULL, detail = json_remove(detail, '$.request.headers', '$.response.headers')
			WHERE tenant = ? AND order_id = ? AND order_id <> ''`,
		`UPDATE events SET data = NULL WHERE tenant = ? AND order_id = ? AND order_id <> ''`,
	} {
		if err == nil {
			_, err = t.w.exec(text, tenant, id)
		}
	}
	return err
}

// cancelDeliveriesOf cancels what is still to be sent of an order's events. The
// last of a group goes first, so that none is released to be canceled itself.
func (t *tx) cancelDeliveriesOf(ctx context.Context, tenant, order string) error {
	pending, err := collect(ctx, t.q.query, func(r row) (key oms.DeliveryKey, err error) {
		err = r.Scan(&key.Event, &key.Endpoint)
		return key, err
	}, `SELECT d.event, d.endpoint FROM events AS e CROSS JOIN deliveries AS d ON d.tenant = e.tenant AND d.event = e.seq
		WHERE e.tenant = ? AND e.order_id = ? AND e.order_id <> '' AND d.status = 'p' ORDER BY e.seq DESC`, tenant, order)
	for _, key := range pending {
		if err == nil {
			err = t.CancelDelivery(ctx, tenant, key, t.clock())
		}
	}
	return err
}

// eraseSegmentsOf leaves nothing in the index of the segments that hold
// attempts of an order, and ends the build of one.
func (t *tx) eraseSegmentsOf(ctx context.Context, tenant, order string) error {
	seqs, err := collect(ctx, t.q.query, func(r row) (seq int64, err error) {
		err = r.Scan(&seq)
		return seq, err
	},
		`SELECT seq FROM attempts INDEXED BY attempts_order WHERE tenant = ? AND order_id = ? AND order_id <> '' ORDER BY seq`, tenant, order)
	if err != nil {
		return err
	}
	for end := int64(0); len(seqs) > 0; seqs = seqs[1:] {
		if seqs[0] <= end {
			continue
		}
		if end, err = t.eraseSegments(ctx, tenant, seqs[0]); err != nil {
			return err
		}
	}
	return nil
}

// eraseSegments does so with those that hold a seq, and returns the last seq of
// one, 0 if there is none. There may be two: a bare one, and the one that is
// being built in its place.
func (t *tx) eraseSegments(ctx context.Context, tenant string, seq int64) (end int64, err error) {
	type found struct {
		id, last int64
		state    string
	}
	segments, err := collect(ctx, t.q.query, func(r row) (f found, err error) {
		err = r.Scan(&f.id, &f.last, &f.state)
		return f, err
	}, `SELECT id, last, state FROM body_segments WHERE tenant = ? AND first <= ? ORDER BY first DESC LIMIT 2`, tenant, seq)
	for _, g := range segments {
		if err != nil || g.last < seq {
			continue
		}
		end = g.last
		if err = t.bareSegment(g.id); err == nil && g.state == segmentBuilding {
			_, err = t.w.exec(`DELETE FROM body_segments WHERE id = ?`, g.id)
		}
	}
	return end, err
}
