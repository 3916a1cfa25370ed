package oms_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/oms"
)

func results(list string) string { return `{"OrderActionExecutionResults":[` + list + `]}` }

func TestAStepAnswer(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       oms.StepAnswer
	}{
		{"an empty body is a success", ``, oms.StepAnswer{Status: oms.ActionSuccess}},
		{"white space too", " \r\n", oms.StepAnswer{Status: oms.ActionSuccess}},
		{"{} is a success", `{}`, oms.StepAnswer{Status: oms.ActionSuccess}},
		{"no results", results(``), oms.StepAnswer{Status: oms.ActionSuccess}},
		{"nulls", `{"OrderActionExecutionResults":null,"OrderPatch":null,"IsAborted":null}`, oms.StepAnswer{Status: oms.ActionSuccess}},
		{"Success", results(`{"ActionStatus":"Success"}`), oms.StepAnswer{Status: oms.ActionSuccess}},
		{"Warning", results(`{"ActionStatus":"Warning"}`), oms.StepAnswer{Status: oms.ActionWarning}},
		{"Error", results(`{"ActionStatus":"Error"}`), oms.StepAnswer{Status: oms.ActionError}},
		{"no status is a success", results(`{}`), oms.StepAnswer{Status: oms.ActionSuccess}},
		{"a null one too", results(`{"ActionStatus":null}`), oms.StepAnswer{Status: oms.ActionSuccess}},
		{"an empty one too", results(`{"ActionStatus":""}`), oms.StepAnswer{Status: oms.ActionSuccess}},
		{"a status has no case", results(`{"actionStatus":"eRROR"}`), oms.StepAnswer{Status: oms.ActionError}},
		{"names have none either", `{"ORDERACTIONEXECUTIONRESULTS":[{"ACTIONSTATUS":"Warning"}]}`, oms.StepAnswer{Status: oms.ActionWarning}},
		{"failure", results(`{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"Shipping address could not be validated"}`),
			oms.StepAnswer{Status: oms.ActionError, CancelWorkflow: true, Reasons: []string{"Shipping address could not be validated"}}},
		{"CancelWorkflow alone", results(`{"CancelWorkflow":true}`), oms.StepAnswer{Status: oms.ActionSuccess, CancelWorkflow: true}},
		{"of several the worst status", results(`{"ActionStatus":"Success"},{"ActionStatus":"Error"},{"ActionStatus":"Warning"}`), oms.StepAnswer{Status: oms.ActionError}},
		{"a warning is worse than a success", results(`{"ActionStatus":"Warning"},{"ActionStatus":"Success"}`), oms.StepAnswer{Status: oms.ActionWarning}},
		{"of several any CancelWorkflow", results(`{"CancelWorkflow":true},{"CancelWorkflow":false},{}`), oms.StepAnswer{Status: oms.ActionSuccess, CancelWorkflow: true}},
		{"of several all reasons", results(`{"ErrorReason":"a"},{"ErrorReason":""},{"ErrorReason":"b"}`), oms.StepAnswer{Status: oms.ActionSuccess, Reasons: []string{"a", "b"}}},
		{"a translate key", results(`{"TranslateKey":"addressInvalid"}`), oms.StepAnswer{Status: oms.ActionSuccess, TranslateKey: "addressInvalid"}},
		{"TriggerNewStatus", results(`{"TriggerNewStatus":"ReadyToPick"}`), oms.StepAnswer{Status: oms.ActionSuccess, Trigger: "ReadyToPick"}},
		{"an empty TriggerNewStatus is none", results(`{"TriggerNewStatus":""}`), oms.StepAnswer{Status: oms.ActionSuccess}},
		{"TriggerNewStatus is trimmed", results(`{"TriggerNewStatus":" ReadyToPick\t"}`), oms.StepAnswer{Status: oms.ActionSuccess, Trigger: "ReadyToPick"}},
		{"of several the last TriggerNewStatus", results(`{"TriggerNewStatus":"A"},{"TriggerNewStatus":"B"},{}`), oms.StepAnswer{Status: oms.ActionSuccess, Trigger: "B"}},
		{"members of other systems' answers", `{"IsAborted":true,"OrderActionExecutionResults":[{"Message":"m","MessageHeading":"h","Duration":"5ms","OrderStatusChanged":true,
		 "TranslateKey":null,"ActionType":"Export","IsInvisible":false,"IsAborted":false}]}`, oms.StepAnswer{Status: oms.ActionSuccess}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := oms.ParseStepAnswer([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tc.want, got, byJSON); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStepAnswersPatch(t *testing.T) {
	body := `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],"OrderPatch":{"Status":"Validated","Tags":["fraud-checked"],"Properties":[{"Key":"ValidationScore","Value":"95"}],"Origin":"web","Name":"Kari","LoyaltyTier":1}}`
	got, err := oms.ParseStepAnswer([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got.Patch, `{"status":"Validated","tags":["fraud-checked"],"properties":[{"key":"ValidationScore","value":"95"}],"Origin":"web","Name":"Kari","LoyaltyTier":1}`)
}

func TestTheStatusesOfAPatchAreTrimmed(t *testing.T) {
	got, err := oms.ParseStepAnswer([]byte(`{"OrderPatch":{"Status":" W ","OrderForm":{"Shipments":[{"Status":" A","OrderStatus":"B "},{"Status":""}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got.Patch, `{"status":"W","orderForm":{"shipments":[{"status":"A","orderStatus":"B"},{"status":""}]}}`)
}

func TestAllReasonsInOneLine(t *testing.T) {
	a := oms.StepAnswer{Reasons: []string{"no stock", "no address"}}
	if got := a.Reason(); got != "no stock; no address" {
		t.Errorf("got %q", got)
	}
}

func TestAStepAnswerOfWrongTypesNamesThePath(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"results", `{"OrderActionExecutionResults":{}}`, "orderActionExecutionResults: must be a list of objects, not an object"},
		{"a result", results(`{},"Success"`), "orderActionExecutionResults[1]: must be an object, not text"},
		{"a null result", results(`null`), "orderActionExecutionResults[0]: must be an object, not null"},
		{"ActionStatus", results(`{"ActionStatus":1}`), "orderActionExecutionResults[0].actionStatus: must be text, not a number"},
		{"an unknown ActionStatus", results(`{},{"ActionStatus":"Failed"}`), "orderActionExecutionResults[1].actionStatus: must be Success, Warning or Error"},
		{"one that orderhook alone gives", results(`{"ActionStatus":"Pending"}`), "orderActionExecutionResults[0].actionStatus: must be Success, Warning or Error"},
		{"CancelWorkflow", results(`{"CancelWorkflow":"true"}`), "orderActionExecutionResults[0].cancelWorkflow: must be true or false, not text"},
		{"ErrorReason", results(`{"ErrorReason":["a"]}`), "orderActionExecutionResults[0].errorReason: must be text, not a list"},
		{"TriggerNewStatus", results(`{"TriggerNewStatus":{}}`), "orderActionExecutionResults[0].triggerNewStatus: must be text, not an object"},
		{"TranslateKey", results(`{"TranslateKey":1}`), "orderActionExecutionResults[0].translateKey: must be text, not a number"},
		{"IsInvisible", results(`{"IsInvisible":1}`), "orderActionExecutionResults[0].isInvisible: must be true or false, not a number"},
		{"IsAborted", `{"IsAborted":"no"}`, "isAborted: must be true or false, not text"},
		{"OrderPatch", `{"OrderPatch":[]}`, "orderPatch: must be an object, not a list"},
		{"a field that the engine reads", `{"OrderPatch":{"OrderType":1}}`, "orderPatch.orderType: must be text, not a number"},
		{"deep in it", `{"OrderPatch":{"OrderForm":{"LineItems":[{"LineItemId":[]}]}}}`, "orderPatch.orderForm.lineItems[0].lineItemId: must be text, not a list"},
		{"a blank TriggerNewStatus", results(`{"TriggerNewStatus":" \t"}`), "orderActionExecutionResults[0].triggerNewStatus: must not be empty"},
		{"a blank Status", `{"OrderPatch":{"Status":" "}}`, "orderPatch.status: must not be empty"},
		{"a shipment's blank status", `{"OrderPatch":{"OrderForm":{"Shipments":[{},{"Status":" "}]}}}`, "orderPatch.orderForm.shipments[1].status: must not be empty"},
		{"a shipment's blank orderStatus", `{"OrderPatch":{"OrderForm":{"Shipments":[{"OrderStatus":" "}]}}}`, "orderPatch.orderForm.shipments[0].orderStatus: must not be empty"},
		{"an empty Status", `{"OrderPatch":{"Status":""}}`, "orderPatch.status: must not be empty"},
		{"a field that is there twice", `{"OrderPatch":{"Status":"A","status":"B"}}`, "orderPatch.status: the field is there twice"},
		{"no object", `[]`, "a JSON object is needed, not a list"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := oms.ParseStepAnswer([]byte(tc.body))
			refused(t, err, oms.Invalid, tc.want)
		})
	}
}

func TestAStepAnswerThatIsNoJSONIsMalformed(t *testing.T) {
	for _, body := range []string{`<html>`, `OK`, `{"OrderPatch":`, "\ufeff", `{}{}`} {
		_, err := oms.ParseStepAnswer([]byte(body))
		refused(t, err, oms.Malformed, "")
	}
}

func TestAStepAnswerNamesAtMostTwentyMistakes(t *testing.T) {
	body := results(strings.Repeat(`{"ActionStatus":"Failed"},`, 500) + `{}`)
	_, err := oms.ParseStepAnswer([]byte(body))
	if n := len(locations(err)); n != 20 {
		t.Errorf("%d mistakes are named", n)
	}
}
