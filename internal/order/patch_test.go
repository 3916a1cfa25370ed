package order_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// patchCase is one clause of docs/contract.md#patches: a document, a patch of the
// API, and what the one makes of the other.
type patchCase struct{ name, doc, patch, want string }

func runPatchCases(t *testing.T, cases []patchCase) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			ordertest.Same(t, ordertest.Apply(t, order.APIPatch, tc.doc, tc.patch).Doc, tc.want)
		})
	}
}

func TestOnlyFieldsThatArePresentChange(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"a field is replaced where it stands", `{"id":"BGO-1","customerName":"Kari","storeId":"bergen"}`, `{"CustomerName":"Kari Nes"}`, `{"id":"BGO-1","customerName":"Kari Nes","storeId":"bergen"}`},
		{"a field is added at the end", `{"id":"BGO-1"}`, `{"customerPhone":"+4755501234"}`, `{"id":"BGO-1","customerPhone":"+4755501234"}`},
		{"an empty patch changes nothing", `{"id":"BGO-1","tags":["vip"]}`, `{}`, `{"id":"BGO-1","tags":["vip"]}`},
		{"an unknown field is one as any other", `{"loyaltyTier":"Silver"}`, `{"LoyaltyTier":"Gold","points":12}`, `{"loyaltyTier":"Gold","points":12}`},
		{"the case of a name does not matter", `{"loyaltyTier":"Silver"}`, `{"LOYALTYTIER":"Gold"}`, `{"loyaltyTier":"Gold"}`},
		{"empty text is a value", `{"customerName":"Kari"}`, `{"customerName":""}`, `{"customerName":""}`},
		{"false is a value", `{"isReadOnly":true}`, `{"isReadOnly":false}`, `{"isReadOnly":false}`},
		{"0 is a value", `{"paymentTermsNet":14}`, `{"paymentTermsNet":0}`, `{"paymentTermsNet":0}`},
		{"a number of the same value keeps its text", `{"remainingPayment":10.10}`, `{"remainingPayment":10.1}`, `{"remainingPayment":10.10}`},
		{"a number is taken as it is written", `{"remainingPayment":1}`, `{"remainingPayment":1234567890123456789.10}`, `{"remainingPayment":1234567890123456789.10}`},
		{"an unknown field may change its type", `{"extra":{"a":1}}`, `{"extra":[1]}`, `{"extra":[1]}`},
		{"text becomes an object", `{"extra":"x"}`, `{"extra":{"a":1}}`, `{"extra":{"a":1}}`},
	})
}

func TestNullMeansAbsent(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"at the top", `{"customerName":"Kari"}`, `{"customerName":null,"storeId":null}`, `{"customerName":"Kari"}`},
		{"an object", `{"billingAddress":{"city":"Bergen"}}`, `{"billingAddress":null}`, `{"billingAddress":{"city":"Bergen"}}`},
		{"in an object", `{"billingAddress":{"city":"Bergen"}}`, `{"billingAddress":{"city":null,"line1":"Torget 1"}}`, `{"billingAddress":{"city":"Bergen","line1":"Torget 1"}}`},
		{"a list", `{"tags":["vip"]}`, `{"tags":null}`, `{"tags":["vip"]}`},
		{"in a line", `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":null}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x"}]}}`},
		{"in a new object", `{}`, `{"billingAddress":{"city":"Bergen","line1":null}}`, `{"billingAddress":{"city":"Bergen"}}`},
		{"in a new element", `{}`, `{"orderNotes":[{"title":"Call","detail":null}]}`, `{"orderNotes":[{"title":"Call"}]}`},
		{"an object of nothing but nulls", `{"id":"1"}`, `{"billingAddress":{"city":null,"geo":{"lat":null}}}`, `{"id":"1"}`},
		{"the flags", `{"properties":[{"key":"A"}],"tags":["vip"]}`, `{"keepExistingCustomProperties":null,"keepExistingListItems":null,"properties":[{"key":"B"}],"tags":["new"]}`,
			`{"properties":[{"key":"A"},{"key":"B"}],"tags":["vip","new"]}`},
	})
}

func TestAStatusInAnotherCaseIsTheSame(t *testing.T) {
	const have = `{"status":"Completed","orderForm":{"shipments":[{"shipmentId":"S","status":"Shipped","orderStatus":"Packed","prevStatus":"New"},{"orderStatus":"Sent"}],"payments":[{"id":"1","status":"Paid"}]},"returnOrderForms":[{"returnId":"R","prevStatus":"Done"}]}`
	for patch, want := range map[string]string{
		`{"status":"completed"}`:   have,
		`{"status":" COMPLETED "}`: have,
		`{"orderForm":{"shipments":[{"shipmentId":"S","status":"shipped"}]}}`:                                                                                       have,
		`{"orderForm":{"shipments":[{"shipmentId":"S","orderStatus":"packed","prevStatus":"NEW"},{"orderStatus":"SENT"}],"payments":[{"id":"1","status":"PAID"}]}}`: have,
		`{"returnOrderForms":[{"returnId":"R","prevStatus":"done"}]}`:                                                                                               have,
		`{"status":"Complete"}`:                strings.Replace(have, "Completed", "Complete", 1),
		`{"orderForm":{"status":"completed"}}`: strings.Replace(have, `"payments":[{"id":"1","status":"Paid"}]`, `"payments":[{"id":"1","status":"Paid"}],"status":"completed"`, 1),
	} {
		p, err := order.APIPatch.Apply(ordertest.Doc(t, have), ordertest.Doc(t, patch))
		if err != nil {
			t.Fatal(err)
		}
		ordertest.Same(t, p.Doc, want)
	}
	// Somebody has changed the status meanwhile, and the endpoint hands back what it got.
	p, err := order.OrderStepPatch.ApplySince(ordertest.Doc(t, `{"status":"Shipped"}`), order.Sent{Doc: ordertest.Doc(t, `{"status":"New"}`)}, ordertest.Doc(t, `{"status":"new"}`))
	if err != nil || p.Doc.Text("status") != "Shipped" {
		t.Errorf("%v, %v", p.Doc, err)
	}
}

func TestForceUpdateLetsNullClearAField(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"at the top", `{"customerPhone":"55501234","storeId":"bergen"}`, `{"forceUpdate":["customerPhone"],"customerPhone":null,"storeId":null}`, `{"customerPhone":null,"storeId":"bergen"}`},
		{"in any case", `{"customerPhone":"55501234"}`, `{"ForceUpdate":["CUSTOMERPHONE"],"CustomerPhone":null}`, `{"customerPhone":null}`},
		{"by a dotted path", `{"billingAddress":{"line2":"c/o","city":"Bergen"}}`, `{"forceUpdate":["BillingAddress.Line2"],"billingAddress":{"line2":null,"city":null}}`, `{"billingAddress":{"line2":null,"city":"Bergen"}}`},
		{"in all lines of a list", `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x"},{"lineItemId":"2","comment":"y"}]}}`,
			`{"forceUpdate":["orderForm.lineItems.comment"],"orderForm":{"lineItems":[{"lineItemId":"1","comment":null},{"lineItemId":"2"}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"1","comment":null},{"lineItemId":"2","comment":"y"}]}}`},
		{"a whole object", `{"billingAddress":{"city":"Bergen"}}`, `{"forceUpdate":["billingAddress"],"billingAddress":null}`, `{"billingAddress":null}`},
		{"a whole list", `{"tags":["vip"]}`, `{"forceUpdate":["tags"],"tags":null}`, `{"tags":null}`},
		{"a line's, by the second name of the lines", `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x"}]}}`, `{"forceUpdate":["OrderLines.comment"],"orderLines":[{"lineItemId":"1","comment":null}]}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":null}]}}`},
		{"all lines, by their second name", `{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`, `{"forceUpdate":["orderLines"],"orderLines":null}`, `{"orderForm":{"lineItems":null}}`},
		{"of one line, by the line itself", `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x"},{"lineItemId":"2","comment":"y"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","forceUpdate":["Comment"],"comment":null},{"lineItemId":"2","comment":null}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":null},{"lineItemId":"2","comment":"y"}]}}`},
		{"null under the second name alone", `{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`, `{"orderLines":null}`, `{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`},
		{"a field that is not in the patch stays", `{"customerPhone":"55501234"}`, `{"forceUpdate":["customerPhone"]}`, `{"customerPhone":"55501234"}`},
		{"by its own name", `{"billingAddress":{"line2":"c/o","city":"Bergen"}}`, `{"forceUpdate":["Line2"],"billingAddress":{"line2":null,"city":null}}`, `{"billingAddress":{"line2":null,"city":"Bergen"}}`},
		{"another path stays", `{"billingAddress":{"line2":"c/o"}}`, `{"forceUpdate":["shipments.line2","billingAddress"],"billingAddress":{"line2":null}}`, `{"billingAddress":{"line2":"c/o"}}`},
		{"an unknown field", `{"loyaltyTier":"Gold"}`, `{"forceUpdate":["LoyaltyTier"],"loyaltyTier":null}`, `{"loyaltyTier":null}`},
		{"a name beyond ASCII", `{"årsak":"x"}`, `{"forceUpdate":["ÅRSAK"],"årsak":null}`, `{"årsak":null}`},
		{"never the id", `{"id":"BGO-1","version":3}`, `{"forceUpdate":["id","version","created"],"id":null,"version":null}`, `{"id":"BGO-1","version":3}`},
		{"a value is set as without it", `{"customerPhone":"55501234"}`, `{"forceUpdate":["customerPhone"],"customerPhone":"1"}`, `{"customerPhone":"1"}`},
	})
}

func TestObjectsMergeFieldByField(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"the billing address", `{"billingAddress":{"city":"Bergen","line1":"Torget 1"}}`, `{"BillingAddress":{"City":"Oslo"}}`, `{"billingAddress":{"city":"Oslo","line1":"Torget 1"}}`},
		{"the order form", `{"orderForm":{"cartId":"c-1","isPriority":false}}`, `{"orderForm":{"isPriority":true}}`, `{"orderForm":{"cartId":"c-1","isPriority":true}}`},
		{"an unknown object at any depth", `{"erp":{"ref":{"no":1,"system":"M3"}}}`, `{"erp":{"ref":{"no":2}}}`, `{"erp":{"ref":{"no":2,"system":"M3"}}}`},
		{"where there is none it is made", `{}`, `{"erp":{"ref":{"no":2}}}`, `{"erp":{"ref":{"no":2}}}`},
		{"where null is it is made", `{"billingAddress":null}`, `{"billingAddress":{"city":"Oslo"}}`, `{"billingAddress":{"city":"Oslo"}}`},
		{"an empty one changes nothing", `{"erp":{"no":1}}`, `{"erp":{}}`, `{"erp":{"no":1}}`},
		{"an empty one is made", `{}`, `{"erp":{}}`, `{"erp":{}}`},
		{"of a shipment", `{"orderForm":{"shipments":[{"shipmentId":"S1","address":{"city":"Bergen","line1":"A"}}]}}`, `{"orderForm":{"shipments":[{"shipmentId":"S1","address":{"city":"Oslo"}}]}}`,
			`{"orderForm":{"shipments":[{"shipmentId":"S1","address":{"city":"Oslo","line1":"A"}}]}}`},
	})
}

func TestPropertiesAreRemovedFirst(t *testing.T) {
	const have = `{"properties":[{"key":"Gift","value":"yes"},{"key":"Gift","value":"no","keyGroup":"Store"},{"key":"Score","value":"95"},{"key":"Score","value":"40","keyGroup":"Old"}]}`
	runPatchCases(t, []patchCase{
		{"by key", have, `{"PropertiesRemovalConditions":[{"Key":"Gift"}]}`, `{"properties":[{"key":"Score","value":"95"},{"key":"Score","value":"40","keyGroup":"Old"}]}`},
		{"by key and value", have, `{"propertiesRemovalConditions":[{"key":"Gift","value":"no"}]}`, `{"properties":[{"key":"Gift","value":"yes"},{"key":"Score","value":"95"},{"key":"Score","value":"40","keyGroup":"Old"}]}`},
		{"by key and keyGroup", have, `{"propertiesRemovalConditions":[{"key":"Score","keyGroup":"Old"}]}`, `{"properties":[{"key":"Gift","value":"yes"},{"key":"Gift","value":"no","keyGroup":"Store"},{"key":"Score","value":"95"}]}`},
		{"by all three", have, `{"propertiesRemovalConditions":[{"key":"Score","value":"95","keyGroup":"Old"},{"key":"Gift","value":"no","keyGroup":"Store"}]}`, `{"properties":[{"key":"Gift","value":"yes"},{"key":"Score","value":"95"},{"key":"Score","value":"40","keyGroup":"Old"}]}`},
		{"by several conditions", have, `{"propertiesRemovalConditions":[{"key":"Gift","value":"yes"},{"key":"Score"}]}`, `{"properties":[{"key":"Gift","value":"no","keyGroup":"Store"}]}`},
		{"a null value in a condition counts as none", have, `{"propertiesRemovalConditions":[{"key":"Gift","value":null,"keyGroup":null}]}`, `{"properties":[{"key":"Score","value":"95"},{"key":"Score","value":"40","keyGroup":"Old"}]}`},
		{"a condition without a key names nothing", have, `{"propertiesRemovalConditions":[{"value":"95"},{}]}`, have},
		{"another value stays", have, `{"propertiesRemovalConditions":[{"key":"Gift","value":"maybe"}]}`, have},
		{"then the patch's own come", `{"properties":[{"key":"Score","value":"95","valueType":"int"}]}`, `{"properties":[{"key":"Score","value":"12"}],"propertiesRemovalConditions":[{"key":"Score"}]}`, `{"properties":[{"key":"Score","value":"12"}]}`},
		{"what the patch sets as it is stays", `{"properties":[{"key":"Score","value":"95","valueType":"int"},{"key":"Gift"}]}`, `{"properties":[{"Key":"Score","Value":"95","ValueType":"int","keyGroup":null}],"propertiesRemovalConditions":[{"key":"Score"}]}`, `{"properties":[{"key":"Score","value":"95","valueType":"int"},{"key":"Gift"}]}`},
		{"and what it sets in part is what it sets", `{"properties":[{"key":"Score","value":"95","keyGroup":"Fraud"},{"key":"Gift"}]}`, `{"properties":[{"key":"Score","value":"95"}],"propertiesRemovalConditions":[{"key":"Score"}]}`, `{"properties":[{"key":"Gift"},{"key":"Score","value":"95"}]}`},
		{"of several of one key only what the patch sets stays", `{"properties":[{"key":"Score","value":"40"},{"key":"Score","value":"95"}]}`, `{"properties":[{"key":"Score","value":"95"}],"propertiesRemovalConditions":[{"key":"Score"}]}`, `{"properties":[{"key":"Score","value":"95"}]}`},
		{"of a line", `{"orderForm":{"lineItems":[{"lineItemId":"1","properties":[{"key":"Engraving"},{"key":"Wrap"}]},{"lineItemId":"2","properties":[{"key":"Wrap"}]}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"1","propertiesRemovalConditions":[{"key":"Wrap"}]}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"1","properties":[{"key":"Engraving"}]},{"lineItemId":"2","properties":[{"key":"Wrap"}]}]}}`},
		{"where there are none", `{"id":"1"}`, `{"propertiesRemovalConditions":[{"key":"Gift"}]}`, `{"id":"1"}`},
	})
}

// Values and keys of other systems need not be texts. A number is the text of its digits.
func TestPropertiesWhoseValuesAreNoTextsAreRemovedByThem(t *testing.T) {
	const have = `{"properties":[{"key":"a","value":1},{"key":"a","value":2},{"key":"a","value":"7"},{"key":"a","value":true},{"key":"a","value":{"b":1}},{"key":"a","value":""},{"key":5,"value":"x"},{"key":"g","keyGroup":3}]}`
	without := func(property string) string {
		return strings.NewReplacer(property+",", "", ","+property, "").Replace(have)
	}
	runPatchCases(t, []patchCase{
		{"a number finds the text of its digits", have, `{"propertiesRemovalConditions":[{"key":"a","value":7}]}`, without(`{"key":"a","value":"7"}`)},
		{"a text of digits finds a number", have, `{"propertiesRemovalConditions":[{"key":"a","value":"2"}]}`, without(`{"key":"a","value":2}`)},
		{"a number finds an equal one", have, `{"propertiesRemovalConditions":[{"key":"a","value":10e-1}]}`, without(`{"key":"a","value":1}`)},
		{"true", have, `{"propertiesRemovalConditions":[{"key":"a","value":true}]}`, without(`{"key":"a","value":true}`)},
		{"true is not its text", have, `{"propertiesRemovalConditions":[{"key":"a","value":"true"}]}`, have},
		{"an object", have, `{"propertiesRemovalConditions":[{"key":"a","value":{"b":1.0}}]}`, without(`{"key":"a","value":{"b":1}}`)},
		{"the empty text is no other value", have, `{"propertiesRemovalConditions":[{"key":"a","value":""}]}`, without(`{"key":"a","value":""}`)},
		{"a number as the key", have, `{"propertiesRemovalConditions":[{"key":5}]}`, without(`{"key":5,"value":"x"}`)},
		{"a number as the group", have, `{"propertiesRemovalConditions":[{"key":"g","keyGroup":4},{"key":"g","keyGroup":"3"}]}`, without(`{"key":"g","keyGroup":3}`)},
		{"of another group", have, `{"propertiesRemovalConditions":[{"key":"g","keyGroup":4},{"key":"g","keyGroup":""}]}`, have},
		{"digits that are no exponent", `{"properties":[{"key":"a","value":"1000"},{"key":"a","value":7.50},{"key":"a","value":1e999}]}`, `{"propertiesRemovalConditions":[{"key":"a","value":1e3},{"key":"a","value":7.5},{"key":"a","value":1e999}]}`, `{"properties":[]}`},
	})
}

func TestAConditionWithoutAKeyIsNamed(t *testing.T) {
	for patch, want := range map[string]string{
		`{"propertiesRemovalConditions":[{"key":"Gift"}]}`:                                                        "",
		`{"propertiesRemovalConditions":[{"value":"95"},{"key":""}]}`:                                             "propertiesRemovalConditions propertiesRemovalConditions",
		`{"orderForm":{"lineItems":[{"lineItemId":"1","propertiesRemovalConditions":[{"key":null},{"key":1}]}]}}`: "orderForm.lineItems.propertiesRemovalConditions",
	} {
		var places []string
		for _, w := range ordertest.Apply(t, order.APIPatch, `{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`, patch).Warnings {
			places = append(places, w.Path)
		}
		if got := strings.Join(places, " "); got != want {
			t.Errorf("%s: %q, want %q", patch, got, want)
		}
	}
}

func TestControlFieldsAreNeverStored(t *testing.T) {
	runPatchCases(t, []patchCase{
		{"at the top", `{}`, `{"forceUpdate":["x"],"keepExistingCustomProperties":true,"keepExistingListItems":true,"propertiesRemovalConditions":[{"key":"x"}]}`, `{}`},
		{"in a new line", `{}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","keepExistingCustomProperties":true,"propertiesRemovalConditions":[{"key":"x"}]}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`},
	})
}

// The fields that steps may change (docs/contract.md#patches),
// each with a value and what it makes of {}.
var (
	orderStepFields = map[string]string{
		"Status": `"Validated"`, "OrderType": `"Online"`, "Tags": `["fraud-checked"]`, "Properties": `[{"key":"ValidationScore","value":"95"}]`,
		"StoreId": `"bergen"`, "CustomerEmail": `"kari@example.no"`, "CustomerPhone": `"55501234"`, "CustomerName": `"Kari Nes"`,
		"BillingAddress": `{"city":"Bergen"}`, "OrderForm": `{"cartId":"c-1"}`, "FollowUpDate": `"2026-12-01T00:00:00Z"`,
		"Assets": `[{"assetId":"a1","url":"https://cdn.example.no/a1.pdf"}]`, "ExternalIds": `[{"providerName":"M3","id":"77"}]`,
		"OrderNotes": `[{"id":"n1","detail":"call back"}]`, "PublicOrderNotes": `[{"id":"n2","detail":"thanks"}]`,
		"Errors": `[{"key":"Erp","message":"down"}]`, "OrderOrigin": `"web"`, "RelatedOrders": `["BGO-2"]`, "SalesPersonId": `"s-4"`,
		"SalesPersonName": `"Ola"`, "IsReadOnly": `true`, "IsNotificationsDisabled": `true`,
	}
	returnStepFields = map[string]string{
		"Status": `"Refunded"`, "OrderType": `"Return"`, "Tags": `["inspected"]`, "Properties": `[{"key":"Condition","value":"A"}]`,
		"FollowUpDate": `"2026-12-01T00:00:00Z"`, "Assets": `[{"assetId":"a1"}]`, "Origin": `"store"`, "Errors": `[{"key":"Erp"}]`, "Name": `"Kari Nes"`,
	}
)

func TestAnOrderStepMayChangeEachOfItsFields(t *testing.T) {
	if n := len(orderStepFields); n != 22 {
		t.Fatalf("the seed names 22 fields, the test has %d", n)
	}
	for name, value := range orderStepFields {
		for _, spelling := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			p := ordertest.Apply(t, order.OrderStepPatch, `{}`, fmt.Sprintf(`{%q:%s}`, spelling, value))
			ordertest.Same(t, p.Doc, fmt.Sprintf(`{%q:%s}`, name, value))
			if p.NotApplied != nil {
				t.Errorf("%s: not applied: %v", spelling, p.NotApplied)
			}
		}
	}
}

func TestAReturnStepMayChangeEachOfItsFields(t *testing.T) {
	own := map[string]string{"Origin": "OrderOrigin", "Name": "CustomerName"}
	for name, value := range returnStepFields {
		p := ordertest.Apply(t, order.ReturnStepPatch, `{}`, fmt.Sprintf(`{%q:%s}`, name, value))
		if p.NotApplied != nil {
			t.Errorf("%s: not applied: %v", name, p.NotApplied)
		}
		if to, ok := own[name]; ok {
			name = to
		}
		ordertest.Same(t, p.Doc, fmt.Sprintf(`{%q:%s}`, name, value))
	}
}

func TestOriginAndNameOfAReturnPatchAreAliases(t *testing.T) {
	for _, tc := range []patchCase{
		{"they set the order's fields", `{"orderOrigin":"web","customerName":"Kari"}`, `{"Origin":"store","Name":"Kari Nes"}`, `{"orderOrigin":"store","customerName":"Kari Nes"}`},
		{"the order's own names are accepted too", `{"orderOrigin":"web"}`, `{"OrderOrigin":"store","CustomerName":"Kari"}`, `{"orderOrigin":"store","customerName":"Kari"}`},
		{"null in the one spelling does not undo the other", `{"orderOrigin":"web"}`, `{"OrderOrigin":"store","Origin":null}`, `{"orderOrigin":"store"}`},
		{"null means absent", `{"orderOrigin":"web"}`, `{"Origin":null}`, `{"orderOrigin":"web"}`},
		{"forceUpdate may spell them either way", `{"orderOrigin":"web","customerName":"Kari"}`, `{"forceUpdate":["Origin","CustomerName"],"Origin":null,"Name":null}`, `{"orderOrigin":null,"customerName":null}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ordertest.Same(t, ordertest.Apply(t, order.ReturnStepPatch, tc.doc, tc.patch).Doc, tc.want)
		})
	}
}

func TestFieldsThatAStepMayNotChangeAreNamedAndLeft(t *testing.T) {
	const o = `{"id":"BGO-1","version":3,"created":"2026-11-20T08:00:00Z","marketId":"NOR","status":"New","customerName":"Kari","loyaltyTier":"Silver"}`
	for _, tc := range []struct {
		name  string
		rules *order.PatchRules
		patch string
		want  []string
	}{
		{"known fields", order.OrderStepPatch, `{"marketId":"SWE","customerId":"7"}`, []string{"marketId", "customerId"}},
		{"unknown fields", order.OrderStepPatch, `{"LoyaltyTier":"Gold"}`, []string{"loyaltyTier"}},
		{"fixed fields, which are no error here", order.OrderStepPatch, `{"id":"BGO-2","version":9,"created":"2020-01-01T00:00:00Z"}`, []string{"id", "version", "created"}},
		{"a return's spellings in an order step", order.OrderStepPatch, `{"Origin":"web","Name":"Ola"}`, []string{"origin", "name"}},
		{"an order's fields in a return step", order.ReturnStepPatch, `{"storeId":"oslo","billingAddress":{"city":"Oslo"},"orderForm":{"cartId":"x"}}`, []string{"storeId", "billingAddress", "orderForm"}},
		{"null is absent and not named", order.OrderStepPatch, `{"marketId":null}`, nil},
		{"a null that should clear a fixed field is named", order.OrderStepPatch, `{"forceUpdate":["ID","created"],"id":null,"version":null,"created":null}`, []string{"id", "created"}},
		{"a null that should clear is named", order.OrderStepPatch, `{"forceUpdate":["MarketId"],"marketId":null}`, []string{"marketId"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := ordertest.Apply(t, tc.rules, o, tc.patch)
			ordertest.Same(t, p.Doc, o)
			if diff := cmp.Diff(tc.want, p.NotApplied); diff != "" || len(p.Changes) > 0 {
				t.Errorf("not applied (-want +got): %s; changes %v", diff, p.Changes)
			}
		})
	}
}

func TestControlFieldsWorkInEveryPatch(t *testing.T) {
	const o = `{"tags":["vip"],"properties":[{"key":"A"},{"key":"B"}],"followUpDate":"2026-12-01T00:00:00Z"}`
	const patch = `{"keepExistingListItems":false,"tags":["new"],"propertiesRemovalConditions":[{"key":"A"}],"forceUpdate":["followUpDate"],"followUpDate":null}`
	for name, rules := range map[string]*order.PatchRules{"API": order.APIPatch, "order step": order.OrderStepPatch, "return step": order.ReturnStepPatch} {
		t.Run(name, func(t *testing.T) {
			ordertest.Same(t, ordertest.Apply(t, rules, o, patch).Doc, `{"tags":["new"],"properties":[{"key":"B"}],"followUpDate":null}`)
			ordertest.Same(t, ordertest.Apply(t, rules, o, `{"keepExistingCustomProperties":false,"properties":[{"key":"C"}]}`).Doc,
				`{"tags":["vip"],"properties":[{"key":"C"}],"followUpDate":"2026-12-01T00:00:00Z"}`)
		})
	}
}

func TestTheAPIRefusesToChangeFixedFields(t *testing.T) {
	const o = `{"id":"BGO-1","version":3,"created":"2026-11-20T08:00:00Z"}`
	for name, patch := range map[string]string{
		"id": `{"Id":"BGO-2"}`, "version": `{"version":4}`, "created": `{"created":"2026-11-20T08:00:01Z"}`,
	} {
		_, err := order.APIPatch.Apply(ordertest.Doc(t, o), ordertest.Doc(t, patch))
		ordertest.Refused(t, err, apierr.Invalid, name+": never changes by a patch")
	}
	ordertest.Same(t, ordertest.Apply(t, order.APIPatch, o, `{"id":"BGO-1","version":3.0,"created":"2026-11-20T08:00:00Z"}`).Doc, o)
}

func TestAFixedFieldThatForceUpdateNamesIsNamed(t *testing.T) {
	const o = `{"id":"BGO-1","version":3,"billingAddress":{"id":"A"}}`
	p := ordertest.Apply(t, order.APIPatch, o, `{"forceUpdate":["id","version","created"],"id":null,"version":null,"created":null,"billingAddress":{"id":null}}`)
	ordertest.Same(t, p.Doc, `{"id":"BGO-1","version":3,"billingAddress":{"id":null}}`)
	var places []string
	for _, w := range p.Warnings {
		places = append(places, w.Path)
	}
	if got := strings.Join(places, " "); got != "id version" {
		t.Errorf("warnings at %q", got)
	}
}

func TestAStatusIsNeverEmptied(t *testing.T) {
	for _, patch := range []string{`{"status":""}`, `{"forceUpdate":["status"],"status":null}`} {
		for _, rules := range []*order.PatchRules{order.APIPatch, order.OrderStepPatch, order.ReturnStepPatch} {
			_, err := rules.Apply(ordertest.Doc(t, `{"status":"New"}`), ordertest.Doc(t, patch))
			ordertest.Refused(t, err, apierr.Invalid, "status: must not be empty")
		}
	}
}

// The empty text is what typed clients write where they have no status.
func TestAnEmptyStatusIsNone(t *testing.T) {
	const have = `{"status":"New","orderForm":{"shipments":[{"shipmentId":"S","orderStatus":"Q","status":"Packed","prevStatus":"P"}]},"returnOrderForms":[{"returnId":"R","status":"Received","prevStatus":"Done"}]}`
	runPatchCases(t, []patchCase{
		{"of a shipment", have, `{"orderForm":{"shipments":[{"shipmentId":"S","orderStatus":"","status":"","prevStatus":""}]}}`, have},
		{"of a shipment, forced", have, `{"forceUpdate":["orderStatus"],"orderForm":{"shipments":[{"shipmentId":"S","orderStatus":""}]}}`, have},
		{"of a return", have, `{"returnOrderForms":[{"returnId":"R","status":"","prevStatus":""}]}`, have},
		{"of a new shipment", `{}`, `{"orderForm":{"shipments":[{"shipmentId":"S","orderStatus":"","comment":""}]}}`, `{"orderForm":{"shipments":[{"shipmentId":"S","comment":""}]}}`},
		{"of an order that has none", `{"id":"1"}`, `{"status":""}`, `{"id":"1"}`},
		{"null clears it where forceUpdate names it", have, `{"forceUpdate":["orderForm.shipments.prevStatus"],"orderForm":{"shipments":[{"shipmentId":"S","prevStatus":null}]}}`, strings.Replace(have, `"prevStatus":"P"`, `"prevStatus":null`, 1)},
		{"a payment's is a text as any other", `{"orderForm":{"payments":[{"id":"1","status":"Paid"}]}}`, `{"orderForm":{"payments":[{"id":"1","status":""}]}}`, `{"orderForm":{"payments":[{"id":"1","status":""}]}}`},
	})
	p := ordertest.Apply(t, order.OrderStepPatch, have, `{"orderForm":{"shipments":[{"shipmentId":"S","status":""}]}}`)
	ordertest.Same(t, p.Doc, have)
}

func TestApplyReportsWhatChanged(t *testing.T) {
	p := ordertest.Apply(t, order.APIPatch,
		`{"status":"New","tags":["vip"],"version":3,"modified":"a","orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":10,"quantity":1,"extendedPrice":10}],"subTotal":10,"total":10}}`,
		`{"status":"Paid","tags":["vip"],"orderForm":{"lineItems":[{"lineItemId":"1","quantity":2}]}}`)
	if diff := cmp.Diff([]string{"status", "orderForm.lineItems[1].quantity"}, paths(p.Set)); diff != "" {
		t.Errorf("Set (-want +got):\n%s", diff)
	}
	all := []string{"status", "orderForm.lineItems[1].quantity", "orderForm.lineItems[1].extendedPrice", "orderForm.subTotal", "orderForm.total"}
	if diff := cmp.Diff(all, paths(p.Changes)); diff != "" {
		t.Errorf("Changes (-want +got):\n%s", diff)
	}
}

func TestApplyLeavesDocumentAndPatchAlone(t *testing.T) {
	const ord = `{"properties":[{"key":"A","value":"1"}],"tags":["vip"],"billingAddress":{"city":"Bergen"},"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":1,"quantity":1}]}}`
	const patch = `{"properties":[{"key":"A","value":"2"},{"key":"B"}],"propertiesRemovalConditions":[{"key":"A"}],"tags":["new"],"billingAddress":{"city":"Oslo"},"orderForm":{"lineItems":[{"lineItemId":"1","quantity":5},{"lineItemId":"2"},{"lineItemId":"2","code":"X"}]}}`
	o, p := ordertest.Doc(t, ord), ordertest.Doc(t, patch)
	if _, err := order.APIPatch.Apply(o, p); err != nil {
		t.Fatal(err)
	}
	ordertest.Same(t, o, ord)
	ordertest.Same(t, p, patch)
}
