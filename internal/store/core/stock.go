package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

// StockItem implements [store.EventReader].
func (q queries) StockItem(ctx context.Context, tenant, id string) (*oms.StockItem, error) {
	if q.own != nil {
		if err := q.own.reads(key{tenant, "stock/" + id}); err != nil {
			return nil, err
		}
	}
	s := &oms.StockItem{ID: id}
	var created, updated int64
	err := one(ctx, q.q, []any{&s.SKU, &s.WarehouseCode, &s.Available, &s.Version, &created, &updated}, `
		SELECT sku, warehouse, available, version, created, updated FROM stock_items WHERE tenant = ? AND id = ?`, tenant, id)
	if err != nil {
		return nil, orNotFound(err, "no stock item %q", id)
	}
	s.Created, s.Updated = fromMicros(created), fromMicros(updated)
	return s, nil
}

// PutStockItem implements [store.EventTx].
func (d *draft) PutStockItem(ctx context.Context, tenant string, s *oms.StockItem) error {
	d.touch(tenant, oms.TopicStock)
	var before int64
	err := one(ctx, d.q, []any{&before}, `SELECT coalesce(max(version), 0) FROM stock_items WHERE tenant = ? AND id = ?`, tenant, s.ID)
	if err != nil {
		return err
	}
	if before != s.Version-1 {
		return d.stale(key{tenant, "stock/" + s.ID}, "the stock item %q is not at the version before %d", s.ID, s.Version)
	}
	d.of(tenant).changeOne(`
		INSERT INTO stock_items (tenant, id, sku, warehouse, available, version, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
		ON CONFLICT DO UPDATE SET sku = ?3, warehouse = ?4, available = ?5, version = ?6, updated = ?8 WHERE version = ?6 - 1`,
		tenant, s.ID, s.SKU, s.WarehouseCode, string(s.Available), s.Version, micros(s.Created), micros(s.Updated))
	return nil
}
