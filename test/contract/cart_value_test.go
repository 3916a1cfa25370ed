package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#validators.

// twoLines is a cart to change.
const twoLines = `{"marketId":"NOR","customerEmail":"kari@example.com","tags":["a","b"],"billingAddress":{"line1":"Storgata 1","city":"Oslo"},
 "custom":{"deep":{"x":1,"y":[1,2]}},"properties":[{"key":"k","value":"1","keyGroup":"g"}],
 "orderForm":{"cartName":"mine","lineItems":[{"lineItemId":"1","code":"A","quantity":2,"placedPrice":10.10,"extendedPrice":20.20,"gift":{"text":"Hi","paper":"red"}},
  {"lineItemId":"2","code":"B","quantity":1,"placedPrice":5.00,"extendedPrice":5.00}],"subTotal":25.20,"shippingTotal":4.80,"total":30.00}}`

// valued puts the cart, has it validated by an endpoint that hands back the
// value, and returns what is stored then.
func (r *rig) valued(s *voice, value string) answer {
	r.t.Helper()
	r.put(twoLines)
	s.says(replying(200, `{"value":`+value+`}`))
	a := r.validate().passes(true)
	stored := r.get(theCart)
	equals(r.t, "the answer's value", string(a.doc().Object("value").JSON()), strings.TrimSpace(string(stored.Raw)))
	return stored
}

// form is a value with fields of the order form.
func form(fields string) string { return `{"orderForm":{` + fields + `}}` }

func TestAValueIsAppliedToTheCart(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for _, row := range []struct {
		name, value string
		version     int
		after       map[string]any
	}{
		{"null", `null`, 1, nil},
		{"empty", `{}`, 1, nil},
		{"what it is already", `{"tags":["a","b"],"orderForm":{"total":30,"lineItems":[{"lineItemId":"1","placedPrice":10.1},{"lineItemId":"2"}]}}`, 1, map[string]any{"orderForm.total": number("30.00"), "orderForm.lineItems[0].placedPrice": number("10.10")}},
		{"nothing but nulls", `{"customerEmail":null,"tags":null,"orderForm":{"lineItems":null,"total":null},"billingAddress":{"city":null},"contactPerson":{"email":null},"new":null}`, 1, map[string]any{"contactPerson": nil}},
		{"fields replace", `{"customerEmail":"new","salesChannel":"app"}`, 2, map[string]any{"customerEmail": "new", "salesChannel": "app", "marketId": "NOR"}},
		{"any letter case", `{"CustomerEmail":"new","ORDERFORM":{"CARTNAME":"x"}}`, 2, map[string]any{"customerEmail": "new", "orderForm.cartName": "x"}},
		{"objects merge at every depth", `{"billingAddress":{"city":"Bergen"},"custom":{"deep":{"x":2,"z":3}}}`, 2, map[string]any{"billingAddress.line1": "Storgata 1", "billingAddress.city": "Bergen", "custom.deep": map[string]any{"x": 2, "y": []int{1, 2}, "z": 3}}},
		{"lists replace", `{"tags":["c"],"properties":[{"key":"k","value":"2"}],"custom":{"deep":{"y":[]}}}`, 2, map[string]any{"tags": []string{"c"}, "properties": []any{map[string]any{"key": "k", "value": "2"}}, "custom.deep.y": []string{}, "custom.deep.x": 1}},
		{"unknown fields", `{"LoyaltyTier":{"URLPath":[1.50]}}`, 2, map[string]any{"loyaltyTier.URLPath": []number{"1.50"}}},
		{"id, version and created", `{"id":"C9","version":77,"created":"2020-01-01T00:00:00Z"}`, 1, nil},
		{"and another field", `{"ID":"C9","Version":77,"Created":"2020-01-01T00:00:00Z","tags":[]}`, 2, map[string]any{"tags": []string{}}},
		{"the status", `{"status":"Checked"}`, 2, map[string]any{"status": "Checked"}},
		{"a known line", form(`"lineItems":[{"lineItemId":"1","displayName":"Shoe","gift":{"text":"Ho"}},{"lineItemId":"2"}]`), 2, map[string]any{"orderForm.lineItems[0].code": "A", "orderForm.lineItems[0].displayName": "Shoe", "orderForm.lineItems[0].gift": map[string]string{"paper": "red", "text": "Ho"}, "orderForm.total": number("30.00")}},
		{"lines removed, added and moved", form(`"lineItems":[{"lineItemId":"3","code":"C"},{"lineItemId":"2","code":null}]`), 2, map[string]any{"orderForm.lineItems[0].code": "C", "orderForm.lineItems[1].code": "B", "orderForm.lineItems[2]": nil, "orderForm.subTotal": number("5.00"), "orderForm.total": number("9.80")}},
		{"no line is left", form(`"lineItems":[]`), 2, map[string]any{"orderForm.lineItems": []string{}, "orderForm.subTotal": 0, "orderForm.total": number("4.80")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := r.in(t).valued(s, row.value).is("version", row.version).is("id", "C123456").is("created", "2026-11-21T09:00:00.000000Z")
			equals(t, "ETag", got.Header.Get("ETag"), fmt.Sprintf(`"%d"`, row.version))
			for path, want := range row.after {
				got.is(path, want)
			}
		})
	}
}

func TestOnlyLineItemsUpdated(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	const value = `{"customerEmail":"x","tags":[],"status":"x","orderForm":{"cartName":"x","shippingTotal":0,"subTotal":1,"total":2,"lineItems":[{"lineItemId":"1","quantity":3},{"code":"C","quantity":1,"placedPrice":0.05}]}}`
	for properties, only := range map[string]bool{
		"": false, flags("IsOnlyLineItemsUpdated false"): false, flags("IsOnlyLineItemsUpdated true"): true, flags("isonlylineitemsupdated True", "IsRequestWrapperEnabled true"): true,
	} {
		r.validators(validatorAt(s.URL, properties))
		got := r.valued(s, value).is("orderForm.lineItems[0].extendedPrice", number("30.30")).is("orderForm.lineItems[0].code", "A").is("orderForm.lineItems[1].code", "C").is("orderForm.lineItems[2]", nil)
		if only {
			got.is("customerEmail", "kari@example.com").is("tags", []string{"a", "b"}).is("status", nil).is("orderForm.cartName", "mine")
			got.is("orderForm.subTotal", number("30.35")).is("orderForm.total", number("35.15"))
			r.valued(s, `{"tags":[],"orderForm":{"total":1}}`).is("version", 1)
			continue
		}
		got.is("customerEmail", "x").is("tags", []string{}).is("status", "x").is("orderForm.cartName", "x").is("orderForm.subTotal", 1).is("orderForm.total", 2)
	}
}

// The settings stay as they are here: what is on record is decided by them once more.
func TestWhatAValidatorOfLinesHandsBackBesideThemMayBeOfAnyShape(t *testing.T) {
	s, r := speaking(t), start(t)
	r.validators(validatorAt(s.URL, flags("IsOnlyLineItemsUpdated true")))
	r.valued(s, `{"status":5,"errors":{},"orderForm":{"shipments":"none","lineItems":[{"lineItemId":"1","quantity":3}]}}`).is("orderForm.lineItems[0].quantity", 3).is("status", nil)
}

func TestTotalsOfACartAreExact(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for lines, want := range map[string]string{
		`[{"lineItemId":"1","quantity":3},{"lineItemId":"2"}]`:                                      "30.30 35.30 40.10",
		`[{"code":"C","placedPrice":0.1,"quantity":1},{"code":"D","placedPrice":0.2,"quantity":1}]`: "0.1 0.3 5.10",
		`[{"lineItemId":"1","placedPrice":9.99,"discounted":0.99,"orderDiscountAmount":1}]`:         "17.99 17.99 22.79",
		`[{"lineItemId":"1","quantity":3,"extendedPrice":25}]`:                                      "25 25 29.80",
		`[{"lineItemId":"1","quantity":3}],"subTotal":7`:                                            "30.30 7 11.80",
		`[{"lineItemId":"1","quantity":3}],"total":99.90`:                                           "30.30 30.30 99.90",
		`[{"lineItemId":"1","quantity":3}],"shippingTotal":0,"handlingTotal":0.05`:                  "30.30 30.30 30.35",
		`[{"lineItemId":"1","placedPrice":1234567890123456789.01,"quantity":3}]`:                    "3703703670370370367.03 3703703670370370367.03 3703703670370370371.83",
	} {
		got := r.valued(s, form(`"lineItems":`+lines))
		sums := fmt.Sprint(got.at("orderForm.lineItems[0].extendedPrice"), " ", got.at("orderForm.subTotal"), " ", got.at("orderForm.total"))
		equals(t, lines, sums, want)
	}
}

func TestAValueIsAppliedThoughTheValidationFailed(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for _, answer := range []string{strings.TrimSuffix(rejected, "}") + `,"value":{"tags":["failed"]}}`, `{"isValidatedSuccessful":false,"Value":{"tags":["failed"]}}`} {
		r.put(cart)
		s.says(replying(200, answer))
		r.validate().is("isValidatedSuccessful", false).is("value.tags", []string{"failed"}).is("value.version", 2)
		r.get(theCart).is("tags", []string{"failed"}).is("version", 2)
	}
}

func TestAnEchoOfTheCartChangesNothing(t *testing.T) {
	var r *rig
	s := speaking(t)
	r = checking(t, s.sink, "")
	stored := strings.TrimSpace(string(r.get(theCart).Raw))
	s.says(replying(200, `{"isValidatedSuccessful":true,"value":`+stored+`}`))
	r.clock.Advance(1)
	r.validate().passes(true).is("value.version", 1)
	equals(t, "stored", strings.TrimSpace(string(r.get(theCart).Raw)), stored)
}
