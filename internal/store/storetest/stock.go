package storetest

import (
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/stock"
	"github.com/orderhook/orderhook/internal/store"
)

// stockItem returns the first version of a stock item, with every field set.
func stockItem(id string, available jsondoc.Number) *stock.StockItem {
	s := withEveryField(stock.StockItem{ID: id, Available: available, Version: 1})
	return &s
}

// testStock proves that a stock item comes back with every field, its number to the last
// digit, also below zero, and is stored only as the version after the stored one.
// Otherwise two changes at the same time would count one of them only.
func testStock(t *testing.T, s *suite) {
	// No float can hold this number, and its last zero counts, too.
	first := stockItem("s1", "12345678901234567890.10")
	s.write(func(tx store.Tx) error { return tx.PutStockItem(ctx, acme, first) })
	same(t, ok[*stock.StockItem](t)(s.StockItem(ctx, acme, "s1")), first)

	second := withEveryField(stock.StockItem{ID: "s1", SKU: "other", WarehouseCode: "w2", Available: "-0.5", Version: 2, Created: first.Created, Updated: at(9)})
	s.write(func(tx store.Tx) error { return tx.PutStockItem(ctx, acme, &second) })
	same(t, ok[*stock.StockItem](t)(s.StockItem(ctx, acme, "s1")), &second)

	// Both were stored before, so neither is the version after the stored one.
	for _, late := range []*stock.StockItem{first, &second} {
		is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutStockItem(ctx, acme, late) }), apierr.Stale)
	}
	_, err := s.StockItem(ctx, acme, "s2")
	is(t, err, apierr.NotFound)
}
