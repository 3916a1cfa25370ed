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
	if form == nil || patched == nil || lacks(patched, "lineItems") {
		return false, nil
	}
	was := before.Object("orderForm").Objects("lineItems")
	lines := pricedLines(was, form.Objects("lineItems"), patched.Objects("lineItems"))
	if !affected(was, lines) {
		return false, nil
	}
	c := calculation{}
	for _, line := range lines {
		c.line(line)
	}
	c.total(form, patched, lines)
	return true, c.err
}

// pricedLine is a line as the patch left it.
type pricedLine struct {
	*Object
	at    string  // its path, with the dot behind it
	was   *Object // as it was before; nil for a new one
	given bool    // its extendedPrice, if any, is the patch's own
}

// pricedLines finds what the lines were before: by their id, and where several
// have the same or none, by their order among those.
func pricedLines(was, is, patched []*Object) []pricedLine {
	before := map[string][]*Object{}
	for _, line := range was {
		id := keyText(line, "lineItemId")
		before[id] = append(before[id], line)
	}
	given := map[string]bool{"": true} // nothing merges into a line without an id
	for _, line := range patched {
		if line.Has("extendedPrice") {
			given[keyText(line, "lineItemId")] = true
		}
	}
	out := make([]pricedLine, len(is))
	for i, line := range is {
		id := keyText(line, "lineItemId")
		out[i] = pricedLine{Object: line, at: fmt.Sprintf("orderForm.lineItems[%d].", i), given: given[id]}
		if rest := before[id]; len(rest) > 0 {
			out[i].was, before[id] = rest[0], rest[1:]
		}
	}
	return out
}

// affected reports whether a line was added, removed or changed in a price or its
// quantity, or lost its extendedPrice, as one does that replaces itself.
func affected(was []*Object, lines []pricedLine) bool {
	for _, line := range lines {
		if line.changed() {
			return true
		}
	}
	return len(lines) < len(was)
}

func (l pricedLine) changed() bool {
	if l.was == nil || l.was.Has("extendedPrice") && !l.Has("extendedPrice") {
		return true
	}
	for _, name := range append([]string{"extendedPrice"}, priceFields...) {
		if !equal(price(l.was, name), price(l.Object, name)) {
			return true
		}
	}
	return false
}

// price is a price field's value; one that is absent is 0.
func price(line *Object, name string) any {
	if v, _ := line.Get(name); v != nil {
		return v
	}
	return Number("0")
}

// calculation works out the prices of one order form; err is the first number
// that nobody can calculate with.
type calculation struct{ err error }

// line sets the extendedPrice of a changed line, or of one that has none yet.
func (c *calculation) line(l pricedLine) {
	stays := l.Has("extendedPrice") && (l.given || !l.changed())
	if stays || !l.Has("placedPrice") || !l.Has("quantity") {
		return
	}
	price := c.number(l.Object, "placedPrice", l.at).Mul(c.number(l.Object, "quantity", l.at)).
		Sub(c.number(l.Object, "discounted", l.at)).Sub(c.number(l.Object, "orderDiscountAmount", l.at))
	c.set(l.Object, "extendedPrice", l.at, price)
}

func (c *calculation) total(form, patched *Object, lines []pricedLine) {
	const at = "orderForm."
	if !patched.Has("subTotal") {
		sum := decimal.Zero
		for _, l := range lines {
			sum = sum.Add(c.number(l.Object, "extendedPrice", l.at))
		}
		c.set(form, "subTotal", at, sum)
	}
	if !patched.Has("total") {
		c.set(form, "total", at, c.number(form, "subTotal", at).
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
		c.fail(at+name, "is no number that prices can be calculated with")
		return decimal.Zero
	}
	return d
}

// set writes a number with all its decimals, but leaves one of the same value
// as it is written.
func (c *calculation) set(o *Object, name, at string, d decimal.Decimal) {
	v, _ := o.Get(name)
	if n, ok := v.(Number); ok {
		if have, ok := n.decimal(); ok && have.Equal(d) {
			return
		}
	}
	text := d.StringFixed(max(0, -d.Exponent()))
	if len(text) > maxNumber { // Parse would refuse to read it back
		c.fail(at+name, "comes to a number of more than %d characters", maxNumber)
		return
	}
	o.Set(name, Number(text))
}

func (c *calculation) fail(path, format string, args ...any) {
	if c.err == nil {
		c.err = Wrong(path, format, args...)
	}
}
