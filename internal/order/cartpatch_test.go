package order_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// applyCart applies a value that must be sound.
func applyCart(t testing.TB, cart, value string, onlyLines bool) order.Patched {
	t.Helper()
	p, err := appliedCart(ordertest.Doc(t, cart), ordertest.Doc(t, value), onlyLines)
	if err != nil {
		t.Fatalf("ApplyCart(%s): %v", value, err)
	}
	return p
}

func TestAValueReplacesTheFieldsThatItHas(t *testing.T) {
	for _, tc := range []struct{ name, cart, value, want string }{
		{"a field", `{"a":1,"b":2}`, `{"a":3}`, `{"a":3,"b":2}`},
		{"a new field", `{"a":1}`, `{"b":{"c":[1]}}`, `{"a":1,"b":{"c":[1]}}`},
		{"null stays", `{"a":1,"b":{"c":2}}`, `{"a":null,"b":{"c":null}}`, `{"a":1,"b":{"c":2}}`},
		{"null of what is absent", `{"a":1}`, `{"b":null}`, `{"a":1}`},
		{"an object of nulls is nothing", `{"a":1}`, `{"billingAddress":{"city":null,"more":{"x":null}}}`, `{"a":1}`},
		{"an empty object", `{"a":1}`, `{"b":{}}`, `{"a":1,"b":{}}`},
		{"objects merge at every depth", `{"a":{"b":{"c":1,"d":2}}}`, `{"a":{"b":{"d":3,"e":4}}}`, `{"a":{"b":{"c":1,"d":3,"e":4}}}`},
		{"an object for a text", `{"a":"x"}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{"a text for an object", `{"a":{"b":1}}`, `{"a":"x"}`, `{"a":"x"}`},
		{"lists replace", `{"tags":["a","b"],"properties":[{"key":"k","value":"1","keyGroup":"g"}]}`, `{"tags":["c"],"properties":[{"key":"k","value":"2"}]}`, `{"tags":["c"],"properties":[{"key":"k","value":"2"}]}`},
		{"what only lacks fields is no other list", `{"properties":[{"key":"k","value":"1","keyGroup":"g"}]}`, `{"properties":[{"key":"k"}]}`, `{"properties":[{"key":"k","value":"1","keyGroup":"g"}]}`},
		{"a list that leaves out what a typed validator may not know", `{"properties":[{"key":"k","value":"1","keyGroup":"g"}]}`, `{"properties":[{"key":"k","value":"1"}]}`, `{"properties":[{"key":"k","value":"1","keyGroup":"g"}]}`},
		{"an empty list", `{"tags":["a"]}`, `{"tags":[]}`, `{"tags":[]}`},
		{"false and empty text", `{"a":true,"b":"x"}`, `{"a":false,"b":""}`, `{"a":false,"b":""}`},
		{"an empty status is none", `{"status":"Open"}`, `{"status":"","orderForm":{"shipments":[{"shipmentId":"S","status":""}]}}`, `{"status":"Open","orderForm":{"shipments":[{"shipmentId":"S"}]}}`},
		{"any case", `{"loyaltyTier":1}`, `{"LOYALTYTIER":2}`, `{"loyaltyTier":2}`},
		{"the same number in other digits", `{"total":10.10}`, `{"total":10.1}`, `{"total":10.10}`},
		{"id, version and created never change", `{"id":"C1","version":1,"created":"x"}`, `{"id":"C2","Version":9,"created":"y","a":1}`, `{"id":"C1","version":1,"created":"x","a":1}`},
		{"but below the top they do", `{"a":{"id":"1"}}`, `{"a":{"id":"2"}}`, `{"a":{"id":"2"}}`},
		{"a field that is cleared", `{"a":1,"b":2}`, `{"forceUpdate":["a"],"a":null,"b":null}`, `{"a":null,"b":2}`},
		{"a property that is removed", `{"properties":[{"key":"k"},{"key":"l"}]}`, `{"propertiesRemovalConditions":[{"key":"k"}]}`, `{"properties":[{"key":"l"}]}`},
		{"a line's property that is removed", `{"orderForm":{"lineItems":[{"lineItemId":"1","properties":[{"key":"k"},{"key":"l"}]}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","propertiesRemovalConditions":[{"key":"k"}]}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","properties":[{"key":"l"}]}]}}`},
		{"a line's field that is cleared", `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x","code":"A"}]}}`, `{"forceUpdate":["orderForm.lineItems.comment"],"orderForm":{"lineItems":[{"lineItemId":"1","comment":null,"code":null}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":null,"code":"A"}]}}`},
	} {
		t.Run(tc.name, func(t *testing.T) { ordertest.Same(t, applyCart(t, tc.cart, tc.value, false).Doc, tc.want) })
	}
}

func TestWhatOfAValueHasNoEffectIsNamed(t *testing.T) {
	const have = `{"id":"C1","version":3,"created":"2026-11-21T09:00:00Z","tags":["a"],"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`
	for value, want := range map[string]string{
		`{"id":"C1","version":3.0,"created":"2026-11-21T10:00:00+01:00","tags":["z"]}`:                                                                    "",
		`{"id":null,"version":0,"created":"0001-01-01T00:00:00","keepExistingListItems":false,"keepExistingOrderLines":null}`:                             "",
		`{"id":"C2","version":4,"created":"2026-11-21T09:00:01Z"}`:                                                                                        "id version created",
		`{"forceUpdate":["id"],"id":null,"created":null}`:                                                                                                 "id",
		`{"tags":["z"],"keepExistingListItems":true,"keepExistingOrderLines":true,"orderForm":{"lineItems":[]}}`:                                          "keepExistingListItems keepExistingOrderLines",
		`{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A","keepExistingCustomProperties":true},{"lineItemId":"2","keepExistingListItems":true}]}}`: "orderForm.lineItems.keepExistingCustomProperties orderForm.lineItems.keepExistingListItems",
	} {
		var places []string
		for _, w := range applyCart(t, have, value, false).Warnings {
			places = append(places, w.Path)
		}
		if got := strings.Join(places, " "); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	if p := ordertest.Apply(t, order.APIPatch, have, `{"keepExistingListItems":true,"tags":["z"]}`); len(p.Warnings) > 0 {
		t.Errorf("a patch is warned of: %v", p.Warnings)
	}
}

func TestLineItemsAreTheNewList(t *testing.T) {
	const had = `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A","x":{"y":1,"z":2}},{"lineItemId":"2","code":"B"}]}}`
	const twice = `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A"},{"lineItemId":"1","code":"B"}]}}`
	for _, tc := range []struct{ name, cart, lines, want string }{
		{"a known line keeps what it does not name", had, `[{"lineItemId":"1","comment":"c"},{"lineItemId":"2"}]`, `[{"lineItemId":"1","code":"A","x":{"y":1,"z":2},"comment":"c"},{"lineItemId":"2","code":"B"}]`},
		{"and what is null", had, `[{"lineItemId":"1","code":null,"x":{"y":null,"z":3}},{"lineItemId":"2"}]`, `[{"lineItemId":"1","code":"A","x":{"y":1,"z":3}},{"lineItemId":"2","code":"B"}]`},
		{"a missing line is removed", had, `[{"lineItemId":"2"}]`, `[{"lineItemId":"2","code":"B"}]`},
		{"a new line is added", had, `[{"lineItemId":"2"},{"lineItemId":"3","code":"C"},{"lineItemId":"1"}]`, `[{"lineItemId":"2","code":"B"},{"lineItemId":"3","code":"C"},{"lineItemId":"1","code":"A","x":{"y":1,"z":2}}]`},
		{"a line without an id is new", had, `[{"code":"C"}]`, `[{"code":"C"}]`},
		{"an id is exact", `{"orderForm":{"lineItems":[{"lineItemId":"a","code":"A"}]}}`, `[{"lineItemId":"A"}]`, `[{"lineItemId":"A"}]`},
		{"all lines go", had, `[]`, `[]`},
		{"the first lines", `{}`, `[{"lineItemId":"1"}]`, `[{"lineItemId":"1"}]`},
		{"lines of one id by their order", twice, `[{"lineItemId":"1","a":1},{"lineItemId":"1","a":2}]`, `[{"lineItemId":"1","code":"A","a":1},{"lineItemId":"1","code":"B","a":2}]`},
		{"a line that is split", had, `[{"lineItemId":"2","a":1},{"lineItemId":"2","a":2}]`, `[{"lineItemId":"2","code":"B","a":1},{"lineItemId":"2","code":"B","a":2}]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, onlyLines := range []bool{false, true} {
				got := applyCart(t, tc.cart, `{"orderForm":{"lineItems":`+tc.lines+`}}`, onlyLines)
				lines := jsondoc.NewObject(jsondoc.Member{Name: "l", Value: got.Doc.Object("orderForm").List("lineItems")})
				ordertest.Same(t, lines, `{"l":`+tc.want+`}`)
			}
		})
	}
}

// Each part of a line that a validator splits has a price of its own; none keeps
// that of the whole line.
func TestPartsOfALineHavePricesOfTheirOwn(t *testing.T) {
	const had = `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A","quantity":2,"placedPrice":100,"extendedPrice":200}],"subTotal":200,"total":200}}`
	for _, tc := range []struct{ name, lines, prices, total string }{
		{"other prices", `[{"lineItemId":"1","quantity":1,"placedPrice":90},{"lineItemId":"1","quantity":1,"placedPrice":80}]`, "[90 80]", "170"},
		{"other quantities", `[{"lineItemId":"1","quantity":1},{"lineItemId":"1","quantity":3},{"lineItemId":"1","quantity":1,"canceledQuantity":1}]`, "[100 300 0]", "400"},
		{"a price that is given", `[{"lineItemId":"1","quantity":1},{"lineItemId":"1","quantity":1,"extendedPrice":95}]`, "[100 95]", "195"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			value := `{"orderForm":{"lineItems":` + tc.lines + `}}`
			got := applyCart(t, had, value, false)
			var prices []any
			for _, l := range got.Doc.Object("orderForm").Objects("lineItems") {
				p, _ := l.Get("extendedPrice")
				prices = append(prices, p)
			}
			total, _ := got.Doc.Object("orderForm").Get("total")
			if fmt.Sprint(prices) != tc.prices || fmt.Sprint(total) != tc.total {
				t.Errorf("prices %v, total %v; want %s, %s", prices, total, tc.prices, tc.total)
			}
			if again := applyCart(t, string(got.Doc.JSON()), value, false); len(again.Changes) > 0 {
				t.Errorf("the second time it changes %v", paths(again.Changes))
			}
		})
	}
}

func TestOnlyTheLinesAreApplied(t *testing.T) {
	const value = `{"customerEmail":"x","tags":[],"orderForm":{"cartName":"x","subTotal":1,"total":2,"lineItems":[{"lineItemId":"L1","quantity":3}]}}`
	got := applyCart(t, ordertest.Basket, value, true)
	want := []string{"orderForm.lineItems[L1].quantity", "orderForm.lineItems[L1].extendedPrice", "orderForm.lineItems[L2]", "orderForm.subTotal", "orderForm.total"}
	if diff := cmp.Diff(want, paths(got.Changes)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	for _, nothing := range []string{`{}`, `{"a":1}`, `{"orderForm":{"total":1}}`, `{"orderForm":{"lineItems":null}}`, `{"orderForm":null}`} {
		if got := applyCart(t, ordertest.Basket, nothing, true); len(got.Changes) > 0 {
			t.Errorf("%s changes %v", nothing, paths(got.Changes))
		}
	}
}
