package order_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

// docs/contract.md#returns.

// split has two lines under one id.
const split = `{"status":"Completed","orderForm":{"lineItems":[{"lineItemId":"L1","code":"A","quantity":2,"placedPrice":5},{"lineItemId":"L1","code":"A","quantity":3,"placedPrice":7},
 {"lineItemId":"L2","quantity":4,"canceledQuantity":1,"placedPrice":1}]}}`

// refunds is what each form returns, as "2×5 3×7".
func refunds(order *jsondoc.Object) (out []string) {
	for _, form := range order.Objects("returnOrderForms") {
		var parts []string
		for _, line := range form.Objects("lineItems") {
			quantity, _ := line.Get("returnQuantity")
			price, _ := line.Get("placedPrice")
			parts = append(parts, fmt.Sprint(quantity, "×", price))
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// linesReturned is the returnQuantity of each line of the order.
func linesReturned(order *jsondoc.Object) (out []string) {
	for _, line := range order.Object("orderForm").Objects("lineItems") {
		quantity, _ := line.Get("returnQuantity")
		out = append(out, fmt.Sprint(quantity))
	}
	return out
}

func wants(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// give returns lines and fails the test unless it can be done.
func give(t *testing.T, order *jsondoc.Object, what string) (id string) {
	t.Helper()
	id, _, err := returned(t, order, lines(what))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestLinesOfOneIDAreUsedUpInTheirOrder(t *testing.T) {
	for _, tc := range []struct {
		returns       []string
		refunds, rest []string
	}{
		{[]string{"L1 5"}, []string{"2×5 3×7"}, []string{"2", "3", "<nil>"}},
		{[]string{"L1 2"}, []string{"2×5"}, []string{"2", "<nil>", "<nil>"}},
		{[]string{"L1 2.50"}, []string{"2×5 0.5×7"}, []string{"2", "0.5", "<nil>"}},
		{[]string{"L1 1", "L1 2.0", "L1 2"}, []string{"1×5", "1×5 1×7", "2×7"}, []string{"2", "3", "<nil>"}},
		{[]string{"L2 3, L1 3"}, []string{"3×1 2×5 1×7"}, []string{"2", "1", "3"}},
	} {
		order := ordertest.Doc(t, split)
		for _, r := range tc.returns {
			give(t, order, r)
		}
		wants(t, "refunds", refunds(order), tc.refunds)
		wants(t, "returned", linesReturned(order), tc.rest)
	}
	order := ordertest.Doc(t, split)
	give(t, order, "L1 4")
	_, _, err := returned(t, order, lines("L1 2"))
	ordertest.Refused(t, err, apierr.Invalid, "which is 1")
}

func TestACancelledReturnFreesItsQuantities(t *testing.T) {
	o := ordertest.Doc(t, split)
	first, second := give(t, o, "L1 2"), give(t, o, "L1 3, L2 1")
	wants(t, "returned", linesReturned(o), []string{"2", "3", "1"})
	if !order.CancelReturn(o, first) || order.CancelReturn(o, first) || order.CancelReturn(o, "none") {
		t.Error("a return is cancelled twice, or not at all, or one that is not there")
	}
	wants(t, "returned", linesReturned(o), []string{"0", "3", "1"})
	if form := order.ReturnForm(o, first); form.Text("status") != "Cancelled" || len(form.Objects("lineItems")) != 1 {
		t.Errorf("the form is %s", form.JSON())
	}
	give(t, o, "L1 2")
	wants(t, "refunds", refunds(o), []string{"2×5", "3×7 1×1", "2×5"})
	order.CancelReturn(o, second)
	wants(t, "returned", linesReturned(o), []string{"2", "0", "0"})
}

func TestACancelledReturnCountsAgainWhereThereIsEnough(t *testing.T) {
	o := ordertest.Doc(t, split)
	id := give(t, o, "L1 4")
	order.CancelReturn(o, id)
	give(t, o, "L1 1")
	if err := order.ReopenReturn(o, id); err != nil {
		t.Fatal(err)
	}
	if order.ReturnForm(o, id).Has("status") {
		t.Error("it is cancelled still")
	}
	wants(t, "returned", linesReturned(o), []string{"2", "3", "<nil>"})
	order.CancelReturn(o, id)
	give(t, o, "L1 2")
	before := o.Clone()
	ordertest.Refused(t, order.ReopenReturn(o, id), apierr.Conflict, `of line "L1" only 2 can still be returned`)
	ordertest.Same(t, o, string(before.JSON()))
	if err := order.ReopenReturn(o, "none"); err != nil {
		t.Error(err)
	}
}

func TestTheStatusOfAnOrderThatHasAReturnLess(t *testing.T) {
	for _, tc := range []struct {
		name, status, forms, want string
	}{
		{"nothing is left", "Returned", `{"status":"Cancelled","prevStatus":"Completed"}`, "Completed"},
		{"the status before the first of several", "Returned", `{"status":"Cancelled","prevStatus":"Completed"},{"status":"Canceled","prevStatus":"PartiallyReturned"}`, "Completed"},
		{"another return is left", "Returned", `{"status":"Cancelled","prevStatus":"Completed"},{"lineItems":[{"lineItemId":"L1","returnQuantity":1}]}`, "PartiallyReturned"},
		{"all is returned still", "Returned", `{"status":"Cancelled"},{"lineItems":[{"lineItemId":"L1","returnQuantity":2}]}`, "Returned"},
		{"the order has gone on", "Refunded", `{"status":"Cancelled","prevStatus":"Completed"}`, "Refunded"},
		{"in another case", "RETURNED", `{"status":"cancelled","prevStatus":"Completed"}`, "Completed"},
		{"a status with blanks around it", "Returned", `{"status":"Cancelled","prevStatus":" Delivered\t"}`, "Delivered"},
		{"a blank one is none", "Returned", `{"status":"Cancelled","prevStatus":"Completed"},{"status":"Cancelled","prevStatus":" "}`, "Completed"},
		{"nothing but a blank one", "Returned", `{"status":"Cancelled","prevStatus":" "}`, "Returned"},
		{"nobody knows what was before", "Returned", `{"status":"Cancelled"}`, "Returned"},
	} {
		// As it is stored: blanks are refused where a document comes in.
		o, err := schema.ParseStored([]byte(`{"status":"` + tc.status + `","returnOrderForms":[` + tc.forms + `],"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":2}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := order.StatusAfterCancel(o); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestReturnsOfBefore(t *testing.T) {
	o := ordertest.Doc(t, split)
	// One line for both, and no returnQuantity of the order's lines, as forms were once made.
	o.Set("returnOrderForms", []any{ordertest.Doc(t, `{"returnId":"R1","lineItems":[{"lineItemId":"L1","code":"A","quantity":3,"placedPrice":7,"returnQuantity":4}]}`)})
	_, _, err := returned(t, o, lines("L1 2"))
	ordertest.Refused(t, err, apierr.Invalid, "which is 1")
	give(t, o, "L1 1")
	wants(t, "returned", linesReturned(o), []string{"2", "3", "<nil>"})
	order.CancelReturn(o, "R1")
	wants(t, "returned", linesReturned(o), []string{"1", "0", "<nil>"})
}

func TestWhatAnotherSystemReturnedCountsToo(t *testing.T) {
	o := ordertest.Doc(t, `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":3,"returnQuantity":1}]}}`)
	_, _, err := returned(t, o, lines("L1 3"))
	ordertest.Refused(t, err, apierr.Invalid, "which is 2")
	id := give(t, o, "L1 2")
	wants(t, "returned", linesReturned(o), []string{"3"})
	order.CancelReturn(o, id)
	wants(t, "returned", linesReturned(o), []string{"1"})
}

func TestWhatWasReturnedOfALineThatChangedSince(t *testing.T) {
	o := ordertest.Doc(t, split)
	give(t, o, "L1 5")
	for _, line := range o.Object("orderForm").Objects("lineItems") {
		line.Set("canceledQuantity", jsondoc.Number("1"))
	}
	_, _, err := returned(t, o, lines("L1 0.5"))
	ordertest.Refused(t, err, apierr.Invalid, "which is 0")
	wants(t, "returned", linesReturned(o), []string{"2", "3", "<nil>"})
	order.CancelReturn(o, o.Objects("returnOrderForms")[0].Text("returnId"))
	wants(t, "returned after it was cancelled", linesReturned(o), []string{"0", "0", "<nil>"})
	give(t, o, "L1 3")
	wants(t, "refund", refunds(o)[1:], []string{"1×5 2×7"})
}

func TestMoreWasReturnedThanTheOrderSaysWasBought(t *testing.T) {
	o := ordertest.Doc(t, `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":2},{"lineItemId":"L1","quantity":3}]},
	 "returnOrderForms":[{"returnId":"R1","lineItems":[{"lineItemId":"L1","returnQuantity":7}]},{"returnId":"R2","lineItems":[{"lineItemId":"L9","returnQuantity":1}]}]}`)
	order.CancelReturn(o, "R2")
	wants(t, "returned", linesReturned(o), []string{"2", "5"})
	order.CancelReturn(o, "R1")
	wants(t, "returned", linesReturned(o), []string{"0", "0"})
}

// What a patch of lines or return forms leaves is in docs/contract.md#returns.
func TestAPatchKeepsTheReturnedQuantitiesTrue(t *testing.T) {
	before := ordertest.Doc(t, split)
	id := give(t, before, "L1 5")
	wants(t, "returned before", linesReturned(before), []string{"2", "3", "<nil>"})
	const lines = `{"orderForm":{"lineItems":[{"lineItemId":"L1","returnQuantity":%s},{"lineItemId":"L1"},{"lineItemId":"L2"}]}}`
	for _, tc := range []struct {
		name  string
		rules *order.PatchRules
		patch string
		want  []string
	}{
		{"a form that is cancelled", order.APIPatch, `{"returnOrderForms":[{"returnId":"` + id + `","status":"Canceled"}]}`, []string{"0", "0", "<nil>"}},
		{"another comment", order.APIPatch, `{"comment":"x"}`, []string{"2", "3", "<nil>"}},
		{"more than the forms say", order.APIPatch, fmt.Sprintf(lines, "9"), []string{"9", "3", "<nil>"}},
		{"less than the forms say", order.APIPatch, fmt.Sprintf(lines, "1"), []string{"2", "3", "<nil>"}},
		{"none, by a step", order.OrderStepPatch, fmt.Sprintf(lines, "0"), []string{"2", "3", "<nil>"}},
		{"lines in place of those that there are", order.APIPatch,
			`{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":9,"placedPrice":5},{"lineItemId":"L2"}]}}`, []string{"5", "<nil>"}},
		{"more, and the form is cancelled", order.APIPatch, `{"returnOrderForms":[{"returnId":"` + id + `","status":"Canceled"}],` + fmt.Sprintf(lines, "9")[1:], []string{"9", "3", "<nil>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := tc.rules.Apply(before, ordertest.Doc(t, tc.patch))
			if err != nil {
				t.Fatal(err)
			}
			wants(t, "returned", linesReturned(p.Doc), tc.want)
			wants(t, "changes", []string{fmt.Sprint(p.Changes)}, []string{fmt.Sprint(order.Diff(before, p.Doc))})
		})
	}
}

// Another system may say what was returned with the forms alone.
func TestANewOrderWithReturnFormsSaysWhatWasReturned(t *testing.T) {
	o := ordertest.Doc(t, `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":3},{"lineItemId":"L2","quantity":3,"returnQuantity":2}]},
	 "returnOrderForms":[{"returnId":"R1","lineItems":[{"lineItemId":"L1","returnQuantity":2},{"lineItemId":"L2","returnQuantity":1}]}]}`)
	if err := order.Complete(o); err != nil {
		t.Fatal(err)
	}
	wants(t, "returned", linesReturned(o), []string{"2", "2"})
}

// Many lines of one id and as many forms must not hold up all others.
func TestManyReturnsOfManyLines(t *testing.T) {
	var all, forms []string
	for i := range 20000 {
		all = append(all, fmt.Sprintf(`{"lineItemId":"L1","quantity":1,"placedPrice":%d}`, i))
		forms = append(forms, `{"returnId":"R","lineItems":[{"lineItemId":"L1","returnQuantity":0.5}]}`)
	}
	order := ordertest.Doc(t, `{"orderForm":{"lineItems":[`+strings.Join(all, ",")+`]},"returnOrderForms":[`+strings.Join(forms, ",")+`]}`)
	give(t, order, "L1 1.5")
	wants(t, "refunds", refunds(order)[len(forms):], []string{"1×10000 0.5×10001"})
}
