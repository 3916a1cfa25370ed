package order_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// bought is an order of three lines, one of them partly canceled.
const bought = `{"id":"O1","status":"Completed","orderForm":{"lineItems":[{"lineItemId":"L1","code":"SHOE","quantity":2,"placedPrice":10.10,"mine":{"x":1}},
 {"lineItemId":"L2","code":"LACE","quantity":1.5},{"lineItemId":"L3","quantity":3,"canceledQuantity":3}]}}`

// returned parses a return and adds it to an order.
func returned(t testing.TB, o *jsondoc.Object, body string) (id, status string, err error) {
	t.Helper()
	r, err := order.ParseReturn(ordertest.Doc(t, body))
	if err != nil {
		return "", "", err
	}
	return order.AddReturn(o, r, ordertest.Noon)
}

// lines is the body of a return of lines, as "L1 2, L2 0.5".
func lines(list string) string {
	var out []string
	for line := range strings.SplitSeq(list, ", ") {
		id, quantity, _ := strings.Cut(line, " ")
		out = append(out, `{"lineItemId":"`+id+`","returnQuantity":`+quantity+`}`)
	}
	return `{"lineItems":[` + strings.Join(out, ",") + `]}`
}

func TestAReturnIsPartialUntilNothingIsLeft(t *testing.T) {
	for _, tc := range []struct {
		name, order string
		returns     []string // one after the other
		want        []string
	}{
		{"everything at once", bought, []string{"L1 2, L2 1.5"}, []string{"Returned"}},
		{"one line", bought, []string{"L1 2"}, []string{"PartiallyReturned"}},
		{"a part of each line", bought, []string{"L1 1, L2 1"}, []string{"PartiallyReturned"}},
		{"bit by bit", bought, []string{"L1 1", "L2 1.5", "L1 1"}, []string{"PartiallyReturned", "PartiallyReturned", "Returned"}},
		{"in other digits", bought, []string{"L1 2.00, L2 15e-1"}, []string{"Returned"}},
		{"a hair is left", bought, []string{"L1 2, L2 1.4999999999999999999"}, []string{"PartiallyReturned"}},
		{"0.1 three times", `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":0.3}]}}`, []string{"L1 0.1", "L1 0.1", "L1 0.1"}, []string{"PartiallyReturned", "PartiallyReturned", "Returned"}},
		{"canceled lines do not count", `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":3,"canceledQuantity":2},{"lineItemId":"L2","quantity":0}]}}`, []string{"L1 1"}, []string{"Returned"}},
		{"a line without an id is never returned", `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":1},{"code":"A","quantity":1}]}}`, []string{"L1 1"}, []string{"PartiallyReturned"}},
		{"a canceled line without an id does not count", `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":1},{"code":"A","quantity":1,"canceledQuantity":1}]}}`, []string{"L1 1"}, []string{"Returned"}},
		{"quantities as text", `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":"5","canceledQuantity":"2","returnQuantity":"1"},{"lineItemId":"L2","quantity":2,"canceledQuantity":"2"}]}}`, []string{"L1 1", "L1 1"}, []string{"PartiallyReturned", "Returned"}},
		{"lines of one id together", `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":3},{"lineItemId":"L1","quantity":1}]}}`, []string{"L1 2", "L1 2"}, []string{"PartiallyReturned", "Returned"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			order, got := ordertest.Doc(t, tc.order), []string(nil)
			for _, r := range tc.returns {
				_, status, err := returned(t, order, lines(r))
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, status)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAReturnFormHoldsTheLinesAndWhy(t *testing.T) {
	o := ordertest.Doc(t, bought)
	o.Set("returnOrderForms", []any{ordertest.Doc(t, `{"returnId":"old","lineItems":[{"lineItemId":"L1","returnQuantity":1}]}`)})
	id, _, err := returned(t, o, `{"ReturnComment":"In its box","LineItems":[{"LineItemId":"L1","ReturnQuantity":1.0,"ReturnReason":"Too small"},{"lineItemId":"L2","returnQuantity":0.5}]}`)
	if err != nil || !strings.HasPrefix(id, ids.Return) {
		t.Fatalf("id %q, %v", id, err)
	}
	want := `{"returnId":"` + id + `","created":"2026-11-21T12:00:00.000000Z","lineItems":[
	 {"lineItemId":"L1","code":"SHOE","quantity":2,"placedPrice":10.10,"mine":{"x":1},"returnQuantity":1.0,"returnReason":"Too small"},
	 {"lineItemId":"L2","code":"LACE","quantity":1.5,"returnQuantity":0.5}],"returnComment":"In its box","prevStatus":"Completed"}`
	ordertest.Same(t, order.ReturnForm(o, id), want)
	ordertest.Same(t, order.ReturnForm(o, "old"), `{"returnId":"old","lineItems":[{"lineItemId":"L1","returnQuantity":1}]}`)
	o = ordertest.Doc(t, bought)
	again, _, _ := returned(t, o, lines("L1 1"))
	if again == id {
		t.Errorf("two returns have the id %s", id)
	}
	if form := order.ReturnForm(o, again); form.Has("returnComment") || form.Objects("lineItems")[0].Has("returnReason") {
		t.Errorf("a return without a word has %s", form.JSON())
	}
}

// Other systems write an order's ids as numbers; whoever returns a line repeats
// the id as that system has it.
func TestAReturnFindsALineByANumber(t *testing.T) {
	for _, id := range []string{`7`, `7.0`, `"7"`} {
		order := ordertest.Doc(t, `{"orderForm":{"lineItems":[{"lineItemId":"7","quantity":"2","canceledQuantity":"1"}]}}`)
		if _, status, err := returned(t, order, `{"lineItems":[{"LineItemId":`+id+`,"returnQuantity":1}]}`); err != nil || status != "Returned" {
			t.Errorf("%s: %q, %v", id, status, err)
		}
		_, _, err := returned(t, order, `{"lineItems":[{"lineItemId":`+id+`,"returnQuantity":1}]}`)
		ordertest.Refused(t, err, apierr.Invalid, "which is 0")
	}
}

func TestAReturnThatCannotBeNamesItsLine(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		places     []string
		says       string
	}{
		{"an empty body", `{}`, []string{"lineItems"}, "must name at least one line"},
		{"no lines", `{"lineItems":[]}`, []string{"lineItems"}, "must name at least one line"},
		{"an unknown line", lines("L1 1, L9 1"), []string{"lineItems[1].lineItemId"}, "the order has no such line"},
		{"an id in other case", lines("l1 1"), []string{"lineItems[0].lineItemId"}, "no such line"},
		{"no id", `{"lineItems":[{"returnQuantity":1}]}`, []string{"lineItems[0].lineItemId"}, "no such line"},
		{"a line twice", lines("L1 1, L1 1"), []string{"lineItems[1].lineItemId"}, "the line is there twice"},
		{"no quantity", `{"lineItems":[{"lineItemId":"L1"}]}`, []string{"lineItems[0].returnQuantity"}, "must be a number above 0"},
		{"null", lines("L1 null"), []string{"lineItems[0].returnQuantity"}, "must be a number above 0"},
		{"0", lines("L1 0.0"), []string{"lineItems[0].returnQuantity"}, "must be a number above 0"},
		{"below 0", lines("L1 -1"), []string{"lineItems[0].returnQuantity"}, "must be a number above 0"},
		{"a huge exponent", lines("L1 1e999999999"), []string{"lineItems[0].returnQuantity"}, "must be a number above 0"},
		{"a tiny exponent", lines("L1 1e-999999999"), []string{"lineItems[0].returnQuantity"}, "must be a number above 0"},
		{"more than was bought", lines("L1 3"), []string{"lineItems[0].returnQuantity"}, "is more than was bought and not yet returned, which is 2"},
		{"a hair more", lines("L2 1.5000000000000000001"), []string{"lineItems[0].returnQuantity"}, "which is 1.5"},
		{"a canceled line", lines("L3 1"), []string{"lineItems[0].returnQuantity"}, "which is 0"},
		{"several", lines("L1 3, L2 0, L9 1"), []string{"lineItems[0].returnQuantity", "lineItems[1].returnQuantity", "lineItems[2].lineItemId"}, "which is 2"},
		{"a text for a quantity", `{"lineItems":[{"lineItemId":"L1","returnQuantity":"1"}]}`, []string{"lineItems[0].returnQuantity"}, "must be a number, not text"},
		{"a number for an id", `{"lineItems":[{"lineItemId":1,"returnQuantity":1}]}`, []string{"lineItems[0].lineItemId"}, "no such line"},
		{"true for an id", `{"lineItems":[{"lineItemId":true,"returnQuantity":1}]}`, []string{"lineItems[0].lineItemId"}, "must be text, not true or false"},
		{"no list", `{"lineItems":{"lineItemId":"L1"}}`, []string{"lineItems"}, "must be a list of objects"},
		{"wrong types", `{"returnComment":1,"lineItems":["L1",{"returnReason":true}]}`, []string{"returnComment", "lineItems[0]", "lineItems[1].returnReason"}, "must be text"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			order := ordertest.Doc(t, bought)
			_, _, err := returned(t, order, tc.body)
			ordertest.Refused(t, err, apierr.Invalid, tc.says)
			if diff := cmp.Diff(tc.places, ordertest.Locations(err)); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
			ordertest.Same(t, order, bought)
		})
	}
}

func TestWhatIsReturnedAlreadyCannotBeReturnedAgain(t *testing.T) {
	order := ordertest.Doc(t, bought)
	for _, part := range []string{"L1 1", "L2 1.5", "L1 1"} {
		if _, _, err := returned(t, order, lines(part)); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := returned(t, order, lines("L1 1, L2 0.1"))
	ordertest.Refused(t, err, apierr.Invalid, "which is 0")
	if diff := cmp.Diff([]string{"lineItems[0].returnQuantity", "lineItems[1].returnQuantity"}, ordertest.Locations(err)); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	_, _, err = returned(t, ordertest.Doc(t, `{}`), lines("L1 1"))
	ordertest.Refused(t, err, apierr.Invalid, "the order has no such line")
}

func TestWhatOfARequestToReturnNobodyReadsIsNamed(t *testing.T) {
	r, err := order.ParseReturn(ordertest.Doc(t, `{"comment":"late","returnComment":null,"lineItems":[{"lineItemId":"1","returnQuantity":1,"reason":"small","returnQuantiti":2,"x":null}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range r.Warnings {
		got = append(got, w.Path+": "+w.Message)
	}
	want := []string{"comment: nobody reads this member; returnComment may be meant", "lineItems[0].reason: nobody reads this member; returnReason may be meant",
		"lineItems[0].returnQuantiti: nobody reads this member; returnQuantity may be meant"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAReturnNamesSoManyErrors, and says that there may be more: a list as long as the request would be
// many times as large as that.
func TestAReturnNamesSoManyErrors(t *testing.T) {
	for n, want := range map[int]string{1: "the return is not valid", 20: "only the first 20", 10_000: "only the first 20", 10_001: "the request is not valid"} {
		o := ordertest.Doc(t, bought)
		_, _, err := returned(t, o, lines(strings.TrimSuffix(strings.Repeat("Lx 1, ", n), ", ")))
		e, ok := err.(*apierr.Error)
		if !ok || !strings.Contains(e.Detail, want) || len(e.Fields) > 20 {
			t.Errorf("of %d lines %v", n, err)
		}
		if n > 10_000 && (e.Fields[0].Location != "lineItems" || !strings.Contains(e.Fields[0].Message, "at most 10000")) {
			t.Errorf("of %d lines %+v", n, e.Fields)
		}
	}
}
