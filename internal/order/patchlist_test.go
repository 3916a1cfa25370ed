package order_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// keyedLists are the lists that merge by key (docs/contract.md#patches): where each
// stands, an element's key, and another one's.
var keyedLists = []struct{ at, key, other string }{
	{"properties", `"key":"Score","keyGroup":"Fraud"`, `"key":"Score","keyGroup":"Credit"`},
	{"properties", `"key":"Score"`, `"key":"Score","keyGroup":"Credit"`},
	{"orderForm.lineItems", `"lineItemId":"1"`, `"lineItemId":"2"`},
	{"orderForm.shipments", `"shipmentId":"SHIP-1"`, `"shipmentId":"SHIP-2"`},
	{"returnOrderForms", `"returnId":"RET-1"`, `"returnId":"RET-2"`},
	{"orderForm.payments", `"id":"PAY-1"`, `"id":"PAY-2"`},
	{"orderNotes", `"id":"note_1"`, `"id":"note_2"`},
	{"publicOrderNotes", `"id":"note_1"`, `"id":"note_2"`},
	{"assets", `"assetId":"a1"`, `"assetId":"a2"`},
	{"externalIds", `"providerName":"M3","id":"77"`, `"providerName":"M3","id":"78"`},
	{"orderForm.properties", `"key":"Score"`, `"key":"Other"`},
}

// at wraps a list into the objects of its path; a list on the way has one element.
func at(path, list string) string {
	switch outer, inner, nested := strings.Cut(path, "."); {
	case nested && outer == "orderForm":
		return fmt.Sprintf(`{"orderForm":{%q:%s}}`, inner, list)
	case nested:
		return fmt.Sprintf(`{%q:[{"returnId":"RET-1",%q:%s}]}`, outer, inner, list)
	default:
		return fmt.Sprintf(`{%q:%s}`, path, list)
	}
}

func TestListsMergeByTheirKeys(t *testing.T) {
	for _, l := range keyedLists {
		t.Run(l.at+" "+l.key, func(t *testing.T) {
			have := at(l.at, fmt.Sprintf(`[{%s,"mark":"a","extra":1},{%s,"mark":"b"}]`, l.key, l.other))
			runPatchCases(t, []patchCase{
				{"an element of that key merges, all else stays", have, at(l.at, fmt.Sprintf(`[{%s,"mark":"new"}]`, l.key)),
					at(l.at, fmt.Sprintf(`[{%s,"mark":"new","extra":1},{%s,"mark":"b"}]`, l.key, l.other))},
				{"one of another key is added at the end", at(l.at, fmt.Sprintf(`[{%s}]`, l.key)), at(l.at, fmt.Sprintf(`[{%s,"mark":"b"}]`, l.other)),
					at(l.at, fmt.Sprintf(`[{%s},{%s,"mark":"b"}]`, l.key, l.other))},
				{"two new ones of one key stay two", at(l.at, `[]`), at(l.at, fmt.Sprintf(`[{%s,"mark":"a"},{%s,"extra":2}]`, l.key, l.key)),
					at(l.at, fmt.Sprintf(`[{%s,"mark":"a"},{%s,"extra":2}]`, l.key, l.key))},
				{"the n-th of a key is the n-th there", at(l.at, fmt.Sprintf(`[{%s,"mark":"a"},{%s,"mark":"b"}]`, l.key, l.key)),
					at(l.at, fmt.Sprintf(`[{%s,"extra":1},{%s,"mark":"c"},{%s,"mark":"d"}]`, l.key, l.key, l.key)),
					at(l.at, fmt.Sprintf(`[{%s,"mark":"a","extra":1},{%s,"mark":"c"},{%s,"mark":"d"}]`, l.key, l.key, l.key))},
				{"an empty list removes nothing", have, at(l.at, `[]`), have},
				{"the patch need not repeat its order", have, at(l.at, fmt.Sprintf(`[{%s,"mark":"y"},{%s,"mark":"x"}]`, l.other, l.key)),
					at(l.at, fmt.Sprintf(`[{%s,"mark":"x","extra":1},{%s,"mark":"y"}]`, l.key, l.other))},
			})
		})
	}
}

func TestAnElementWithoutItsKeyIsTheOneWhoseFieldsItRepeats(t *testing.T) {
	for _, l := range keyedLists {
		t.Run(l.at, func(t *testing.T) {
			have := at(l.at, fmt.Sprintf(`[{%s},{"mark":"a","extra":1},{"mark":"a"}]`, l.key))
			runPatchCases(t, []patchCase{
				{"what is there", have, at(l.at, `[{"mark":"a"}]`), have},
				{"each once", have, at(l.at, `[{"mark":"a"},{"mark":"a"}]`), have},
				{"one more than there are is new", have, at(l.at, `[{"mark":"a"},{"mark":"a"},{"mark":"a"}]`),
					at(l.at, fmt.Sprintf(`[{%s},{"mark":"a","extra":1},{"mark":"a"},{"mark":"a"}]`, l.key))},
				{"in another order", have, at(l.at, `[{"mark":"a"},{"extra":1,"mark":"a"}]`), have},
				{"nothings count as absent", have, at(l.at, `[{"mark":"a","no":0,"gift":false,"text":"","list":[],"object":{"x":null},"at":null}]`), have},
				{"another value is new", have, at(l.at, `[{"mark":"b"}]`), at(l.at, fmt.Sprintf(`[{%s},{"mark":"a","extra":1},{"mark":"a"},{"mark":"b"}]`, l.key))},
				{"a field more is new", have, at(l.at, `[{"mark":"a","more":2}]`), at(l.at, fmt.Sprintf(`[{%s},{"mark":"a","extra":1},{"mark":"a"},{"mark":"a","more":2}]`, l.key))},
			})
		})
	}
}

func TestErrorsAreAppendedUnlessTheyAreThere(t *testing.T) {
	const have = `{"errors":[{"key":"Erp","message":"down","runId":"run_1","status":"New"},{"key":"Erp","message":"late","runId":"run_1","status":"New"}]}`
	runPatchCases(t, []patchCase{
		{"the same again", have, have, have},
		{"another", have, `{"errors":[{"key":"Erp","message":"down","runId":"run_2"}]}`, strings.TrimSuffix(have, "]}") + `,{"key":"Erp","message":"down","runId":"run_2"}]}`},
		{"one is solved", have, `{"errors":[{"key":"Erp","message":"late","status":"Solved"}]}`, `{"errors":[{"key":"Erp","message":"down","runId":"run_1","status":"New"},{"key":"Erp","message":"late","runId":"run_1","status":"Solved"}]}`},
		{"all are solved", have, `{"errors":[{"key":"Erp","status":"Solved"},{"key":"Erp","status":"Solved","comment":"by phone"}]}`,
			`{"errors":[{"key":"Erp","message":"down","runId":"run_1","status":"Solved"},{"key":"Erp","message":"late","runId":"run_1","status":"Solved","comment":"by phone"}]}`},
		{"of a return too", `{"returnOrderForms":[{"returnId":"R1","errors":[{"key":"A"}]}]}`, `{"returnOrderForms":[{"returnId":"R1","errors":[{"key":"A"},{"key":"A"}]}]}`, `{"returnOrderForms":[{"returnId":"R1","errors":[{"key":"A"},{"key":"A"}]}]}`},
	})
}

func TestKeys(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"an empty second key is as none", `{"properties":[{"key":"A","keyGroup":"","value":"1"}]}`, `{"properties":[{"key":"A","value":"2"}]}`, `{"properties":[{"key":"A","keyGroup":"","value":"2"}]}`},
		{"a null second key is as none", `{"properties":[{"key":"A","value":"1"}]}`, `{"properties":[{"key":"A","keyGroup":null,"value":"2"}]}`, `{"properties":[{"key":"A","value":"2"}]}`},
		{"an empty first key is none", `{"orderNotes":[{"id":"","detail":"a"}]}`, `{"orderNotes":[{"id":"","detail":"b"}]}`, `{"orderNotes":[{"id":"","detail":"a"},{"id":"","detail":"b"}]}`},
		{"a number is a key by its text", `{"orderForm":{"payments":[{"id":7,"amount":1}]}}`, `{"orderForm":{"payments":[{"id":"7","reason":"b"}]}}`, `{"orderForm":{"payments":[{"id":"7","amount":1,"reason":"b"}]}}`},
		{"a list of that name elsewhere has no keys", `{"legacy":{"payments":[{"id":"7","a":1}]}}`, `{"legacy":{"payments":[{"id":"7","b":2}]}}`, `{"legacy":{"payments":[{"id":"7","b":2}]}}`},
		{"0 is no key of a payment", `{"orderForm":{"payments":[{"id":"0","amount":1}]}}`, `{"orderForm":{"payments":[{"id":0,"amount":2}]}}`, `{"orderForm":{"payments":[{"id":"0","amount":1},{"id":"0","amount":2}]}}`},
		{"0 is a line's key", `{"orderForm":{"lineItems":[{"lineItemId":"0","code":"A"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":0,"code":"B"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"0","code":"B"}]}}`},
		{"a paymentId is no key", `{"orderForm":{"payments":[{"paymentId":1,"amount":49.5}]}}`, `{"orderForm":{"payments":[{"paymentId":1,"amount":49.50}]}}`, `{"orderForm":{"payments":[{"paymentId":1,"amount":49.5}]}}`},
		{"keys have a case", `{"properties":[{"key":"score"}]}`, `{"properties":[{"key":"Score"}]}`, `{"properties":[{"key":"score"},{"key":"Score"}]}`},
		{"of two of one key the first is meant", `{"orderNotes":[{"id":"1","detail":"a"},{"id":"1","detail":"b"}]}`, `{"orderNotes":[{"id":"1","detail":"c"}]}`, `{"orderNotes":[{"id":"1","detail":"c"},{"id":"1","detail":"b"}]}`},
		{"lines of a shipment have them too", `{"orderForm":{"shipments":[{"shipmentId":"S1","lineItems":[{"lineItemId":"1","quantity":1}]}]}}`,
			`{"orderForm":{"shipments":[{"shipmentId":"S1","lineItems":[{"lineItemId":"1","quantity":2}]}]}}`,
			`{"orderForm":{"shipments":[{"shipmentId":"S1","lineItems":[{"lineItemId":"1","quantity":2}]}]}}`},
	})
}

func TestPlainListsAreSetsAndKeepTheirOrder(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"tags", `{"tags":["b","a"]}`, `{"tags":["c","a","b","d"]}`, `{"tags":["b","a","c","d"]}`},
		{"related orders", `{"relatedOrders":["BGO-2"]}`, `{"relatedOrders":["BGO-3","BGO-2"]}`, `{"relatedOrders":["BGO-2","BGO-3"]}`},
		{"elements have a case", `{"tags":["vip"]}`, `{"tags":["VIP"]}`, `{"tags":["vip","VIP"]}`},
		{"a new one is as it came", `{}`, `{"tags":["a","b","a"]}`, `{"tags":["a","b","a"]}`},
		{"what is added comes once", `{"tags":["x"]}`, `{"tags":["a","b","a"]}`, `{"tags":["x","a","b"]}`},
		{"what is there twice stays", `{"tags":["a","a"]}`, `{"tags":["a","b"]}`, `{"tags":["a","a","b"]}`},
		{"of lines too", `{"orderForm":{"lineItems":[{"lineItemId":"1","gtins":["7"]}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","gtins":["8","7"]}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","gtins":["7","8"]}]}}`},
		{"where there was null", `{"tags":null}`, `{"tags":["a"]}`, `{"tags":["a"]}`},
	})
}

func TestListsThatTheModelDoesNotKnowAreReplacedWhole(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"equal numbers", `{"dims":[1]}`, `{"dims":[10,10,5]}`, `{"dims":[10,10,5]}`},
		{"numbers of the same values are no change", `{"marks":[1.0,2.50]}`, `{"marks":[1,25e-1]}`, `{"marks":[1.0,2.50]}`},
		{"numbers and texts differ", `{"marks":[1]}`, `{"marks":["1"]}`, `{"marks":["1"]}`},
		{"objects", `{"parts":[{"a":1,"b":2},{"a":3}]}`, `{"parts":[{"a":1}]}`, `{"parts":[{"a":1}]}`},
		{"a null member is as none", `{"parts":[{"a":1}]}`, `{"parts":[{"a":1,"b":null}]}`, `{"parts":[{"a":1}]}`},
		{"lists of lists", `{"grid":[[1,2]]}`, `{"grid":[[1,2],[2,1],[2,1]]}`, `{"grid":[[1,2],[2,1],[2,1]]}`},
		{"nulls", `{"grid":[null]}`, `{"grid":[null,null]}`, `{"grid":[null,null]}`},
		{"an empty one", `{"grid":[1]}`, `{"grid":[]}`, `{"grid":[]}`},
		{"of a line", `{"orderForm":{"lineItems":[{"lineItemId":"1","dims":[10,5]}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","dims":[10,10,5]}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","dims":[10,10,5]}]}}`},
	})
}

// Lists of objects that the model knows, but no key of, are replaced too; what
// the patch repeats keeps the fields that its author does not know.
func TestListsOfObjectsWithoutKeysAreReplaced(t *testing.T) {
	const form = `{"orderForm":{"discounts":[{"discountName":"Summer","discountAmount":10,"erp":"x"},{"discountName":"VIP","discountAmount":5}]}}`
	runPatchCases(t, []patchCase{
		{"an echo without what is not known", form, `{"orderForm":{"discounts":[{"discountName":"Summer","discountAmount":10.0},{"discountName":"VIP","discountAmount":5,"priority":0}]}}`, form},
		{"one is gone", form, `{"orderForm":{"discounts":[{"discountName":"VIP","discountAmount":5}]}}`, `{"orderForm":{"discounts":[{"discountName":"VIP","discountAmount":5}]}}`},
		{"one is another", form, `{"orderForm":{"discounts":[{"discountName":"Summer","discountAmount":10},{"discountName":"VIP","discountAmount":7}]}}`,
			`{"orderForm":{"discounts":[{"discountName":"Summer","discountAmount":10,"erp":"x"},{"discountName":"VIP","discountAmount":7}]}}`},
		{"equal ones", `{"orderForm":{"shipments":[{"shipmentId":"S"}]}}`, `{"orderForm":{"shipments":[{"shipmentId":"S","packages":[{"weight":2},{"weight":2}]}]}}`, `{"orderForm":{"shipments":[{"shipmentId":"S","packages":[{"weight":2},{"weight":2}]}]}}`},
	})
}

func TestASetTakesAnElementByWhatItWouldHold(t *testing.T) {
	for _, patch := range []string{
		`{"packages":[{"no":"1","keepExistingListItems":true}]}`,
		`{"packages":[{"no":"1","size":{"width":null}}]}`,
		`{"packages":[{"no":"1","marks":["a","a"]}]}`,
	} {
		once := ordertest.Apply(t, order.APIPatch, `{}`, patch).Doc
		twice, err := order.APIPatch.Apply(once, ordertest.Doc(t, patch))
		if err != nil {
			t.Fatal(err)
		}
		ordertest.Same(t, twice.Doc, string(once.JSON()))
	}
}

func TestKeepExistingCustomPropertiesFalseReplacesProperties(t *testing.T) {
	const lines = `{"properties":[{"key":"Old"}],"orderForm":{"lineItems":[{"lineItemId":"1","properties":[{"key":"Old"}]}]}}`
	runPatchCases(t, []patchCase{
		{"at the top", `{"properties":[{"key":"Old","value":"1"}],"tags":["vip"]}`, `{"KeepExistingCustomProperties":false,"properties":[{"key":"New"}],"tags":["x"]}`, `{"properties":[{"key":"New"}],"tags":["vip","x"]}`},
		{"one of the same key keeps nothing", `{"properties":[{"key":"A","value":"1"}]}`, `{"keepExistingCustomProperties":false,"properties":[{"key":"A"}]}`, `{"properties":[{"key":"A"}]}`},
		{"an empty list empties them", `{"properties":[{"key":"Old"}]}`, `{"keepExistingCustomProperties":false,"properties":[]}`, `{"properties":[]}`},
		{"without properties nothing is replaced", `{"properties":[{"key":"Old"}]}`, `{"keepExistingCustomProperties":false}`, `{"properties":[{"key":"Old"}]}`},
		{"true merges", `{"properties":[{"key":"Old"}]}`, `{"keepExistingCustomProperties":true,"properties":[{"key":"New"}]}`, `{"properties":[{"key":"Old"},{"key":"New"}]}`},
		{"of the line that says so", lines, `{"properties":[{"key":"New"}],"orderForm":{"lineItems":[{"lineItemId":"1","keepExistingCustomProperties":false,"properties":[{"key":"New"}]}]}}`,
			`{"properties":[{"key":"Old"},{"key":"New"}],"orderForm":{"lineItems":[{"lineItemId":"1","properties":[{"key":"New"}]}]}}`},
		{"a line may keep what the order replaces", lines, `{"keepExistingCustomProperties":false,"properties":[{"key":"New"}],"orderForm":{"lineItems":[{"lineItemId":"1","keepExistingCustomProperties":true,"properties":[{"key":"New"}]}]}}`,
			`{"properties":[{"key":"New"}],"orderForm":{"lineItems":[{"lineItemId":"1","properties":[{"key":"Old"},{"key":"New"}]}]}}`},
	})
}

func TestKeepExistingListItemsFalseReplacesOtherLists(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"at the top", `{"tags":["a"],"relatedOrders":["BGO-2"],"properties":[{"key":"Old"}]}`, `{"KeepExistingListItems":false,"tags":["b"],"properties":[{"key":"New"}]}`, `{"tags":["b"],"relatedOrders":["BGO-2"],"properties":[{"key":"Old"},{"key":"New"}]}`},
		{"external ids and errors too", `{"externalIds":[{"providerName":"M3","id":"1"}],"errors":[{"key":"A"}]}`, `{"keepExistingListItems":false,"externalIds":[{"providerName":"M3","id":"2"}],"errors":[{"key":"B"}]}`, `{"externalIds":[{"providerName":"M3","id":"2"}],"errors":[{"key":"B"}]}`},
		{"never lists with keys", `{"tags":["x"],"orderNotes":[{"id":"1"},{"id":"2"}],"returnOrderForms":[{"returnId":"1"},{"returnId":"2"}],"orderForm":{"lineItems":[{"lineItemId":"1","code":"A"},{"lineItemId":"2"}],"shipments":[{"shipmentId":"1"},{"shipmentId":"2"}],"payments":[{"id":"1"},{"id":"2"}]}}`,
			`{"keepExistingListItems":false,"tags":["a"],"orderNotes":[{"id":"1"}],"returnOrderForms":[{"returnId":"1"}],"orderForm":{"lineItems":[{"lineItemId":"1","comment":"c"}],"shipments":[{"shipmentId":"1"}],"payments":[{"id":"1"}]}}`,
			`{"tags":["a"],"orderNotes":[{"id":"1"},{"id":"2"}],"returnOrderForms":[{"returnId":"1"},{"returnId":"2"}],"orderForm":{"lineItems":[{"lineItemId":"1","code":"A","comment":"c"},{"lineItemId":"2"}],"shipments":[{"shipmentId":"1"},{"shipmentId":"2"}],"payments":[{"id":"1"},{"id":"2"}]}}`},
		{"but lines where the patch says so", `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A"},{"lineItemId":"2","code":"B","erp":1}]}}`, `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"lineItemId":"2","code":"B"},{"lineItemId":"1","code":"C"}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"2","code":"B","erp":1},{"lineItemId":"1","code":"C"}]}}`},
		{"an empty list empties it", `{"tags":["a"]}`, `{"keepExistingListItems":false,"tags":[]}`, `{"tags":[]}`},
		{"true merges", `{"tags":["a"]}`, `{"keepExistingListItems":true,"tags":["b"]}`, `{"tags":["a","b"]}`},
		{"a field whose type changed is replaced anyway", `{"marks":"x"}`, `{"marks":["b"]}`, `{"marks":["b"]}`},
		{"inside a line", `{"orderForm":{"lineItems":[{"lineItemId":"1","gtins":["70"]},{"lineItemId":"2"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","keepExistingListItems":false,"gtins":["71"]}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"1","gtins":["71"]},{"lineItemId":"2"}]}}`},
		{"both flags at once", `{"tags":["a"],"properties":[{"key":"Old"}]}`, `{"keepExistingListItems":false,"keepExistingCustomProperties":false,"tags":["b"],"properties":[{"key":"New"}]}`, `{"tags":["b"],"properties":[{"key":"New"}]}`},
	})
}
