package oms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// StockItem is how much of a product variant a warehouse has to sell.
type StockItem struct {
	ID            string
	SKU           string
	WarehouseCode string
	Available     Number // an exact decimal, as it was written
	Version       int64  // from 1, one more at each change
	Created       time.Time
	Updated       time.Time
}

// The fields of a stock item and of an adjustment (API.md, "Stock").
const (
	stockFields      = "sku warehouseCode available"
	adjustmentFields = "by"
)

// ParseStockItem reads the body of a PUT as the first version of a stock item.
// Errors are [Invalid] and name the fields.
func ParseStockItem(id string, doc *Object, now time.Time) (*StockItem, error) {
	var wrong []FieldError
	if err := checkID(id); err != nil {
		wrong = append(wrong, FieldError{"id", err.Error()})
	}
	c := checker{}
	c.only(doc, stockFields)
	s := &StockItem{ID: id, Version: 1, Created: now, Updated: now}
	s.SKU, s.WarehouseCode, s.Available = c.text(doc, "sku"), c.text(doc, "warehouseCode"), c.quantity(doc, "available")
	if wrong = append(wrong, c.errors...); len(wrong) > 0 {
		return nil, &Error{Kind: Invalid, Detail: "the stock item is not valid", Fields: wrong}
	}
	return s, nil
}

// ParseAdjustment reads the body of an adjustment: by how much the quantity
// changes. Errors are [Invalid] and name the fields.
func ParseAdjustment(doc *Object) (Number, error) {
	c := checker{}
	c.only(doc, adjustmentFields)
	by := c.quantity(doc, "by")
	if len(c.errors) > 0 {
		return "", &Error{Kind: Invalid, Detail: "the adjustment is not valid", Fields: c.errors}
	}
	return by, nil
}

// only notes each member that is none of the named fields.
func (c *checker) only(doc *Object, fields string) {
	known := strings.Fields(fields)
	for _, m := range doc.Members() {
		if !slices.ContainsFunc(known, func(f string) bool { return sameName(f, m.Name) }) {
			c.add(m.Name, "is no field here; there are "+strings.Join(known, ", "))
		}
	}
}

func (c *checker) text(doc *Object, name string) string {
	v, _ := doc.Get(name)
	s, ok := v.(string)
	if !ok && v != nil {
		c.wrong(name, text.String(), v)
	}
	return s
}

// quantity reads a number that is needed and can be calculated with.
func (c *checker) quantity(doc *Object, name string) Number {
	v, _ := doc.Get(name)
	n, isNumber := v.(Number)
	switch _, ok := n.decimal(); {
	case v == nil:
		c.add(name, "is needed")
	case !isNumber:
		c.wrong(name, number.String(), v)
	case !ok:
		c.add(name, "is no number that stock can be counted with")
	}
	return n
}

// Replace makes s the version that follows another, whose time of creation it
// keeps.
func (s *StockItem) Replace(was *StockItem) { s.Version, s.Created = was.Version+1, was.Created }

// Adjust returns the item's next version, which has more, or with a number
// below 0 less. The error is [Invalid]: the sum cannot be written down.
func (s *StockItem) Adjust(by Number, now time.Time) (*StockItem, error) {
	change, ok := by.decimal()
	if !ok {
		return nil, Wrong("by", "is no number that stock can be counted with")
	}
	sum := s.available().Add(change)
	text := sum.StringFixed(max(0, -sum.Exponent()))
	if len(text) > maxNumber {
		return nil, Wrong("by", "comes to a number of more than %d characters", maxNumber)
	}
	next := *s
	next.Available, next.Version, next.Updated = Number(text), s.Version+1, now
	return &next, nil
}

func (s *StockItem) available() decimal.Decimal {
	d, _ := s.Available.decimal() // checked when it came in
	return d
}

// Doc returns the item as the API shows it and events carry it.
func (s *StockItem) Doc() *Object {
	return NewObject(Member{"id", s.ID}, Member{"sku", s.SKU}, Member{"warehouseCode", s.WarehouseCode}, Member{"available", s.Available},
		Member{"version", Number(fmt.Sprint(s.Version))}, Member{"created", FormatTime(s.Created)}, Member{"modified", FormatTime(s.Updated)})
}

// StockEvents returns the events of a change of a stock item; before is nil for
// its first PUT, which has none (CONTRACT.md, "Event notifications").
func StockEvents(before, after *StockItem, now time.Time) []*Event {
	if before == nil {
		return nil
	}
	had, has := before.available().IsPositive(), after.available().IsPositive()
	switch {
	case !had && has:
		return []*Event{stockEvent(TypeStockItemBackInStock, after, now)}
	case had && !has:
		return []*Event{stockEvent(TypeStockItemOutOfStock, after, now)}
	}
	return nil
}

func stockEvent(eventType string, s *StockItem, now time.Time) *Event {
	return &Event{ID: NewID(EventID), Type: eventType, Subject: Subject{SubjectStockItem, s.ID},
		Related: Related{StockItemID: s.ID}, Timestamp: now, Data: s.Doc().JSON()}
}
