package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/stock"
)

// StockItem implements [store.EventReader]. A write that reads one takes its turn: two
// changes of one item at the same time would otherwise be decided again and again.
func (q queries) StockItem(ctx context.Context, tenant, id string) (*stock.StockItem, error) {
	if q.own != nil {
		if err := q.own.reads(key{tenant, "stock/" + id}); err != nil {
			return nil, err
		}
	}
	s := &stock.StockItem{ID: id}
	var created, updated int64
	err := one(ctx, q.q, []any{&s.SKU, &s.WarehouseCode, &s.Available, &s.Version, &created, &updated}, `
		SELECT sku, warehouse, available, version, created, updated FROM stock_items WHERE tenant = ? AND id = ?`, tenant, id)
	if err != nil {
		return nil, orNotFound(err, "stock item %q", id)
	}
	s.Created, s.Updated = fromMicros(created), fromMicros(updated)
	return s, nil
}

// PutStockItem implements [store.EventTx]. The version is compared twice: here, so that a
// caller who has another one is told so, and in the statement, because another write may be
// committed before this one.
func (d *draft) PutStockItem(ctx context.Context, tenant string, s *stock.StockItem) error {
	d.touch(tenant, changes.TopicStock)
	var before int64
	// An item that does not exist counts as one of version 0, which a new one follows.
	err := one(ctx, d.q, []any{&before}, `SELECT coalesce(max(version), 0) FROM stock_items WHERE tenant = ? AND id = ?`, tenant, s.ID)
	if err != nil {
		return err
	}
	if before != s.Version-1 {
		return d.stale(key{tenant, "stock/" + s.ID}, "the stock item %q is not at the version before %d", s.ID, s.Version)
	}
	d.of(tenant).lock(tenant, "stock/"+s.ID)
	// One statement makes a new item or changes one. If the version has changed, it changes
	// no row, and the write is overtaken.
	d.of(tenant).changeOne(`
		INSERT INTO stock_items (tenant, id, sku, warehouse, available, version, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
		ON CONFLICT (tenant, id) DO UPDATE SET sku = ?3, warehouse = ?4, available = ?5, version = ?6, updated = ?8 WHERE stock_items.version = ?6 - 1`,
		tenant, s.ID, s.SKU, s.WarehouseCode, string(s.Available), s.Version, micros(s.Created), micros(s.Updated))
	return nil
}
