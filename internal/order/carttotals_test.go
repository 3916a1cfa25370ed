package order_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// docs/contract.md#totals: line and cart totals are recomputed.

// sums are a form's lines' extendedPrice, its subTotal and its total.
func sums(cart *jsondoc.Object) string {
	form := cart.Object("orderForm")
	var out []string
	show := func(o *jsondoc.Object, name string) {
		v, _ := o.Get(name)
		out = append(out, fmt.Sprint(v))
	}
	for _, line := range form.Objects("lineItems") {
		show(line, "extendedPrice")
	}
	show(form, "subTotal")
	show(form, "total")
	return strings.Join(out, " ")
}

func TestTotalsOfACartAreRecomputedExactly(t *testing.T) {
	const one = `{"orderForm":{"lineItems":[{"lineItemId":"1","quantity":1,"placedPrice":10,"extendedPrice":10}],"subTotal":10,"shippingTotal":4.90,"handlingTotal":0.10,"total":15}}`
	for _, tc := range []struct{ name, form, want string }{
		{"10.10 × 3", `{"lineItems":[{"lineItemId":"1","quantity":3,"placedPrice":10.10}]}`, "30.30 30.30 35.30"},
		{"0.1 + 0.2", `{"lineItems":[{"lineItemId":"1","placedPrice":0.1},{"lineItemId":"2","placedPrice":0.2,"quantity":1}]}`, "0.1 0.2 0.3 5.30"},
		{"many digits", `{"lineItems":[{"lineItemId":"1","placedPrice":0.1234567890123456789012345,"quantity":2}]}`, "0.2469135780246913578024690 0.2469135780246913578024690 5.2469135780246913578024690"},
		{"discounts", `{"lineItems":[{"lineItemId":"1","discounted":1.50,"orderDiscountAmount":0.50}]}`, "8.00 8.00 13.00"},
		{"a removed line", `{"lineItems":[]}`, "0 5.00"},
		{"a new line without prices", `{"lineItems":[{"lineItemId":"1"},{"lineItemId":"2"}]}`, "10 <nil> 10 15"},
		{"a given extendedPrice", `{"lineItems":[{"lineItemId":"1","quantity":3,"extendedPrice":25}]}`, "25 25 30.00"},
		{"a given subTotal", `{"lineItems":[{"lineItemId":"1","quantity":3}],"subTotal":7}`, "30 7 12.00"},
		{"a given total", `{"lineItems":[{"lineItemId":"1","quantity":3}],"total":99}`, "30 30 99"},
		{"nulls are not given", `{"lineItems":[{"lineItemId":"1","quantity":3,"extendedPrice":null}],"subTotal":null,"total":null}`, "30 30 35.00"},
		{"the shipping too", `{"lineItems":[{"lineItemId":"1","quantity":2}],"shippingTotal":0}`, "20 20 20.10"},
		{"nothing of a price", `{"lineItems":[{"lineItemId":"1","comment":"x","quantity":1.0}]}`, "10 10 15"},
		{"no lines", `{"shippingTotal":1}`, "10 10 11.10"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := applyCart(t, one, `{"orderForm":`+tc.form+`}`, false)
			if diff := cmp.Diff(tc.want, sums(got.Doc)); diff != "" {
				t.Errorf("totals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPricesThatNobodyCanCalculateWithAreRefused(t *testing.T) {
	for number, place := range map[string]string{
		`{"placedPrice":1e999999999}`:                    "orderForm.lineItems[0].placedPrice",
		`{"quantity":1e-999999999}`:                      "orderForm.lineItems[0].quantity",
		`{"quantity":2,"extendedPrice":-1e1001}`:         "orderForm.lineItems[0].extendedPrice",
		`{"placedPrice":1e300,"quantity":1e300}`:         "orderForm.lineItems[0].extendedPrice",
		`{"discounted":1e99999999999999999999999999999}`: "orderForm.lineItems[0].discounted",
	} {
		line := ordertest.Doc(t, number)
		line.Set("lineItemId", "L1")
		for _, onlyLines := range []bool{false, true} {
			_, err := appliedCart(ordertest.Doc(t, ordertest.Basket), ordertest.Doc(t, `{"orderForm":{"lineItems":[`+string(line.JSON())+`]}}`), onlyLines)
			ordertest.Refused(t, err, apierr.Invalid, place+": ")
		}
	}
}
