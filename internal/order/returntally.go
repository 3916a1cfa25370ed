package order

import (
	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// tally is an order's lines in their order, and how much of each was returned. It is made
// anew for each question, from the document, and kept nowhere: so it cannot be wrong.
type tally struct {
	lines []*tallied
	byID  map[string][]*tallied // those that have an id; several may share one
}

// tallied is one line of an order.
type tallied struct {
	line   *jsondoc.Object
	all    decimal.Decimal // its quantity
	bought decimal.Decimal // and not canceled
	formed decimal.Decimal // returned by the forms that are not cancelled
	own    decimal.Decimal // its returnQuantity: orders of other systems have one without a form
}

// part is so much of a line.
type part struct {
	line     *jsondoc.Object
	quantity decimal.Decimal
}

// tallyReturns counts what forms return of an order's lines
// (docs/contract.md#returns). A cancelled return counts for nothing.
func tallyReturns(order *jsondoc.Object, forms []*jsondoc.Object) *tally {
	t := &tally{byID: map[string][]*tallied{}}
	c := counting{alike: map[string]*queue{}, sameID: map[string]*queue{}}
	for _, line := range order.Object("orderForm").Objects("lineItems") {
		all := quantityOf(line, "quantity")
		l := &tallied{line: line, all: all, bought: all.Sub(quantityOf(line, "canceledQuantity")), own: quantityOf(line, "returnQuantity")}
		t.lines = append(t.lines, l)
		if id := schema.KeyText(line, "lineItemId"); id != "" {
			t.byID[id] = append(t.byID[id], l)
			if len(forms) > 0 {
				c.add(id, l)
			}
		}
	}
	for _, form := range forms {
		if !ReturnCancelled(form) {
			c.form(form)
		}
	}
	return t
}

// left returns how much can still be returned of the lines of an id, and whether
// there is one.
func (t *tally) left(id string) (sum decimal.Decimal, known bool) {
	for _, l := range t.byID[id] {
		sum = sum.Add(decimal.Max(decimal.Zero, l.left()))
	}
	return sum, len(t.byID[id]) > 0
}

// take says which lines of an id a quantity uses up, in their order. It takes nothing off
// the tally. A quantity beyond what is left goes to no line; checkReturn has refused that
// before.
func (t *tally) take(id string, quantity decimal.Decimal) (parts []part) {
	for _, l := range t.byID[id] {
		take := decimal.Min(l.left(), quantity)
		if take.IsPositive() {
			parts, quantity = append(parts, part{l.line, take}), quantity.Sub(take)
		}
	}
	return parts
}

// anyLeft reports whether something that was bought was not returned; what has
// no id cannot be.
func (t *tally) anyLeft() bool {
	for _, l := range t.lines {
		if l.left().IsPositive() {
			return true
		}
	}
	return false
}

// left is how much of the line can still be returned.
func (l *tallied) left() decimal.Decimal { return l.bought.Sub(l.returned()) }

// returned is how much of the line was returned, by its forms or by what it says
// itself, whichever is more.
func (l *tallied) returned() decimal.Decimal { return decimal.Max(l.formed, l.own) }

// counting goes through the forms of an order. Forms are held against queues of lines,
// since a form does not name the very line that it was made of.
type counting struct {
	alike  map[string]*queue // lines by what tells those of one id apart
	sameID map[string]*queue
}

// add registers a line under what its forms may know it by.
func (c *counting) add(id string, l *tallied) {
	put(c.alike, likeness(l.line), l, func(l *tallied) decimal.Decimal { return l.all })
	put(c.sameID, id, l, func(l *tallied) decimal.Decimal { return l.bought })
}

// put adds a line to the queue of a key; most is how much of the line that queue may fill.
func put(queues map[string]*queue, key string, l *tallied, most func(*tallied) decimal.Decimal) {
	if queues[key] == nil {
		queues[key] = &queue{most: most}
	}
	queues[key].lines = append(queues[key].lines, l)
}

// form adds what a form returns to the lines that its own were made of, whatever
// was canceled of them since, and where the order has no such lines any more, or
// the form is not one that orderhook made, to those of the same id in their order.
func (c *counting) form(form *jsondoc.Object) {
	for _, line := range form.Objects("lineItems") {
		quantity := quantityOf(line, "returnQuantity")
		// The lines that look the same are filled first, up to all that they ever had.
		if same := c.alike[likeness(line)]; same != nil {
			quantity = same.fill(quantity)
		}
		// What is left over goes by the id alone, up to what was bought and not canceled,
		// and the rest onto the last line: nothing that was returned is lost.
		if rest := c.sameID[schema.KeyText(line, "lineItemId")]; rest != nil {
			rest.overfill(rest.fill(quantity))
		}
	}
}

// likeness is what the line of a form has in common with the order's line that it
// was made of, and what tells lines of one id apart.
func likeness(line *jsondoc.Object) string {
	like := &jsondoc.Object{}
	for _, name := range []string{"lineItemId", "code", "placedPrice", "quantity"} {
		v, _ := line.Get(name)
		like.Set(name, v)
	}
	return string(jsondoc.Canonical(nil, like))
}

// queue is lines that are used up in their order. Those that are full are passed
// over once, so that many forms of many lines cost no quadratic time.
type queue struct {
	lines []*tallied
	full  int                            // so many of the first are
	most  func(*tallied) decimal.Decimal // how much of a line there is to return
}

// fill returns what it found no room for. It goes on at the first line that is not full.
func (q *queue) fill(quantity decimal.Decimal) (rest decimal.Decimal) {
	for quantity.IsPositive() && q.full < len(q.lines) {
		l := q.lines[q.full]
		take := decimal.Min(q.most(l).Sub(l.formed), quantity)
		if !take.IsPositive() {
			q.full++
			continue
		}
		l.formed, quantity = l.formed.Add(take), quantity.Sub(take)
	}
	return quantity
}

// overfill puts on the last line what was returned beyond what the order says by
// now that was bought.
func (q *queue) overfill(rest decimal.Decimal) {
	last := q.lines[len(q.lines)-1]
	last.formed = last.formed.Add(rest)
}

// keepReturned makes the returnQuantity of each line true again after the order's
// return forms have changed from what they were.
func keepReturned(order *jsondoc.Object, was []*jsondoc.Object) {
	before, after := tallyReturns(order, was), tallyReturns(order, order.Objects("returnOrderForms"))
	for i, l := range after.lines {
		// Only the difference that the forms make is added: a quantity from another system
		// stays in it.
		moved := l.formed.Sub(before.lines[i].formed)
		// Nothing has changed for this line, and it says so already or was never returned.
		if moved.IsZero() && (l.formed.IsZero() || l.line.Has("returnQuantity")) {
			continue
		}
		l.setReturned(decimal.Max(decimal.Zero, before.lines[i].returned().Add(moved)))
	}
}

// raiseReturned makes the returnQuantity of each line at least what the order's return forms
// say.
func raiseReturned(order *jsondoc.Object) {
	for _, l := range tallyReturns(order, order.Objects("returnOrderForms")).lines {
		if l.own.LessThan(l.formed) {
			l.setReturned(l.formed)
		}
	}
}

// setReturned writes a line's returnQuantity. A number that is too long to be read back is not
// written.
func (l *tallied) setReturned(quantity decimal.Decimal) {
	if text := quantity.String(); len(text) <= jsondoc.MaxNumber {
		l.line.Set("returnQuantity", jsondoc.Number(text))
	}
}
