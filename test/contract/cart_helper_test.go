package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// cart is the cart of most tests: that of the specification, with a field of a shop's own.
const cart = `{"id":"C123456","marketId":"NOR","billingCurrency":"NOK","status":"Draft","customField":{"Deep":[1.50,{"keep":"me"}]},
 "orderForm":{"lineItems":[{"lineItemId":"a1b2c3d4-e5f6-7890-abcd-ef1234567890","code":"SHOE-BLACK-42","displayName":"Running Shoe - Black - Size 42",
  "quantity":1,"placedPrice":999.00,"extendedPrice":999.00}],"subTotal":999.00,"total":999.00}}`

const (
	theCart  = "/api/carts/C123456"
	theLine  = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
	approved = `{"isValidatedSuccessful":true}`
	rejected = `{"isValidatedSuccessful":false,"validationErrors":[{"message":"Item SHOE-BLACK-42 is not available for delivery to this postal code",
	 "validationType":"External","referenceId":"SHOE-BLACK-42"}]}`
)

// validatorAt is a connector that validates carts; more are its further
// fields, with a comma in front.
func validatorAt(url, more string) string {
	return fmt.Sprintf(`{"name":"webhookValidator","implementations":["IValidator"],"host":%q%s}`, url, more)
}

// flags are the properties of a validator, with a comma in front, as "IsOnlyLineItemsUpdated true".
func flags(list ...string) string {
	all := make([]string, len(list))
	for i, f := range list {
		key, value, _ := strings.Cut(f, " ")
		all[i] = fmt.Sprintf(`{"key":%q,"value":%q}`, key, value)
	}
	return `,"properties":[` + strings.Join(all, ",") + `]`
}

// validators stores settings of these connectors alone.
func (r *rig) validators(all ...string) {
	r.t.Helper()
	r.settings(`{` + connectors(all...) + `}`)
}

// checking is an orderhook whose one validator is the endpoint, with the cart stored.
func checking(t *testing.T, s *sink, more string) *rig {
	t.Helper()
	r := lease(t)
	r.validators(validatorAt(s.URL, more))
	r.put(cart)
	return r
}

// put stores the cart anew, whatever was there.
func (r *rig) put(cart string) answer {
	r.t.Helper()
	r.call("DELETE", theCart, "")
	return r.call("PUT", theCart, cart).want(201)
}

// validate has the stored cart validated.
func (r *rig) validate() answer {
	r.t.Helper()
	return r.call("POST", theCart+"/validate", "").want(200)
}

// voice is an endpoint whose answer a test changes.
type voice struct {
	*sink
	mu     sync.Mutex
	answer func(http.ResponseWriter, int)
}

func speaking(t *testing.T) *voice {
	t.Helper()
	v := &voice{answer: replying(200, "")}
	v.sink = endpoint(t, func(w http.ResponseWriter, n int) {
		v.mu.Lock()
		answer := v.answer
		v.mu.Unlock()
		answer(w, n)
	})
	return v
}

// says lets the endpoint answer from now on as given.
func (v *voice) says(answer func(http.ResponseWriter, int)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answer = answer
}

// passes fails the test unless the validation passed or failed as wanted, with
// the errors as "message|translateKey|validationType|referenceId".
func (a answer) passes(want bool, errors ...string) answer {
	a.t.Helper()
	a.is("isValidatedSuccessful", want)
	same(a.t, "errors", a.entries("validationErrors"), append([]string{}, errors...))
	return a
}

func (a answer) entries(list string) []string {
	a.t.Helper()
	var all []struct{ Message, TranslateKey, ValidationType, ReferenceID string }
	raw, _ := json.Marshal(a.at(list))
	decode(a.t, raw, &all)
	out := []string{}
	for _, e := range all {
		out = append(out, strings.Join([]string{e.Message, e.TranslateKey, e.ValidationType, e.ReferenceID}, "|"))
	}
	return out
}

// allCarts is all of carts that is stored.
func (r *rig) allCarts() string {
	r.t.Helper()
	return string(r.get("/api/carts").Raw) + string(r.get("/api/orders").Raw) + string(r.get("/api/attempts").Raw)
}

// begunAndEnded reports whether a text begins and ends so.
func begunAndEnded(text, begin, end string) bool {
	return strings.HasPrefix(text, begin) && strings.HasSuffix(text, end)
}
