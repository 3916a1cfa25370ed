package redact_test

import (
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
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
		{"an IPv6 address", `{"remark":"from 2a01:79c:cebf:1::1, he says"}`, "79c:cebf", []string{"from 2", "::", ", he says"}},
		{"with its port", `{"remark":"[2A01:79C:CEBF:1:0:0:8:9]:443"}`, "79c:cebf", []string{"]:443"}},
		{"at the end of a clause", `{"remark":"2a01:79c::17: refused"}`, "79c", []string{": refused"}},
		{"but no time, and no network card", `{"remark":"at 12:30:45, 2026:11:21 10:20:30, 00:1a:2b:3c:4d:5e, 00:1a:2b:ff:fe:3c:4d:5e, beef::cafe::1","ratio":"16:9","a":"std::vector"}`, "nothing",
			[]string{"12:30:45, 2026:11:21 10:20:30, 00:1a:2b:3c:4d:5e, 00:1a:2b:ff:fe:3c:4d:5e, beef::cafe::1", "16:9", "std::vector"}},
		{"a personal number", `{"personnummer":"19800203-1234"}`, "1234", nil},
		{"a Norwegian one", `{"fodselsnummer":"03028012345"}`, "12345", nil},
		{"with its letters", `{"Fødselsnummer":"03028012345","Fodselsdato":"1980-02-03"}`, "12345", []string{`"Fodselsdato":"19`}},
		{"a date in Norwegian", `{"Fodselsdato":"1980-02-03"}`, "1980-02-03", nil},
		{"in German", `{"Geburtsdatum":"1980-02-03","Straße":"Hauptweg 5"}`, "Hauptweg", nil},
		{"a contact", `{"contactPerson":"Kari Nordmann","tags":["nordmann-1"]}`, "nordmann", nil},
		{"in Norwegian", `{"kontakt":"Kari Nordmann","customerId":"c-nordmann"}`, "nordmann", []string{`"c-`}},
		{"who gets it", `{"recipient":"Kari Nordmann","remark":"for Kari"}`, "kari", []string{"for "}},
		{"in Swedish", `{"kundnamn":"Kari","mottagare":{"namn":"Nordmann","land":"SE"}}`, "nordmann", nil},
		{"but no name of an article", `{"produktnavn":"Sko","artikelname":"Schuh","kundenummer":"K-17"}`, "nothing", []string{"Sko", "Schuh", "K-17"}},
		{"a note", `{"publicOrderNotes":[{"type":"x","detail":"gate code 1234"}]}`, "gate code", []string{`"type":"x"`}},
		{"a secret in the query of a URL", `{"returnUrl":"https://pay.example/r?token=abcDEF123&order=O-1&sig=f0e1d2c3"}`, "abcDEF123", []string{"https://pay.example/r?token=", "&order=O-1&sig="}},
		{"the other one", `{"returnUrl":"https://pay.example/r?token=abcDEF123&sig=f0e1d2c3"}`, "f0e1d2c3", nil},
		{"one in a text", `{"remark":"see /r?x=1&AccessKey=abc%2Bdef, soon"}`, "abc%2Bdef", []string{"see /r?x=1&AccessKey="}},
		{"behind a #", `{"host":"https://a.example/cb#id_token=abc.def"}`, "abc.def", []string{"https://a.example/cb#id_token="}},
		{"the user of a URL", `{"host":"https://shop-17:hunter2@pay.example/x"}`, "shop-17", []string{"https://", "@pay.example/x"}},
		{"its password", `{"remark":"at ftp://shop:hun%40ter2@pay.example:21"}`, "ter2", []string{"at ftp://", "@pay.example:21"}},
		{"beside an e-mail address", `{"customerName":"Kari Nordmann kari@firma.no"}`, "Nordmann", []string{"@example.com"}},
		{"a name in capitals", `{"customerName":"Torbjørn Eide","remark":"TORBJØRN asks"}`, "torbjørn", []string{" asks"}},
		{"without its accents", `{"customerName":"Torbjørn Eide","remark":"TORBJORN asks"}`, "torbjorn", []string{" asks"}},
		{"with more of them", `{"customerName":"Jose Garcia","remark":"José asks"}`, "José", []string{" asks"}},
		{"with accents of their own", "{\"customerName\":\"Jose Garcia\",\"remark\":\"Jose\u0301 asks\"}", "Jose\u0301", []string{" asks"}},
		{"a tag that is a surname", `{"customerName":"Ragnhild Dahl","tags":["Dahl","vip"]}`, "dahl", []string{`"vip"`}},
		{"a name in an id", `{"customerName":"Ragnhild Dahl","customerId":"cust-ragnhild-dahl-1963"}`, "ragnhild", []string{`"cust-`, `-1963"`}},
		{"the other one of it", `{"customerName":"Ragnhild Dahl","customerId":"cust.ragnhild.dahl.1963"}`, "dahl", []string{`"cust.`, `.1963"`}},
		{"joined", `{"customerName":"Ragnhild Dahl","remark":"RagnhildDahl1963"}`, "ragnhild", []string{`1963"`}},
		{"with digits", `{"customerName":"Ragnhild Dahl","customerId":"dahl1963"}`, "dahl", []string{`1963"`}},
		{"of an e-mail address", `{"customerEmail":"ragnhild.dahl@post.example","customerId":"c-dahl","orderId":"post-1"}`, "dahl", []string{`"c-`, `"post-1"`}},
		{"but no mailbox of everybody's", `{"customerName":"Kari","customerEmail":"orders@shop.example","orderId":"orders-1"}`, "kari", []string{`"orders-1"`}},
		{"but no city in an id", `{"customerAddress":{"name":"Kari","city":"Oslo"},"marketId":"Oslo"}`, "kari", []string{`"marketId":"Oslo"`}},
		{"a bank account", `{"bankAccount":"86011117947"}`, "86011117947", nil},
		{"a card", `{"cardNo":"ABC-123"}`, "ABC-123", nil},
		{"an authorization", `{"authorizationCode":"A77Z"}`, "A77Z", nil},
		{"a transaction", `{"transactionId":"pi_3Nxy"}`, "3Nxy", nil},
		{"a device", `{"deviceFingerprint":"fp-99aa"}`, "99aa", nil},
		{"four digits", `{"lastFour":"4242"}`, "4242", nil},
		{"a number without a country", `{"phoneHome":"22 33 44 55","tel":"55667788","mobileNr":"91234567"}`, "22 33 44 55", nil},
		{"tel", `{"tel":"55667788","hotel":"Grand 12345"}`, "55667788", []string{"Grand 12345"}},
		{"a mobile", `{"mobileNr":91234567,"mobileApp":"ios 17"}`, "91234567", []string{"ios 17"}},
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

// What was valid is valid afterwards, and what was not is not.
func TestWhatIsReplacedKeepsItsForm(t *testing.T) {
	for _, text := range []string{"192.0.2.17", "255.255.255.255", "1.2.3.4", "10.0.0.1"} {
		got := one(t, redact.Rules{}, "ipAddress", text)
		if at, err := netip.ParseAddr(got); err != nil || got == text || !at.Is4() {
			t.Errorf("%s became %s: %v", text, got, err)
		}
	}
	for _, text := range []string{"2a01:79c:cebf:1::1", "2001:0DB8:0:0:8:800:200C:417A", "fe80::1", "fd12:3456:789a::", "2001:db8::192.0.2.33"} {
		for _, name := range []string{"ipAddress", "remark"} {
			got := one(t, redact.Rules{}, name, text)
			if at, err := netip.ParseAddr(got); err != nil || got == text || !at.Is6() || len(got) != len(text) {
				t.Errorf("%s: %s became %s: %v", name, text, got, err)
			}
		}
	}
	if a, b := one(t, redact.Rules{}, "remark", "2001:db8::8"), one(t, redact.Rules{}, "remark", "2001:0db8:0:0:0:0:0:8"); netip.MustParseAddr(a) != netip.MustParseAddr(b) {
		t.Errorf("%s and %s are one address", a, b)
	}
	for text, right := range map[string]bool{"4111 1111 1111 1111": true, "5500-0000-0000-0004": true, "378282246310005": true, "4111 1111 1111 1112": false} {
		for _, name := range []string{"cardNumber", "remark"} {
			if got := one(t, redact.Rules{}, name, text); got == text || luhnIsRight(got) != right || len(got) != len(text) {
				t.Errorf("%s: %s became %s", name, text, got)
			}
		}
	}
	for text, right := range map[string]bool{"NO93 8601 1117 947": true, "DE89370400440532013000": true, "GB82 WEST 1234 5698 7654 32": true, "NO92 8601 1117 947": false} {
		for _, name := range []string{"iban", "remark"} {
			if got := one(t, redact.Rules{}, name, text); got == text || got[:2] != text[:2] || ibanIsRight(got) != right {
				t.Errorf("%s: %s became %s", name, text, got)
			}
		}
	}
	if a, b := one(t, redact.Rules{}, "iban", "NO93 8601 1117 947"), one(t, redact.Rules{}, "iban", "NO9386011117947"); strings.ReplaceAll(a, " ", "") != b {
		t.Errorf("%s and %s are one account", a, b)
	}
}

func TestTheDomainMayStay(t *testing.T) {
	got := redacted(t, redact.Rules{KeepDomain: true}, `{"customerEmail":"Kari.N@mailinator.com","remark":"kari.n@mailinator.com at mailinator, says kari"}`)
	if strings.Count(got, "@mailinator.com") != 2 || !strings.Contains(got, " at mailinator, says ") || strings.Contains(strings.ToLower(got), "kari") {
		t.Error(got)
	}
}

func TestRulesThatFoundNothingAreKnown(t *testing.T) {
	r := redact.New(key, redact.Rules{Names: []string{"loyalty-number", "nosuchfield"}, Keep: []string{"City", "nosuch"}})
	d, o := r.Document(), doc(t, `{"loyaltyNumber":"L-77","billingAddress":{"city":"Oslo"}}`)
	d.Learn(o)
	d.Value(o)
	if names, keep := r.Unused(); !slices.Equal(names, []string{"nosuchfield"}) || !slices.Equal(keep, []string{"nosuch"}) {
		t.Error(names, keep)
	}
}

// one returns what becomes of one value.
func one(t *testing.T, rules redact.Rules, name, text string) string {
	t.Helper()
	d, o := redact.New(key, rules).Document(), doc(t, `{"`+name+`":"`+text+`"}`)
	d.Learn(o)
	return d.Value(o).(*jsondoc.Object).Text(name)
}

func luhnIsRight(text string) bool {
	sum, n := 0, 0
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] < '0' || text[i] > '9' {
			continue
		}
		sum += [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {0, 2, 4, 6, 8, 1, 3, 5, 7, 9}}[n%2][text[i]-'0']
		n++
	}
	return sum%10 == 0
}

func ibanIsRight(text string) bool {
	text = strings.ReplaceAll(text, " ", "")
	digits := ""
	for _, c := range text[4:] + text[:4] {
		if c >= 'A' {
			digits += strconv.Itoa(int(c-'A') + 10)
		} else {
			digits += string(c)
		}
	}
	n, _ := new(big.Int).SetString(digits, 10)
	return new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1
}
