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

// AddReturn adds a return order form to an order and returns its id and the
// status that the order has with it: Returned when nothing that was bought is
// left, else PartiallyReturned. Errors are [Invalid] and name the line.
func AddReturn(order *Object, r ReturnRequest, now time.Time) (id, status string, err error) {
	lines, left := returnable(order)
	if err := checkReturn(r, lines, left); err != nil {
		return "", "", err
	}
	var returned []any
	for _, want := range r.Lines {
		line := lines[want.LineItemID].Clone()
		line.Set("returnQuantity", want.Quantity)
		if want.Reason != "" {
			line.Set("returnReason", want.Reason)
		}
		returned = append(returned, line)
	}
	id = NewID(ReturnID)
	form := NewObject(Member{"returnId", id}, Member{"created", FormatTime(now)}, Member{"lineItems", returned})
	if r.Comment != "" {
		form.Set("returnComment", r.Comment)
	}
	order.Set("returnOrderForms", append(append([]any(nil), order.List("returnOrderForms")...), form))
	return id, returnStatus(order), nil
}

func checkReturn(r ReturnRequest, lines map[string]*Object, left map[string]decimal.Decimal) error {
	var wrong []FieldError
	add := func(i int, field, format string, args ...any) {
		wrong = append(wrong, FieldError{fmt.Sprintf("lineItems[%d].%s", i, field), fmt.Sprintf(format, args...)})
	}
	seen := map[string]bool{}
	for i, want := range r.Lines {
		quantity, ok := want.Quantity.decimal()
		switch rest, known := left[want.LineItemID], lines[want.LineItemID] != nil; {
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

// returnable is an order's lines by their id, and how much of each was bought,
// not canceled, and not yet returned.
func returnable(order *Object) (lines map[string]*Object, left map[string]decimal.Decimal) {
	lines, left = map[string]*Object{}, map[string]decimal.Decimal{}
	for _, line := range order.Object("orderForm").Objects("lineItems") {
		if id := keyText(line, "lineItemId"); id != "" {
			lines[id] = line
			left[id] = left[id].Add(bought(line))
		}
	}
	for _, form := range order.Objects("returnOrderForms") {
		for _, line := range form.Objects("lineItems") {
			id := keyText(line, "lineItemId")
			left[id] = left[id].Sub(quantityOf(line, "returnQuantity"))
		}
	}
	return lines, left
}

// bought is how much of a line was bought and not canceled.
func bought(line *Object) decimal.Decimal {
	return quantityOf(line, "quantity").Sub(quantityOf(line, "canceledQuantity"))
}

// quantityOf reads a quantity; what is absent, or no number to calculate with, is 0.
func quantityOf(line *Object, name string) decimal.Decimal {
	v, _ := line.Get(name)
	n, _ := v.(Number)
	d, _ := n.decimal()
	return d
}

func returnStatus(order *Object) string {
	_, left := returnable(order)
	for _, line := range order.Object("orderForm").Objects("lineItems") {
		id := keyText(line, "lineItemId")
		if left[id].IsPositive() || id == "" && bought(line).IsPositive() { // what has no id cannot be returned
			return StatusPartiallyReturned
		}
	}
	return StatusReturned
}
