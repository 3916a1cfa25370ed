package redact_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/redact"
)

var key = []byte("a key of these tests")

func doc(t *testing.T, text string) *jsondoc.Object {
	t.Helper()
	o, err := jsondoc.Read([]byte(text), jsondoc.Reading{Levels: 20})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// redacted returns a document as it comes out.
func redacted(t *testing.T, rules redact.Rules, text string) string {
	t.Helper()
	d, o := redact.New(key, rules).Document(), doc(t, text)
	d.Learn(o)
	return string(d.Value(o).(*jsondoc.Object).JSON())
}

// Each document has PERSONAL where it must be gone, and everything else must stay.
func TestWhatIsReplacedAndWhatStays(t *testing.T) {
	for _, c := range []struct {
		name, text, personal string
		stays                []string
	}{
		{"a name", `{"CustomerName":"Kari Nordmann","status":"New"}`, "Kari Nordmann", []string{`"status":"New"`}},
		{"its words elsewhere", `{"customerName":"Kari Nordmann","orderNotes":[{"id":"n1","detail":"ring KARI before"}],"tags":["vip"]}`, "kari", []string{`"vip"`, `"n1"`}},
		{"in what an endpoint answers", `{"customerName":"Kari Nordmann","errorReason":"no such customer: Nordmann, Kari"}`, "Nordmann", []string{"no such customer: "}},
		{"but not in a status", `{"customerName":"New Packed","status":"New","orderStatus":"Packed"}`, "New Packed", []string{`"status":"New"`, `"orderStatus":"Packed"`}},
		{"an e-mail address", `{"customerEmail":"kari@firma.no"}`, "kari@firma.no", []string{"@example.com"}},
		{"one anywhere", `{"reference":"mailto:Kari.N@firma.no?"}`, "kari.n@firma", []string{"@example.com?"}},
		{"a telephone number", `{"customerPhone":"+47 900 12 345"}`, "900 12 345", []string{"+"}},
		{"one written otherwise", `{"customerPhone":"+47 900 12 345","remark":"call 90012345 now"}`, "90012345", []string{"call ", " now"}},
		{"as a number", `{"mobilePhone":90012345,"quantity":2}`, "90012345", []string{`"quantity":2`}},
		{"an address", `{"billingAddress":{"name":"Kari","line1":"Storgata 5","postalCode":"0150","city":"Oslo","countryCode":"NO"}}`, "Storgata", []string{`"countryCode":"NO"`}},
		{"its city", `{"shipments":[{"shipmentId":"S1","Address":{"City":"Oslo"}}]}`, "Oslo", []string{`"S1"`}},
		{"a pair", `{"properties":[{"key":"Email","value":"kari at firma"},{"key":"Channel","value":"web"}]}`, "kari at firma", []string{`"web"`}},
		{"a date of birth", `{"birthDate":"1980-02-03"}`, "1980-02-03", []string{`"birthDate":"19`}},
		{"a token", `{"gatewayToken":"abcDEF123"}`, "abcDEF123", nil},
		{"a key in a text", `{"remark":"use sk_live_1234567890abcdef"}`, "1234567890abcdef", []string{"use "}},
		{"a card", `{"remark":"paid by 4111 1111 1111 1111"}`, "4111 1111", []string{"paid by "}},
		{"an IBAN", `{"remark":"NO93 8601 1117 947"}`, "8601 1117", nil},
		{"an IP address", `{"remark":"from 192.0.2.17"}`, "192.0.2.17", []string{"from "}},
		{"a note", `{"publicOrderNotes":[{"type":"x","detail":"gate code 1234"}]}`, "gate code", []string{`"type":"x"`}},
		{"what is none of it", `{"total":10.50,"created":"2026-11-21T09:00:00Z","orderForm":{"lineItems":[{"code":"SHOE-42","displayName":"Shoe","placedPrice":5.25}]}}`, "nothing",
			[]string{`"total":10.50`, "2026-11-21T09:00:00Z", "SHOE-42", "Shoe", "5.25"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := redacted(t, redact.Rules{}, c.text)
			if strings.Contains(strings.ToLower(got), strings.ToLower(c.personal)) {
				t.Errorf("%q is in %s", c.personal, got)
			}
			for _, stays := range c.stays {
				if !strings.Contains(got, stays) {
					t.Errorf("%q is not in %s", stays, got)
				}
			}
			if again := redacted(t, redact.Rules{}, c.text); again != got {
				t.Errorf("once %s, once %s", got, again)
			}
		})
	}
}

func TestTheSameValueBecomesTheSame(t *testing.T) {
	text := func(v any) string { s, _ := v.(string); return s }
	d := redact.New(key, redact.Rules{}).Document()
	one := doc(t, `{"firstName":"Kari","lastName":"NORDMANN","customerName":"kari nordmann","phone":"+47 900 12 345","mobilePhone":"+4790012345","email":"A@b.no","customerEmail":"a@b.NO"}`)
	d.Learn(one)
	out := d.Value(one).(*jsondoc.Object)
	get := func(name string) string { v, _ := out.Get(name); return text(v) }
	if want := strings.ToLower(get("firstName") + " " + get("lastName")); get("customerName") != want {
		t.Errorf("%q is not %q", get("customerName"), want)
	}
	if strings.ReplaceAll(get("phone"), " ", "") != get("mobilePhone") {
		t.Errorf("%q and %q are one number", get("phone"), get("mobilePhone"))
	}
	if get("email") != get("customerEmail") {
		t.Errorf("%q and %q are one address", get("email"), get("customerEmail"))
	}
	other := redact.New([]byte("another key"), redact.Rules{}).Document()
	if got := other.Value(one).(*jsondoc.Object); string(got.JSON()) == string(out.JSON()) {
		t.Error("another key makes the same")
	}
}

func TestRules(t *testing.T) {
	rules := redact.Rules{Names: []string{"loyalty-number"}, Keep: []string{"customerEmail", "City"}, Patterns: []*regexp.Regexp{regexp.MustCompile(`\bCASE-\d+`)}}
	got := redacted(t, rules, `{"LoyaltyNumber":"L-77","customerEmail":"kari@firma.no","billingAddress":{"city":"Oslo","line1":"Storgata 5"},"remark":"see CASE-123"}`)
	for _, gone := range []string{"L-77", "Storgata", "CASE-123"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s is in %s", gone, got)
		}
	}
	for _, stays := range []string{"kari@firma.no", "Oslo"} {
		if !strings.Contains(got, stays) {
			t.Errorf("%s is not in %s", stays, got)
		}
	}
}

// A text that is no JSON has what was learned of the documents beside it replaced.
func TestATextBesideDocuments(t *testing.T) {
	d := redact.New(key, redact.Rules{}).Document()
	d.Learn(doc(t, `{"customerName":"Kari Nordmann"}`))
	if got := d.Text("<h1>Kari is unknown</h1>"); strings.Contains(got, "Kari") || !strings.HasPrefix(got, "<h1>") || !strings.HasSuffix(got, " is unknown</h1>") {
		t.Error(got)
	}
}
