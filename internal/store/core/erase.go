package core

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
)

// EraseOrder implements [store.Tx]. Of an attempt stays that it was made and
// what came of it, of an event that there was one; the headers of attempts go
// with their bodies, and with the bodies what is indexed of them.
func (d *draft) EraseOrder(ctx context.Context, tenant, id string) error {
	if _, err := d.order(ctx, tenant, id); err != nil {
		return err
	}
	b := d.of(tenant)
	b.changeOne(`DELETE FROM orders WHERE tenant = ? AND id = ?`, tenant, id)
	if err := d.cancelDeliveriesOf(ctx, tenant, id); err != nil {
		return err
	}
	if err := d.eraseSegmentsOf(ctx, tenant, id); err != nil {
		return err
	}
	for _, text := range []string{
		`DELETE FROM order_external_ids WHERE of_tenant = ? AND of_order = ?`,
		`DELETE FROM order_versions WHERE tenant = ? AND order_id = ?`,
		`DELETE FROM order_history WHERE tenant = ? AND order_id = ?`,
		`DELETE FROM runs WHERE tenant = ? AND order_id = ?`,
		`DELETE FROM bodies WHERE tenant = ?1 AND call_id IN
			(SELECT call_id FROM attempts WHERE tenant = ?1 AND order_id = ?2 AND order_id <> '')`,
		`UPDATE attempts SET response_body = NULL, warnings = '', detail = json_remove(detail, '$.request.headers', '$.response.headers')
			WHERE tenant = ? AND order_id = ? AND order_id <> ''`,
		`UPDATE events SET data = NULL WHERE tenant = ? AND order_id = ? AND order_id <> ''`,
	} {
		b.change(text, tenant, id)
	}
	return nil
}

// cancelDeliveriesOf cancels what is still to be sent of an order's events. The
// last of a group goes first, so that none is released to be canceled itself.
func (d *draft) cancelDeliveriesOf(ctx context.Context, tenant, order string) error {
	pending, err := collect(ctx, d.q.Query, func(r Row) (key oms.DeliveryKey, err error) {
		err = r.Scan(&key.Event, &key.Endpoint)
		return key, err
	}, `SELECT d.event, d.endpoint FROM events AS e CROSS JOIN deliveries AS d ON d.tenant = e.tenant AND d.event = e.seq
		WHERE e.tenant = ? AND e.order_id = ? AND e.order_id <> '' AND d.status = 'p' ORDER BY e.seq DESC`, tenant, order)
	for _, key := range pending {
		if err == nil {
			err = d.CancelDelivery(ctx, tenant, key, d.clock())
		}
	}
	return err
}

// eraseSegmentsOf leaves nothing in the index of the segments that hold
// attempts of an order, and ends the build of one.
func (d *draft) eraseSegmentsOf(ctx context.Context, tenant, order string) error {
	seqs, err := collect(ctx, d.q.Query, func(r Row) (seq int64, err error) {
		err = r.Scan(&seq)
		return seq, err
	}, `SELECT seq FROM attempts INDEXED BY attempts_order WHERE tenant = ? AND order_id = ? AND order_id <> '' ORDER BY seq`, tenant, order)
	if err != nil || len(seqs) == 0 {
		return err
	}
	open, err := d.openSegments(ctx, tenant)
	if err != nil {
		return err
	}
	for _, g := range open {
		at, _ := slices.BinarySearch(seqs, g.first)
		if g.state == segmentVoid && at < len(seqs) && seqs[at] <= g.last {
			d.dropSegment(tenant, g.id)
		}
	}
	for end := int64(0); len(seqs) > 0; seqs = seqs[1:] {
		if seqs[0] > end {
			if end, err = d.eraseSegment(ctx, tenant, seqs[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseSegment does so with the one that holds a seq, if any, and returns the
// last seq that is done with.
func (d *draft) eraseSegment(ctx context.Context, tenant string, seq int64) (end int64, err error) {
	var id int64
	err = one(ctx, d.q, []any{&id, &end}, `
		SELECT id, last FROM body_segments WHERE tenant = ? AND first <= ? AND state <> 'void' ORDER BY first DESC LIMIT 1`, tenant, seq)
	if errors.Is(err, sql.ErrNoRows) || err == nil && end < seq {
		return seq, nil
	}
	if err != nil {
		return 0, err
	}
	d.bareSegment(tenant, id)
	return end, nil
}
