package oms

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// The statuses that a return gives its order (return-workflow-step.txt,
// "Identifier").
const (
	StatusReturned          = "Returned"
	StatusPartiallyReturned = "PartiallyReturned"
)

// ReturnRequest asks to return lines of an order (API.md, "Orders").
type ReturnRequest struct {
	Lines   []ReturnLine
	Comment string
}

// ReturnLine is one line to return.
type ReturnLine struct {
	LineItemID string
	Quantity   Number
	Reason     string
}

var returnModel = newModel(of(text, "returnComment"), list("lineItems", newModel(of(text, "lineItemId returnReason"), of(number, "returnQuantity"))))

// ParseReturn reads the body of a request to return lines. Errors are
// [Invalid] and name the field.
func ParseReturn(doc *Object) (ReturnRequest, error) {
	textIDs(doc)
	c := checker{}
	c.object(doc, returnModel, "")
	if len(c.errors) > 0 {
		return ReturnRequest{}, &Error{Kind: Invalid, Detail: "the return is not valid", Fields: c.errors}
	}
	r := ReturnRequest{Comment: doc.Text("returnComment")}
	for _, line := range doc.Objects("lineItems") {
		quantity, _ := line.Get("returnQuantity")
		n, _ := quantity.(Number)
		r.Lines = append(r.Lines, ReturnLine{LineItemID: line.Text("lineItemId"), Quantity: n, Reason: line.Text("returnReason")})
	}
	return r, nil
}

// textIDs makes a lineItemId that came as a number the text of its digits, as it
// is in the order (CONTRACT.md, "Names").
func textIDs(request *Object) {
	for _, line := range request.Objects("lineItems") {
		if v, _ := line.Get("lineItemId"); v != nil {
			if n, isNumber := v.(Number); isNumber {
				line.Set("lineItemId", digits(n))
			}
		}
	}
}

// AddReturn adds a return order form to an order and returns its id and the
// status that the order has with it: Returned when nothing that was bought is
// left, else PartiallyReturned. Of lines that share an id each that is used up,
// in their order, has a line of its own in the form (CONTRACT.md, "Returns").
// Errors are [Invalid] and name the line.
func AddReturn(order *Object, r ReturnRequest, now time.Time) (id, status string, err error) {
	was := order.Objects("returnOrderForms")
	lines := tallyReturns(order, was)
	if err := checkReturn(r, lines); err != nil {
		return "", "", err
	}
	var returned []any
	for _, want := range r.Lines {
		for _, line := range want.lines(lines) {
			returned = append(returned, line)
		}
	}
	id = NewID(ReturnID)
	form := NewObject(Member{"returnId", id}, Member{"created", FormatTime(now)}, Member{"lineItems", returned})
	if r.Comment != "" {
		form.Set("returnComment", r.Comment)
	}
	if status := order.Text("status"); status != "" {
		form.Set("prevStatus", status)
	}
	order.Set("returnOrderForms", append(append([]any(nil), order.List("returnOrderForms")...), form))
	keepReturned(order, was)
	return id, returnStatus(order), nil
}

// lines is what the form has of the order's lines for one that is returned.
func (l ReturnLine) lines(of *tally) (out []*Object) {
	quantity, _ := l.Quantity.decimal()
	for _, part := range of.take(l.LineItemID, quantity) {
		line := part.line.Clone()
		line.Set("returnQuantity", l.share(quantity, part.quantity))
		if l.Reason != "" {
			line.Set("returnReason", l.Reason)
		}
		out = append(out, line)
	}
	return out
}

// share is a part of the quantity as the form writes it: as the request wrote
// it, where the part is all of it.
func (l ReturnLine) share(whole, part decimal.Decimal) Number {
	if whole.Equal(part) {
		return l.Quantity
	}
	return Number(part.String())
}

func checkReturn(r ReturnRequest, lines *tally) error {
	var wrong []FieldError
	add := func(i int, field, format string, args ...any) {
		wrong = append(wrong, FieldError{fmt.Sprintf("lineItems[%d].%s", i, field), fmt.Sprintf(format, args...)})
	}
	seen := map[string]bool{}
	for i, want := range r.Lines {
		quantity, ok := want.Quantity.decimal()
		rest, known := lines.left(want.LineItemID)
		switch {
		case !known:
			add(i, "lineItemId", "the order has no such line")
		case seen[want.LineItemID]:
			add(i, "lineItemId", "the line is there twice")
		case !ok || !quantity.IsPositive():
			add(i, "returnQuantity", "must be a number above 0")
		case quantity.GreaterThan(rest):
			add(i, "returnQuantity", "is more than was bought and not yet returned, which is %s", rest)
		}
		seen[want.LineItemID] = true
	}
	if len(r.Lines) == 0 {
		wrong = append(wrong, FieldError{"lineItems", "must name at least one line"})
	}
	if len(wrong) > 0 {
		return &Error{Kind: Invalid, Detail: "the return is not valid", Fields: wrong}
	}
	return nil
}

// quantityOf reads a quantity, which other systems write as text, as prices do
// (CONTRACT.md, "Names"); what is absent, or no number to calculate with, is 0.
func quantityOf(line *Object, name string) decimal.Decimal {
	v, _ := line.Get(name)
	d, _ := decimalOf(v)
	return d
}

func returnStatus(order *Object) string {
	if tallyReturns(order, order.Objects("returnOrderForms")).anyLeft() {
		return StatusPartiallyReturned
	}
	return StatusReturned
}
