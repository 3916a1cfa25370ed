package oms_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
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
		if got := oms.CamelName(in); got != want {
			t.Errorf("CamelName(%q) = %q, want %q", in, got, want)
		}
	}
}
