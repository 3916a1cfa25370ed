package stock

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/timetext"
)

// StockItem is how much of a product variant a warehouse has to sell.
type StockItem struct {
	ID            string
	SKU           string
	WarehouseCode string
	Available     jsondoc.Number // an exact decimal, as it was written
	Version       int64          // from 1, one more at each change
	Created       time.Time
	Updated       time.Time
}

// The bodies about a stock item (docs/contract.md#stock).
var (
	StockItemShape = &schema.Shape{Name: "StockBody", Noun: "a stock item", Fields: []schema.ShapeField{
		{Name: "sku"}, {Name: "warehouseCode"},
		{Name: "available", Type: schema.ShapeNumber, Required: true, Doc: "An exact decimal"},
		{Name: "id", Doc: "May be given where it is the one in the path"},
		{Name: "version", Type: schema.ShapeNumber, Doc: "May be given where it is the one that is stored"},
		{Name: "created", Doc: "As version"}, {Name: "modified", Doc: "As version"},
	}}
	AdjustmentShape = &schema.Shape{Name: "StockAdjustment", Noun: "an adjustment", Fields: []schema.ShapeField{
		{Name: "by", Type: schema.ShapeNumber, Required: true, Doc: "An exact decimal; below 0 it takes from the quantity"},
	}}
)

// ParseStockItem reads the body of a PUT as the first version of a stock item.
// Errors are [apierr.Invalid] and name the fields.
func ParseStockItem(id string, doc *jsondoc.Object, now time.Time) (*StockItem, error) {
	r := schema.Read(doc, StockItemShape)
	if err := ids.Check(id); err != nil {
		r.Errors = slices.Insert(r.Errors, 0, apierr.FieldError{Location: "id", Message: err.Error()})
	}
	if r.Text("id") != "" && r.Text("id") != id {
		r.Wrong("id", "is not the id in the path")
	}
	s := &StockItem{ID: id, SKU: r.Text("sku"), WarehouseCode: r.Text("warehouseCode"), Available: quantity(r, "available"), Version: 1, Created: now, Updated: now}
	return s, r.Err()
}

// ParseAdjustment reads the body of an adjustment: by how much the quantity
// changes. Errors are [apierr.Invalid] and name the fields.
func ParseAdjustment(doc *jsondoc.Object) (jsondoc.Number, error) {
	r := schema.Read(doc, AdjustmentShape)
	return quantity(r, "by"), r.Err()
}

// quantity reads a number that can be calculated with.
func quantity(r *schema.ObjectReader, name string) jsondoc.Number {
	n := r.Number(name)
	// The reader itself reports a number that is missing.
	if _, ok := n.Decimal(); n != "" && !ok {
		r.Wrong(name, "is no number that stock can be counted with")
	}
	return n
}

// Replace makes s the version that follows another, whose time of creation it
// keeps.
func (s *StockItem) Replace(was *StockItem) { s.Version, s.Created = was.Version+1, was.Created }

// own are the fields of an item that orderhook sets itself.
var own = []string{"version", "created", "modified"}

// CheckOwn refuses a body that says another of the fields that orderhook sets itself than the item
// that is stored; nil is one that is not stored yet. Who sends back what it read changes none of
// them. The error is [apierr.Invalid].
func CheckOwn(doc *jsondoc.Object, stored *StockItem) error {
	have := &jsondoc.Object{}
	if stored != nil {
		have = stored.Doc()
	}
	var wrong []apierr.FieldError
	for _, name := range own {
		is, _ := doc.Get(name)
		if want, _ := have.Get(name); is != nil && !jsondoc.Equal(is, want) {
			wrong = append(wrong, apierr.FieldError{Location: name, Message: "is not the one that is stored; orderhook sets it"})
		}
	}
	if len(wrong) > 0 {
		return &apierr.Error{Kind: apierr.Invalid, Detail: "the stock item is not valid", Fields: wrong}
	}
	return nil
}

// Adjust returns the item's next version, which has more, or with a number
// below 0 less. The error is [apierr.Invalid]: the sum cannot be written down.
func (s *StockItem) Adjust(by jsondoc.Number, now time.Time) (*StockItem, error) {
	change, ok := by.Decimal()
	if !ok {
		return nil, apierr.Wrong("by", "is no number that stock can be counted with")
	}
	sum := s.Amount().Add(change)
	// StringFixed writes no exponent and keeps the zeros at the end: 1.50 and 0.50 are
	// 2.00.
	text := sum.StringFixed(max(0, -sum.Exponent()))
	if len(text) > jsondoc.MaxNumber {
		return nil, apierr.Wrong("by", "comes to a number of more than %d characters", jsondoc.MaxNumber)
	}
	// Others may hold s, so the next version is a copy.
	next := *s
	next.Available, next.Version, next.Updated = jsondoc.Number(text), s.Version+1, now
	return &next, nil
}

// Amount is the quantity for exact arithmetic.
func (s *StockItem) Amount() decimal.Decimal {
	d, _ := s.Available.Decimal() // checked when it came in
	return d
}

// Doc returns the item as the API shows it and events carry it.
func (s *StockItem) Doc() *jsondoc.Object {
	return jsondoc.NewObject(jsondoc.Pair("id", s.ID), jsondoc.Pair("sku", s.SKU), jsondoc.Pair("warehouseCode", s.WarehouseCode), jsondoc.Pair("available", s.Available),
		jsondoc.Pair("version", jsondoc.Number(fmt.Sprint(s.Version))), jsondoc.Pair("created", timetext.FormatTime(s.Created)), jsondoc.Pair("modified", timetext.FormatTime(s.Updated)))
}
