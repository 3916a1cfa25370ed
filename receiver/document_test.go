package receiver

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/schema"
)

// TestTheTypesHaveTheFieldsOfTheModels: what orderhook knows of an order, this package does.
func TestTheTypesHaveTheFieldsOfTheModels(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(of reflect.Type, m *schema.Model)
	check = func(of reflect.Type, m *schema.Model) {
		if seen[of] {
			return
		}
		seen[of] = true
		p := planOf(of)
		fields := map[string]field{}
		for _, f := range p.fields {
			fields[f.name] = f
			if _, known := m.Field(f.name); !known {
				t.Errorf("%s has a field %s, which the model has not", of.Name(), f.name)
			}
		}
		for name, known := range m.Fields {
			if known.Control || name == "orderLines" || known.Of == nil && (known.Kind.String() == "an object" || known.Kind.String() == "a list") {
				continue // another name of the lines, or nothing is known of what is in it
			}
			f, ok := fields[name]
			if !ok {
				t.Errorf("%s has no field %s", of.Name(), name)
				continue
			}
			is := of.Field(f.index).Type
			if want := map[string]reflect.Kind{"text": reflect.String, "a number": reflect.String, "true or false": reflect.Bool,
				"a list of texts": reflect.Slice, "an object": reflect.Pointer, "a list of objects": reflect.Slice}[known.Kind.String()]; is.Kind() != want {
				t.Errorf("%s.%s is %s, and in the model %s", of.Name(), name, is, known.Kind)
			}
			if isNumber := is == reflect.TypeFor[Number](); isNumber != (known.Kind == schema.Number) {
				t.Errorf("%s.%s is %s, and in the model %s", of.Name(), name, is, known.Kind)
			}
			keys := f.keys
			if known.Appended {
				known.Keys = []string{"errors"}
			}
			if !reflect.DeepEqual(keys, known.Keys) {
				t.Errorf("the keys of %s.%s are %v, and in the model %v", of.Name(), name, keys, known.Keys)
			}
			if known.Of != nil {
				check(is.Elem(), known.Of)
			}
		}
	}
	check(reflect.TypeFor[Order](), schema.Order)
	if len(seen) < 15 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}

func TestADocumentKeepsWhatNobodyKnows(t *testing.T) {
	const text = `{"Id":"o","Total":10.10,"DiscountTotalIncVat":"199.00","tags":"one text","Mine":{"EUR":1.50},"customerName":null,
		"OrderForm":{"LineItems":[{"LineItemId":"1","Quantity":2.0,"Colour":"red"}]},"BIG":12345678901234567890.10}`
	var o Order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	if o.ID != "o" || o.Total != "10.10" || o.DiscountTotalIncVat != "199.00" || o.Tags != nil || o.OrderForm.LineItems[0].Quantity != "2.0" {
		t.Errorf("read %+v", o)
	}
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"o","discountTotalIncVat":199.00,"total":10.10,"orderForm":{"lineItems":[{"lineItemId":"1","quantity":2.0,"Colour":"red"}]},"BIG":12345678901234567890.10,"Mine":{"EUR":1.50},"tags":"one text"}`
	if string(out) != want {
		t.Errorf("wrote %s\nwant  %s", out, want)
	}
}

func TestMembersAreFoundInAnyCase(t *testing.T) {
	m := Members{"Color": json.RawMessage(`"red"`)}
	if got := string(m.Get("color")); got != `"red"` {
		t.Errorf("color is %s", got)
	}
	var color string
	if there, err := m.Decode("COLOR", &color); !there || err != nil || color != "red" {
		t.Errorf("%t, %v, %q", there, err, color)
	}
	if there, err := m.Decode("size", &color); there || err != nil {
		t.Errorf("%t, %v", there, err)
	}
	if there, err := m.Decode("color", new(int)); !there || err == nil {
		t.Errorf("a text was read as a number: %v", err)
	}
	if err := m.Set("color", "<blue>"); err != nil || len(m) != 1 || string(m["Color"]) != `"<blue>"` {
		t.Errorf("%v, %v", m, err)
	}
	if err := m.Set("f", func() {}); err == nil {
		t.Error("a function was set")
	}
	m.Delete("cOLOR")
	if len(m) != 0 {
		t.Errorf("left: %v", m)
	}
	var none Members
	if err := none.Set("a", 1); err != nil || string(none["a"]) != "1" {
		t.Errorf("%v, %v", none, err)
	}
}

func TestNumbersAreExact(t *testing.T) {
	for text, want := range map[Number]string{"": "0", "10.10": "101/10", "-0": "0", "1e3": "1000", "12345678901234567890.1": "123456789012345678901/10"} {
		r, err := text.Rat()
		if err != nil || r.RatString() != want {
			t.Errorf("%q is %v, %v", text, r, err)
		}
	}
	for _, text := range []Number{"0x1", "1_0", "+1", "1.", ".5", "NaN", "abc", " 1", "01", "1/2", "1e1001", "1e-1001", "1e99999999999999999999"} {
		if r, err := text.Rat(); err == nil {
			t.Errorf("%q is %v", text, r)
		}
		// A number that is too large to calculate with can still be sent.
		if out, err := json.Marshal(text); (err == nil) != strings.Contains(string(text), "e") {
			t.Errorf("%q is written as %s", text, out)
		}
	}
	for value, want := range map[string]Number{"1/8": "0.13", "-1/8": "-0.13", "5": "5.00"} {
		r, _ := new(big.Rat).SetString(value)
		if got := Decimal(r, 2); got != want {
			t.Errorf("%s is %s", value, got)
		}
	}
	for _, c := range []struct {
		a, b Number
		same bool
	}{{"1", "1.0", true}, {"", "0", false}, {"", "", true}, {"x", "1", false}, {"1e2", "100", true}, {"1", "2", false}} {
		if c.a.Equal(c.b) != c.same {
			t.Errorf("%q and %q: %t", c.a, c.b, !c.same)
		}
	}
}
