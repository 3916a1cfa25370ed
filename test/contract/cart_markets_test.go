package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#validators: which connectors run, and in which order.

func TestWhichConnectorsValidateACart(t *testing.T) {
	const (
		norway, nordics = `,"enabledForMarkets":["NOR"]`, `,"enabledForMarketGroups":["nordics"]`
		noNorway        = `,"disabledForMarkets":["NOR"]`
	)
	s, r := answering(t, rejected), lease(t)
	for i, row := range []struct {
		name, market string
		connectors   []string // each called at /a, /b, …
		called       string
	}{
		{"none", "NOR", nil, ""},
		{"of another name", "NOR", []string{`"name":"Webhook"`, `"name":"webhookValidator2"`}, ""},
		{"any case", "NOR", []string{`"Name":"WebHookVALIDATOR"`}, "/a"},
		{"all of the name, in the order of settings", "NOR", []string{"", `"name":"Webhook"`, norway, nordics}, "/a /c /d"},
		{"enabled", "nor", []string{norway, `,"enabledForMarkets":["SWE"]`}, "/a"},
		{"disabled", "NOR", []string{noNorway, `,"disabledForMarkets":["SWE"]`}, "/b"},
		{"disabled beats enabled", "NOR", []string{norway + noNorway}, ""},
		{"a group", "SWE", []string{nordics, `,"disabledForMarketGroups":["nordics"]`}, "/a"},
		{"a disabled group beats an enabled market", "NOR", []string{norway + `,"disabledForMarketGroups":["nordics"]`}, ""},
		{"a disabled market of an enabled group", "NOR", []string{nordics + noNorway}, ""},
		{"no market", "", []string{norway, nordics, "", noNorway}, "/c /d"},
		{"a market that no one knows", "XXX", []string{norway, nordics, noNorway}, "/c"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, before, all := r.in(t), len(s.got()), []string(nil)
			for i, fields := range row.connectors {
				if strings.HasPrefix(fields, `,`) || fields == "" {
					fields = `"name":"webhookValidator"` + fields
				}
				all = append(all, fmt.Sprintf(`{"host":"%s/%c",%s}`, s.URL, 'a'+i, fields))
			}
			r.settings(`{"marketGroups":[{"groupId":"Nordics","marketIds":["NOR","SWE"]}],` + connectors(all...) + `}`)
			path := fmt.Sprintf("/api/carts/c%d", i)
			r.call("PUT", path, fmt.Sprintf(`{"marketId":%q}`, row.market)).want(201)
			r.call("POST", path+"/validate", "").want(200).is("isValidatedSuccessful", row.called == "")
			equals(t, "called", strings.Join(s.paths()[before:], " "), row.called)
		})
	}
}

func TestWithoutAValidatorACartPasses(t *testing.T) {
	r := lease(t)
	r.put(cart)
	for range 2 {
		r.validate().passes(true).is("validationWarnings", []string{}).is("validationMessage", nil).is("value.id", "C123456").is("value.version", 1)
		r.call("POST", "/api/carts/validate", cart).want(200).passes(true).is("value.id", "C123456")
		r.settings(`{}`)
	}
	r.get("/api/attempts").is("items", []string{})
}

func TestEachValidatorSeesTheCartAsTheOnesBeforeLeftIt(t *testing.T) {
	first := answering(t, `{"value":{"customerEmail":"kari@example.com","tags":["first"]},"validationMessage":"one","validationWarnings":[{"message":"w1"}]}`)
	second := answering(t, strings.TrimSuffix(rejected, "}")+`,"value":{"tags":["first","second"],"orderForm":{"lineItems":[{"lineItemId":"`+theLine+`","quantity":2}]}}}`)
	failed := endpoint(t, replying(503, "down"))
	last := answering(t, `{"validationErrors":[{"message":"sold out","translateKey":"soldOut","validationType":"Inventory"}],"validationMessage":"four","validationWarnings":[{"message":"w4"}]}`)
	r := lease(t)
	r.validators(validatorAt(first.URL, ""), validatorAt(second.URL, ""), validatorAt(failed.URL, ""), validatorAt(last.URL, flags("IsRequestWrapperEnabled true")))
	r.put(cart)
	a := r.validate()
	is(t, first.only(t).Body, "tags", nil)
	is(t, second.only(t).Body, "tags", []string{"first"})
	is(t, failed.only(t).Body, "tags", []string{"first", "second"})
	is(t, last.only(t).Body, "cart.orderForm.total", number("1998.00"))
	a.passes(false, "Item SHOE-BLACK-42 is not available for delivery to this postal code||External|SHOE-BLACK-42",
		"answered 503 Service Unavailable: down||External|", "sold out|soldOut|Inventory|")
	same(t, "warnings", a.entries("validationWarnings"), []string{"w1|||", "w4|||"})
	a.is("validationMessage", "one; four").is("value.version", 2).is("value.tags", []string{"first", "second"}).is("value.customerEmail", "kari@example.com")
	equals(t, "stored", string(r.get(theCart).Raw), string(a.doc().Object("value").JSON())+"\n")
}
