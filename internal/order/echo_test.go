package order_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// One law holds for all patches: an endpoint that hands back what it got changes
// nothing (docs/contract.md#patches). The tests below hand back generated orders, as
// programs in other languages write them.

// echoing are orders with all that makes it hard to find an element again:
// elements without a key, equal ones, several of one key, fields that no model
// knows at every depth, and names that differ in case alone.
var echoing = rapid.Custom(func(t *rapid.T) *jsondoc.Object {
	m := ordertest.Maker{Keyless: true}
	o := m.Order(t)
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"properties", "orderNotes", "errors", "returnOrderForms"}), 0, 4, rapid.ID[string]).Draw(t, "doubled") {
		doubled(t, o, name)
	}
	form := o.Object("orderForm")
	for _, name := range []string{"lineItems", "shipments"} {
		doubled(t, form, name)
	}
	if rapid.Bool().Draw(t, "more") {
		if form == nil {
			form = &jsondoc.Object{}
			o.Set("orderForm", form)
		}
		form.Set("payments", []any{payment(t), payment(t), payment(t)})
		form.Set("discounts", []any{discount(t), discount(t)})
		o.Set("externalIds", []any{jsondoc.NewObject(jsondoc.Member{Name: "providerName", Value: "ERP"}, jsondoc.Member{Name: "id", Value: "1"}), jsondoc.NewObject(jsondoc.Member{Name: "id", Value: "2"})})
		o.Set("prices", jsondoc.NewObject(jsondoc.Member{Name: "EUR", Value: jsondoc.Number("1.50")}, jsondoc.Member{Name: "sek", Value: jsondoc.Number("1e2")}, jsondoc.Member{Name: "SHOE-42", Value: []any{jsondoc.Number("10"), jsondoc.Number("10")}}))
		o.Set("dueDate", rapid.SampledFrom([]string{"2026-11-21T09:00:00.1Z", "2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00", "soon"}).Draw(t, "dueDate"))
		o.Set("total", "199.00")
		o.Set("taxTotal", jsondoc.Number("12345678901234567.89"))
	}
	return o
})

func payment(t *rapid.T) *jsondoc.Object {
	o := jsondoc.NewObject(jsondoc.Member{Name: "paymentId", Value: jsondoc.Number("1")}, jsondoc.Member{Name: "amount", Value: ordertest.Prices.Draw(t, "amount")})
	if rapid.Bool().Draw(t, "id") {
		o.Set("id", rapid.SampledFrom([]string{"p1", "p2", "0", ""}).Draw(t, "id"))
	}
	return o
}

func discount(t *rapid.T) *jsondoc.Object {
	return jsondoc.NewObject(jsondoc.Member{Name: "discountName", Value: ordertest.Words.Draw(t, "name")}, jsondoc.Member{Name: "erp_ref", Value: ordertest.Prices.Draw(t, "ref")})
}

// doubled repeats an element of a list, as it is or with another field beside.
func doubled(t *rapid.T, o *jsondoc.Object, name string) {
	list := o.List(name)
	if len(list) == 0 {
		return
	}
	again := rapid.SampledFrom(list).Draw(t, "again").(*jsondoc.Object).Clone()
	if rapid.Bool().Draw(t, "other") {
		again.Set("comment", ordertest.Words.Draw(t, "comment"))
	}
	o.Set(name, append(list, again))
}

// received is an order as an endpoint gets it, and as it is stored.
func received(t *rapid.T) (stored, value *jsondoc.Object) {
	doc, _, err := schema.ParseOrder(echoing.Draw(t, "order").JSON())
	if err != nil {
		t.Skip(err) // two fields of one name
	}
	o, err := order.NewOrder(doc, ordertest.Noon)
	if err != nil {
		t.Skip(err)
	}
	body, err := schema.ParseStored(run.StepRequest(o.Doc, nil, order.StepScope{}))
	if err != nil {
		t.Fatal(err)
	}
	return o.Doc, body.Object("Value")
}

// writer writes a document anew as another program does.
type writer struct {
	spelling string // of names: as they came, or in one case
	numbers  string
	drop     bool // fields that it does not know
	nulls    bool // null for fields that it knows and did not get
	narrow   bool // it does not know all fields of the model either
	fills    bool // nothings for fields of lines that it knows and did not get
}

func drawWriter(t *rapid.T) writer {
	return writer{rapid.SampledFrom([]string{"same", "lower", "upper"}).Draw(t, "spelling"), rapid.SampledFrom([]string{"same", "point", "exponent", "double"}).Draw(t, "numbers"),
		rapid.Bool().Draw(t, "drop"), rapid.Bool().Draw(t, "nulls"), false, rapid.Bool().Draw(t, "fills")}
}

func (w writer) value(v any) any {
	switch v := v.(type) {
	case *jsondoc.Object:
		return w.object(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = w.value(v[i])
		}
		return out
	case jsondoc.Number:
		return w.number(v)
	}
	return v
}

// strangeNames are those that the generators give to fields of no model.
var strangeNames = []string{"loyaltytier", "erpref", "årsakkode", "x_1", "日本", "abc", "custom field", "points", "erp_ref"}

func (w writer) object(o *jsondoc.Object) *jsondoc.Object {
	out := &jsondoc.Object{}
	for _, m := range o.Members() {
		name := m.Name
		if w.narrow && (name == "comment" || name == "Comment" || name == "keyGroup" || name == "KeyGroup") {
			continue
		}
		if w.drop && strings.Contains(" "+strings.Join(strangeNames, " ")+" ", " "+spelling.Fold(name)+" ") {
			continue
		}
		switch w.spelling {
		case "lower":
			name = strings.ToLower(name)
		case "upper":
			name = strings.ToUpper(name)
		}
		out.Set(name, w.value(m.Value))
		if folded := spelling.Fold(name); w.fills && (folded == "lineitems" || folded == "orderlines") {
			fill(out.Objects(name))
		}
	}
	if w.nulls {
		for _, name := range []string{"Status", "Comment", "Tags", "PlacedPrice", "OrderForm", "ErrorsSeen", "CustomerReference"} {
			if _, ok := out.Get(name); !ok {
				out.Set(name, nil)
			}
		}
	}
	return out
}

// fill adds what a typed program writes of a line that has no such fields.
func fill(lines []*jsondoc.Object) {
	for _, line := range lines {
		for name, nothing := range map[string]any{"IsGift": false, "CanceledQuantity": jsondoc.Number("0"), "Brand": "", "Gtins": []any{}, "ReturnDate": "0001-01-01T00:00:00", "Cost": jsondoc.Number("0.0")} {
			if _, ok := line.Get(name); !ok {
				line.Set(name, nothing)
			}
		}
	}
}

func (w writer) number(n jsondoc.Number) any {
	f, err := strconv.ParseFloat(string(n), 64)
	switch {
	case err != nil:
		return n
	case w.numbers == "point" && !strings.ContainsAny(string(n), ".eE"):
		return n + ".0"
	case w.numbers == "exponent" && !strings.ContainsAny(string(n), "eE"):
		return n + "e0"
	case w.numbers == "double":
		return jsondoc.Number(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return n
}

// answered is what orderhook reads of an answer that is one member.
func answered(t *rapid.T, value *jsondoc.Object) *jsondoc.Object {
	a, err := run.ParseStepAnswer(jsondoc.NewObject(jsondoc.Member{Name: "OrderPatch", Value: value}).JSON())
	if err != nil {
		t.Fatalf("%v: %s", err, value.JSON())
	}
	return a.Patch
}

func nothingChanged(t *rapid.T, was *jsondoc.Object, p order.Patched, err error, echo *jsondoc.Object) {
	if err != nil || len(p.Changes) > 0 || len(p.Removed) > 0 || len(p.NotApplied) > 0 || len(p.Warnings) > 0 || string(p.Doc.JSON()) != string(was.JSON()) {
		t.Errorf("the order %s\necho      %s\nbecame    %s\nerror %v, changed %v, removed %v, not applied %v, warnings %v", was.JSON(), echo.JSON(), p.Doc.JSON(), err, paths(p.Changes), paths(p.Removed), p.NotApplied, p.Warnings)
	}
}

func TestAStepThatHandsBackWhatItGotChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored, value := received(t)
		rules := rapid.SampledFrom([]*order.PatchRules{order.OrderStepPatch, order.ReturnStepPatch}).Draw(t, "rules")
		echo := drawWriter(t).object(value)
		now := stored
		if rapid.Bool().Draw(t, "others") { // somebody changes the order during the call
			p, err := order.APIPatch.Apply(stored, othersPatches.Draw(t, "theirs"))
			if err != nil {
				t.Skip(err)
			}
			now = p.Doc
		}
		p, err := rules.ApplySince(now, order.Sent{Doc: stored}, answered(t, echo))
		nothingChanged(t, now, p, err, echo)
	})
}

// othersPatches also remove: lines, tags, properties.
var othersPatches = rapid.Custom(func(t *rapid.T) *jsondoc.Object {
	p := ordertest.Maker{Nulls: true, NoTotals: true}.Patch(t)
	if rapid.Bool().Draw(t, "onlyLines") {
		p.Set("keepExistingOrderLines", false)
	}
	if rapid.Bool().Draw(t, "removal") {
		p.Set("propertiesRemovalConditions", []any{jsondoc.NewObject(jsondoc.Member{Name: "key", Value: "1"})})
	}
	return p
})

func TestAPatchOfWhatAnEndpointGotChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored, value := received(t)
		if rapid.Bool().Draw(t, "as GET shows it") {
			value = stored
		}
		w := drawWriter(t)
		w.fills = false // what a request sets, it sets
		echo := w.object(value)
		patch, _, err := schema.ParseOrderPatch(echo.JSON())
		if err != nil {
			t.Fatal(err)
		}
		p, err := order.APIPatch.Apply(stored, patch)
		nothingChanged(t, stored, p, err, echo)
	})
}

func TestAValidatorThatHandsBackTheCartChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, _, err := schema.ParseOrder(echoing.Draw(t, "cart").JSON())
		if err != nil {
			t.Skip(err)
		}
		c, err := cart.NewCart("C1", doc, ordertest.Noon)
		if err != nil {
			t.Skip(err)
		}
		w := drawWriter(t)
		w.narrow = rapid.Bool().Draw(t, "narrow")
		echo := w.object(c.Doc)
		v, err := cart.ParseValidation(jsondoc.NewObject(jsondoc.Member{Name: "value", Value: echo}).JSON())
		if err != nil {
			t.Fatal(err)
		}
		p, err := appliedCart(c.Doc, v.Value, rapid.Bool().Draw(t, "onlyLines"))
		nothingChanged(t, c.Doc, p, err, echo)
	})
}

// Siblings of the cases that showed the law to be broken.
func TestEchoes(t *testing.T) {
	for _, tc := range []struct{ name, sent, now, patch, want string }{
		{"a payment without an id", `{"orderForm":{"payments":[{"paymentId":1,"amount":49.5}]}}`, "", `{"OrderForm":{"Payments":[{"PaymentId":1,"Amount":49.50}]}}`, ""},
		{"a line without an id", `{"orderForm":{"lineItems":[{"code":"A","quantity":2,"placedPrice":10}]}}`, "", `{"OrderForm":{"LineItems":[{"Code":"A","Quantity":2.0,"PlacedPrice":1e1}]}}`, ""},
		{"a stale value", `{"customerEmail":"a@x"}`, `{"customerEmail":"b@x"}`, `{"CustomerEmail":"a@x"}`, ""},
		{"a stale value beside a new one", `{"customerEmail":"a@x","storeId":"s"}`, `{"customerEmail":"b@x","storeId":"s"}`, `{"CustomerEmail":"a@x","StoreId":"t"}`, `{"customerEmail":"b@x","storeId":"t"}`},
		{"an error that was cleared", `{"errors":[{"key":"W","message":"m"}]}`, `{"errors":[]}`, `{"Errors":[{"Key":"W","Message":"m"}]}`, ""},
		{"a tag that was removed", `{"tags":["a","b"]}`, `{"tags":["b"]}`, `{"Tags":["a","b","c"]}`, `{"tags":["b","c"]}`},
		{"a property that was removed", `{"properties":[{"key":"A"},{"key":"B"}]}`, `{"properties":[{"key":"B"}]}`, `{"Properties":[{"Key":"A"},{"Key":"B"}]}`, ""},
		{"an object that was removed", `{"billingAddress":{"city":"Oslo"}}`, `{"billingAddress":null}`, `{"BillingAddress":{"City":"Oslo"}}`, ""},
		{"an object that was removed, of which a field is another", `{"billingAddress":{"line1":"A","city":"Oslo"}}`, `{"billingAddress":null}`, `{"BillingAddress":{"Line1":"A","City":"Bergen"}}`, `{"billingAddress":{"city":"Bergen"}}`},
		{"an object below it that was removed with it", `{"orderForm":{"erp":{"no":1,"ref":{"a":1,"b":2}}}}`, `{"orderForm":{"erp":null}}`, `{"OrderForm":{"Erp":{"No":1,"Ref":{"A":1,"B":3}}}}`, `{"orderForm":{"erp":{"ref":{"b":3}}}}`},
		{"an object of a line that was removed", `{"orderForm":{"lineItems":[{"lineItemId":"1","meta":{"a":1,"b":2}}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","meta":null}]}}`,
			`{"OrderForm":{"LineItems":[{"LineItemId":"1","Meta":{"A":1,"B":3}}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","meta":{"b":3}}]}}`},
		{"a whole form that was removed, of which an amount is another", `{"orderForm":{"cartId":"c","shippingTotal":5,"couponCodes":["x"],"lineItems":[{"lineItemId":"1","placedPrice":1},{"code":"GIFT"}]}}`, `{"orderForm":null}`,
			`{"OrderForm":{"CartId":"c","ShippingTotal":6,"CouponCodes":["x"],"LineItems":[{"LineItemId":"1","PlacedPrice":1.0},{"Code":"GIFT"}]}}`, `{"orderForm":{"shippingTotal":6}}`},
		{"an object of which somebody made a text", `{"erp":{"no":1,"a":1},"billingAddress":{"city":"Oslo","line1":"A"}}`, `{"billingAddress":"Oslo"}`, `{"BillingAddress":{"City":"Bergen","Line1":"A"}}`, `{"billingAddress":{"city":"Bergen"}}`},
		{"an unknown list that was changed", `{"orderForm":{"dims":[1,1]}}`, `{"orderForm":{"dims":[2]}}`, `{"OrderForm":{"Dims":[1.0,1]}}`, ""},
		{"an equal instant", `{"followUpDate":"2026-11-21T09:00:00.100000Z"}`, "", `{"FollowUpDate":"2026-11-21T10:00:00.1+01:00"}`, ""},
		{"a date as a typed program writes it", `{"followUpDate":"2026-11-21"}`, "", `{"FollowUpDate":"2026-11-21T00:00:00"}`, ""},
		{"an hour later on a date", `{"followUpDate":"2026-11-21"}`, "", `{"FollowUpDate":"2026-11-21T01:00:00"}`, `{"followUpDate":"2026-11-21T01:00:00"}`},
		{"a zone without a colon", `{"followUpDate":"2026-11-21T10:00:00.5+0100"}`, "", `{"FollowUpDate":"2026-11-21T09:00:00.500Z"}`, ""},
		{"an amount of text as a number", `{"orderForm":{"total":"199.00"}}`, "", `{"OrderForm":{"Total":199.0}}`, ""},
		{"the double nearest to a long number", `{"orderForm":{"n":1234567890123456789.01}}`, "", `{"OrderForm":{"N":1234567890123456800}}`, ""},
		{"a number that is merely near is new", `{"orderForm":{"n":1234567890123456789.01}}`, "", `{"OrderForm":{"N":1234567890123456700}}`, `{"orderForm":{"n":1234567890123456700}}`},
		{"fields that a typed program fills in", `{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`, "", `{"IsReadOnly":false,"OrderForm":{"Total":0,"CouponCodes":[],"Payments":[],"LineItems":[{"LineItemId":"1","IsGift":false,"Discounted":0,"Code":""}]}}`, ""},
		{"fields that a typed program fills in, and that somebody wrote meanwhile", `{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`,
			`{"customerPhone":"1","isReadOnly":true,"billingAddress":{"city":"Oslo"},"tags":["a"],"orderForm":{"shippingTotal":5,"lineItems":[{"lineItemId":"1","code":"A","placedPrice":5}]}}`,
			`{"CustomerPhone":"","IsReadOnly":false,"BillingAddress":{"City":"","Line2":null},"Tags":[],"KeepExistingListItems":false,"OrderForm":{"ShippingTotal":0,"LineItems":[{"LineItemId":"1","Code":"","PlacedPrice":0.0}]}}`, ""},
		{"a list of lines twice", `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A"}]}}`, "", `{"OrderLines":[{"LineItemId":"1","Code":"A"}],"OrderForm":{"LineItems":[{"LineItemId":"1","Code":"B"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"B"}]}}`},
		{"the lines under their other name", `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A"}]}}`, "", `{"OrderLines":[{"LineItemId":"1","Code":"B"}]}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"B"}]}}`},
		{"the shipping address that is a shipment's", `{"orderForm":{"shipments":[{"shipmentId":"S","address":{"city":"Oslo","line1":"A"}}]}}`, "", `{"ShippingAddress":{"City":"Oslo","Line2":null}}`, ""},
		{"a new field", `{"orderForm":{}}`, "", `{"OrderForm":{"LoyaltyTier":{"EUR":1,"Name":"x","List":[{"Key":"v"}]}}}`, `{"orderForm":{"loyaltyTier":{"EUR":1,"name":"x","list":[{"key":"v"}]}}}`},
		{"an amount that came as text, of which somebody made another", `{"orderForm":{"shippingTotal":"10.10"}}`, `{"orderForm":{"shippingTotal":12}}`, `{"OrderForm":{"ShippingTotal":10.1}}`, ""},
		{"an amount that somebody made the same one, as text", `{"orderForm":{"shippingTotal":5}}`, `{"orderForm":{"shippingTotal":"10.10"}}`, `{"OrderForm":{"ShippingTotal":10.1}}`, ""},
		{"an empty field that forceUpdate names", `{"orderOrigin":"web"}`, "", `{"ForceUpdate":["customerName"],"CustomerName":"","CustomerPhone":""}`, `{"orderOrigin":"web","customerName":""}`},
		{"a list whose elements' names are capitals", `{"orderForm":{"rates":[{"EUR":1,"Sek":2}]}}`, "", `{"OrderForm":{"Rates":[{"EUR":3,"SEK":2},{"eur":1}]}}`, `{"orderForm":{"rates":[{"EUR":3,"Sek":2},{"EUR":1}]}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sent := ordertest.Doc(t, tc.sent)
			now := sent
			if tc.now != "" {
				now = ordertest.Doc(t, tc.now)
			}
			a, err := run.ParseStepAnswer([]byte(`{"OrderPatch":` + tc.patch + `}`))
			if err != nil {
				t.Fatal(err)
			}
			p, err := order.OrderStepPatch.ApplySince(now, order.Sent{Doc: sent}, a.Patch)
			if err != nil {
				t.Fatal(err)
			}
			want := tc.want
			if want == "" {
				want = string(now.JSON())
			}
			ordertest.Same(t, p.Doc, want)
			if (tc.want == "") != (len(p.Changes) == 0) || len(p.NotApplied) > 0 {
				t.Errorf("changes %v, not applied %v", paths(p.Changes), p.NotApplied)
			}
		})
	}
}

func TestWhatSomebodyRemovedStaysRemoved(t *testing.T) {
	for _, tc := range []struct{ name, sent, now, patch, want, at string }{
		{"a line", `{"orderForm":{"lineItems":[{"lineItemId":"1"},{"lineItemId":"2","placedPrice":1}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"2","placedPrice":1.5}]}}`, "", "orderForm.lineItems[2]"},
		{"a property", `{"properties":[{"key":"A","value":"1"}]}`, `{"properties":[]}`, `{"properties":[{"key":"A","value":"2"}]}`, "", "properties[A]"},
		{"a line of a form that was removed in whole", `{"orderForm":{"lineItems":[{"lineItemId":"1"},{"lineItemId":"2","placedPrice":1}]}}`, `{"orderForm":null}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"2","placedPrice":1.5}]}}`, "", "orderForm.lineItems[2]"},
		{"a line of such a form, beside one that the patch adds", `{"orderForm":{"lineItems":[{"lineItemId":"2","code":"A"}]}}`, `{"orderForm":null}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"2","code":"B"},{"lineItemId":"3","code":"C"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"3","code":"C"}]}}`, "orderForm.lineItems[2]"},
		{"a shipment", `{"orderForm":{"shipments":[{"shipmentId":"S"}]}}`, `{"orderForm":{"shipments":[]}}`, `{"orderForm":{"shipments":[{"shipmentId":"S","status":"Shipped"}]}}`, "", "orderForm.shipments[S]"},
		{"the first of two of one id", `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A"},{"lineItemId":"1","code":"B"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"B"}]}}`,
			`{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A","comment":"x"},{"lineItemId":"1","code":"B","comment":"y"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"B","comment":"y"}]}}`, "orderForm.lineItems[1]"},
		{"one that the patch removes itself is set anew", `{"properties":[{"key":"A","value":"1"}]}`, `{"properties":[{"key":"A","value":"1"}]}`, `{"propertiesRemovalConditions":[{"key":"A"}],"properties":[{"key":"A","value":"2"}]}`, `{"properties":[{"key":"A","value":"2"}]}`, ""},
		{"one that the patch removes itself is set as it was sent", `{"properties":[{"key":"A","value":"1"}]}`, `{"properties":[{"key":"A","value":"2"}]}`, `{"propertiesRemovalConditions":[{"key":"A"}],"properties":[{"key":"A","value":"1"}]}`, `{"properties":[{"key":"A","value":"1"}]}`, ""},
		{"one that the patch removes itself, and somebody else has cleared with all others", `{"properties":[{"key":"A","value":"1"}]}`, `{"properties":null}`, `{"propertiesRemovalConditions":[{"key":"A"}],"properties":[{"key":"A","value":"1"}]}`, `{"properties":[{"key":"A","value":"1"}]}`, ""},
		{"one that the patch removes itself, and somebody else has removed", `{"properties":[{"key":"A","value":"1"}]}`, `{"properties":[]}`, `{"propertiesRemovalConditions":[{"key":"A"}],"properties":[{"key":"A","value":"1"}]}`, `{"properties":[{"key":"A","value":"1"}]}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := order.OrderStepPatch.ApplySince(ordertest.Doc(t, tc.now), order.Sent{Doc: ordertest.Doc(t, tc.sent)}, ordertest.Doc(t, tc.patch))
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" {
				tc.want = tc.now
			}
			ordertest.Same(t, p.Doc, tc.want)
			if got := strings.Join(paths(p.Removed), " "); got != tc.at {
				t.Errorf("conflicts %q, want %q", got, tc.at)
			}
			for _, c := range p.Removed {
				if !c.Conflict || c.Before == nil || c.After == nil || c.Theirs != nil {
					t.Errorf("the conflict is %+v", c)
				}
			}
		})
	}
}

func TestDerivedFieldsAreNeverStored(t *testing.T) {
	const ord = `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"A"}],"shipments":[{"shipmentId":"S","address":{"city":"Oslo"}},{"shipmentId":"T","address":{"city":"Bergen"}}]}}`
	for patch, want := range map[string]string{
		`{"orderLines":[{"lineItemId":"1","code":"A"}],"shippingAddress":{"city":"Oslo"}}`:                         ord,
		`{"OrderLines":null,"ShippingAddress":{"City":"Bergen"}}`:                                                  ord,
		`{"orderLines":[{"lineItemId":"1","code":"B"}],"orderForm":{"cartId":"c"}}`:                                strings.Replace(strings.Replace(ord, `"A"`, `"B"`, 1), `]}}`, `],"cartId":"c"}}`, 1),
		`{"orderLines":[{"code":"B","lineItemId":"1"}],"orderForm":{"lineItems":[{"lineItemId":"1","code":"B"}]}}`: strings.Replace(ord, `"A"`, `"B"`, 1),
	} {
		ordertest.Same(t, ordertest.Apply(t, order.APIPatch, ord, patch).Doc, want)
	}
	for patch, place := range map[string]string{
		`{"orderLines":[{"lineItemId":"1","code":"B"}],"orderForm":{"lineItems":[{"lineItemId":"1","code":"C"}]}}`: "orderLines",
		`{"shippingAddress":{"city":"Tromsø"}}`: "shippingAddress",
	} {
		_, err := order.APIPatch.Apply(ordertest.Doc(t, ord), ordertest.Doc(t, patch))
		ordertest.Refused(t, err, apierr.Invalid, place+": ")
	}
	ordertest.Same(t, ordertest.Apply(t, order.APIPatch, `{}`, `{"shippingAddress":{"city":"Tromsø"}}`).Doc, `{"shippingAddress":{"city":"Tromsø"}}`)
	p := ordertest.Apply(t, order.OrderStepPatch, ord, `{"shippingAddress":{"city":"Tromsø"}}`)
	if fmt.Sprint(p.NotApplied) != "[shippingAddress]" || len(p.Changes) > 0 {
		t.Errorf("not applied %v, changes %v", p.NotApplied, paths(p.Changes))
	}
	for in, want := range map[string]string{
		`{"id":"1","status":"New","created":"2026-11-21T12:00:00Z","orderLines":[{"code":"A"}]}`:                              `"orderForm":{"lineItems":[{"code":"A"}]}`,
		`{"id":"1","status":"New","shippingAddress":{"city":"Oslo"},"orderForm":{"shipments":[{"address":{"city":"Oslo"}}]}}`: `{"id":"1","status":"New","orderForm":`,
	} {
		o, err := order.NewOrder(ordertest.Doc(t, in), ordertest.Noon)
		if err != nil || !strings.Contains(string(o.Doc.JSON()), want) {
			t.Errorf("%s became %s, %v", in, o.Doc.JSON(), err)
		}
	}
	_, err := order.NewOrder(ordertest.Doc(t, `{"orderLines":[{"code":"A"}],"orderForm":{"lineItems":[{"code":"B"}]}}`), ordertest.Noon)
	ordertest.Refused(t, err, apierr.Invalid, "orderLines: ")
}

// What a patch sets in another shape than the model's is named, once it is set.
func TestWhatAPatchSetsInAnotherShapeIsNamed(t *testing.T) {
	const have = `{"customerName":5,"tags":"a, b","orderForm":{"lineItems":[{"lineItemId":"1","comment":7}]}}`
	for patch, want := range map[string]string{
		have:                            "",
		`{"tags":"c","customerName":6}`: "tags customerName",
		`{"orderForm":{"lineItems":[{"lineItemId":"1","comment":8},{"lineItemId":"2","comment":[],"quantity":"2"}]}}`: "orderForm.lineItems.comment orderForm.lineItems.comment",
		`{"billingAddress":{"city":1},"orderNotes":["x"],"relatedOrders":[1],"total":"1.50","isReadOnly":"yes"}`:      "billingAddress.city orderNotes[] relatedOrders[] isReadOnly",
	} {
		var places []string
		for _, w := range ordertest.Apply(t, order.APIPatch, have, patch).Warnings {
			places = append(places, w.Path)
		}
		if got := strings.Join(places, " "); got != want {
			t.Errorf("%s: %q, want %q", patch, got, want)
		}
	}
	p, err := appliedCart(ordertest.Doc(t, have), ordertest.Doc(t, `{"tags":"c"}`), false)
	if err != nil || len(p.Warnings) != 1 || p.Warnings[0].Path != "tags" {
		t.Errorf("of a cart: %v, %v", p.Warnings, err)
	}
}
