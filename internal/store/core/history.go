package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// AddHistory implements [store.Tx]. Two entries of one order that are added at
// the same time would get the same seq: the key lets one of them in.
func (d *draft) AddHistory(_ context.Context, tenant, orderID string, entries ...oms.HistoryEntry) error {
	d.touch(tenant, oms.TopicOrders)
	for i := range entries {
		entry, err := encode(&entries[i])
		if err != nil {
			return err
		}
		d.of(tenant).changeOne(`
			INSERT INTO order_history (tenant, order_id, seq, at, entry)
			SELECT ?1, ?2, coalesce(max(seq), 0) + 1, ?3, ?4 FROM order_history WHERE tenant = ?1 AND order_id = ?2`,
			tenant, orderID, micros(entries[i].Timestamp), entry)
	}
	return nil
}

// History implements [store.Reader].
func (q queries) History(ctx context.Context, tenant, orderID string, p store.Page) (store.List[oms.HistoryEntry], error) {
	type entry struct {
		oms.HistoryEntry
		seq int64
	}
	entries, err := countedDown(ctx, q, tenant, p, func(r Row) (e entry, err error) {
		var data []byte
		if err = r.Scan(&e.seq, &data); err == nil {
			err = decode(data, &e.HistoryEntry, "history entry")
		}
		return e, err
	}, func(e entry) int64 { return e.seq }, `
		SELECT seq, entry FROM order_history WHERE tenant = ? AND order_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, tenant, orderID)
	return converted(entries, err, func(e entry) oms.HistoryEntry { return e.HistoryEntry })
}
