package contract

import (
	"fmt"
	"testing"
)

// docs/contract.md#validators: answers with a 2xx.

func TestWhatAnAnswerSaysOfACart(t *testing.T) {
	const entry = `[{"message":"m"}]`
	s := speaking(t)
	r := checking(t, s.sink, "")
	for _, row := range []struct {
		name   string
		status int
		body   string
		passed bool
		errors []string
	}{
		{"an empty object", 200, "{}", true, nil},
		{"approved", 200, approved, true, nil},
		{"an empty body", 200, "", true, nil},
		{"white space", 200, "\r\n ", true, nil},
		{"204", 204, "", true, nil},
		{"201", 201, "{}", true, nil},
		{"299", 299, approved, true, nil},
		{"false without errors", 200, `{"isValidatedSuccessful":false}`, false, nil},
		{"absent, with errors", 200, `{"validationErrors":` + entry + `}`, false, []string{"m|||"}},
		{"true, with errors", 200, `{"isValidatedSuccessful":true,"validationErrors":` + entry + `}`, false, []string{"m|||"}},
		{"true, with no errors", 200, `{"isValidatedSuccessful":true,"validationErrors":[]}`, true, nil},
		{"nulls", 200, `{"isValidatedSuccessful":null,"validationErrors":null,"validationWarnings":null,"validationMessage":null,"value":null}`, true, nil},
		{"rejected", 200, rejected, false, []string{"Item SHOE-BLACK-42 is not available for delivery to this postal code||External|SHOE-BLACK-42"}},
		{"any letter case", 200, `{"IsValidatedSuccessful":false,"VALIDATIONERRORS":[{"MESSAGE":"m","TranslateKey":"k"}]}`, false, []string{"m|k||"}},
		{"unread members", 200, `{"took":12,"errors":["e"],"isValidatedSuccessful":true,"validationErrors":[]}`, true, nil},
		{"several errors", 200, `{"validationErrors":[{"message":"a","translateKey":"tk","validationType":"Price","referenceId":"r"},{"message":"b"},{}]}`, false, []string{"a|tk|Price|r", "b|||", "|||"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.says(replying(row.status, row.body))
			a := r.in(t).validate().passes(row.passed, row.errors...)
			a.is("value.version", 1).is("validationMessage", nil)
			equals(t, "warnings", len(a.entries("validationWarnings")) > 0, row.name == "unread members") // cart_unread_test.go
			r.in(t).call("POST", "/api/carts/validate", cart).want(200).passes(row.passed, row.errors...)
		})
	}
}

func TestWarningsAndTheMessageDoNotFail(t *testing.T) {
	s := answering(t, `{"validationMessage":"Almost sold out","validationWarnings":[{"message":"2 left","translateKey":"few","validationType":"Inventory","referenceId":"SHOE-BLACK-42"},{"message":"w"}]}`)
	a := checking(t, s, "").validate().passes(true).is("validationMessage", "Almost sold out")
	same(t, "warnings", a.entries("validationWarnings"), []string{"2 left|few|Inventory|SHOE-BLACK-42", "w|||"})
}

func TestAnAnswerOfTheWrongShapeFailsWithItsPath(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for body, reason := range map[string]string{
		`OK, thanks`: "malformed JSON at line 1, column 1", `<html></html>`: "malformed JSON", `[]`: "a JSON object is needed, not a list", `null`: "a JSON object is needed, not null",
		`{"isValidatedSuccessful":"true"}`:                          "isValidatedSuccessful: must be true or false, not text",
		`{"isValidatedSuccessful":true,"validationErrors":{}}`:      "validationErrors: must be a list of objects, not an object",
		`{"validationErrors":["no"]}`:                               "validationErrors[0]: must be an object, not text",
		`{"ValidationWarnings":[{},{"Message":1}]}`:                 "validationWarnings[1].message: must be text, not a number",
		`{"validationMessage":{}}`:                                  "validationMessage: must be text, not an object",
		`{"value":"C123456"}`:                                       "value: must be an object, not text",
		`{"value":{"orderForm":{"lineItems":[{"lineItemId":{}}]}}}`: "value.orderForm.lineItems[0].lineItemId: must be text, not an object",
		`{"value":{"tags":["a"],"TAGS":[]}}`:                        "value.tags: the field is there twice",
		`{"value":{"tags":["a"],"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":1e999999999,"quantity":2}]}}}`: "value.orderForm.lineItems[0].placedPrice: is no number that prices can be calculated with",
	} {
		s.says(replying(200, body))
		got := r.validate().is("isValidatedSuccessful", false).is("value.version", 1).is("value.tags", nil)
		if e := got.entries("validationErrors"); len(e) != 1 || !begunAndEnded(e[0], "invalid response: "+reason, fmt.Sprintf(" (answered 200: %s)||External|", body)) {
			t.Errorf("%s: %q", body, e)
		}
	}
	equals(t, "stored", r.get(theCart).Header.Get("ETag"), `"1"`)
}
