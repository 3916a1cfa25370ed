package receiver

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
)

// The tests in this file hold what an endpoint answers against what orderhook makes of it.

var (
	smallText   = rapid.SampledFrom([]string{"", "a", "b", "<&>"})
	smallNumber = rapid.SampledFrom([]Number{"", "0", "1", "2.50", "2.5", "12345678901234567890.123456789"})
	smallList   = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3, rapid.ID) // sets
	someOther   = rapid.Custom(func(t *rapid.T) Members {
		var m Members
		for range rapid.IntRange(0, 2).Draw(t, "members") {
			name := rapid.SampledFrom([]string{"mine", "EUR", "yours.too"}).Draw(t, "name")
			value := rapid.SampledFrom([]string{`1`, `1.50`, `"text"`, `{"a":1}`, `{"a":2,"b":{"c":[1]}}`, `[1,2]`, `true`}).Draw(t, "value")
			if err := m.Set(name, json.RawMessage(value)); err != nil {
				t.Fatal(err)
			}
		}
		return m
	})
)

func someProperties(t *rapid.T) (all []Property) {
	for range rapid.IntRange(0, 3).Draw(t, "properties") {
		all = append(all, Property{ValueType: "text", Key: rapid.SampledFrom([]string{"k", "l", ""}).Draw(t, "key"), KeyGroup: rapid.SampledFrom([]string{"", "g"}).Draw(t, "group"), Value: smallText.Draw(t, "value")})
	}
	return all
}

// someLines have amounts in fields that no total is worked out of.
func someLines(t *rapid.T) (all []LineItem) {
	for range rapid.IntRange(0, 3).Draw(t, "lines") {
		all = append(all, LineItem{LineItemID: rapid.SampledFrom([]string{"1", "2", "2", ""}).Draw(t, "id"), Code: smallText.Draw(t, "code"), Comment: smallText.Draw(t, "comment"),
			Cost: smallNumber.Draw(t, "cost"), IsGift: rapid.Bool().Draw(t, "gift"), Gtins: smallList.Draw(t, "gtins"), Properties: someProperties(t), Other: someOther.Draw(t, "other")})
	}
	return all
}

func someShipments(t *rapid.T) (all []Shipment) {
	for i := range rapid.IntRange(0, 2).Draw(t, "shipments") {
		s := Shipment{ShipmentID: string(rune('A' + i)), WarehouseCode: smallText.Draw(t, "warehouse"), LineItems: someLines(t)}
		if rapid.Bool().Draw(t, "address") {
			s.Address = &Address{City: smallText.Draw(t, "city"), Other: someOther.Draw(t, "other")}
		}
		all = append(all, s)
	}
	return all
}

var someOrder = rapid.Custom(func(t *rapid.T) Order {
	o := Order{ID: "o", Status: rapid.SampledFrom([]string{"New", "Checked"}).Draw(t, "status"), CustomerName: smallText.Draw(t, "name"), FollowUpDate: rapid.SampledFrom([]string{"", "2026-11-30T07:00:00Z", "0001-01-01T00:00:00"}).Draw(t, "date"),
		IsReadOnly: rapid.Bool().Draw(t, "read only"), Tags: smallList.Draw(t, "tags"), RelatedOrders: smallList.Draw(t, "related"), Properties: someProperties(t)}
	if rapid.Bool().Draw(t, "form") {
		o.OrderForm = &OrderForm{CartName: smallText.Draw(t, "cart"), DiscountAmount: smallNumber.Draw(t, "discount"), CouponCodes: smallList.Draw(t, "coupons"),
			LineItems: someLines(t), Shipments: someShipments(t), Properties: someProperties(t), Other: someOther.Draw(t, "other")}
		for range rapid.IntRange(0, 2).Draw(t, "charges") {
			o.OrderForm.Charges = append(o.OrderForm.Charges, Charge{Key: smallText.Draw(t, "key"), Amount: smallNumber.Draw(t, "amount")})
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "ids") {
		o.ExternalIDs = append(o.ExternalIDs, ExternalID{ProviderName: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "provider"), ID: smallText.Draw(t, "id")})
	}
	return o
})

// storedOrder is an order as orderhook stores it.
func storedOrder(t *rapid.T, o Order) *jsondoc.Object {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	doc, _, err := schema.ParseOrder(text)
	if err != nil {
		t.Skip(err) // tags that are twice in a set, say
	}
	return doc
}

// normal is a document as a value that equals that of another one if they say the same: names
// without regard to case, numbers by value, lists in any order, nothing that is empty or 0.
func normal(t *rapid.T, doc any) any {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	v, err := valueOf(text)
	if err != nil {
		t.Fatal(err)
	}
	return normalValue(v)
}

func normalValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			name = strings.ToLower(name)
			if value = normalValue(value); value != nil && name != "orderlines" && name != "shippingaddress" {
				out[name] = value
			}
		}
		if len(out) > 0 {
			return out
		}
	case []any:
		var out []string
		for _, e := range v {
			text, _ := json.Marshal(normalValue(e))
			out = append(out, string(text))
		}
		slices.Sort(out)
		if len(out) > 0 {
			return out
		}
	case json.Number:
		value, err := Number(v).Rat()
		if err != nil {
			return string(v)
		}
		if value.Sign() != 0 {
			return value.RatString()
		}
	default:
		if v != "" && v != false && v != "0001-01-01T00:00:00" {
			return v
		}
	}
	return nil
}

// mixed changes an order into something between itself and another one.
func mixed(t *rapid.T, o *Order, other Order) {
	var take func(into, from reflect.Value)
	take = func(into, from reflect.Value) {
		for i := range into.NumField() {
			f, g := into.Field(i), from.Field(i)
			name := into.Type().Field(i).Name
			if f.IsZero() && g.IsZero() {
				continue
			}
			switch how := rapid.SampledFrom([]string{"leave", "take", "mix"}).Draw(t, name); {
			case how == "leave", name == "ID", name == "ShippingAddress", name == "Other" && into.Type() == reflect.TypeFor[Order]():
			case f.Kind() == reflect.Pointer && !f.IsNil() && !g.IsNil():
				take(f.Elem(), g.Elem())
			case name == "Other" && how == "mix", name == "OrderForm", name == "Status" && g.IsZero():
			case how == "mix" && f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct, name == "Shipments":
				for j := range min(f.Len(), g.Len()) {
					take(f.Index(j), g.Index(j))
				}
				if g.Len() > f.Len() {
					f.Set(reflect.AppendSlice(f, g.Slice(f.Len(), g.Len())))
				}
			default:
				f.Set(g)
			}
		}
	}
	take(reflect.ValueOf(o).Elem(), reflect.ValueOf(other))
}

// TestADifferenceMakesTheOneOrderOfTheOther: whatever an endpoint changes in an order, the
// engine's own patch makes of the stored order what the endpoint has.
func TestADifferenceMakesTheOneOrderOfTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := storedOrder(t, someOrder.Draw(t, "before"))
		call := run.StepRequest(doc, &jsondoc.Object{}, order.StepScope{})
		req := &StepRequest{Call: Call{Body: call}}
		var sent struct{ Value Order }
		if err := json.Unmarshal(call, &sent); err != nil {
			t.Fatal(err)
		}
		req.Order = sent.Value
		mixed(t, &req.Order, someOrder.Draw(t, "after"))
		answer, err := req.Patch()
		if err != nil {
			return // no patch can do that
		}
		text, err := marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := run.ParseStepAnswer(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(parsed.Warnings) > 0 {
			t.Errorf("%s: %v", text, parsed.Warnings)
		}
		if parsed.Patch == nil {
			parsed.Patch = &jsondoc.Object{}
		}
		patched, err := order.OrderStepPatch.Apply(doc, parsed.Patch)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(patched.Warnings) > 0 {
			t.Errorf("before %s\nanswer %s: %v", doc.JSON(), text, patched.Warnings)
		}
		if diff := cmp.Diff(normal(t, req.Order), normal(t, patched.Doc)); diff != "" {
			t.Fatalf("before %s\nanswer %s\nafter (-endpoint +orderhook):\n%s", doc.JSON(), text, diff)
		}
	})
}

// TestAValidatorsChangesMakeTheOneCartOfTheOther is the same for the value of a validator.
func TestAValidatorsChangesMakeTheOneCartOfTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := storedOrder(t, someOrder.Draw(t, "before"))
		req := &CartRequest{}
		for _, into := range []*Cart{&req.Cart, &req.sent} {
			if err := json.Unmarshal(doc.JSON(), into); err != nil {
				t.Fatal(err)
			}
		}
		mixed(t, &req.Cart, someOrder.Draw(t, "after"))
		answer, err := req.Accept()
		if err != nil {
			return // no validator can do that
		}
		text, err := marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := cart.ParseValidation(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		value := parsed.Value
		if value == nil {
			value = &jsondoc.Object{}
		}
		changed, err := order.ApplyCart(doc, value)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(changed.Warnings) > 0 {
			t.Errorf("%s: %v", text, changed.Warnings)
		}
		if diff := cmp.Diff(normal(t, req.Cart), normal(t, changed.Doc)); diff != "" {
			t.Fatalf("before %s\nanswer %s\nafter (-endpoint +orderhook):\n%s", doc.JSON(), text, diff)
		}
	})
}

// TestALongCartIsComparedByItsLines: four times as many lines cost four times as much, and not
// sixteen times, for a cart may have thousands.
func TestALongCartIsComparedByItsLines(t *testing.T) {
	cost := func(n int) float64 {
		var before, after Cart
		before.OrderForm, after.OrderForm = &OrderForm{}, &OrderForm{}
		for i := range n {
			line := LineItem{LineItemID: fmt.Sprint(i), Quantity: "1"}
			before.OrderForm.LineItems = append(before.OrderForm.LineItems, line)
			line.TaxRate = "25"
			after.OrderForm.LineItems = append(after.OrderForm.LineItems, line)
		}
		return testing.AllocsPerRun(1, func() {
			if _, err := (&CartRequest{Cart: after, sent: before}).changes(); err != nil {
				t.Error(err)
			}
		})
	}
	if few, many := cost(100), cost(400); many > 6*few {
		t.Errorf("100 lines take %.0f allocations, and 400 take %.0f", few, many)
	}
}
