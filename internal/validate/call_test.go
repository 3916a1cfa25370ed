package validate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
)

func TestPropertiesThatAreFlags(t *testing.T) {
	for properties, wrapped := range map[string]bool{
		``: false, `{"key":"IsRequestWrapperEnabled","value":"true"}`: true, `{"Key":"ISREQUESTWRAPPERENABLED","Value":"True"}`: true,
		`{"key":"isRequestWrapperEnabled","value":" TRUE "}`: true, `{"key":"IsRequestWrapperEnabled","value":"false"}`: false,
		`{"key":"IsRequestWrapperEnabled","value":true}`: true, `{"key":"IsRequestWrapperEnabled","value":null}`: false,
		`{"key":"IsOnlyLineItemsUpdated","value":"true"}`:                                 false,
		`{"key":"Other","value":"true"},{"key":"IsRequestWrapperEnabled","value":"true"}`: true,
	} {
		b := newBench(t, saying(""), validator(`,"properties":[`+properties+`]`))
		b.given(`{"id":"C1","my field":{"x":1.50}}`)
		want := `{"id":"C1","my field":{"x":1.50}}`
		if wrapped {
			want = `{"cart":` + want + `}`
		}
		equals(t, properties, string(b.calls[0].Body), want)
	}
}

func TestWhatACallIsMadeWith(t *testing.T) {
	b := newBench(t, saying(""), validator(`,"bearerToken":"b","token":"t","username":"u","password":"p","timeOut":"00:00:07","signingSecret":"s","customHeaders":[{"key":"X-A","value":"1"}]`), validator(""))
	b.given(`{}`)
	got, bare := b.calls[0], b.calls[1]
	equals(t, "the call", fmt.Sprint(got.URL, got.For.Tenant, got.BearerToken.Unsealed(), got.Token.Unsealed(), got.Username, got.Password.Unsealed(), got.Timeout, got.SigningSecret.Unsealed(), got.Header[0].Name, got.Header[0].Value.Unsealed()), "https://shop.example/validateacmebtup7ssX-A1")
	equals(t, "no numbers of a delivery", fmt.Sprint(got.Delivery, got.MaxDelivery), "0 0")
	equals(t, "by default", bare.Timeout, 30*time.Second)
	if got.IdempotencyKey == bare.IdempotencyKey || !strings.HasPrefix(got.IdempotencyKey, ids.Call) {
		t.Errorf("keys %q and %q", got.IdempotencyKey, bare.IdempotencyKey)
	}
}

func TestWhatFailsACallAndHowOften(t *testing.T) {
	for _, row := range []struct {
		name string
		x    outbound.Exchange
		says string
	}{
		{"a status and a body", answered(503, "down for lunch"), "answered 503 Service Unavailable: down for lunch"},
		{"a status alone", answered(404, ""), "answered 404 Not Found"},
		{"a status that has no name", answered(599, "x"), "answered 599: x"},
		{"a redirect", answered(302, `{"isValidatedSuccessful":true}`), `answered 302 Found: {"isValidatedSuccessful":true}`},
		{"a status whose body broke off", outbound.Exchange{Status: 500, Body: []byte("half"), Err: errors.New("broken off")}, "answered 500 Internal Server Error: half"},
		{"a 2xx whose body broke off", outbound.Exchange{Status: 200, Body: []byte(`{"value`), Err: errors.New("broken off")}, `broken off: {"value`},
		{"no answer", outbound.Exchange{Err: errors.New("connection refused")}, "connection refused"},
		{"no JSON", answered(200, "OK"), "invalid response: malformed JSON at line 1, column 1: invalid character 'O' at start of value (answered 200: OK)"},
		{"a wrong type", answered(202, `{"value":{"status":1}}`), `invalid response: value.status: must be text, not a number (answered 202: {"value":{"status":1}})`},
		{"too large", outbound.Exchange{Status: 200, Body: []byte(strings.Repeat("x", 3000)), TooLarge: true}, "invalid response: the body is larger than 5242880 bytes (answered 200: " + strings.Repeat("x", 2048) + ")"},
		{"a price to the power of a billion", answered(200, `{"value":{"orderForm":{"lineItems":[{"placedPrice":1e999999999,"quantity":1}]}}}`),
			`invalid response: value.orderForm.lineItems[0].placedPrice: is no number that prices can be calculated with (answered 200: {"value":{"orderForm":{"lineItems":[{"placedPrice":1e999999999,"quantity":1}]}}})`},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, func(int, outbound.Request) outbound.Exchange { return row.x }, validator(`,"connectorId":"stock"`))
			r := b.given(`{"id":"C1","tags":["a"]}`)
			equals(t, "result", fmt.Sprintf("%v %+v %s", r.Passed, r.Errors, r.Cart.JSON()),
				fmt.Sprintf(`false [{Message:%s TranslateKey: ValidationType:External ReferenceID:}] {"id":"C1","tags":["a"]}`, row.says))
			equals(t, "calls", len(b.calls), 1)
			a := b.store.attempts[0]
			equals(t, "attempt", fmt.Sprint(a.Kind, a.Number, a.MaxNumber, a.Status, a.Outcome, a.Error, a.ConnectorID, a.CartID, a.OrderID, a.CallID == b.calls[0].IdempotencyKey),
				fmt.Sprint("validator", 1, 1, row.x.Status, "failed", row.says, "stock", "C1", "", true))
		})
	}
}

func TestAnErrorRepeats2KiBOfTheBodyAndNoHalfLetter(t *testing.T) {
	const at = "answered 500 Internal Server Error: "
	fill := func(n int) string { return strings.Repeat("x", n) }
	for _, row := range []struct{ name, body, want string }{
		{"2 KiB", fill(2048), fill(2048)},
		{"a byte more", fill(2049), fill(2048)},
		{"a letter that just fits", fill(2046) + "øøø", fill(2046) + "ø"},
		{"a letter of two bytes", fill(2047) + "øø", fill(2047)},
		{"a letter of three", fill(2046) + "日本", fill(2046)},
		{"a letter of four", fill(2045) + "🎁🎁", fill(2045)},
		{"four bytes that fit", fill(2044) + "🎁🎁", fill(2044) + "🎁"},
		{"no UTF-8", "Bl\xe5b\xe6r", "Bl\uFFFDb\uFFFDr"},
		{"no UTF-8, and long", "\xe5" + fill(5000), "\uFFFD" + fill(2043)},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, func(int, outbound.Request) outbound.Exchange { return answered(500, row.body) }, validator(""))
			got := b.given(`{}`).Errors[0].Message
			if got != at+row.want || !utf8.ValidString(got) {
				t.Errorf("%d bytes, want %d: …%q", len(got), len(at+row.want), got[max(0, len(got)-20):])
			}
		})
	}
}
