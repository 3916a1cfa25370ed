package contract

import (
	"testing"
	"time"
)

// docs/contract.md#idempotency: a validation, whose answer cannot be read again.

// TestAValidationIsRepeatedWithItsAnswer: the same key gives the same answer, for a cart that is
// stored and for one in the body, whatever has become of the cart, and asks nobody; another key,
// another body and none ask.
func TestAValidationIsRepeatedWithItsAnswer(t *testing.T) {
	for name, c := range map[string]struct{ path, body, other string }{
		"a stored cart": {theCart + "/validate", "", ""},
		"a given cart":  {"/api/carts/validate", `{"id":"C9","marketId":"NOR","Mine":1.50,"note":"two\nlines"}`, `{"id":"C8"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := answering(t, `{"isValidatedSuccessful":false,"validationErrors":[{"message":"Ærlig <nei>"}],"validationMessage":"no","value":{"tags":["checked"],"Price":10.50}}`)
			r := checking(t, s, "")
			first := r.call("POST", c.path, c.body, "Idempotency-Key", "one").want(200).is("isValidatedSuccessful", false).is("value.tags", []string{"checked"})
			r.call("PATCH", theCart, `{"tags":["later"]}`).want(200)
			r.call("POST", c.path, c.body, "Idempotency-Key", "one").want(200).again(first)
			if name == "a stored cart" {
				r.call("DELETE", theCart, "").want(204)
				r.call("POST", c.path, c.body, "Idempotency-Key", "one").want(200).again(first)
				r.put(cart)
			}
			equals(t, "calls", len(s.got()), 1)
			r.call("POST", c.path, c.body, "Idempotency-Key", "two").want(200)
			r.call("POST", c.path, c.body).want(200)
			equals(t, "calls", len(s.got()), 3)
			if c.other != "" {
				r.call("POST", c.path, c.other, "Idempotency-Key", "one").problem(409)
			}
			r.clock.Advance(25 * time.Hour)
			r.call("POST", c.path, c.body, "Idempotency-Key", "one").want(200)
			equals(t, "calls", len(s.got()), 4)
		})
	}
}

// TestAValidationThatWasRefusedLeavesItsKeyFree: the next try with it is the first one.
func TestAValidationThatWasRefusedLeavesItsKeyFree(t *testing.T) {
	s := answering(t, approved)
	r := checking(t, s, "")
	r.call("POST", theCart+"/validate", "", "Idempotency-Key", "one", "If-Match", `"7"`).problem(412)
	r.call("POST", "/api/carts/none/validate", "", "Idempotency-Key", "two").problem(404)
	r.call("POST", theCart+"/validate", "", "Idempotency-Key", "one").want(200).passes(true)
	equals(t, "calls", len(s.got()), 1)
}

// TestAValidationInFlightIsWaitedFor: who comes with the same key meanwhile gets the same answer.
func TestAValidationInFlightIsWaitedFor(t *testing.T) {
	s := holding(t)
	r := start(t)
	r.validators(validatorAt(s.URL, ""))
	r.put(cart)
	answers := make(chan answer, 3)
	for range 3 {
		go func() {
			a, err := r.try("POST", theCart+"/validate", "", "Idempotency-Key", "one")
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	s.wait()
	s.answer(answerWith(changing))
	first := (<-answers).want(200)
	for range 2 {
		(<-answers).again(first)
	}
	equals(t, "calls", len(s.got()), 1)
}
