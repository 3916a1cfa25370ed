package model

import (
	"slices"

	"github.com/shopspring/decimal"
)

// applyLines merges the edit's lines by their ids.
func (e edit) applyLines(o *order, sent order) {
	for _, p := range e.lines {
		i, s := lineIndex(o.OrderForm.LineItems, p.LineItemID), lineIndex(sent.OrderForm.LineItems, p.LineItemID)
		if i < 0 {
			o.OrderForm.LineItems = append(o.OrderForm.LineItems, p)
			continue
		}
		var was line
		if s >= 0 {
			was = sent.OrderForm.LineItems[s]
		}
		l, step := &o.OrderForm.LineItems[i], e.step && s >= 0
		l.PlacedPrice, l.Quantity = given(p.PlacedPrice, was.PlacedPrice, l.PlacedPrice, step), given(p.Quantity, was.Quantity, l.Quantity, step)
		l.Discounted, l.ExtendedPrice = given(p.Discounted, was.Discounted, l.Discounted, step), given(p.ExtendedPrice, was.ExtendedPrice, l.ExtendedPrice, step)
	}
	f, was := &o.OrderForm, sent.OrderForm
	f.SubTotal, f.Total = given(e.subTotal, was.SubTotal, f.SubTotal, e.step), given(e.total, was.Total, f.Total, e.step)
}

// given is a number that an edit has, unless it is the one that was sent; a 0
// where a step was sent nothing is what a typed program fills in.
func given(a, sent, have *num, step bool) *num {
	switch {
	case a == nil, sent != nil && a.Equal(sent.Decimal), step && sent == nil && have == nil && a.IsZero():
		return have
	}
	return a
}

func lineIndex(lines []line, id string) int {
	return slices.IndexFunc(lines, func(l line) bool { return l.LineItemID == id })
}

// recompute is docs/contract.md#totals: exact totals where a part
// of them is another than before, but for those that are themselves.
func (o *order) recompute(was order) {
	f, before := &o.OrderForm, was.OrderForm
	sum, affected := decimal.Zero, false
	for i := range f.LineItems {
		l := &f.LineItems[i]
		var w line
		at := lineIndex(before.LineItems, l.LineItemID)
		if at >= 0 {
			w = before.LineItems[at]
		}
		parts := another(w.PlacedPrice, l.PlacedPrice) || another(w.Quantity, l.Quantity) || another(w.Discounted, l.Discounted)
		if l.PlacedPrice != nil && l.Quantity != nil && !isGiven(w.ExtendedPrice, l.ExtendedPrice) && (at < 0 || parts) {
			l.ExtendedPrice = &num{l.PlacedPrice.value().Mul(l.Quantity.value()).Sub(l.Discounted.value())}
			if l.Quantity.IsZero() {
				l.ExtendedPrice = &num{}
			}
		}
		sum, affected = sum.Add(l.ExtendedPrice.value()), affected || at < 0 || another(w.ExtendedPrice, l.ExtendedPrice)
	}
	if affected && !isGiven(before.SubTotal, f.SubTotal) {
		f.SubTotal = &num{sum}
	}
	if (another(before.SubTotal, f.SubTotal) || before.SubTotal == nil) && f.SubTotal != nil && !isGiven(before.Total, f.Total) {
		f.Total = &num{f.SubTotal.value().Add(f.ShippingTotal.value()).Add(f.HandlingTotal.value())}
	}
}

func another(a, b *num) bool { return !a.value().Equal(b.value()) }

func isGiven(was, is *num) bool { return is != nil && (was == nil || !was.Equal(is.Decimal)) }

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
