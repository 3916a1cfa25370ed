package contract

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#validators.

func TestAnEndpointReceivesTheWholeCart(t *testing.T) {
	s := answering(t, "{}")
	r := checking(t, s, "")
	r.validate().passes(true)
	got := s.only(t)
	equals(t, "method", got.Method, "POST")
	equals(t, "body", string(got.Body), strings.TrimSpace(string(r.get(theCart).Raw)))
	for path, want := range map[string]any{
		"id": "C123456", "marketId": "NOR", "billingCurrency": "NOK", "status": "Draft", "customField.Deep[0]": number("1.50"), "customField.Deep[1].keep": "me",
		"orderForm.lineItems[0].lineItemId": theLine, "orderForm.lineItems[0].code": "SHOE-BLACK-42", "orderForm.lineItems[0].quantity": 1,
		"orderForm.lineItems[0].placedPrice": number("999.00"), "orderForm.subTotal": number("999.00"), "orderForm.total": number("999.00"), "cart": nil,
	} {
		is(t, got.Body, path, want)
	}
}

func TestKnownFieldNamesAreCamelCaseWhateverTheCartHad(t *testing.T) {
	s := answering(t, "{}")
	r := checking(t, s, flags("IsRequestWrapperEnabled true"))
	r.put(`{"MarketId":"NOR","ORDERFORM":{"LineItems":[{"LineItemId":"1","PlacedPrice":10.10}]},"MyField":{"URLPath":[{"InnerOne":null}]}}`)
	r.validate().passes(true)
	for path, want := range map[string]any{"cart.orderForm.lineItems[0].placedPrice": number("10.10"), "cart.MyField.URLPath[0]": map[string]any{"InnerOne": nil}, "cart.marketId": "NOR"} {
		is(t, s.only(t).Body, path, want)
	}
}

func TestTheRequestWrapper(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for properties, wrapped := range map[string]bool{
		"": false, flags("IsRequestWrapperEnabled false"): false, flags("IsRequestWrapperEnabled true"): true, flags("isrequestwrapperenabled True"): true,
		flags("ISREQUESTWRAPPERENABLED TRUE", "IsOnlyLineItemsUpdated false"): true, flags("IsOnlyLineItemsUpdated true"): false,
	} {
		r.validators(validatorAt(s.URL, properties))
		r.validate().passes(true)
		body := s.got()[len(s.got())-1].Body
		is(t, body, map[bool]string{true: "cart.id", false: "id"}[wrapped], "C123456")
		is(t, body, map[bool]string{true: "id", false: "cart"}[wrapped], nil)
		equals(t, "the cart is all there is", strings.HasPrefix(string(body), `{"cart":{`), wrapped)
	}
}

func TestHeadersOfAValidation(t *testing.T) {
	s := answering(t, "{}")
	checking(t, s, "").validate()
	got := s.only(t).Header
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "OmniumOms/test", "Authorization": "",
		"X-Delivery-Count": "", "X-Max-Delivery-Count": "", "Webhook-Signature": "",
	} {
		equals(t, name, strings.Join(got.Values(name), " and "), want)
	}
	if key := got.Get("Idempotency-Key"); !regexp.MustCompile(`^call_[0-9a-f]{32}$`).MatchString(key) {
		t.Errorf("Idempotency-Key %q", key)
	}
}

func TestAuthenticationOfAValidation(t *testing.T) {
	const (
		basic  = `,"username":"shop","password":"pa55"`
		token  = `,"token":"tok"` + basic
		bearer = `,"bearerToken":"YOUR_API_KEY"` + token
		custom = `,"customHeaders":[{"key":"authorization","value":"Custom c"},{"key":"X-Shop","value":"nord"},{"key":"Accept","value":"application/vnd.shop+json"}]`
	)
	s := speaking(t)
	r := checking(t, s.sink, "")
	for i, row := range []struct{ connector, want string }{
		{"", ""}, {`,"bearerToken":"YOUR_API_KEY"`, "Bearer YOUR_API_KEY"}, {`,"token":"tok"`, "Token tok"}, {basic, "Basic c2hvcDpwYTU1"},
		{token, "Token tok"}, {bearer, "Bearer YOUR_API_KEY"}, {custom, "Custom c"}, {custom + bearer, "Custom c"},
	} {
		r.validators(validatorAt(s.URL, row.connector))
		r.validate()
		got := s.got()[i].Header
		equals(t, "Authorization of "+row.connector, strings.Join(got.Values("Authorization"), " and "), row.want)
		if strings.HasPrefix(row.connector, custom) {
			equals(t, "custom headers", fmt.Sprint(got.Get("X-Shop"), " ", got.Values("Accept")), "nord [application/vnd.shop+json]")
		}
	}
}

func TestTheUserAgentOfAValidationIsConfigurable(t *testing.T) {
	s, r := answering(t, ""), start(t, func(o *outbound.Options) { o.UserAgent = "Nordshop/3" })
	r.validators(validatorAt(s.URL, `,"signingSecret":"hush"`))
	r.call("POST", "/api/carts/validate", "{}").want(200)
	got := s.only(t).Header
	equals(t, "User-Agent", got.Get("User-Agent"), "Nordshop/3")
	equals(t, "signed", got.Get("Webhook-Signature") != "" && got.Get("Webhook-Id") == got.Get("Idempotency-Key"), true)
}

func TestTheSeedsConnectorIsTaken(t *testing.T) {
	s, r := answering(t, "{}"), lease(t)
	r.settings(`{"connectors":[{"name":"webhookValidator","implementations":["IValidator"],"host":"` + s.URL + `/api/cart-validate","bearerToken":"YOUR_API_KEY",
	 "properties":[{"key":"IsRequestWrapperEnabled","value":"false"},{"key":"IsOnlyLineItemsUpdated","value":"false"}],
	 "timeOut":"00:00:30","enabledForMarkets":[],"disabledForMarkets":[],"enabledForMarketGroups":[],"disabledForMarketGroups":[]}]}`)
	r.call("POST", "/api/carts/validate", cart).want(200).passes(true).is("value.id", "C123456")
	got := s.only(t)
	equals(t, "called", got.Path+" "+got.Header.Get("Authorization"), "/api/cart-validate Bearer YOUR_API_KEY")
}
