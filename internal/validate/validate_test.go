package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/outbound"
)

// at is a validator whose Host ends with its number; more are its further
// fields, with a comma in front.
func at(n int, more string) string {
	return fmt.Sprintf(`{"name":"webhookValidator","host":"https://shop.example/%d"%s}`, n, more)
}

// called is the numbers of the hosts that were called, in their order.
func (b *bench) called() string {
	out := ""
	for _, c := range b.calls {
		out += c.URL[len(c.URL)-1:]
	}
	return out
}

func TestWhichValidatorsAreAsked(t *testing.T) {
	const (
		norway   = `,"enabledForMarkets":["NOR"]`
		noNorway = `,"disabledForMarkets":["nor"]`
		nordics  = `,"enabledForMarketGroups":["Nordics"]`
	)
	for _, row := range []struct {
		name, market string
		connectors   []string
		called       string
	}{
		{"none is configured", "NOR", nil, ""},
		{"others are configured", "NOR", []string{`{"name":"Webhook","host":"https://shop.example/0"}`, `{"name":"webhookValidators","host":"https://shop.example/1"}`}, ""},
		{"any case of the name", "NOR", []string{`{"name":"WEBHOOKVALIDATOR","host":"https://shop.example/0"}`, `{"Name":"webhookvalidator","Host":"https://shop.example/1"}`}, "01"},
		{"the order of settings", "NOR", []string{at(2, norway), at(0, ""), at(1, nordics)}, "201"},
		{"enabled for the market, in any case", "nor", []string{at(0, norway)}, "0"},
		{"enabled for another", "SWE", []string{at(0, norway)}, ""},
		{"disabled for the market", "NOR", []string{at(0, noNorway)}, ""},
		{"disabled for another", "SWE", []string{at(0, noNorway)}, "0"},
		{"disabled beats enabled", "NOR", []string{at(0, norway+noNorway)}, ""},
		{"empty lists mean everywhere", "NOR", []string{at(0, `,"enabledForMarkets":[],"disabledForMarkets":[],"enabledForMarketGroups":[],"disabledForMarketGroups":[]`)}, "0"},
		{"a group counts as its markets", "swe", []string{at(0, nordics)}, "0"},
		{"a group without the market", "DEN", []string{at(0, nordics)}, ""},
		{"a disabled group", "SWE", []string{at(0, `,"disabledForMarketGroups":["nordics"]`)}, ""},
		{"a disabled group beats an enabled market", "NOR", []string{at(0, norway+`,"disabledForMarketGroups":["nordics"]`)}, ""},
		{"a disabled market beats its group", "NOR", []string{at(0, nordics+noNorway)}, ""},
		{"the rest of its group stays", "SWE", []string{at(0, nordics+noNorway)}, "0"},
		{"a market beside a group", "DEN", []string{at(0, nordics+`,"enabledForMarkets":["DEN"]`)}, "0"},
		{"a group that holds nothing", "NOR", []string{at(0, `,"enabledForMarketGroups":["empty"]`)}, ""},
		{"some of several", "SWE", []string{at(0, norway), at(1, ""), at(2, noNorway), at(3, nordics)}, "123"},
		{"a cart without a market", "", []string{at(0, norway), at(1, nordics), at(2, ""), at(3, noNorway)}, "23"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, saying(`{"isValidatedSuccessful":false}`), row.connectors...)
			r := b.given(`{"marketId":"` + row.market + `"}`)
			equals(t, "called", b.called(), row.called)
			equals(t, "passed", r.Passed, row.called == "")
			b.calls = nil
			if row.market == "" {
				b.given(`{"marketId":null}`)
				b.given(`{}`)
				equals(t, "called", b.called(), row.called+row.called)
			}
		})
	}
}

func TestEachValidatorSeesWhatTheOnesBeforeItChanged(t *testing.T) {
	bodies := []string{
		`{"value":{"tags":["a"],"orderForm":{"lineItems":[{"lineItemId":"1","quantity":2}]}},"validationMessage":"one","validationWarnings":[{"message":"w1"}]}`,
		`{"isValidatedSuccessful":false,"value":{"customerEmail":"x"},"validationMessage":""}`,
		`garbage`,
		`{"validationErrors":[{"message":"e4"}],"validationWarnings":[{"message":"w4"}],"validationMessage":"four","value":{"tags":["a","b"]}}`,
	}
	b := newBench(t, func(n int, _ outbound.Request) outbound.Exchange { return answered(200, bodies[n]) }, at(0, ""), at(1, ""), at(2, ""), at(3, ""))
	r := b.given(`{"id":"C1","orderForm":{"lineItems":[{"lineItemId":"1","quantity":1,"placedPrice":0.1}]}}`)
	const changed = `"orderForm":{"lineItems":[{"lineItemId":"1","quantity":2,"placedPrice":0.1,"extendedPrice":0.2}],"subTotal":0.2,"total":0.2}`
	equals(t, "the 2nd is sent", string(b.calls[1].Body), `{"id":"C1",`+changed+`,"tags":["a"]}`)
	equals(t, "the 3rd is sent", string(b.calls[2].Body), `{"id":"C1",`+changed+`,"tags":["a"],"customerEmail":"x"}`)
	equals(t, "the 4th is sent", string(b.calls[3].Body), string(b.calls[2].Body))
	equals(t, "the cart", string(r.Cart.JSON()), `{"id":"C1",`+changed+`,"tags":["a","b"],"customerEmail":"x"}`)
	equals(t, "passed", r.Passed, false)
	equals(t, "messages", r.Messages, "[one four]")
	equals(t, "warnings", r.Warnings, "[{w1   } {w4   }]")
	if len(r.Errors) != 2 || r.Errors[0].ValidationType != cart.TypeExternal || !strings.HasPrefix(r.Errors[0].Message, "invalid response: ") || r.Errors[1].Message != "e4" {
		t.Errorf("errors %+v", r.Errors)
	}
}

func TestAllMustPass(t *testing.T) {
	for bodies, passed := range map[string]bool{"{}|{}": true, `{}|{"isValidatedSuccessful":false}`: false, `{"isValidatedSuccessful":false}|{"isValidatedSuccessful":true}`: false} {
		each := strings.Split(bodies, "|")
		b := newBench(t, func(n int, _ outbound.Request) outbound.Exchange { return answered(200, each[n]) }, at(0, ""), at(1, ""))
		equals(t, bodies, b.given(`{}`).Passed, passed)
	}
}
