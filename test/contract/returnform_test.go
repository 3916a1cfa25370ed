package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#returns: `POST /api/orders/{id}/returns`.

// shopping has lines of all kinds: L1 bought twice, L2 by weight, L3 partly
// and L4 wholly canceled.
const shopping = `{"id":"ORD-12345","orderForm":{"lineItems":[{"lineItemId":"L1","code":"SHOE","quantity":2,"placedPrice":10.10},
 {"lineItemId":"L2","code":"CABLE","quantity":1.5},{"lineItemId":"L3","quantity":3,"canceledQuantity":2},{"lineItemId":"L4","quantity":1,"canceledQuantity":1}]}}`

func TestReturnedOrPartiallyReturned(t *testing.T) {
	const partially, all = "PartiallyReturned", "Returned"
	rest := []string{"L2", "1.5", "L3", "1"}
	for _, row := range []struct {
		name    string
		returns [][]string // pairs of line and quantity
		want    []string   // the status after each
	}{
		{"a part of a line", [][]string{{"L1", "1"}}, []string{partially}},
		{"a whole line of several", [][]string{{"L1", "2"}}, []string{partially}},
		{"all lines at once, but what was canceled", [][]string{append([]string{"L1", "2"}, rest...)}, []string{all}},
		{"over several returns", [][]string{{"L1", "1"}, rest, {"L1", "1"}}, []string{partially, partially, all}},
		{"decimals", [][]string{{"L1", "2", "L3", "1"}, {"L2", "0.5"}, {"L2", "0.50"}, {"L2", "5e-1"}}, []string{partially, partially, partially, all}},
		{"a tenth fifteen times", append([][]string{{"L1", "2.0", "L3", "1"}}, repeat([]string{"L2", "0.1"}, 15)...), append(repeatText(partially, 15), all)},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := lease(t)
			r.post(shopping)
			var got []string
			ids := map[string]bool{}
			for _, pairs := range row.returns {
				res := r.call("POST", theOrder+"/returns", lines(pairs...)).want(201)
				got = append(got, res.text("order.status"))
				ids[res.text("returnId")] = true
			}
			equals(t, "statuses", got, row.want)
			equals(t, "returns", len(r.get(theOrder).doc().Objects("returnOrderForms")), len(ids))
			equals(t, "different ids", len(ids), len(row.returns))
		})
	}
}

func TestLinesThatShareAnIDOrHaveNone(t *testing.T) {
	r := lease(t)
	r.post(`{"id":"ORD-12345","orderForm":{"lineItems":[{"lineItemId":"L1","quantity":1},{"lineItemId":"L1","quantity":2},{"code":"GIFT","quantity":1}]}}`)
	r.call("POST", theOrder+"/returns", lines("L1", "3")).want(201).is("order.status", "PartiallyReturned")
	r.call("POST", theOrder+"/returns", lines("L1", "1")).problem(422, "body.lineItems[0].returnQuantity")
	r.call("PATCH", theOrder, `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":4},{"code":"GIFT","quantity":0}]}}`).want(200)
	r.call("POST", theOrder+"/returns", lines("L1", "1")).want(201).is("order.status", "Returned")
}

func repeat(pairs []string, n int) (out [][]string) {
	for range n {
		out = append(out, pairs)
	}
	return out
}

func repeatText(s string, n int) []string { return strings.Fields(strings.Repeat(s+" ", n)) }

func TestTheReturnForm(t *testing.T) {
	r := lease(t)
	r.post(shopping)
	res := r.call("POST", theOrder+"/returns", `{"LineItems":[{"LineItemId":"L1","ReturnQuantity":1.50,"ReturnReason":"Too small"},{"lineItemId":"L3","returnQuantity":1}],"ReturnComment":"In its box"}`).want(201)
	equals(t, "Location", res.Header.Get("Location"), theOrder)
	equals(t, "ETag", res.Header.Get("ETag"), `"2"`)
	const form = "returnOrderForms[0]."
	r.get(theOrder).is(form+"returnId", res.at("returnId")).is(form+"returnComment", "In its box").is(form+"created", "2026-11-21T09:00:00.000000Z").
		is(form+"lineItems[0].lineItemId", "L1").is(form+"lineItems[0].code", "SHOE").is(form+"lineItems[0].placedPrice", number("10.10")).
		is(form+"lineItems[0].returnQuantity", number("1.50")).is(form+"lineItems[0].returnReason", "Too small").
		is(form+"lineItems[1].returnQuantity", 1).is(form+"lineItems[1].returnReason", nil).is(form+"lineItems[2]", nil).
		is("orderForm.lineItems[0].quantity", 2).is("orderForm.lineItems[0].returnQuantity", number("1.5")).is("orderForm.lineItems[1].returnQuantity", nil).is("version", 2)
	equals(t, "the return's entry", fmt.Sprint(r.noted("ReturnCreated", "returnId", "runId", "version")), fmt.Sprint([]any{res.at("returnId"), res.at("runId"), 2}))
	e := r.entry("StatusChanged")
	equals(t, "the status", e.PreviousStatus+" -> "+e.Status, "New -> PartiallyReturned")
	if c := e.Changes; len(c) != 1 || c[0].Path != "status" || c[0].Before != "New" || c[0].After != "PartiallyReturned" {
		t.Errorf("the status's entry says %v", c)
	}
	var changed []string
	for _, c := range r.entry("ReturnCreated").Changes {
		changed = append(changed, c.Path)
	}
	equals(t, "what the return changed", strings.Join(changed, " "), "orderForm.lineItems[L1].returnQuantity orderForm.lineItems[L3].returnQuantity returnOrderForms")
	r.get(theOrder+"/versions/1").is("returnOrderForms", nil).is("status", "New")
	r.get(theOrder+"/versions/2").is("status", "PartiallyReturned")
	r.call("GET", theOrder+"/versions/3", "").want(404)
}

// noted returns fields of the history's entries of an operation, the newest first.
func (r *rig) noted(operation string, fields ...string) (out []any) {
	r.t.Helper()
	history := r.get(theOrder + "/history?limit=200")
	for i := range history.doc().Objects("items") {
		if at := fmt.Sprintf("items[%d].", i); history.at(at+"operation") == operation {
			for _, field := range fields {
				out = append(out, history.at(at+field))
			}
		}
	}
	return out
}

func TestReturnsThatCannotBe(t *testing.T) {
	r := lease(t)
	r.post(shopping)
	r.call("POST", theOrder+"/returns", lines("L1", "1.5", "L2", "1.5")).want(201)
	before := r.stored()
	for _, row := range []struct {
		name, body string
		places     []string
	}{
		{"an unknown line", lines("L9", "1"), []string{"lineItems[0].lineItemId"}},
		{"a line of another case", lines("l1", "0.5"), []string{"lineItems[0].lineItemId"}},
		{"a line twice", lines("L1", "0.1", "L1", "0.1"), []string{"lineItems[1].lineItemId"}},
		{"no line named", `{"lineItems":[{"returnQuantity":1}]}`, []string{"lineItems[0].lineItemId"}},
		{"zero", lines("L1", "0.0"), []string{"lineItems[0].returnQuantity"}},
		{"negative", lines("L1", "-1"), []string{"lineItems[0].returnQuantity"}},
		{"no quantity", `{"lineItems":[{"lineItemId":"L1"}]}`, []string{"lineItems[0].returnQuantity"}},
		{"a quantity as text", lines("L1", `"1"`), []string{"lineItems[0].returnQuantity"}},
		{"a quantity nobody can reckon with", lines("L1", "1e999999999"), []string{"lineItems[0].returnQuantity"}},
		{"more than not yet returned", lines("L1", "0.51"), []string{"lineItems[0].returnQuantity"}},
		{"all returned", lines("L2", "0.0001"), []string{"lineItems[0].returnQuantity"}},
		{"more than bought and not canceled", lines("L3", "2"), []string{"lineItems[0].returnQuantity"}},
		{"wholly canceled", lines("L4", "1"), []string{"lineItems[0].returnQuantity"}},
		{"several errors", lines("L1", "0.5", "L9", "1", "L3", "0"), []string{"lineItems[1].lineItemId", "lineItems[2].returnQuantity"}},
		{"no lines", `{"lineItems":[]}`, []string{"lineItems"}},
		{"nothing", `{}`, []string{"lineItems"}},
		{"null", `{"lineItems":null}`, []string{"lineItems"}},
		{"a line that is none", `{"lineItems":[5]}`, []string{"lineItems[0]"}},
		{"a comment that is none", `{"lineItems":[{"lineItemId":"L1","returnQuantity":0.5,"returnReason":5}],"returnComment":{}}`, []string{"lineItems[0].returnReason", "returnComment"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for i, place := range row.places {
				row.places[i] = "body." + place
			}
			r.in(t).call("POST", theOrder+"/returns", row.body).problem(422, row.places...)
		})
	}
	r.call("POST", "/api/orders/none/returns", lines("L1", "0.5")).problem(404)
	r.call("POST", theOrder+"/returns", lines("L1", "0.5"), "If-Match", `"1"`).problem(412)
	equals(t, "what is stored", r.stored(), before)
	r.call("POST", theOrder+"/returns", lines("L1", "0.5", "L3", "1"), "If-Match", `"2"`).want(201).is("order.status", "Returned")
}

func TestWhatOfAReturnNobodyReadsIsNamed(t *testing.T) {
	r := lease(t)
	r.post(`{"id":"ORD-12345","orderForm":{"lineItems":[{"lineItemId":"L1","quantity":1}]}}`)
	res := r.call("POST", theOrder+"/returns", `{"comment":"x","lineItems":[{"lineItemId":"L1","returnQuantity":1}]}`).want(201)
	res.is("warnings[0].path", "body.comment").is("warnings[1]", nil)
	equals(t, "the history's", len(r.entry("ReturnCreated").Warnings), 1)
}
