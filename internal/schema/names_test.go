package schema_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

func TestCamelName(t *testing.T) {
	for in, want := range map[string]string{
		// known names get their own spelling
		"Id": "id", "ID": "id", "LINEITEMS": "lineItems", "lineitems": "lineItems", "LineItemId": "lineItemId",
		"OrderActionExecutionResults": "orderActionExecutionResults", "TRIGGERNEWSTATUS": "triggerNewStatus",
		"keepexistingcustomproperties": "keepExistingCustomProperties", "StopOnError": "stopOnError",
		"ReturnOrderFormId": "returnOrderFormId",
		// of others the leading capitals are lowered, as .NET does it
		"CustomField": "customField", "customField": "customField", "SKU": "sku", "URLPath": "urlPath", "ERPRef": "erpRef",
		"A": "a", "AB": "ab", "ABc": "aBc", "X1": "x1", "HTTP2Url": "http2Url", "_Private": "_Private",
		"": "", "ÅrsakKode": "årsakKode", "ØL": "øl", "ÆØÅnd": "æøÅnd", "日本": "日本", "Field Name": "field Name",
	} {
		if got := schema.CamelName(in); got != want {
			t.Errorf("CamelName(%q) = %q, want %q", in, got, want)
		}
	}
}

// Where two names differ in case alone, each comes back under the one that it
// had on the wire.
func TestANameIsFoundByItsSpellingOnTheWire(t *testing.T) {
	for _, rules := range []*order.PatchRules{order.APIPatch, order.OrderStepPatch} {
		const order = `{"orderForm":{"custom":{"EUR":1,"eur":2,"sHOE":3,"SHOE":4,"aB":5,"ab":6}}}`
		for patch, want := range map[string]string{
			`{"orderForm":{"custom":{"EUR":1,"Eur":2,"SHOE":4,"AB":5,"Ab":6}}}`: order,
			`{"orderForm":{"custom":{"EUR":1,"Eur":7}}}`:                        strings.Replace(order, `"eur":2`, `"eur":7`, 1),
			`{"orderForm":{"custom":{"Eur":7}}}`:                                strings.Replace(order, `"eur":2`, `"eur":7`, 1),
			`{"orderForm":{"custom":{"Ab":7}}}`:                                 strings.Replace(order, `"ab":6`, `"ab":7`, 1),
			`{"orderForm":{"custom":{"AB":7}}}`:                                 strings.Replace(order, `"aB":5`, `"aB":7`, 1),
		} {
			ordertest.Same(t, ordertest.Apply(t, rules, order, patch).Doc, want)
		}
	}
}
