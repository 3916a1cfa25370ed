package event

import (
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/stock"
)

// StockEvents returns the events of a change of a stock item; before is nil for
// its first PUT, which has none (docs/contract.md#event-types). A quantity below 0 is as
// much out of stock as 0. A change within one side of 0 makes none.
func StockEvents(before, after *stock.StockItem, now time.Time) []*Event {
	if before == nil {
		return nil
	}
	had, has := before.Amount().IsPositive(), after.Amount().IsPositive()
	switch {
	case !had && has:
		return []*Event{stockEvent(TypeStockItemBackInStock, after, now)}
	case had && !has:
		return []*Event{stockEvent(TypeStockItemOutOfStock, after, now)}
	}
	return nil
}

// stockEvent makes an event with the item as it is after the change.
func stockEvent(eventType string, s *stock.StockItem, now time.Time) *Event {
	return &Event{ID: ids.New(ids.Event), Type: eventType, Subject: Subject{SubjectStockItem, s.ID},
		Related: Related{StockItemID: s.ID}, Timestamp: now, Data: s.Doc().JSON()}
}
