package order_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

func TestDiffNamesTheFieldsThatDiffer(t *testing.T) {
	for _, tc := range []struct {
		name, before, after string
		want                []string
	}{
		{"nothing", `{"a":1,"b":{"c":[1]}}`, `{"a":1,"b":{"c":[1]}}`, nil},
		{"a value", `{"status":"New"}`, `{"status":"Paid"}`, []string{"status"}},
		{"an added field", `{}`, `{"status":"New"}`, []string{"status"}},
		{"a field that is gone", `{"status":"New"}`, `{}`, []string{"status"}},
		{"null and absent are alike", `{"a":null}`, `{"b":null}`, nil},
		{"version and modified do not count", `{"version":1,"modified":"a"}`, `{"version":2,"modified":"b"}`, nil},
		{"but below the top they do", `{"erp":{"version":1}}`, `{"erp":{"version":2}}`, []string{"erp.version"}},
		{"a number of the same value", `{"total":10.10}`, `{"total":1.01e1}`, nil},
		{"a number and its text", `{"total":1}`, `{"total":"1"}`, []string{"total"}},
		{"in objects", `{"billingAddress":{"city":"Bergen","line1":"A"}}`, `{"billingAddress":{"line1":"A","city":"Oslo"}}`, []string{"billingAddress.city"}},
		{"an object that was none", `{"billingAddress":null}`, `{"billingAddress":{"city":"Oslo"}}`, []string{"billingAddress"}},
		{"another type", `{"a":{"b":1}}`, `{"a":[1]}`, []string{"a"}},
		{"a name", `{"a":{"b":1}}`, `{"a":{"c":1}}`, []string{"a.b", "a.c"}},
		{"a name in a list", `{"a":[{"b":1}]}`, `{"a":[{"c":1}]}`, []string{"a"}},
		{"a member more", `{"a":{"b":1}}`, `{"a":{"b":1,"c":1}}`, []string{"a.c"}},
		{"a line", `{"orderForm":{"lineItems":[{"lineItemId":"L1","placedPrice":1}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"L1","placedPrice":2}]}}`, []string{"orderForm.lineItems[L1].placedPrice"}},
		{"an added line", `{"orderForm":{"lineItems":[{"lineItemId":"L1"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"L1"},{"lineItemId":"L2"}]}}`, []string{"orderForm.lineItems[L2]"}},
		{"a removed line", `{"orderForm":{"lineItems":[{"lineItemId":"L1"},{"lineItemId":"L2"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"L2"}]}}`, []string{"orderForm.lineItems[L1]"}},
		{"a property", `{"properties":[{"key":"Score","value":"1"}]}`, `{"properties":[{"key":"Score","value":"2"}]}`, []string{"properties[Score].value"}},
		{"a property with a group", `{"properties":[{"key":"Score","keyGroup":"Fraud","value":"1"}]}`, `{"properties":[{"key":"Score","keyGroup":"Fraud","value":"2"}]}`, []string{"properties[Score,Fraud].value"}},
		{"lists that lost their order", `{"properties":[{"key":"A"},{"key":"B"}]}`, `{"properties":[{"key":"B"},{"key":"A"}]}`, []string{"properties"}},
		{"an element before the others", `{"properties":[{"key":"A"}]}`, `{"properties":[{"key":"B"},{"key":"A"}]}`, []string{"properties[B]"}},
		{"elements without a key", `{"orderNotes":[{"detail":"a"}]}`, `{"orderNotes":[{"detail":"a"},{"detail":"b"}]}`, []string{"orderNotes"}},
		{"elements of one key", `{"orderNotes":[{"id":"1"},{"id":"1"}]}`, `{"orderNotes":[{"id":"1"}]}`, []string{"orderNotes"}},
		{"elements that are no objects", `{"orderNotes":[1]}`, `{"orderNotes":[2]}`, []string{"orderNotes"}},
		{"sets", `{"tags":["a"]}`, `{"tags":["a","b"]}`, []string{"tags"}},
		{"sets of another order", `{"tags":["a","b"]}`, `{"tags":["b","a"]}`, []string{"tags"}},
		{"the case of a name", `{"loyaltyTier":1}`, `{"loyaltytier":1}`, nil},
		{"in the order of the first, then what the second has beyond", `{"b":1,"a":1}`, `{"c":1,"a":2,"b":2}`, []string{"b", "a", "c"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, paths(order.Diff(ordertest.Doc(t, tc.before), ordertest.Doc(t, tc.after)))); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAChangeHoldsBothValues(t *testing.T) {
	got := order.Diff(
		ordertest.Doc(t, `{"total":10.10,"tags":["a"],"properties":[{"key":"Old"}]}`),
		ordertest.Doc(t, `{"total":12.00,"tags":["a","b"],"storeId":"bergen","properties":[]}`))
	want := []order.Change{
		{Path: "total", Before: jsondoc.Number("10.10"), After: jsondoc.Number("12.00")},
		{Path: "tags", Before: []any{"a"}, After: []any{"a", "b"}},
		{Path: "properties[Old]", Before: ordertest.Doc(t, `{"key":"Old"}`)},
		{Path: "storeId", After: "bergen"},
	}
	if diff := cmp.Diff(want, got, ordertest.ByJSON); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
