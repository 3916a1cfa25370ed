package order

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

// The statuses that a return gives its order (docs/contract.md#returns).
const (
	StatusReturned          = "Returned"
	StatusPartiallyReturned = "PartiallyReturned"
)

// ReturnRequest asks to return lines of an order (docs/contract.md#returns). Package api
// reads it from a request; [AddReturn] checks it against the order.
type ReturnRequest struct {
	Lines    []ReturnLine
	Comment  string
	ID       string           // of the form, where it is made once more from the record; "": a new one is made
	Warnings []apierr.Warning // what of the request nobody reads
}

// mostReturned is how many lines one request may return (docs/contract.md#returns).
const mostReturned = 10_000

// ReturnLine is one line to return.
type ReturnLine struct {
	LineItemID string
	Quantity   jsondoc.Number
	Reason     string
}

// ParseReturn reads the body of a request to return lines. Errors are
// [apierr.Invalid] and name the field. Numbers as ids become text, since the order has them
// as text.
func ParseReturn(doc *jsondoc.Object) (ReturnRequest, error) {
	// This is asked before anything is done with the lines.
	if n := len(doc.List("lineItems")); n > mostReturned {
		return ReturnRequest{}, apierr.Wrong("lineItems", "has %d lines, and at most %d may be returned at once", n, mostReturned)
	}
	textIDs(doc)
	c := schema.Checker{}
	c.Object(doc, schema.Return, "")
	if len(c.Errors) > 0 {
		return ReturnRequest{}, &apierr.Error{Kind: apierr.Invalid, Detail: "the return is not valid", Fields: c.Errors}
	}
	r := ReturnRequest{Comment: doc.Text("returnComment")}
	var u schema.Unread
	u.Object(doc, schema.ReturnPlace, "")
	for i, line := range doc.Objects("lineItems") {
		u.Object(line, schema.ReturnLinePlace, fmt.Sprintf("lineItems[%d]", i))
		quantity, _ := line.Get("returnQuantity")
		n, _ := quantity.(jsondoc.Number)
		r.Lines = append(r.Lines, ReturnLine{LineItemID: line.Text("lineItemId"), Quantity: n, Reason: line.Text("returnReason")})
	}
	r.Warnings = u.List()
	return r, nil
}

// textIDs makes a lineItemId that came as a number the text of its digits, as it
// is in the order (docs/contract.md#documents). The request is changed in place: nobody
// else has it.
func textIDs(request *jsondoc.Object) {
	for _, line := range request.Objects("lineItems") {
		if v, _ := line.Get("lineItemId"); v != nil {
			if n, isNumber := v.(jsondoc.Number); isNumber {
				line.Set("lineItemId", schema.Digits(n))
			}
		}
	}
}

// AddReturn adds a return order form to an order and returns its id and the
// status that the order has with it: Returned when nothing that was bought is
// left, else PartiallyReturned. When lines share an id, each that is used up, in
// their order, has a line of its own in the form (docs/contract.md#returns).
// Errors are [apierr.Invalid] and name the line. It changes the order in place, which must
// be a copy. On an error it has changed nothing.
func AddReturn(order *jsondoc.Object, r ReturnRequest, now time.Time) (id, status string, err error) {
	was := order.Objects("returnOrderForms")
	// The forms from before are read first: they say what is left to return.
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
	if id = r.ID; id == "" {
		id = ids.New(ids.Return)
	}
	form := jsondoc.NewObject(jsondoc.Pair("returnId", id), jsondoc.Pair("created", timetext.FormatTime(now)), jsondoc.Pair("lineItems", returned))
	if r.Comment != "" {
		form.Set("returnComment", r.Comment)
	}
	// That is the status that the order gets back when the return is cancelled.
	if status := order.Text("status"); status != "" {
		form.Set("prevStatus", status)
	}
	order.Set("returnOrderForms", append(append([]any(nil), order.List("returnOrderForms")...), form))
	keepReturned(order, was)
	return id, returnStatus(order), nil
}

// ReturnOf returns the request that a return order form was made by. [AddReturn] makes the
// same form by it of an order as it was then.
func ReturnOf(form *jsondoc.Object) ReturnRequest {
	r := ReturnRequest{ID: schema.KeyText(form, "returnId"), Comment: form.Text("returnComment")}
	for _, line := range form.Objects("lineItems") {
		quantity, _ := line.Get("returnQuantity")
		n, _ := quantity.(jsondoc.Number)
		l := ReturnLine{LineItemID: line.Text("lineItemId"), Quantity: n, Reason: line.Text("returnReason")}
		// Several lines of the order that share an id were one line of the request.
		if i := slices.IndexFunc(r.Lines, func(have ReturnLine) bool { return have.LineItemID == l.LineItemID }); i >= 0 {
			r.Lines[i].Quantity = jsondoc.Number(quantityOf(line, "returnQuantity").Add(decimalOf(r.Lines[i].Quantity)).String())
			continue
		}
		r.Lines = append(r.Lines, l)
	}
	return r
}

func decimalOf(n jsondoc.Number) decimal.Decimal {
	d, _ := n.Decimal()
	return d
}

// lines is what the form has of the order's lines for one that is returned.
func (l ReturnLine) lines(of *tally) (out []*jsondoc.Object) {
	quantity, _ := l.Quantity.Decimal()
	for _, part := range of.take(l.LineItemID, quantity) {
		// The form gets the line as it is now, so that it says later what was returned and
		// at which price.
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
// it, where the part is all of it. So 2.0 that was asked for stays 2.0.
func (l ReturnLine) share(whole, part decimal.Decimal) jsondoc.Number {
	if whole.Equal(part) {
		return l.Quantity
	}
	return jsondoc.Number(part.String())
}

// checkReturn finds the errors of a request at once, with the place of each: whoever returns ten
// lines does not want to learn of them one by one. It names so many of them as a
// [schema.Checker] does. It reads the tally and takes nothing from it.
func checkReturn(r ReturnRequest, lines *tally) error {
	var wrong schema.Checker
	add := func(i int, field, format string, args ...any) {
		wrong.Add(fmt.Sprintf("lineItems[%d].%s", i, field), fmt.Sprintf(format, args...))
	}
	seen := map[string]bool{}
	for i, want := range r.Lines {
		// The rest would say nothing new, and takes time within a write.
		if len(wrong.Errors) == schema.MostFieldErrors {
			break
		}
		quantity, ok := want.Quantity.Decimal()
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
		wrong.Add("lineItems", "must name at least one line")
	}
	if len(wrong.Errors) > 0 {
		return &apierr.Error{Kind: apierr.Invalid, Detail: returnDetail(wrong.Errors), Fields: wrong.Errors}
	}
	return nil
}

// returnDetail says what is wrong with a return, and whether its errors are all that there are.
func returnDetail(wrong []apierr.FieldError) string {
	if len(wrong) < schema.MostFieldErrors {
		return "the return is not valid"
	}
	return fmt.Sprintf("the return is not valid; only the first %d errors are named", len(wrong))
}

// quantityOf reads a quantity, which other systems write as text, as prices do
// (docs/contract.md#documents); what is absent, or no number to calculate with, is 0.
func quantityOf(line *jsondoc.Object, name string) decimal.Decimal {
	v, _ := line.Get(name)
	d, _ := jsondoc.DecimalOf(v)
	return d
}

// returnStatus is the status that the returns of an order come to (docs/contract.md#returns).
func returnStatus(order *jsondoc.Object) string {
	if tallyReturns(order, order.Objects("returnOrderForms")).anyLeft() {
		return StatusPartiallyReturned
	}
	return StatusReturned
}
