package contract

import (
	"strings"
	"testing"
)

// docs/contract.md#unread-members: answers of validators.

func TestWhatNobodyReadsOfAValidatorsAnswerIsNamed(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for body, row := range map[string]struct {
		passes bool
		errors []string
		named  []string // path and what may be meant, in turn
	}{
		`{"isValid":false,"errors":["x"]}`:                      {true, nil, []string{"isValid", "isValidatedSuccessful may be meant", "errors", "validationErrors may be meant"}},
		`{"cart":{"id":"C"}}`:                                   {true, nil, []string{"cart", "value may be meant"}},
		`{"valu":{"tags":["x"]},"isValidatedSuccessful":false}`: {false, nil, []string{"valu", "value may be meant"}},
		`{"validationErrors":[{"mesage":"no"}]}`:                {false, []string{"|||"}, []string{"validationErrors[0].mesage", "message may be meant"}},
	} {
		s.says(replying(200, body))
		for _, a := range []answer{r.validate(), r.call("POST", "/api/carts/validate", cart).want(200)} {
			a.passes(row.passes, row.errors...).is("value.tags", nil)
			warnings := a.entries("validationWarnings")
			if len(warnings) != 1 || !strings.HasSuffix(warnings[0], "||External|") {
				t.Errorf("%s: warnings %q", body, warnings)
			}
			attempt := r.get("/api/attempts?kind=validator&limit=1").is("items[0].outcome", "succeeded")
			for i, path := range attempt.warned("items[0].warnings") {
				if meant := row.named[2*i+1]; path != row.named[2*i] || !strings.Contains(warnings[0], path+": nobody reads this member; "+meant) {
					t.Errorf("%s: %s is named; %s", body, path, warnings)
				}
			}
			equals(t, "named in the attempt", len(attempt.warned("items[0].warnings")), len(row.named)/2)
		}
	}
}

func TestWhatOfAValidatorsValueHasNoEffectIsNamed(t *testing.T) {
	r := checking(t, answering(t, `{"value":{"id":"other","tags":["z"],"keepExistingListItems":true,"keepExistingOrderLines":false}}`), "")
	got := r.validate().passes(true).is("value.id", "C123456").is("value.tags", []string{"z"}).entries("validationWarnings")
	if len(got) != 1 || !strings.Contains(got[0], "value.id: never changes") || !strings.Contains(got[0], "value.keepExistingListItems: has no effect") || strings.Contains(got[0], "Lines") {
		t.Errorf("warnings %q", got)
	}
}

func TestEachValidatorsUnreadMembersAreNamed(t *testing.T) {
	first, second := answering(t, `{"validationWarnings":[{"message":"2 left"}],"took":5}`), answering(t, `{"success":true}`)
	r := lease(t)
	r.validators(validatorAt(first.URL, ""), validatorAt(second.URL, `,"connectorId":"b"`))
	r.put(cart)
	got := r.validate().passes(true).entries("validationWarnings")
	if len(got) != 3 || got[0] != "2 left|||" || !strings.Contains(got[1], "took") || !strings.Contains(got[2], "success") {
		t.Errorf("warnings %q", got)
	}
}
