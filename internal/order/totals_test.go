package order_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

// twoLines is a form whose totals are right.
const twoLines = `"lineItems":[
	{"lineItemId":"1","code":"WOOL-M","placedPrice":499.50,"quantity":2,"discounted":99,"orderDiscountAmount":50.25,"extendedPrice":849.75},
	{"lineItemId":"2","code":"SOCK","placedPrice":79.90,"quantity":1,"extendedPrice":79.90}],
	"subTotal":929.65,"shippingTotal":59.00,"handlingTotal":10,"total":998.65`

// withLines is twoLines with other numbers.
func withLines(line1, line2, totals string) string {
	return ordertest.Form(`"lineItems":[{"lineItemId":"1","code":"WOOL-M",` + line1 + `},{"lineItemId":"2","code":"SOCK",` + line2 + `}],` + totals)
}

func TestTotalsFollowPricesAndQuantities(t *testing.T) {
	const line2 = `"placedPrice":79.90,"quantity":1,"extendedPrice":79.90`
	for _, tc := range []struct{ name, patch, want string }{
		{"a changed price", `{"lineItemId":"1","placedPrice":400}`,
			withLines(`"placedPrice":400,"quantity":2,"discounted":99,"orderDiscountAmount":50.25,"extendedPrice":650.75`, line2, `"subTotal":730.65,"shippingTotal":59.00,"handlingTotal":10,"total":799.65`)},
		{"a changed quantity", `{"lineItemId":"1","quantity":3}`,
			withLines(`"placedPrice":499.50,"quantity":3,"discounted":99,"orderDiscountAmount":50.25,"extendedPrice":1349.25`, line2, `"subTotal":1429.15,"shippingTotal":59.00,"handlingTotal":10,"total":1498.15`)},
		{"a changed line discount", `{"lineItemId":"1","discounted":0}`,
			withLines(`"placedPrice":499.50,"quantity":2,"discounted":0,"orderDiscountAmount":50.25,"extendedPrice":948.75`, line2, `"subTotal":1028.65,"shippingTotal":59.00,"handlingTotal":10,"total":1097.65`)},
		{"a changed order discount", `{"lineItemId":"2","orderDiscountAmount":79.90}`,
			withLines(`"placedPrice":499.50,"quantity":2,"discounted":99,"orderDiscountAmount":50.25,"extendedPrice":849.75`, line2[:len(line2)-5]+`0.00,"orderDiscountAmount":79.90`, `"subTotal":849.75,"shippingTotal":59.00,"handlingTotal":10,"total":918.75`)},
		{"a price that the patch gives the line itself", `{"lineItemId":"1","quantity":3,"extendedPrice":1000}`,
			withLines(`"placedPrice":499.50,"quantity":3,"discounted":99,"orderDiscountAmount":50.25,"extendedPrice":1000`, line2, `"subTotal":1079.90,"shippingTotal":59.00,"handlingTotal":10,"total":1148.90`)},
		{"the same price and quantity in other digits", `{"lineItemId":"1","placedPrice":499.5,"quantity":2.0}`, ordertest.Form(twoLines)},
		{"another field of a line", `{"lineItemId":"1","code":"WOOL-M"}`, ordertest.Form(twoLines)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ordertest.Same(t, ordertest.Apply(t, order.APIPatch, ordertest.Form(twoLines), ordertest.Form(`"lineItems":[`+tc.patch+`]`)).Doc, tc.want)
		})
	}
}

func TestTotalsThatThePatchSetsStay(t *testing.T) {
	for _, tc := range []struct{ name, patch, want string }{
		{"the subTotal", `"subTotal":900`, `"subTotal":900,"shippingTotal":59.00,"handlingTotal":10,"total":969.00`},
		{"the total", `"total":1500`, `"subTotal":1429.15,"shippingTotal":59.00,"handlingTotal":10,"total":1500`},
		{"both", `"subTotal":900,"total":1`, `"subTotal":900,"shippingTotal":59.00,"handlingTotal":10,"total":1`},
		{"shipping and handling count as patched", `"shippingTotal":0,"handlingTotal":0.85`, `"subTotal":1429.15,"shippingTotal":0,"handlingTotal":0.85,"total":1430.00`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ordertest.Apply(t, order.APIPatch, ordertest.Form(twoLines), ordertest.Form(`"lineItems":[{"lineItemId":"1","quantity":3}],`+tc.patch)).Doc
			ordertest.Same(t, got, withLines(`"placedPrice":499.50,"quantity":3,"discounted":99,"orderDiscountAmount":50.25,"extendedPrice":1349.25`,
				`"placedPrice":79.90,"quantity":1,"extendedPrice":79.90`, tc.want))
		})
	}
}

func TestTotalsFollowAddedAndRemovedLines(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"an added line", ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":1,"extendedPrice":10}],"subTotal":10,"total":10`), ordertest.Form(`"lineItems":[{"lineItemId":"2","placedPrice":2.50,"quantity":2}]`),
			ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":1,"extendedPrice":10},{"lineItemId":"2","placedPrice":2.50,"quantity":2,"extendedPrice":5.00}],"subTotal":15.00,"total":15.00`)},
		{"an added line with its own price", ordertest.Form(`"lineItems":[],"subTotal":0,"total":0`), ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":1,"extendedPrice":8}]`),
			ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":1,"extendedPrice":8}],"subTotal":8,"total":8`)},
		{"an added line without an id", ordertest.Form(`"lineItems":[{"lineItemId":"1","extendedPrice":10}],"subTotal":10,"total":10`), ordertest.Form(`"lineItems":[{"extendedPrice":8}]`),
			ordertest.Form(`"lineItems":[{"lineItemId":"1","extendedPrice":10},{"extendedPrice":8}],"subTotal":18,"total":18`)},
		{"an added line without a price counts as 0", ordertest.Form(`"lineItems":[{"lineItemId":"1","extendedPrice":10}],"subTotal":10,"total":10`), ordertest.Form(`"lineItems":[{"lineItemId":"2","code":"GIFT"}]`),
			ordertest.Form(`"lineItems":[{"lineItemId":"1","extendedPrice":10},{"lineItemId":"2","code":"GIFT"}],"subTotal":10,"total":10`)},
		{"a removed line", ordertest.Form(twoLines), `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"lineItemId":"2","placedPrice":79.90,"quantity":1,"extendedPrice":79.90}]}}`,
			ordertest.Form(`"lineItems":[{"lineItemId":"2","placedPrice":79.90,"quantity":1,"extendedPrice":79.90}],"subTotal":79.90,"shippingTotal":59.00,"handlingTotal":10,"total":148.90`)},
		{"a removed line beside one without an id", ordertest.Form(`"lineItems":[{"lineItemId":"1","extendedPrice":10},{"extendedPrice":8}],"subTotal":18,"total":18`), `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"extendedPrice":8}]}}`,
			ordertest.Form(`"lineItems":[{"extendedPrice":8}],"subTotal":8,"total":8`)},
		{"priced lines that make way for one without a price", ordertest.Form(twoLines), `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"lineItemId":"3","placedPrice":6}]}}`,
			ordertest.Form(`"lineItems":[{"lineItemId":"3","placedPrice":6}],"subTotal":0,"shippingTotal":59.00,"handlingTotal":10,"total":69.00`)},
		{"a line that becomes one without a quantity", ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"extendedPrice":20}],"subTotal":20,"total":20`), `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":10}]}}`,
			ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"extendedPrice":0}],"subTotal":0,"total":0`)},
		{"a quantity that is cleared", ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"extendedPrice":20}],"subTotal":20,"total":20`), `{"forceUpdate":["quantity"],"orderForm":{"lineItems":[{"lineItemId":"1","quantity":null}]}}`,
			ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":null,"extendedPrice":0}],"subTotal":0,"total":0`)},
		{"a price that is cleared", ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"extendedPrice":20}],"subTotal":20,"total":20`), `{"forceUpdate":["placedPrice"],"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":null}]}}`,
			ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":null,"quantity":2,"extendedPrice":0}],"subTotal":0,"total":0`)},
		{"all lines removed", ordertest.Form(twoLines), `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[]}}`,
			ordertest.Form(`"lineItems":[],"subTotal":0,"shippingTotal":59.00,"handlingTotal":10,"total":69.00`)},
		{"all lines cleared", ordertest.Form(twoLines), `{"forceUpdate":["orderForm.lineItems"],"orderForm":{"lineItems":null}}`,
			ordertest.Form(`"lineItems":null,"subTotal":0,"shippingTotal":59.00,"handlingTotal":10,"total":69.00`)},
		{"a first form", `{}`, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":0.1,"quantity":3}]`), ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":0.1,"quantity":3,"extendedPrice":0.3}],"subTotal":0.3,"total":0.3`)},
	})
}

func TestTheTotalsOfNoLinesFollowTheirParts(t *testing.T) {
	for _, tc := range []struct{ name, have, patch, want string }{
		{"shipping", `"lineItems":[],"subTotal":0,"shippingTotal":49,"total":49`, `"shippingTotal":59`, "0 59"},
		{"shipping, where nothing was worked out", `"lineItems":[],"shippingTotal":49`, `"shippingTotal":59`, "0 59"},
		{"nothing that counts", `"lineItems":[],"shippingTotal":49`, `"cartId":"c"`, "<nil> <nil>"},
		{"a total from elsewhere", `"lineItems":[],"shippingTotal":49,"total":100`, `"shippingTotal":59`, "<nil> 100"},
		{"a total that the patch sets", `"lineItems":[],"shippingTotal":49`, `"shippingTotal":59,"total":7`, "<nil> 7"},
	} {
		if got := sums(ordertest.Apply(t, order.APIPatch, ordertest.Form(tc.have), ordertest.Form(tc.patch)).Doc); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestTotalsStayWhereNoLineIsTouched(t *testing.T) {
	const wrong = `"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":1,"extendedPrice":7},{"placedPrice":5,"quantity":1}],"subTotal":1,"total":2`
	for _, patch := range []string{
		`{"status":"Paid"}`, ordertest.Form(`"cartId":"c-1"`), ordertest.Form(`"lineItems":null`), ordertest.Form(`"lineItems":[]`),
		ordertest.Form(`"lineItems":[{"lineItemId":"1","comment":"x"}]`), ordertest.Form(`"total":2,"subTotal":1.00`),
	} {
		p := ordertest.Apply(t, order.APIPatch, ordertest.Form(wrong), patch)
		if diff := cmp.Diff(paths(p.Set), paths(p.Changes)); diff != "" {
			t.Errorf("%s recomputed: %s", patch, diff)
		}
	}
}

func TestLinesThatReplaceThemselvesKeepAPrice(t *testing.T) {
	const patch = `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2}]}}`
	once := ordertest.Apply(t, order.APIPatch, ordertest.Form(twoLines), patch).Doc
	ordertest.Same(t, once, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"extendedPrice":20}],"subTotal":20,"shippingTotal":59.00,"handlingTotal":10,"total":89.00`))
	ordertest.Same(t, ordertest.Apply(t, order.APIPatch, string(once.JSON()), patch).Doc, string(once.JSON()))
}

func TestLinesOfOneIdAreToldApart(t *testing.T) {
	const double = `"lineItems":[{"lineItemId":"1","placedPrice":1,"quantity":1,"extendedPrice":5},{"lineItemId":"1","placedPrice":2,"quantity":1,"extendedPrice":6}],"subTotal":99,"total":99`
	p := ordertest.Apply(t, order.APIPatch, ordertest.Form(double), ordertest.Form(`"lineItems":[{"lineItemId":"1","comment":"x"}]`))
	if diff := cmp.Diff([]string{"orderForm.lineItems"}, paths(p.Changes)); diff != "" {
		t.Errorf("a comment changed the totals: %s", diff)
	}
}

// Each part of a total, alone (docs/contract.md#totals).
func TestEachPartOfATotalCounts(t *testing.T) {
	const have = `"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":3,"discounted":3,"orderDiscountAmount":1,"extendedPrice":26}],"subTotal":26,"shippingTotal":5,"handlingTotal":2,"grossRoundoff":0.5,"total":33.5`
	line := func(patch string) string { return ordertest.Form(`"lineItems":[{"lineItemId":"1",` + patch + `}]`) }
	for _, tc := range []struct{ name, patch, want string }{
		{"placedPrice", line(`"placedPrice":11`), "29 29 36.5"},
		{"quantity", line(`"quantity":4`), "36 36 43.5"},
		{"canceledQuantity", line(`"canceledQuantity":2`), "8 8 15.5"},
		{"all canceled", line(`"canceledQuantity":3`), "-1 -1 6.5"},
		{"a part that does not divide", line(`"canceledQuantity":1,"discounted":1`), "18.333333 18.333333 25.833333"},
		{"half away from zero", line(`"quantity":4,"canceledQuantity":1,"discounted":0.000002`), "28.999998 28.999998 36.499998"},
		{"no quantity", line(`"quantity":0`), "0 0 7.5"},
		{"discounted", line(`"discounted":0`), "29 29 36.5"},
		{"orderDiscountAmount", line(`"orderDiscountAmount":0`), "27 27 34.5"},
		{"extendedPrice itself", line(`"extendedPrice":20`), "20 20 27.5"},
		{"subTotal itself", ordertest.Form(`"subTotal":30`), "26 30 37.5"},
		{"shippingTotal", ordertest.Form(`"shippingTotal":0`), "26 26 28.5"},
		{"handlingTotal", ordertest.Form(`"handlingTotal":3`), "26 26 34.5"},
		{"grossRoundoff", ordertest.Form(`"grossRoundoff":-0.50`), "26 26 32.50"},
		{"a part and the total", ordertest.Form(`"shippingTotal":0,"total":99`), "26 26 99"},
		{"what is repeated is not set", ordertest.Form(`"lineItems":[{"lineItemId":"1","quantity":4,"extendedPrice":26.0}],"subTotal":26,"total":33.50`), "36 36 43.5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := sums(ordertest.Apply(t, order.APIPatch, ordertest.Form(have), tc.patch).Doc); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			if got := sums(applyCart(t, ordertest.Form(have), tc.patch, false).Doc); got != tc.want && tc.name != "no quantity" {
				t.Errorf("of a cart: %s, want %s", got, tc.want)
			}
		})
	}
}

func TestANewOrderGetsTheTotalsThatItLacks(t *testing.T) {
	for _, tc := range []struct{ name, form, want string }{
		{"none is there", `"lineItems":[{"placedPrice":10,"quantity":3,"discounted":3,"canceledQuantity":2}]`, "9 9 9"},
		{"with a roundoff and shipping", `"lineItems":[{"placedPrice":10.10,"quantity":3}],"grossRoundoff":-0.30,"shippingTotal":5`, "30.30 30.30 35.00"},
		{"what is given stays", `"lineItems":[{"placedPrice":10,"quantity":3,"extendedPrice":25}],"subTotal":24,"total":23`, "25 24 23"},
		{"a line without a price", `"lineItems":[{"code":"GIFT"},{"placedPrice":1,"quantity":1}]`, "<nil> 1 1 1"},
		{"no line has a price", `"lineItems":[{"code":"GIFT","quantity":2}]`, "<nil> <nil> <nil>"},
		{"no lines in a list", `"lineItems":[],"shippingTotal":49`, "0 49"},
		{"no lines in a list, and a total from elsewhere", `"lineItems":[],"shippingTotal":49,"total":100`, "<nil> 100"},
		{"no list of lines", `"shippingTotal":49`, "<nil> <nil>"},
		{"a line without a placedPrice", `"lineItems":[{"quantity":2,"discounted":1,"orderDiscountAmount":1}],"shippingTotal":5`, "<nil> <nil> <nil>"},
		{"a subTotal without lines", `"subTotal":50,"shippingTotal":5`, "50 55"},
		{"amounts as text", `"lineItems":[{"placedPrice":"10.10","quantity":"3","discounted":"0.30"}],"shippingTotal":"5"`, "30.00 30.00 35.00"},
		{"text that is no amount", `"lineItems":[{"placedPrice":10,"quantity":3,"discounted":"none"}],"shippingTotal":"free"`, "30 30 30"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, err := order.NewOrder(ordertest.Doc(t, ordertest.Form(tc.form)), ordertest.Noon)
			if err != nil {
				t.Fatal(err)
			}
			if got := sums(o.Doc); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			c, err := cart.NewCart("C", ordertest.Doc(t, ordertest.Form(tc.form)), ordertest.Noon)
			if err != nil || sums(c.Doc) != tc.want {
				t.Errorf("of a cart: %s, %v, want %s", sums(c.Doc), err, tc.want)
			}
		})
	}
}

func TestAmountsAsTextStayText(t *testing.T) {
	const have = `"lineItems":[{"lineItemId":"1","placedPrice":"10.10","quantity":"2","extendedPrice":"20.20"}],"subTotal":"20.20","total":"20.20"`
	ordertest.Same(t, ordertest.Apply(t, order.APIPatch, ordertest.Form(have), ordertest.Form(`"lineItems":[{"lineItemId":"1","quantity":3}]`)).Doc,
		ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":"10.10","quantity":3,"extendedPrice":"30.30"}],"subTotal":"30.30","total":"30.30"`))
	ordertest.Same(t, ordertest.Apply(t, order.APIPatch, ordertest.Form(have), ordertest.Form(`"lineItems":[{"lineItemId":"1","quantity":2.0,"placedPrice":10.1}],"total":20.2`)).Doc, ordertest.Form(have))
}

func TestWhatNoLongerFitsTheTotalsIsNamed(t *testing.T) {
	const have = `{"taxTotal":5,"netTotal":20,"total":25,"subTotal":25,"netTotalExclTax":0,"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":25,"quantity":1,"extendedPrice":25}],"taxTotal":5,"totalExclTax":null,"subTotal":25,"total":25}}`
	for patch, want := range map[string]string{
		`{"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":30}]}}`:                                                                  "[total taxTotal netTotal orderForm.taxTotal subTotal]",
		`{"taxTotal":6,"netTotal":24,"total":30,"subTotal":30,"orderForm":{"taxTotal":6,"lineItems":[{"lineItemId":"1","placedPrice":30}]}}`: "[]",
		`{"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x"}]}}`:                                                                     "[]",
		`{"customerName":"x"}`: "[]",
	} {
		got := ordertest.Apply(t, order.APIPatch, have, patch).Unfit
		slices.Sort(got)
		sorted := strings.Fields(strings.Trim(want, "[]"))
		slices.Sort(sorted)
		if !slices.Equal(got, sorted) {
			t.Errorf("%s: %v, want %v", patch, got, sorted)
		}
	}
}

func TestLinesWhoseTaxesNoLongerFitAreNamed(t *testing.T) {
	const have = `{"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":1,"extendedPrice":10,"taxTotal":2,"extendedPriceExclTax":8},
	 {"lineItemId":"2","placedPrice":10,"quantity":1,"extendedPrice":10,"taxTotal":2},{"lineItemId":"2","placedPrice":4,"quantity":1,"extendedPrice":4,"taxTotal":1}],"subTotal":24,"total":24}}`
	for patch, want := range map[string][]string{
		`[{"lineItemId":"1","quantity":2}]`:                                                 {"orderForm.lineItems[#0].taxTotal", "orderForm.lineItems[#0].extendedPriceExclTax"},
		`[{"lineItemId":"1","quantity":2,"taxTotal":4,"extendedPriceExclTax":16}]`:          nil,
		`[{"lineItemId":"2"},{"lineItemId":"2","quantity":2}]`:                              {"orderForm.lineItems[#2].taxTotal"},
		`[{"lineItemId":"3","placedPrice":5,"quantity":1,"taxTotal":1}]`:                    nil, // it comes with its taxes
		`[{"lineItemId":"1","comment":"x"}]`:                                                nil,
		`[{"lineItemId":"1","quantity":2,"taxTotal":4},{"lineItemId":"2","placedPrice":9}]`: {"orderForm.lineItems[#0].extendedPriceExclTax", "orderForm.lineItems[#1].taxTotal"},
	} {
		got := ordertest.Apply(t, order.APIPatch, have, `{"orderForm":{"lineItems":`+patch+`}}`).Unfit
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", patch, got, want)
		}
	}
	// Lines of one id have no name of their own in a path. These have.
	var lines, more []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf(`{"lineItemId":"%d","placedPrice":10,"quantity":1,"extendedPrice":10,"taxTotal":2}`, i))
		more = append(more, fmt.Sprintf(`{"lineItemId":"%d","quantity":2}`, i))
	}
	got := ordertest.Apply(t, order.APIPatch, `{"orderForm":{"lineItems":[`+strings.Join(lines, ",")+`],"subTotal":1000}}`, `{"orderForm":{"lineItems":[`+strings.Join(more, ",")+`]}}`).Unfit
	if n := len(got); n != schema.MostUnread+1 || got[1] != "orderForm.lineItems[1].taxTotal" || got[n-1] != fmt.Sprintf("%d more of lines", 100-schema.MostUnread) {
		t.Errorf("of very many lines: %d, %v", n, got)
	}
}

func TestDecimalsAreExact(t *testing.T) {
	for _, tc := range []struct{ name, price, quantity, want string }{
		{"0.1 three times", "0.1", "3", "0.3"},
		{"19 digits", "1234567890123456789", "10", "12345678901234567890"},
		{"19 decimals", "0.0000000000000000001", "3", "0.0000000000000000003"},
		{"both", "9007199254740993.01", "1", "9007199254740993.01"},
		{"decimals are kept", "10.00", "2", "20.00"},
		{"a part of a piece", "199.90", "0.335", "66.96650"},
		{"an exponent", "1e3", "2", "2000"},
		{"a small exponent", "15e-1", "2", "3.0"},
		{"a return", "-79.90", "1", "-79.90"},
		{"nothing", "79.90", "0", "0.00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			line := fmt.Sprintf(`{"lineItemId":"1","placedPrice":%s,"quantity":%s}`, tc.price, tc.quantity)
			got := ordertest.Apply(t, order.APIPatch, ordertest.Form(`"lineItems":[]`), ordertest.Form(`"lineItems":[`+line+`]`)).Doc.Object("orderForm")
			for _, o := range []struct {
				*jsondoc.Object
				name string
			}{{got.Objects("lineItems")[0], "extendedPrice"}, {got, "subTotal"}, {got, "total"}} {
				if v, _ := o.Get(o.name); v != jsondoc.Number(tc.want) {
					t.Errorf("%s is %v, want %s", o.name, v, tc.want)
				}
			}
		})
	}
}

func TestSumsOfDecimalsAreExact(t *testing.T) {
	got := ordertest.Apply(t, order.APIPatch, `{}`, ordertest.Form(`"lineItems":[{"extendedPrice":0.1},{"extendedPrice":0.2},{"extendedPrice":1234567890123456789}],"shippingTotal":0.01`)).Doc
	o := got.Object("orderForm")
	if sub, _ := o.Get("subTotal"); sub != jsondoc.Number("1234567890123456789.3") {
		t.Errorf("subTotal is %v", sub)
	}
	if total, _ := o.Get("total"); total != jsondoc.Number("1234567890123456789.31") {
		t.Errorf("total is %v", total)
	}
}

func TestATotalOfTheSameValueKeepsItsText(t *testing.T) {
	got := ordertest.Apply(t, order.APIPatch, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"discounted":5,"orderDiscountAmount":0}],"subTotal":20.00,"total":2e1`), ordertest.Form(`"lineItems":[{"lineItemId":"1","discounted":0.0}]`)).Doc
	ordertest.Same(t, got, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"discounted":0.0,"orderDiscountAmount":0,"extendedPrice":20.0}],"subTotal":20.00,"total":2e1`))
	got = ordertest.Apply(t, order.APIPatch, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2}],"subTotal":20.00,"total":2e1`), ordertest.Form(`"lineItems":[{"lineItemId":"1","discounted":0.5}]`)).Doc
	ordertest.Same(t, got, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"discounted":0.5,"extendedPrice":19.5}],"subTotal":19.5,"total":19.5`))
}

func TestAnExtendedPriceThatThePatchSetsIsSummedUp(t *testing.T) {
	doc := ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"extendedPrice":20}],"subTotal":20,"total":20`)
	got := ordertest.Apply(t, order.APIPatch, doc, ordertest.Form(`"lineItems":[{"lineItemId":"1","extendedPrice":18.50}]`)).Doc
	ordertest.Same(t, got, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"extendedPrice":18.50}],"subTotal":18.50,"total":18.50`))
}

func TestADiscountOfNothingChangesNoPrice(t *testing.T) {
	doc := ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"extendedPrice":15}],"subTotal":15,"total":15`)
	got := ordertest.Apply(t, order.APIPatch, doc, ordertest.Form(`"lineItems":[{"lineItemId":"1","discounted":0.00}]`)).Doc
	ordertest.Same(t, got, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":2,"extendedPrice":15,"discounted":0.00}],"subTotal":15,"total":15`))
}

func TestNumbersThatNobodyCanCalculateWithAreRefused(t *testing.T) {
	for _, tc := range []struct{ name, doc, patch, want string }{
		{"a huge exponent", `{}`, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":1e999999999,"quantity":1}]`), "orderForm.lineItems[0].placedPrice: is no number"},
		{"a tiny one", `{}`, ordertest.Form(`"lineItems":[{},{"lineItemId":"1","placedPrice":1,"quantity":1e-1001}]`), "orderForm.lineItems[1].quantity: is no number"},
		{"one beyond 32 bits", `{}`, ordertest.Form(`"lineItems":[{"extendedPrice":1e99999999999}]`), "orderForm.lineItems[0].extendedPrice: is no number"},
		{"in the totals", ordertest.Form(`"shippingTotal":1e5000`), ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":1,"quantity":1}]`), "orderForm.shippingTotal: is no number"},
		{"a result that no document may hold", `{}`, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":1e500,"quantity":1}]`), "orderForm.lineItems[0].extendedPrice: comes to a number of more than 400 characters"},
		{"a sum that no document may hold", `{}`, ordertest.Form(`"lineItems":[{"extendedPrice":1e300},{"extendedPrice":1e-300}]`), "orderForm.subTotal: comes to a number of more"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := order.APIPatch.Apply(ordertest.Doc(t, tc.doc), ordertest.Doc(t, tc.patch))
			ordertest.Refused(t, err, apierr.Invalid, tc.want)
		})
	}
}

func TestTheLargestResultCanBeReadBack(t *testing.T) {
	price := strings.Repeat("9", jsondoc.MaxNumber)
	got := ordertest.Apply(t, order.APIPatch, `{}`, ordertest.Form(`"lineItems":[{"lineItemId":"1","placedPrice":`+price+`,"quantity":1}]`)).Doc
	ordertest.Doc(t, string(got.JSON()))
}
