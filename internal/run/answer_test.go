package run_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/run"
)

func TestAStepAnswer(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       run.StepAnswer
	}{
		{"an empty body is a success", ``, run.StepAnswer{Status: run.ActionSuccess}},
		{"white space too", " \r\n", run.StepAnswer{Status: run.ActionSuccess}},
		{"{} is a success", `{}`, run.StepAnswer{Status: run.ActionSuccess}},
		{"no results", ordertest.Results(``), run.StepAnswer{Status: run.ActionSuccess}},
		{"nulls", `{"OrderActionExecutionResults":null,"OrderPatch":null,"IsAborted":null}`, run.StepAnswer{Status: run.ActionSuccess}},
		{"Success", ordertest.Results(`{"ActionStatus":"Success"}`), run.StepAnswer{Status: run.ActionSuccess}},
		{"Warning", ordertest.Results(`{"ActionStatus":"Warning"}`), run.StepAnswer{Status: run.ActionWarning}},
		{"Error", ordertest.Results(`{"ActionStatus":"Error"}`), run.StepAnswer{Status: run.ActionError}},
		{"no status is a success", ordertest.Results(`{}`), run.StepAnswer{Status: run.ActionSuccess}},
		{"a null one too", ordertest.Results(`{"ActionStatus":null}`), run.StepAnswer{Status: run.ActionSuccess}},
		{"an empty one too", ordertest.Results(`{"ActionStatus":""}`), run.StepAnswer{Status: run.ActionSuccess}},
		{"a status has no case", ordertest.Results(`{"actionStatus":"eRROR"}`), run.StepAnswer{Status: run.ActionError}},
		{"names have none either", `{"ORDERACTIONEXECUTIONRESULTS":[{"ACTIONSTATUS":"Warning"}]}`, run.StepAnswer{Status: run.ActionWarning}},
		{"failure", ordertest.Results(`{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"Shipping address could not be validated"}`),
			run.StepAnswer{Status: run.ActionError, CancelWorkflow: true, Reasons: []string{"Shipping address could not be validated"}}},
		{"CancelWorkflow alone", ordertest.Results(`{"CancelWorkflow":true}`), run.StepAnswer{Status: run.ActionSuccess, CancelWorkflow: true}},
		{"of several the worst status", ordertest.Results(`{"ActionStatus":"Success"},{"ActionStatus":"Error"},{"ActionStatus":"Warning"}`), run.StepAnswer{Status: run.ActionError}},
		{"a warning is worse than a success", ordertest.Results(`{"ActionStatus":"Warning"},{"ActionStatus":"Success"}`), run.StepAnswer{Status: run.ActionWarning}},
		{"of several any CancelWorkflow", ordertest.Results(`{"CancelWorkflow":true},{"CancelWorkflow":false},{}`), run.StepAnswer{Status: run.ActionSuccess, CancelWorkflow: true}},
		{"of several all reasons", ordertest.Results(`{"ErrorReason":"a"},{"ErrorReason":""},{"ErrorReason":"b"}`), run.StepAnswer{Status: run.ActionSuccess, Reasons: []string{"a", "b"}}},
		{"a translate key", ordertest.Results(`{"TranslateKey":"addressInvalid"}`), run.StepAnswer{Status: run.ActionSuccess, TranslateKey: "addressInvalid"}},
		{"TriggerNewStatus", ordertest.Results(`{"TriggerNewStatus":"ReadyToPick"}`), run.StepAnswer{Status: run.ActionSuccess, Trigger: "ReadyToPick"}},
		{"an empty TriggerNewStatus is none", ordertest.Results(`{"TriggerNewStatus":""}`), run.StepAnswer{Status: run.ActionSuccess}},
		{"TriggerNewStatus is trimmed", ordertest.Results(`{"TriggerNewStatus":" ReadyToPick\t"}`), run.StepAnswer{Status: run.ActionSuccess, Trigger: "ReadyToPick"}},
		{"of several the last TriggerNewStatus", ordertest.Results(`{"TriggerNewStatus":"A"},{"TriggerNewStatus":"B"},{}`), run.StepAnswer{Status: run.ActionSuccess, Trigger: "B"}},
		{"members of other systems' answers", `{"IsAborted":false,"OrderActionExecutionResults":[{"Message":"m","MessageHeading":"h","Duration":"5ms","OrderStatusChanged":true,
		 "TranslateKey":null,"ActionType":"Export","IsInvisible":false,"IsAborted":false}]}`, run.StepAnswer{Status: run.ActionSuccess}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := run.ParseStepAnswer([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tc.want, got, ordertest.ByJSON); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStepAnswersPatch(t *testing.T) {
	body := `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],"OrderPatch":{"Status":"Validated","Tags":["fraud-checked"],"Properties":[{"Key":"ValidationScore","Value":"95"}],"Origin":"web","Name":"Kari","LoyaltyTier":1}}`
	got, err := run.ParseStepAnswer([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	ordertest.Same(t, got.Patch, `{"status":"Validated","tags":["fraud-checked"],"properties":[{"key":"ValidationScore","value":"95"}],"Origin":"web","Name":"Kari","LoyaltyTier":1}`)
}

func TestTheStatusesOfAPatchAreTrimmed(t *testing.T) {
	got, err := run.ParseStepAnswer([]byte(`{"OrderPatch":{"Status":" W ","OrderForm":{"Shipments":[{"Status":" A","OrderStatus":"B "},{"Status":""}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	ordertest.Same(t, got.Patch, `{"status":"W","orderForm":{"shipments":[{"status":"A","orderStatus":"B"},{"status":""}]}}`)
}

func TestAllReasonsInOneLine(t *testing.T) {
	a := run.StepAnswer{Reasons: []string{"no stock", "no address"}}
	if got := strings.Join(a.Reasons, "; "); got != "no stock; no address" {
		t.Errorf("got %q", got)
	}
}

func TestIsAbortedAtTheTopAbortsNothingAndIsNamed(t *testing.T) {
	for body, want := range map[string]string{
		`{"IsAborted":true}`:  "[{isAborted aborts nothing; CancelWorkflow inside an entry of OrderActionExecutionResults may be meant}]",
		`{"IsAborted":false}`: "[]", `{"IsAborted":null}`: "[]", ordertest.Results(`{"IsAborted":true}`): "[]",
	} {
		a, err := run.ParseStepAnswer([]byte(body))
		if err != nil || a.CancelWorkflow || a.Status != run.ActionSuccess || fmt.Sprint(a.Warnings) != want {
			t.Errorf("%s: %+v, %v", body, a, err)
		}
	}
}

func TestAStepAnswerOfWrongTypesNamesThePath(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"results", `{"OrderActionExecutionResults":{}}`, "orderActionExecutionResults: must be a list of objects, not an object"},
		{"a result", ordertest.Results(`{},"Success"`), "orderActionExecutionResults[1]: must be an object, not text"},
		{"a null result", ordertest.Results(`null`), "orderActionExecutionResults[0]: must be an object, not null"},
		{"ActionStatus", ordertest.Results(`{"ActionStatus":1}`), "orderActionExecutionResults[0].actionStatus: must be text, not a number"},
		{"an unknown ActionStatus", ordertest.Results(`{},{"ActionStatus":"Failed"}`), "orderActionExecutionResults[1].actionStatus: must be Success, Warning or Error"},
		{"one that orderhook alone gives", ordertest.Results(`{"ActionStatus":"Pending"}`), "orderActionExecutionResults[0].actionStatus: must be Success, Warning or Error"},
		{"CancelWorkflow", ordertest.Results(`{"CancelWorkflow":"true"}`), "orderActionExecutionResults[0].cancelWorkflow: must be true or false, not text"},
		{"ErrorReason", ordertest.Results(`{"ErrorReason":["a"]}`), "orderActionExecutionResults[0].errorReason: must be text, not a list"},
		{"TriggerNewStatus", ordertest.Results(`{"TriggerNewStatus":{}}`), "orderActionExecutionResults[0].triggerNewStatus: must be text, not an object"},
		{"TranslateKey", ordertest.Results(`{"TranslateKey":1}`), "orderActionExecutionResults[0].translateKey: must be text, not a number"},
		{"IsInvisible", ordertest.Results(`{"IsInvisible":1}`), "orderActionExecutionResults[0].isInvisible: must be true or false, not a number"},
		{"IsAborted", `{"IsAborted":"no"}`, "isAborted: must be true or false, not text"},
		{"OrderPatch", `{"OrderPatch":[]}`, "orderPatch: must be an object, not a list"},
		{"a field that the engine reads", `{"OrderPatch":{"OrderType":1}}`, "orderPatch.orderType: must be text, not a number"},
		{"deep in it", `{"OrderPatch":{"OrderForm":{"LineItems":[{"LineItemId":[]}]}}}`, "orderPatch.orderForm.lineItems[0].lineItemId: must be text, not a list"},
		{"a blank TriggerNewStatus", ordertest.Results(`{"TriggerNewStatus":" \t"}`), "orderActionExecutionResults[0].triggerNewStatus: must not be empty"},
		{"a blank Status", `{"OrderPatch":{"Status":" "}}`, "orderPatch.status: must not be empty"},
		{"a shipment's blank status", `{"OrderPatch":{"OrderForm":{"Shipments":[{},{"Status":" "}]}}}`, "orderPatch.orderForm.shipments[1].status: must not be empty"},
		{"a shipment's blank orderStatus", `{"OrderPatch":{"OrderForm":{"Shipments":[{"OrderStatus":" "}]}}}`, "orderPatch.orderForm.shipments[0].orderStatus: must not be empty"},
		{"an empty Status", `{"OrderPatch":{"Status":""}}`, "orderPatch.status: must not be empty"},
		{"a field that is there twice", `{"OrderPatch":{"Status":"A","status":"B"}}`, "orderPatch.status: the field is there twice"},
		{"no object", `[]`, "a JSON object is needed, not a list"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := run.ParseStepAnswer([]byte(tc.body))
			ordertest.Refused(t, err, apierr.Invalid, tc.want)
		})
	}
}

func TestAStepAnswerThatIsNoJSONIsMalformed(t *testing.T) {
	for _, body := range []string{`<html>`, `OK`, `{"OrderPatch":`, "\ufeff", `{}{}`} {
		_, err := run.ParseStepAnswer([]byte(body))
		ordertest.Refused(t, err, apierr.Malformed, "")
	}
}

func TestAStepAnswerNamesAtMostTwentyErrors(t *testing.T) {
	body := ordertest.Results(strings.Repeat(`{"ActionStatus":"Failed"},`, 500) + `{}`)
	_, err := run.ParseStepAnswer([]byte(body))
	if n := len(ordertest.Locations(err)); n != 20 {
		t.Errorf("%d errors are named", n)
	}
}

// TestAStatusOfAnAnswerIsNoLongerThanOneOfTheAPI: it stands in the history, in events, and in all that follows.
func TestAStatusOfAnAnswerIsNoLongerThanOneOfTheAPI(t *testing.T) {
	for at, body := range map[string]string{"orderActionExecutionResults[0].triggerNewStatus": ordertest.Results(`{"TriggerNewStatus":"LONG"}`), "orderPatch.status": `{"OrderPatch":{"Status":"LONG"}}`} {
		for n, want := range map[int]string{200: "", 201: "200 bytes"} {
			_, err := run.ParseStepAnswer([]byte(strings.Replace(body, "LONG", strings.Repeat("x", n), 1)))
			e, _ := err.(*apierr.Error)
			if (e != nil) != (want != "") || e != nil && (e.Fields[0].Location != at || !strings.Contains(e.Fields[0].Message, want)) {
				t.Errorf("%s of %d bytes: %v", at, n, err)
			}
		}
	}
}
