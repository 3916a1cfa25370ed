package order

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// priceFields are what a line's extendedPrice is made from.
var priceFields = []string{"placedPrice", "quantity", "canceledQuantity", "discounted", "orderDiscountAmount"}

// totalFields are what a total is made from, beside the subTotal.
var totalFields = []string{"shippingTotal", "handlingTotal", "grossRoundoff"}

// recompute brings the prices of after into line with its parts, as far as they
// are others than before, and reports whether it changed anything. What is
// another than before is given, and stays (docs/contract.md#totals):
// with q = quantity and c = canceledQuantity,
//
//	extendedPrice = (q − c) × placedPrice − discounted × (q − c) / q − orderDiscountAmount
//	subTotal      = the sum of those
//	total         = subTotal + shippingTotal + handlingTotal + grossRoundoff
//
// For an order that is new, before is empty: what it lacks is computed. It changes after in
// place. The order of the three parts matters: each is made from the one before. Nothing is
// rounded but the discount of a part of a line.
func recompute(before, after *jsondoc.Object) (changed bool, err error) {
	form, was := after.Object("orderForm"), before.Object("orderForm")
	if form == nil {
		return false, nil
	}
	c := &calculation{form: form, was: was, lines: pricedLines(was.List("lineItems"), form.List("lineItems"))}
	// A line that loses its price or its quantity has 0 of it from then on.
	for _, l := range c.lines {
		if l.needsPrice() && (hasParts(l.Object) || hasParts(l.was)) {
			c.set(l.Object, "extendedPrice", l.at, c.extendedPrice(l))
		}
	}
	c.subTotal()
	c.total()
	return c.changed, c.err
}

// pricedLine is a line as a write left it.
type pricedLine struct {
	*jsondoc.Object
	at  string          // its path, with the dot behind it
	was *jsondoc.Object // as it was before; nil for a new one
}

// pricedLines finds what the lines were before: as they are merged, by their id,
// and where several have the same or none, by what they hold and their order.
func pricedLines(was, is []any) []pricedLine {
	l := &listMerge{merger: &merger{}, field: schema.OrderForm.Fields["lineItems"], was: was, have: is}
	l.pairNow()
	before := make([]*jsondoc.Object, len(is))
	for i, at := range l.now {
		if at >= 0 {
			before[at], _ = was[i].(*jsondoc.Object)
		}
	}
	var out []pricedLine
	for i, e := range is {
		if line, ok := e.(*jsondoc.Object); ok {
			out = append(out, pricedLine{line, fmt.Sprintf("orderForm.lineItems[%d].", i), before[i]})
		}
	}
	return out
}

// differs reports whether an amount is another than before. What is absent, or
// no number, counts as 0; a number that is too large or too small to calculate
// with is like no other. So text and number of the same amount do not differ.
func differs(before, after *jsondoc.Object, name string) bool {
	a, b := exactly(before, name), exactly(after, name)
	x, ok := jsondoc.DecimalOf(a)
	y, ok2 := jsondoc.DecimalOf(b)
	return !x.Equal(y) || !ok && numeric(a) || !ok2 && numeric(b)
}

// numeric reports whether a value is a JSON number, of any size.
func numeric(v any) bool { _, ok := v.(jsondoc.Number); return ok }

// isGiven reports whether a write set an amount itself. Writing the same amount in another
// way sets nothing.
func isGiven(before, after *jsondoc.Object, name string) bool {
	was, is := exactly(before, name), exactly(after, name)
	return is != nil && !jsondoc.Equal(was, is) && !jsondoc.SameAmount(was, is)
}

// calculation works out the prices of one order form; err is the first number
// that nobody can calculate with. It lives for one call of recompute.
type calculation struct {
	form, was *jsondoc.Object
	lines     []pricedLine
	changed   bool
	err       error
}

// hasParts reports whether a line has what an extendedPrice is made from at least. A line
// that lacks one of them is none whose price can be worked out.
func hasParts(line *jsondoc.Object) bool { return line.Has("placedPrice") && line.Has("quantity") }

// needsPrice reports whether the extendedPrice is to be worked out: it is missing, and was not
// missing before while nothing changed; or a part of it changed, and the write did not set it.
func (l pricedLine) needsPrice() bool {
	if !l.Has("extendedPrice") {
		return l.was == nil || l.was.Has("extendedPrice") || l.partsDiffer()
	}
	// A new line that comes with a price keeps it.
	return l.was != nil && l.partsDiffer() && !isGiven(l.was, l.Object, "extendedPrice")
}

// partsDiffer reports whether a part of the price changed.
func (l pricedLine) partsDiffer() bool {
	for _, name := range priceFields {
		if differs(l.was, l.Object, name) {
			return true
		}
	}
	return false
}

// discountPlaces is to how many decimals the discount of a part of a line is
// rounded, half away from zero.
const discountPlaces = 6

// extendedPrice is the price of what is left of a line, less its discounts
// (docs/contract.md#totals). The discount of a line is for all of it, so where some was canceled,
// the same part of the discount goes; the line's part of an order's discount is taken off whole.
func (c *calculation) extendedPrice(l pricedLine) decimal.Decimal {
	quantity, canceled := c.number(l.Object, "quantity", l.at), c.number(l.Object, "canceledQuantity", l.at)
	price, discount := c.number(l.Object, "placedPrice", l.at), c.number(l.Object, "discounted", l.at)
	order := c.number(l.Object, "orderDiscountAmount", l.at)
	// Without a quantity the price is 0, and no discount can be divided by it. After an error
	// the result does not count.
	if quantity.IsZero() || c.err != nil {
		return quantity.Mul(price)
	}
	left := quantity.Sub(canceled)
	if !canceled.IsZero() {
		discount = withoutZeros(discount.Mul(left).DivRound(quantity, discountPlaces))
	}
	return left.Mul(price).Sub(discount).Sub(order)
}

// withoutZeros writes a number with no more decimals than it needs. A division leaves six
// decimals, of which most are zeros.
func withoutZeros(d decimal.Decimal) decimal.Decimal {
	short, err := decimal.NewFromString(d.String())
	if err != nil {
		return d
	}
	return short
}

// subTotal adds up the lines, if one of their prices changed, or a line came or went. An order
// none of whose lines has a price keeps the subTotal that it came with.
func (c *calculation) subTotal() {
	// An amount that the write sets is right by definition.
	if isGiven(c.was, c.form, "subTotal") {
		return
	}
	before := c.was.Objects("lineItems")
	// A line without a price has nothing to add up.
	priced := slices.ContainsFunc(before, func(line *jsondoc.Object) bool { return line.Has("extendedPrice") })
	affected := len(c.lines) < len(before) || !c.form.Has("subTotal") && c.was.Has("subTotal")
	sum := decimal.Zero
	for _, l := range c.lines {
		priced = priced || l.Has("extendedPrice")
		affected = affected || differs(l.was, l.Object, "extendedPrice") || l.was == nil
		sum = sum.Add(c.number(l.Object, "extendedPrice", l.at))
	}
	if affected && (priced || len(c.lines) == 0 && c.was.Has("subTotal")) {
		c.set(c.form, "subTotal", formAt, sum)
	}
}

// formAt is the place of the order form, for errors.
const formAt = "orderForm."

// total adds up the form's subTotal and charges, if one of them changed. Without a subTotal
// there is nothing to add up: the total stays as it came.
func (c *calculation) total() {
	if isGiven(c.was, c.form, "total") || !c.form.Has("subTotal") {
		return
	}
	affected := differs(c.was, c.form, "subTotal") || !c.was.Has("subTotal") || !c.form.Has("total") && c.was.Has("total")
	sum := c.number(c.form, "subTotal", formAt)
	for _, name := range totalFields {
		affected = affected || differs(c.was, c.form, name)
		sum = sum.Add(c.number(c.form, name, formAt))
	}
	if affected {
		c.set(c.form, "total", formAt, sum)
	}
}

// number reads a number of o. What is absent counts as 0, and so does what is no
// number at all: nothing reads it.
func (c *calculation) number(o *jsondoc.Object, name, at string) decimal.Decimal {
	v := exactly(o, name)
	d, ok := jsondoc.DecimalOf(v)
	if numeric(v) && !ok {
		c.fail(at+name, "is no number that prices can be calculated with")
	}
	return d
}

// set writes an amount with all its decimals, as text where text was there, but
// leaves one of the same value as it is written. A caller that computes with texts gets texts, and an
// amount that did not change makes no change in the history.
func (c *calculation) set(o *jsondoc.Object, name, at string, d decimal.Decimal) {
	v := exactly(o, name)
	if have, ok := jsondoc.DecimalOf(v); ok && have.Equal(d) || c.err != nil {
		return
	}
	digits := d.StringFixed(max(0, -d.Exponent()))
	if len(digits) > jsondoc.MaxNumber { // Parse would refuse to read it back
		c.fail(at+name, "comes to a number of more than %d characters", jsondoc.MaxNumber)
		return
	}
	c.changed = true
	if _, isText := v.(string); isText {
		o.Put(name, digits)
		return
	}
	o.Put(name, jsondoc.Number(digits))
}

// fail notes the first error.
func (c *calculation) fail(path, format string, args ...any) {
	if c.err == nil {
		c.err = apierr.Wrong(path, format, args...)
	}
}

// uncomputed are the amounts of an order that orderhook keeps and does not compute,
// formUncomputed those of its form, lineUncomputed those of a line; repeated are those of the
// order that repeat its form's.
var (
	uncomputed     = []string{"taxTotal", "netTotal", "netTotalExclTax", "subTotalExclTax", "totalExclTax", "remainingPayment"}
	formUncomputed = []string{"taxTotal", "subTotalExclTax", "totalExclTax", "orderLevelTax"}
	lineUncomputed = []string{"taxTotal", "extendedPriceExclTax"}
	repeated       = []string{"subTotal", "total"}
)

// unfit returns the names of amounts that orderhook does not compute, that this write did
// not change, and that no longer match the new totals. The history names them once, so that
// somebody looks at the taxes.
func unfit(before, after *jsondoc.Object) (out []string) {
	form, was := after.Object("orderForm"), before.Object("orderForm")
	if !differs(was, form, "total") && !differs(was, form, "subTotal") {
		return nil
	}
	for _, name := range repeated {
		if stays(before, after, name) && !jsondoc.SameAmount(exactly(after, name), exactly(form, name)) {
			out = append(out, name)
		}
	}
	for _, name := range uncomputed {
		if stays(before, after, name) {
			out = append(out, name)
		}
	}
	for _, name := range formUncomputed {
		if stays(was, form, name) {
			out = append(out, formAt+name)
		}
	}
	return append(out, unfitOfLines(was, form)...)
}

// unfitOfLines names the amounts of lines that come to something else now; of very many lines
// the first, and the others are counted.
func unfitOfLines(was, form *jsondoc.Object) (out []string) {
	had, more := objectsByKey(was.Objects("lineItems"), "lineItemId"), 0
	names := schema.OrderForm.Fields["lineItems"].ElementNames(form.List("lineItems"))
	for i, l := range form.List("lineItems") {
		line, isLine := l.(*jsondoc.Object)
		if !isLine {
			continue
		}
		// Lines of one id stand in the same order before and after.
		id := schema.KeyText(line, "lineItemId")
		if len(had[id]) == 0 {
			continue
		}
		before := had[id][0]
		had[id] = had[id][1:]
		if !differs(before, line, "extendedPrice") {
			continue
		}
		for _, name := range lineUncomputed {
			switch {
			case !stays(before, line, name):
			case len(out) == schema.MostUnread:
				more++
			default:
				out = append(out, formAt+"lineItems"+names[i]+"."+name)
			}
		}
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("%d more of lines", more))
	}
	return out
}

// stays reports whether an amount is there, other than 0, and is as it was.
func stays(before, after *jsondoc.Object, name string) bool {
	d, ok := jsondoc.DecimalOf(exactly(after, name))
	return ok && !d.IsZero() && !differs(before, after, name)
}
