package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#patches, end to end; package order has the whole table.

func TestAPatchOfAStep(t *testing.T) {
	for _, row := range []struct {
		name, patch string
		after       map[string]any
	}{
		{"any letter case", `{"CUSTOMEREMAIL":"a@example.com","tags":["b"]}`, map[string]any{"customerEmail": "a@example.com", "tags": []string{"first", "b"}}},
		{"absent fields stay", `{"CustomerPhone":"+47 99"}`, map[string]any{"customerEmail": "kari@example.com", "customField.deep[1].keep": "me", "customerPhone": "+47 99"}},
		{"null is absent", `{"CustomerName":null,"StoreId":null}`, map[string]any{"customerName": "Kari Nordmann", "storeId": "oslo-city"}},
		{"null in forceUpdate", `{"CustomerName":null,"StoreId":null,"ForceUpdate":["CustomerName"]}`, map[string]any{"customerName": null, "storeId": "oslo-city", "forceUpdate": nil}},
		{"objects merge", `{"OrderForm":{"Shipments":[{"ShipmentId":"SHIP-2","Address":{"PostalCode":"5014"}}]}}`,
			map[string]any{"orderForm.shipments[1].address.city": "Bergen", "orderForm.shipments[1].address.postalCode": "5014", "orderForm.shipments[0].shipmentId": "SHIP-67890"}},
		{"properties by key and keyGroup", `{"Properties":[{"Key":"Channel","Value":"app"},{"Key":"Channel","KeyGroup":"erp","Value":"7"}]}`,
			map[string]any{"properties[0].value": "app", "properties[1].keyGroup": "erp", "properties[2]": nil}},
		{"properties replaced", `{"Properties":[{"Key":"Score","Value":"95"}],"KeepExistingCustomProperties":false}`,
			map[string]any{"properties[0].key": "Score", "properties[1]": nil, "keepExistingCustomProperties": nil}},
		{"properties removed", `{"PropertiesRemovalConditions":[{"Key":"Channel"}]}`, map[string]any{"properties": []string{}}},
		{"properties removed by a number", `{"PropertiesRemovalConditions":[{"Key":"Channel","Value":7}]}`, map[string]any{"properties[0].value": "web"}},
		{"lists replaced", `{"Tags":["only"],"KeepExistingListItems":false}`, map[string]any{"tags": []string{"only"}}},
		{"notes without id append", `{"OrderNotes":[{"Detail":"call first"},{"Detail":"call first"}]}`, map[string]any{"orderNotes[0].detail": "call first", "orderNotes[1].detail": "call first"}},
		{"unknown fields below are kept", `{"OrderForm":{"LineItems":[{"LineItemId":"L1","ErpRow":{"No":12}}]}}`, map[string]any{"orderForm.lineItems[0].erpRow.no": 12}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, res := placed(t, step{Host: answering(t, answerWith(row.patch)).URL})
			stored := r.get(theOrder)
			for path, want := range row.after {
				res.is("order."+path, want)
				stored.is(path, want)
			}
		})
	}
}

func TestAPatchRecomputesTotalsInExactDecimals(t *testing.T) {
	const form = "orderForm."
	for _, row := range []struct {
		name, lines string // of the patch's OrderForm
		after       map[string]any
	}{
		{"a price", `"LineItems":[{"LineItemId":"L1","PlacedPrice":8.05}]`,
			map[string]any{"lineItems[0].extendedPrice": number("16.10"), "subTotal": number("16.10"), "total": number("16.10"), "lineItems[0].code": "SHOE-42"}},
		{"a tenth thrice", `"LineItems":[{"LineItemId":"L1","PlacedPrice":0.1,"Quantity":3}]`, map[string]any{"lineItems[0].extendedPrice": number("0.3"), "total": number("0.3")}},
		{"discounts", `"LineItems":[{"LineItemId":"L1","Quantity":3,"Discounted":0.30,"OrderDiscountAmount":1.005}]`,
			map[string]any{"lineItems[0].extendedPrice": number("28.995"), "subTotal": number("28.995")}},
		{"a second line, shipping and handling", `"ShippingTotal":49.90,"HandlingTotal":5,"LineItems":[{"LineItemId":"L2","PlacedPrice":100.01,"Quantity":1}]`,
			map[string]any{"lineItems[0].extendedPrice": number("20.20"), "lineItems[1].extendedPrice": number("100.01"), "subTotal": number("120.21"), "total": number("175.11")}},
		{"what the patch sets itself stays", `"Total":15,"LineItems":[{"LineItemId":"L1","Quantity":1,"ExtendedPrice":9.99}]`,
			map[string]any{"lineItems[0].extendedPrice": number("9.99"), "subTotal": number("9.99"), "total": 15}},
		{"digits that no float holds", `"LineItems":[{"LineItemId":"L1","PlacedPrice":12345678901234567.89,"Quantity":2}]`,
			map[string]any{"lineItems[0].extendedPrice": number("24691357802469135.78")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, _ := placed(t, step{Host: answering(t, answerWith(`{"OrderForm":{`+row.lines+`}}`)).URL})
			for path, want := range row.after {
				r.get(theOrder).is(form+path, want)
			}
		})
	}
}

func TestAnOrderWithoutLinesHasATotal(t *testing.T) {
	r := lease(t)
	r.post(`{"id":"ORD-12345","orderForm":{"lineItems":[],"shippingTotal":49}}`).is("order.orderForm.subTotal", 0).is("order.orderForm.total", 49)
	r.call("PATCH", theOrder, `{"orderForm":{"shippingTotal":59}}`).want(200).is("orderForm.total", 59)
}

func TestFieldsThatAStepMayNotChange(t *testing.T) {
	s := answering(t, answerWith(`{"CustomerEmail":"new@example.com","MarketId":"SWE","CustomField":{"deep":[]},"Id":"OTHER","Created":"2020-01-01T00:00:00Z","CustomerNumber":"7","DueDate":null}`))
	r, res := placed(t, step{Host: s.URL, Stop: true})
	res.is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", "Success")
	r.get(theOrder).is("customerEmail", "new@example.com").is("marketId", "NOR").is("customField.deep[1].keep", "me").is("id", "ORD-12345").is("customerNumber", nil)
	e := r.entry("PatchFieldsNotApplied")
	for _, name := range []string{"marketId", "customField", "id", "created", "customerNumber"} {
		if !strings.Contains(e.Message, name) {
			t.Errorf("%q does not name %s", e.Message, name)
		}
	}
	if strings.Contains(e.Message, "dueDate") || strings.Contains(e.Message, "customerEmail") {
		t.Errorf("%q names too much", e.Message)
	}
	equals(t, "callId", e.CallID, res.at("orderActionExecutionResults[0].callId"))
}

func TestFieldsThatAStepMayChange(t *testing.T) {
	texts := strings.Fields("OrderType StoreId CustomerEmail CustomerPhone CustomerName FollowUpDate OrderOrigin SalesPersonId SalesPersonName Status")
	var fields []string
	for _, name := range texts {
		fields = append(fields, fmt.Sprintf("%q:%q", name, "2026-12-24"))
	}
	patch := "{" + strings.Join(fields, ",") + `,"Tags":["t"],"Properties":[{"Key":"p"}],"BillingAddress":{"City":"Oslo"},"OrderForm":{"CartId":"c"},
	 "Assets":[{"AssetId":"a"}],"ExternalIds":[{"ProviderName":"erp","Id":"7"}],"OrderNotes":[{"Title":"n"}],"PublicOrderNotes":[{"Title":"m"}],
	 "Errors":[{"Key":"Erp"}],"RelatedOrders":["r"],"IsReadOnly":true,"IsNotificationsDisabled":true}`
	r, _ := placed(t, step{Host: answering(t, answerWith(patch)).URL})
	got := r.get(theOrder)
	for _, name := range texts {
		got.is(strings.ToLower(name[:1])+name[1:], "2026-12-24")
	}
	for path, want := range map[string]any{
		"tags": []string{"first", "t"}, "properties[1].key": "p", "billingAddress.city": "Oslo", "orderForm.cartId": "c", "assets[0].assetId": "a", "externalIds[0].id": "7",
		"orderNotes[0].title": "n", "publicOrderNotes[0].title": "m", "errors[0].key": "Erp", "relatedOrders": []string{"r"}, "isReadOnly": true, "isNotificationsDisabled": true,
	} {
		got.is(path, want)
	}
	equals(t, "fields not applied", len(r.history("PatchFieldsNotApplied")), 0)
}

func TestOneFieldThatDoesNotFitFailsTheWholePatch(t *testing.T) {
	r, _ := placed(t, step{Host: answering(t, answerWith(`{"CustomerEmail":"new@example.com","OrderType":{"0":"vip"}}`)).URL})
	r.get(theOrder).is("customerEmail", "kari@example.com").is("orderType", "Online").is("errors[0].key", "WebhookWorkflowStep")
}

// The history keeps what became another, not all of it twice each time.
func TestTheHistoryOfAnOrderThatGrowsGrowsAsItDoes(t *testing.T) {
	r := ordered(t, config())
	var list []string
	for i := range 100 {
		list = append(list, fmt.Sprintf(`{"scan":%d,"where":"%s"}`, i, strings.Repeat("x", 300)))
		r.call("PATCH", theOrder, `{"scans":[`+strings.Join(list, ",")+`]}`).want(200)
	}
	history := r.get(theOrder + "/history?limit=100")
	if size := len(history.Raw); size > 100*2000 {
		t.Errorf("the history of a list of %d bytes takes %d", 100*len(list[0]), size)
	}
	history.is("items[0].changes[0].path", "scans[#99..]").is("items[0].changes[0].before", []any{}).
		is("items[0].changes[0].after[0].scan", 99)
	r.get(theOrder+"/versions/51").is("scans[49].scan", 49)
}

// docs/contract.md#totals: the history says so once.
func TestThatTaxesDoNotFitIsSaidOnce(t *testing.T) {
	s := answering(t, answerWith(`{"OrderForm":{"LineItems":[{"LineItemId":"L1","Quantity":5}]}}`))
	r := ordered(t, config(status("W", step{Host: s.URL})))
	said := func(want int) {
		t.Helper()
		equals(t, "entries", strings.Count(string(r.get(theOrder+"/history").Raw), "TotalsNotComputed"), want)
	}
	r.call("PATCH", theOrder, `{"orderForm":{"taxTotal":3}}`).want(200)
	said(0)
	for _, quantity := range []string{"3", "4"} {
		r.call("PATCH", theOrder, `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":`+quantity+`}]}}`).want(200)
		said(1)
	}
	r.enter("W").is("order.orderForm.lineItems[0].quantity", 5)
	said(1)
	// What was said stands behind more entries than a page of the list has.
	for i := range 201 {
		r.call("PATCH", theOrder, fmt.Sprintf(`{"customerName":"%d"}`, i)).want(200)
	}
	r.call("PATCH", theOrder, `{"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":6}]}}`).want(200)
	said(0)
}
