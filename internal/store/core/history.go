package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
)

// AddHistory implements [store.Tx]. The statement gives each entry the next seq of its
// order. Two entries that are added at the same time would get the same seq: the key of the
// table lets one of them in, and the write of the other is overtaken.
func (d *draft) AddHistory(_ context.Context, tenant, orderID string, entries ...order.HistoryEntry) error {
	d.touch(tenant, changes.TopicOrders)
	for i := range entries {
		// An entry is never changed, so it has no columns but those by which it is found.
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

// History implements [store.Reader]. The list is that of the seqs, so entries of the same
// time stay in the order of their writes.
func (q queries) History(ctx context.Context, tenant, orderID string, p store.Page) (store.List[order.HistoryEntry], error) {
	// The seq is the key of the cursor, and is not shown.
	type entry struct {
		order.HistoryEntry
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
	return converted(entries, err, func(e entry) order.HistoryEntry { return e.HistoryEntry })
}
