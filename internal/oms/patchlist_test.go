package oms_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

// keyedLists are the lists that merge by key (CONTRACT.md, "Patch"): where each
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
	{"errors", `"key":"Erp","referenceId":"run_1"`, `"key":"Erp","referenceId":"run_2"`},
	{"errors", `"key":"Erp"`, `"key":"Erp","referenceId":"run_2"`},
	{"orderForm.properties", `"key":"Score"`, `"key":"Other"`},
	{"returnOrderForms.errors", `"key":"Erp"`, `"key":"Other"`},
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

// totals is what recomputing leaves behind where a line without a price is added.
func totals(json string) string {
	if strings.HasPrefix(json, `{"orderForm":{"lineItems":`) {
		return strings.TrimSuffix(json, "}}") + `,"subTotal":0,"total":0}}`
	}
	return json
}

func TestListsMergeByTheirKeys(t *testing.T) {
	for _, l := range keyedLists {
		t.Run(l.at+" "+l.key, func(t *testing.T) {
			have := at(l.at, fmt.Sprintf(`[{%s,"mark":"a","extra":1},{%s,"mark":"b"}]`, l.key, l.other))
			runPatchCases(t, []patchCase{
				{"an element of that key merges, all else stays", have, at(l.at, fmt.Sprintf(`[{%s,"mark":"new"}]`, l.key)),
					at(l.at, fmt.Sprintf(`[{%s,"mark":"new","extra":1},{%s,"mark":"b"}]`, l.key, l.other))},
				{"one of another key is added at the end", at(l.at, fmt.Sprintf(`[{%s}]`, l.key)), at(l.at, fmt.Sprintf(`[{%s,"mark":"b"}]`, l.other)),
					totals(at(l.at, fmt.Sprintf(`[{%s},{%s,"mark":"b"}]`, l.key, l.other)))},
				{"one that comes twice is one", at(l.at, `[]`), at(l.at, fmt.Sprintf(`[{%s,"mark":"a"},{%s,"extra":2}]`, l.key, l.key)),
					totals(at(l.at, fmt.Sprintf(`[{%s,"mark":"a","extra":2}]`, l.key)))},
				{"an empty list removes nothing", have, at(l.at, `[]`), have},
				{"the patch need not repeat its order", have, at(l.at, fmt.Sprintf(`[{%s,"mark":"y"},{%s,"mark":"x"}]`, l.other, l.key)),
					at(l.at, fmt.Sprintf(`[{%s,"mark":"x","extra":1},{%s,"mark":"y"}]`, l.key, l.other))},
			})
		})
	}
}

func TestAnElementWithoutItsKeyIsANewOne(t *testing.T) {
	for _, l := range keyedLists {
		t.Run(l.at, func(t *testing.T) {
			have := at(l.at, fmt.Sprintf(`[{%s},{"mark":"a"}]`, l.key))
			runPatchCases(t, []patchCase{{"none appends", have, at(l.at, `[{"mark":"a"}]`), totals(at(l.at, fmt.Sprintf(`[{%s},{"mark":"a"},{"mark":"a"}]`, l.key)))}})
		})
	}
}

func TestKeys(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"an empty second key is as none", `{"properties":[{"key":"A","keyGroup":"","value":"1"}]}`, `{"properties":[{"key":"A","value":"2"}]}`, `{"properties":[{"key":"A","keyGroup":"","value":"2"}]}`},
		{"a null second key is as none", `{"properties":[{"key":"A","value":"1"}]}`, `{"properties":[{"key":"A","keyGroup":null,"value":"2"}]}`, `{"properties":[{"key":"A","value":"2"}]}`},
		{"an empty first key is none", `{"orderNotes":[{"id":"","detail":"a"}]}`, `{"orderNotes":[{"id":"","detail":"b"}]}`, `{"orderNotes":[{"id":"","detail":"a"},{"id":"","detail":"b"}]}`},
		{"a number is a key by its text", `{"legacy":{"payments":[{"id":7,"a":1}]}}`, `{"legacy":{"payments":[{"id":7,"b":2}]}}`, `{"legacy":{"payments":[{"id":7,"a":1,"b":2}]}}`},
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
		{"a new one takes each once", `{}`, `{"tags":["a","b","a"]}`, `{"tags":["a","b"]}`},
		{"numbers by value", `{"marks":[1.0,2]}`, `{"marks":[1,2.50,25e-1,1e999,10e998]}`, `{"marks":[1.0,2,2.50,1e999]}`},
		{"numbers and text differ", `{"marks":[1]}`, `{"marks":["1",true,"true"]}`, `{"marks":[1,"1",true,"true"]}`},
		{"numbers of opposite signs differ", `{"marks":[1.5]}`, `{"marks":[-1.5,0,-0]}`, `{"marks":[1.5,-1.5,0]}`},
		{"objects by all they hold", `{"groups":[{"id":"1","name":"A"}]}`, `{"groups":[{"name":"A","id":"1"},{"id":"1"}]}`, `{"groups":[{"id":"1","name":"A"},{"id":"1"}]}`},
		{"a null member is as none", `{"groups":[{"id":"1"}]}`, `{"groups":[{"id":"1","name":null}]}`, `{"groups":[{"id":"1"}]}`},
		{"lists by their elements in order", `{"grid":[[1,2]]}`, `{"grid":[[1,2],[2,1]]}`, `{"grid":[[1,2],[2,1]]}`},
		{"null is one element", `{"grid":[null]}`, `{"grid":[null,null]}`, `{"grid":[null]}`},
		{"where there was null", `{"tags":null}`, `{"tags":["a"]}`, `{"tags":["a"]}`},
	})
}

func TestASetTakesAnElementByWhatItWouldHold(t *testing.T) {
	for _, patch := range []string{
		`{"packages":[{"no":"1","keepExistingListItems":true}]}`,
		`{"packages":[{"no":"1","size":{"width":null}}]}`,
		`{"packages":[{"no":"1","marks":["a","a"]}]}`,
	} {
		once := apply(t, oms.APIPatch, `{}`, patch).Doc
		twice, err := oms.APIPatch.Apply(once, doc(t, patch))
		if err != nil {
			t.Fatal(err)
		}
		same(t, twice.Doc, string(once.JSON()))
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
		{"lists with keys too", `{"orderNotes":[{"id":"1","detail":"a"},{"id":"2"}]}`, `{"keepExistingListItems":false,"orderNotes":[{"id":"1","title":"x"}]}`, `{"orderNotes":[{"id":"1","title":"x"}]}`},
		{"an empty list empties it", `{"tags":["a"]}`, `{"keepExistingListItems":false,"tags":[]}`, `{"tags":[]}`},
		{"true merges", `{"tags":["a"]}`, `{"keepExistingListItems":true,"tags":["b"]}`, `{"tags":["a","b"]}`},
		{"a field whose type changed is replaced anyway", `{"marks":"x"}`, `{"marks":["b"]}`, `{"marks":["b"]}`},
		{"inside a line", `{"orderForm":{"lineItems":[{"lineItemId":"1","gtins":["70"]},{"lineItemId":"2"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","keepExistingListItems":false,"gtins":["71"]}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"1","gtins":["71"]},{"lineItemId":"2"}]}}`},
		{"both flags at once", `{"tags":["a"],"properties":[{"key":"Old"}]}`, `{"keepExistingListItems":false,"keepExistingCustomProperties":false,"tags":["b"],"properties":[{"key":"New"}]}`, `{"tags":["b"],"properties":[{"key":"New"}]}`},
	})
}
