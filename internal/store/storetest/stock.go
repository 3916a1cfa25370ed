package storetest

import (
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func stockItem(id string, available oms.Number) *oms.StockItem {
	s := withEveryField(oms.StockItem{ID: id, Available: available, Version: 1})
	return &s
}

func testStock(t *testing.T, s *suite) {
	first := stockItem("s1", "12345678901234567890.10")
	s.write(func(tx store.Tx) error { return tx.PutStockItem(ctx, acme, first) })
	same(t, ok[*oms.StockItem](t)(s.StockItem(ctx, acme, "s1")), first)

	second := withEveryField(oms.StockItem{ID: "s1", SKU: "other", WarehouseCode: "w2", Available: "-0.5", Version: 2, Created: first.Created, Updated: at(9)})
	s.write(func(tx store.Tx) error { return tx.PutStockItem(ctx, acme, &second) })
	same(t, ok[*oms.StockItem](t)(s.StockItem(ctx, acme, "s1")), &second)

	for _, late := range []*oms.StockItem{first, &second} {
		is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutStockItem(ctx, acme, late) }), oms.Stale)
	}
	_, err := s.StockItem(ctx, acme, "s2")
	is(t, err, oms.NotFound)
}
