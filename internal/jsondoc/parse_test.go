package jsondoc_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

func TestParseTakesNamesInEveryCaseAndWritesCamelCase(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"PascalCase, as the wire has it", `{"Id":"BGO-1","CustomerEmail":"kari@example.no"}`, `{"id":"BGO-1","customerEmail":"kari@example.no"}`},
		{"capitals", `{"CUSTOMEREMAIL":"kari@example.no"}`, `{"customerEmail":"kari@example.no"}`},
		{"lower case", `{"customeremail":"kari@example.no"}`, `{"customerEmail":"kari@example.no"}`},
		{"camelCase stays", `{"customerEmail":"kari@example.no"}`, `{"customerEmail":"kari@example.no"}`},
		{"inside objects", `{"BILLINGADDRESS":{"POSTALCODE":"5014"}}`, `{"billingAddress":{"postalCode":"5014"}}`},
		{"inside lists", `{"OrderForm":{"LineItems":[{"LINEITEMID":"1"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1"}]}}`},
		{"inside lists of lists", `{"Grid":[[{"Cell":1}]]}`, `{"grid":[[{"cell":1}]]}`},
		{"unknown fields", `{"LoyaltyTier":"Gold","ERPRef":7}`, `{"loyaltyTier":"Gold","erpRef":7}`},
		{"letters beyond ASCII", `{"ÅrsakTilRetur":"Feil størrelse"}`, `{"årsakTilRetur":"Feil størrelse"}`},
		{"Greek", `{"Ωμέγα":1}`, `{"ωμέγα":1}`},
		{"an empty name", `{"":1}`, `{"":1}`},
		{"values are left alone", `{"status":"NEW","tags":["VIP","vip"]}`, `{"status":"NEW","tags":["VIP","vip"]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := schema.Parse([]byte(tc.in))
			if err != nil || string(got.JSON()) != tc.want {
				t.Errorf("got %s, %v, want %s", got.JSON(), err, tc.want)
			}
		})
	}
}

func TestTheTextOfANumberSurvives(t *testing.T) {
	for _, number := range []string{
		"0", "-0", "0.10", "10.00", "1299.90", "9223372036854775807", "1234567890123456789.0123456789012345678",
		"1e3", "1E+3", "1.50e-7", "1e999999999", strings.Repeat("9", jsondoc.MaxNumber),
	} {
		in := `{"total":` + number + `}`
		if got := string(ordertest.Doc(t, in).JSON()); got != in {
			t.Errorf("%s became %s", in, got)
		}
	}
}

func TestEveryKindOfValueSurvives(t *testing.T) {
	const in = `{"a":null,"b":true,"c":false,"d":"","e":[],"f":{},"g":[null,[],{},"x",1],"h":"\u0000 \"\\/ ok é 😀"}`
	o := ordertest.Doc(t, in)
	ordertest.Same(t, ordertest.Doc(t, string(o.JSON())), in)
	if got := o.Text("h"); got != "\x00 \"\\/ ok é 😀" {
		t.Errorf("text became %q", got)
	}
}

func TestParseTakesAByteOrderMarkAndWhiteSpace(t *testing.T) {
	ordertest.Same(t, ordertest.Doc(t, "\ufeff \r\n\t{\"Id\" : \"BGO-1\"} \n"), `{"id":"BGO-1"}`)
}

func TestParseNamesTheLineAndColumnOfMalformedJSON(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"cut off", `{"id":"BGO`, "at line 1, column 11"},
		{"cut off in a list", `{"tags":["vip"`, "at line 1, column 15"},
		{"a bad literal", `{"isGift":tru}`, "at line 1, column 14"},
		{"a bad number", `{"total":01}`, "at line 1, column 11"},
		{"a number without digits", `{"total":1e}`, "at line 1, column 12"},
		{"no colon", `{"id" "BGO"}`, "at line 1, column 7"},
		{"a bare word", `{id:1}`, "at line 1, column 2"},
		{"a wrong bracket", `{"tags":[}`, "at line 1, column 10"},
		{"a bracket alone", `]`, "at line 1, column 1"},
		{"a brace alone", `}`, "at line 1, column 1"},
		{"invalid UTF-8 in a value", "{\"city\":\"Troms\xf8\"}", "at line 1, column 15"},
		{"invalid UTF-8 in a name", "{\"\xff\":1}", "at line 1, column 3"},
		{"half a surrogate pair", `{"name":"\ud83d"}`, "at line 1, column 10"},
		{"a control character in text", "{\"name\":\"a\nb\"}", "at line 1, column 11"},
		{"a second object", `{"id":"1"} {"id":"2"}`, "at line 1, column 12"},
		{"text behind the object", `{"id":"1"}x`, "at line 1, column 11"},
		{"a comma behind the object", "{}\n,", "at line 2, column 1"},
		{"after a byte order mark, which is no character", "\ufeff{\"isGift\":tru}", "at line 1, column 14"},
		{"on the third line", "{\n  \"id\": \"1\",\n  \"isGift\": ja\n}", "at line 3, column 13"},
		{"after a Windows line end", "{\r\n\"isGift\":tru}", "at line 2, column 13"},
		{"after letters of several bytes", "{\"ø€😀\":tru}", "at line 1, column 11"},
		{"cut off after a line", "{\"id\":\"1\"\n", "at line 2, column 1"},
		{"behind the object, after a byte order mark", "\ufeff{} x", "at line 1, column 4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := schema.Parse([]byte(tc.in))
			ordertest.Refused(t, err, apierr.Malformed, tc.want)
		})
	}
}

func TestParseRefusesAnEmptyBody(t *testing.T) {
	for _, in := range []string{"", " ", "\r\n\t", "\ufeff", "\ufeff \n"} {
		_, err := schema.Parse([]byte(in))
		ordertest.Refused(t, err, apierr.Malformed, "the body is empty")
	}
}

func TestParseRefusesWhatIsNoObject(t *testing.T) {
	for in, want := range map[string]string{
		`[]`: "not a list", `"BGO-1"`: "not text", `7`: "not a number", `-7`: "not a number",
		`true`: "not true or false", `false`: "not true or false", `null`: "not null", ` [{}]`: "not a list",
	} {
		_, err := schema.Parse([]byte(in))
		ordertest.Refused(t, err, apierr.Invalid, "a JSON object is needed, "+want)
	}
}

func TestParseRefusesAFieldThatIsThereTwice(t *testing.T) {
	for _, tc := range []struct{ name, in, path string }{
		{"in two cases", `{"status":"New","Status":"Paid"}`, "status"},
		{"in one case", `{"status":"New","status":"Paid"}`, "status"},
		{"in an object", `{"billingAddress":{"City":"Bergen","CITY":"Oslo"}}`, "billingAddress.city"},
		{"in a list", `{"orderForm":{"lineItems":[{},{"Code":"A","code":"B"}]}}`, "orderForm.lineItems[1].code"},
		{"of an unknown name", `{"loyaltyTier":1,"LOYALTYTIER":2}`, "loyaltytier"},
		{"beyond ASCII", `{"årsak":1,"ÅRSAK":2}`, "årsak"},
		{"of letters that share a capital", `{"loyaltyſ":1,"loyaltys":2}`, "loyaltys"},
		{"in a large object", `{` + manyFields(60) + `"FIELD7":1}`, "field7"},
		{"escaped", `{"code":1,"\u0043ode":2}`, "code"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := schema.Parse([]byte(tc.in))
			ordertest.Refused(t, err, apierr.Invalid, tc.path+": the field is there twice")
		})
	}
}

func TestParseLimitsTheDepth(t *testing.T) {
	nest := func(open, in, shut string, n int) string {
		return `{"x":` + strings.Repeat(open, n-1) + in + strings.Repeat(shut, n-1) + `}`
	}
	for _, tc := range []struct{ open, shut string }{{"[", "]"}, {`{"x":`, "}"}} {
		for _, in := range []string{"1", `"deep"`, "null"} {
			if _, err := schema.Parse([]byte(nest(tc.open, in, tc.shut, jsondoc.MaxDepth))); err != nil {
				t.Errorf("%d levels of %s: %v", jsondoc.MaxDepth, tc.open, err)
			}
		}
		for _, in := range []string{"1", `"deep"`, "null"} {
			_, err := schema.Parse([]byte(nest(tc.open, in, tc.shut, jsondoc.MaxDepth+1)))
			ordertest.Refused(t, err, apierr.Invalid, "nests deeper than 100 levels")
		}
		for _, in := range []string{"[]", "{}"} { // an empty one is a level too
			_, err := schema.Parse([]byte(nest(tc.open, in, tc.shut, jsondoc.MaxDepth)))
			ordertest.Refused(t, err, apierr.Invalid, "nests deeper than 100 levels")
		}
		_, err := schema.Parse([]byte(nest(tc.open, "1", tc.shut, 5000)))
		ordertest.Refused(t, err, apierr.Invalid, "nests deeper")
	}
}

func TestParseRefusesANumberOfTooManyDigits(t *testing.T) {
	_, err := schema.Parse([]byte(`{"orderForm":{"total":` + strings.Repeat("9", jsondoc.MaxNumber+1) + `}}`))
	ordertest.Refused(t, err, apierr.Invalid, "orderForm.total: a number of more than 400 characters")
}

func TestAPathInAnErrorIsShortened(t *testing.T) {
	name := strings.Repeat("å", 5000)
	_, err := schema.Parse([]byte(`{"` + name + `":{"b":1,"B":2}}`))
	ordertest.Refused(t, err, apierr.Invalid, "…: the field is there twice")
	if n := len(err.Error()); n > 300 {
		t.Errorf("the error is %d bytes long", n)
	}
}
