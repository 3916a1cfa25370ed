package oms

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// priceFields are what a line's extendedPrice is made from.
var priceFields = []string{"placedPrice", "quantity", "discounted", "orderDiscountAmount"}

// recompute brings the prices of after into line with its lines where a patch
// changed prices or quantities, and reports whether it changed anything. What
// the patch sets itself stays (CONTRACT.md, "Patch", last rule):
//
//	extendedPrice = placedPrice × quantity − discounted − orderDiscountAmount
//	subTotal      = the sum of those
//	total         = subTotal + shippingTotal + handlingTotal
func recompute(before, after, patch *Object) (bool, error) {
	form := after.Object("orderForm")
	patched := patch.Object("orderForm")
	if form == nil || patched == nil || !patched.Has("lineItems") {
		return false, nil
	}
	c := calculation{
		before:  lineIndex(before.Object("orderForm")),
		patched: lineIndex(patched),
	}
	lines := form.Objects("lineItems")
	if !c.affected(lines) {
		return false, nil
	}
	for i, line := range lines {
		c.line(line, i)
	}
	c.total(form, patched, lines)
	return true, c.err
}

// calculation works out the prices of one order form; err is the first number
// that nobody can calculate with.
type calculation struct {
	before, patched map[string]*Object // lines by lineItemId
	err             error
}

func lineIndex(form *Object) map[string]*Object {
	index := map[string]*Object{}
	for _, line := range form.Objects("lineItems") {
		if id := keyText(line, "lineItemId"); id != "" {
			index[id] = line
		}
	}
	return index
}

// affected reports whether a line was added, removed or changed in price or quantity.
func (c *calculation) affected(lines []*Object) bool {
	kept := 0
	for _, line := range lines {
		if c.changed(line) {
			return true
		}
		kept++
	}
	return kept < len(c.before)
}

func (c *calculation) changed(line *Object) bool {
	id := keyText(line, "lineItemId")
	was, ok := c.before[id]
	if !ok {
		return id != "" || !line.Has("extendedPrice")
	}
	for _, name := range priceFields {
		a, _ := was.Get(name)
		b, _ := line.Get(name)
		if !equal(a, b) {
			return true
		}
	}
	return false
}

// line sets the extendedPrice of a changed line, or of one that has none yet.
func (c *calculation) line(line *Object, i int) {
	id := keyText(line, "lineItemId")
	_, old := c.before[id]
	set := c.patched[id].Has("extendedPrice") || !old && line.Has("extendedPrice")
	if set || line.Has("extendedPrice") && !c.changed(line) || !line.Has("placedPrice") || !line.Has("quantity") {
		return
	}
	at := fmt.Sprintf("orderForm.lineItems[%d].", i)
	price := c.number(line, "placedPrice", at).Mul(c.number(line, "quantity", at)).
		Sub(c.number(line, "discounted", at)).Sub(c.number(line, "orderDiscountAmount", at))
	setNumber(line, "extendedPrice", price)
}

func (c *calculation) total(form, patched *Object, lines []*Object) {
	if !patched.Has("subTotal") {
		sum := decimal.Zero
		for i, line := range lines {
			sum = sum.Add(c.number(line, "extendedPrice", fmt.Sprintf("orderForm.lineItems[%d].", i)))
		}
		setNumber(form, "subTotal", sum)
	}
	if !patched.Has("total") {
		at := "orderForm."
		setNumber(form, "total", c.number(form, "subTotal", at).
			Add(c.number(form, "shippingTotal", at)).Add(c.number(form, "handlingTotal", at)))
	}
}

// number reads a number of o; what is absent counts as 0.
func (c *calculation) number(o *Object, name, at string) decimal.Decimal {
	v, _ := o.Get(name)
	if v == nil {
		return decimal.Zero
	}
	n, _ := v.(Number)
	d, ok := n.decimal()
	if !ok {
		if c.err == nil {
			c.err = Wrong(at+name, "is no number that prices can be calculated with")
		}
		return decimal.Zero
	}
	return d
}

// setNumber writes a number with all its decimals, but leaves one of the same
// value as it is written.
func setNumber(o *Object, name string, d decimal.Decimal) {
	v, _ := o.Get(name)
	if n, ok := v.(Number); ok {
		if have, ok := n.decimal(); ok && have.Equal(d) {
			return
		}
	}
	o.Set(name, Number(d.StringFixed(max(0, -d.Exponent()))))
}
