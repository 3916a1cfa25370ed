package model

import (
	"slices"

	"github.com/shopspring/decimal"
)

// applyLines merges the edit's lines by their ids.
func (e edit) applyLines(o *order) {
	for _, p := range e.lines {
		i := lineIndex(o.OrderForm.LineItems, p.LineItemID)
		if i < 0 {
			o.OrderForm.LineItems = append(o.OrderForm.LineItems, p)
			continue
		}
		l := &o.OrderForm.LineItems[i]
		l.PlacedPrice, l.Quantity = given(p.PlacedPrice, l.PlacedPrice), given(p.Quantity, l.Quantity)
		l.Discounted, l.ExtendedPrice = given(p.Discounted, l.Discounted), given(p.ExtendedPrice, l.ExtendedPrice)
	}
	o.OrderForm.SubTotal, o.OrderForm.Total = given(e.subTotal, o.OrderForm.SubTotal), given(e.total, o.OrderForm.Total)
}

func given(a, b *num) *num {
	if a != nil {
		return a
	}
	return b
}

func lineIndex(lines []line, id string) int {
	return slices.IndexFunc(lines, func(l line) bool { return l.LineItemID == id })
}

// pricesChanged reports whether a price or a quantity of a line is another one.
func pricesChanged(was, is order) bool {
	return slices.ContainsFunc(is.OrderForm.LineItems, func(l line) bool { return lineChanged(was, l) })
}

func lineChanged(was order, l line) bool {
	i := lineIndex(was.OrderForm.LineItems, l.LineItemID)
	if i < 0 {
		return true
	}
	w := was.OrderForm.LineItems[i]
	return !w.PlacedPrice.value().Equal(l.PlacedPrice.value()) || !w.Quantity.value().Equal(l.Quantity.value()) ||
		!w.Discounted.value().Equal(l.Discounted.value()) || !w.ExtendedPrice.value().Equal(l.ExtendedPrice.value())
}

// recompute is the last rule of CONTRACT.md, "Patch": exact totals, but where
// the patch sets them itself.
func (e edit) recompute(was order, o *order) {
	sum := decimal.Zero
	for i := range o.OrderForm.LineItems {
		l := &o.OrderForm.LineItems[i]
		if !e.setsExtendedPrice(l.LineItemID) && (lineChanged(was, *l) || l.ExtendedPrice == nil) {
			l.ExtendedPrice = &num{l.PlacedPrice.value().Mul(l.Quantity.value()).Sub(l.Discounted.value())}
		}
		sum = sum.Add(l.ExtendedPrice.value())
	}
	f := &o.OrderForm
	if e.subTotal == nil {
		f.SubTotal = &num{sum}
	}
	if e.total == nil {
		f.Total = &num{f.SubTotal.value().Add(f.ShippingTotal.value()).Add(f.HandlingTotal.value())}
	}
}

func (e edit) setsExtendedPrice(id string) bool {
	i := lineIndex(e.lines, id)
	return i >= 0 && e.lines[i].ExtendedPrice != nil
}

// giveBack adds a return form to the order and returns the status that it then
// has; false if more would go back than was bought and is still there.
func (o *order) giveBack(lines []line) (status string, ok bool) {
	for _, l := range lines {
		i := lineIndex(o.OrderForm.LineItems, l.LineItemID)
		if i < 0 || l.ReturnQuantity.value().GreaterThan(o.left(o.OrderForm.LineItems[i])) {
			return "", false
		}
	}
	o.ReturnOrderForms = append(o.ReturnOrderForms, returnForm{LineItems: lines})
	o.keepReturned()
	if slices.ContainsFunc(o.OrderForm.LineItems, func(l line) bool { return o.left(l).IsPositive() }) {
		return "PartiallyReturned", true
	}
	return "Returned", true
}

// left is how much of a line was bought and not returned.
func (o *order) left(l line) decimal.Decimal {
	left := l.Quantity.value()
	return left.Sub(o.returned(l))
}

// returned is how much of a line the returns that are not cancelled return.
func (o *order) returned(l line) (sum decimal.Decimal) {
	for _, f := range o.ReturnOrderForms {
		if i := lineIndex(f.LineItems, l.LineItemID); i >= 0 && f.Status != "Cancelled" {
			sum = sum.Add(f.LineItems[i].ReturnQuantity.value())
		}
	}
	return sum
}

// keepReturned brings the lines' returnQuantity into line with the returns.
func (o *order) keepReturned() {
	for i := range o.OrderForm.LineItems {
		l := &o.OrderForm.LineItems[i]
		if sum := o.returned(*l); l.ReturnQuantity != nil || !sum.IsZero() {
			l.ReturnQuantity = &num{sum}
		}
	}
}
