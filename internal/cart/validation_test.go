package cart_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// docs/contract.md#validators.

func TestAnAnswerThatPassesOrFails(t *testing.T) {
	const entry = `[{"message":"m"}]`
	for _, tc := range []struct {
		name, body string
		passed     bool
	}{
		{"an empty body", "", true},
		{"white space", " \r\n\t", true},
		{"an empty object", "{}", true},
		{"a byte order mark", "\xef\xbb\xbf{}", true},
		{"true", `{"isValidatedSuccessful":true}`, true},
		{"null", `{"isValidatedSuccessful":null,"validationErrors":null,"validationWarnings":null,"validationMessage":null,"value":null}`, true},
		{"false without errors", `{"isValidatedSuccessful":false}`, false},
		{"false and an empty list", `{"isValidatedSuccessful":false,"validationErrors":[]}`, false},
		{"an empty list", `{"validationErrors":[]}`, true},
		{"errors alone", `{"validationErrors":` + entry + `}`, false},
		{"true, and errors", `{"isValidatedSuccessful":true,"validationErrors":` + entry + `}`, false},
		{"an error without a word", `{"validationErrors":[{}]}`, false},
		{"warnings", `{"validationWarnings":` + entry + `}`, true},
		{"a message", `{"validationMessage":"m"}`, true},
		{"any letter case", `{"ISVALIDATEDSUCCESSFUL":false}`, false},
		{"PascalCase", `{"IsValidatedSuccessful":true,"ValidationErrors":[{"Message":"m"}]}`, false},
		{"unknown fields", `{"took":12,"rule":{"isValidatedSuccessful":false}}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := cart.ParseValidation([]byte(tc.body))
			if err != nil || v.Passed != tc.passed {
				t.Errorf("%+v, %v; want passed %v", v, err, tc.passed)
			}
		})
	}
}

func TestEveryFieldOfAnAnswerIsRead(t *testing.T) {
	v, err := cart.ParseValidation([]byte(`{"validationErrors":[{"Message":"m","translateKey":"k","VALIDATIONTYPE":"Inventory","referenceId":"SKU-1","more":1},{"message":null}],
	 "validationWarnings":[{"message":"w","validationType":"Price"}],"ValidationMessage":"all in all","value":{"Id":"C1","Total":10.10}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &cart.Validation{
		Errors:   []cart.ValidationError{{Message: "m", TranslateKey: "k", ValidationType: "Inventory", ReferenceID: "SKU-1"}, {}},
		Warnings: []cart.ValidationError{{Message: "w", ValidationType: "Price"}}, Message: "all in all", Value: ordertest.Doc(t, `{"id":"C1","total":10.10}`),
		Unread: []apierr.Warning{{Path: "validationErrors[0].more", Message: "nobody reads this member"}},
	}
	if diff := cmp.Diff(want, v, ordertest.ByJSON); diff != "" {
		t.Errorf("the answer (-want +got):\n%s", diff)
	}
}

func TestAnAnswerThatIsNoneNamesWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		kind       apierr.Kind
		says       string
	}{
		{"not JSON", "OK", apierr.Malformed, "malformed JSON at line 1, column 1"},
		{"cut off", `{"value":{`, apierr.Malformed, "malformed JSON"},
		{"two objects", `{}{}`, apierr.Malformed, "something follows"},
		{"a list", `[]`, apierr.Invalid, "not a list"},
		{"null", `null`, apierr.Invalid, "not null"},
		{"a word for a bool", `{"isValidatedSuccessful":"true"}`, apierr.Invalid, "isValidatedSuccessful: must be true or false, not text"},
		{"one error without its list", `{"validationErrors":{"message":"m"}}`, apierr.Invalid, "validationErrors: must be a list of objects, not an object"},
		{"texts for errors", `{"validationErrors":["m"]}`, apierr.Invalid, "validationErrors[0]: must be an object, not text"},
		{"null among warnings", `{"validationWarnings":[{},null]}`, apierr.Invalid, "validationWarnings[1]: must be an object, not null"},
		{"a number for a message", `{"validationErrors":[{},{"Message":5}]}`, apierr.Invalid, "validationErrors[1].message: must be text, not a number"},
		{"a list for the message", `{"validationMessage":[]}`, apierr.Invalid, "validationMessage: must be text, not a list"},
		{"a list for the cart", `{"value":[]}`, apierr.Invalid, "value: must be an object, not a list"},
		{"a text for lines", `{"value":{"orderForm":{"lineItems":"none"}}}`, apierr.Invalid, "value.orderForm.lineItems: must be a list of objects, not text"},
		{"a field twice", `{"value":{"tags":[],"Tags":[]}}`, apierr.Invalid, "value.tags: the field is there twice"},
		{"several", `{"isValidatedSuccessful":1,"value":7}`, apierr.Invalid, "isValidatedSuccessful: must be true or false, not a number; value: must be an object, not a number"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := cart.ParseValidation([]byte(tc.body))
			ordertest.Refused(t, err, tc.kind, tc.says)
		})
	}
}
