package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/run"
)

// docs/contract.md#unread-members.

// unreadRow is an answer with one member that nobody reads.
type unreadRow struct {
	body, path string
	meant      string // a part of the message; "" for no more than that it is not read
}

func checkUnread(t *testing.T, warnings []apierr.Warning, row unreadRow) {
	t.Helper()
	if len(warnings) != 1 || warnings[0].Path != row.path || !strings.HasPrefix(warnings[0].Message, "nobody reads this member") {
		t.Fatalf("%s: %+v, want one about %s", row.body, warnings, row.path)
	}
	if meant := strings.TrimPrefix(warnings[0].Message, "nobody reads this member"); !strings.Contains(meant, row.meant) || row.meant == "" && meant != "" {
		t.Errorf("%s: %q, want %q", row.body, warnings[0].Message, row.meant)
	}
}

func TestAMemberOfAStepsAnswerThatNobodyReadsIsNamed(t *testing.T) {
	const result, beside, within = "orderActionExecutionResults[0].", "is read inside an entry of OrderActionExecutionResults", "which is changed inside OrderPatch"
	for _, row := range []unreadRow{
		{`{"CancelWorkflow":true}`, "cancelWorkflow", "CancelWorkflow " + beside},
		{`{"CancelWorkflow":false}`, "cancelWorkflow", "CancelWorkflow " + beside},
		{`{"errorreason":"no"}`, "errorreason", "ErrorReason " + beside},
		{`{"ActionStatus":"Error"}`, "actionStatus", "ActionStatus " + beside},
		{`{"TriggerNewStatus":"Packed"}`, "triggerNewStatus", "TriggerNewStatus " + beside},
		{`{"Message":"no stock"}`, "message", "ErrorReason inside an entry"},
		{`{"OrderPach":{}}`, "orderPach", "OrderPatch may be meant"},
		{`{"OrderPatches":[]}`, "orderPatches", "OrderPatch may be meant"},
		{`{"Value":{"Id":"1"}}`, "value", "OrderPatch may be meant"},
		{`{"Order":{"Id":"1"}}`, "order", "OrderPatch may be meant"},
		{`{"OrderActionExecutionResult":[]}`, "orderActionExecutionResult", "OrderActionExecutionResults may be meant"},
		{`{"Results":[{"CancelWorkflow":true}]}`, "results", "OrderActionExecutionResults may be meant"},
		{`{"Tags":["a"]}`, "tags", "Tags is a field of the order, " + within},
		{`{"OrderForm":{"LineItems":[]}}`, "orderForm", "OrderForm is a field of the order, " + within},
		{`{"CancelWorkflw":true}`, "cancelWorkflw", "CancelWorkflow inside an entry of OrderActionExecutionResults may be meant"},
		{`{"traceId":7}`, "traceId", ""},
		{ordertest.Results(`{"CancelWorkfow":true}`), result + "cancelWorkfow", "CancelWorkflow may be meant"},
		{ordertest.Results(`{"Status":"Error"}`), result + "status", "ActionStatus may be meant"},
		{ordertest.Results(`{"Reason":"no"}`), result + "reason", "ErrorReason may be meant"},
		{ordertest.Results(`{"ErrorMessage":"no"}`), result + "errorMessage", "ErrorReason may be meant"},
		{ordertest.Results(`{"NewStatus":"Packed"}`), result + "newStatus", "TriggerNewStatus may be meant"},
		{ordertest.Results(`{"OrderPatch":{"Tags":[]}}`), result + "orderPatch", "OrderPatch is read beside OrderActionExecutionResults"},
		{ordertest.Results(`{"Tags":["a"]}`), result + "tags", "Tags is a field of the order, " + within},
		{ordertest.Results(`{},{"took":"5ms"}`), "orderActionExecutionResults[1].took", ""},
	} {
		a, err := run.ParseStepAnswer([]byte(row.body))
		if err != nil {
			t.Fatal(err)
		}
		checkUnread(t, a.Warnings, row)
		if a.Warnings = nil; a.Status != run.ActionSuccess || a.CancelWorkflow || a.Patch != nil || a.Reasons != nil || a.Trigger != "" {
			t.Errorf("%s is answered as %+v", row.body, a)
		}
	}
}

func TestAWholeOrderInPlaceOfAnAnswer(t *testing.T) {
	a, err := run.ParseStepAnswer([]byte(`{"Id":"1","Status":"Packed","Tags":["a"],"CustomerName":null,"Mine":1}`))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, w := range a.Warnings {
		paths = append(paths, w.Path)
	}
	if diff := cmp.Diff([]string{"id", "status", "tags", "mine"}, paths); diff != "" {
		t.Errorf("named (-want +got):\n%s", diff)
	}
}

func TestAMemberOfAValidatorsAnswerThatNobodyReadsIsNamed(t *testing.T) {
	for _, row := range []unreadRow{
		{`{"isValid":false}`, "isValid", "isValidatedSuccessful may be meant"},
		{`{"success":false}`, "success", "isValidatedSuccessful may be meant"},
		{`{"isValidatedSuccesful":false}`, "isValidatedSuccesful", "isValidatedSuccessful may be meant"},
		{`{"errors":["x"]}`, "errors", "validationErrors may be meant"},
		{`{"ValidationError":[]}`, "validationError", "validationErrors may be meant"},
		{`{"warnings":["x"]}`, "warnings", "validationWarnings may be meant"},
		{`{"message":"no"}`, "message", "validationMessage may be meant"},
		{`{"cart":{"id":"C1"}}`, "cart", "value may be meant"},
		{`{"order":{}}`, "order", "value may be meant"},
		{`{"orderForm":{"lineItems":[]}}`, "orderForm", "orderForm is a field of the cart, which is changed inside value"},
		{`{"referenceId":"SKU"}`, "referenceId", "referenceId is read inside an entry"},
		{`{"took":12}`, "took", ""},
		{`{"validationErrors":[{"mesage":"m"}]}`, "validationErrors[0].mesage", "message may be meant"},
		{`{"validationErrors":[{"text":"m"}]}`, "validationErrors[0].text", "message may be meant"},
		{`{"validationErrors":[{},{"type":"Price"}]}`, "validationErrors[1].type", "validationType may be meant"},
		{`{"validationWarnings":[{"sku":"1"}]}`, "validationWarnings[0].sku", "referenceId may be meant"},
		{`{"validationWarnings":[{"isValidatedSuccessful":false}]}`, "validationWarnings[0].isValidatedSuccessful", "is read beside the lists"},
		{`{"validationWarnings":[{"rule":7}]}`, "validationWarnings[0].rule", ""},
	} {
		v, err := cart.ParseValidation([]byte(row.body))
		if err != nil {
			t.Fatal(err)
		}
		checkUnread(t, v.Unread, row)
		if e := cart.UnreadWarning(v.Unread); e.ValidationType != "External" || !strings.Contains(e.Message, row.path) || !strings.Contains(e.Message, row.meant) {
			t.Errorf("%s: the warning is %+v", row.body, e)
		}
	}
}

func TestWhatIsReadIsNotNamed(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"tags":null,"cart":null,"isValid":null}`, `{"IsAborted":false,"orderpatch":{"own":1,"Tags":["a"]}}`} {
		if a, err := run.ParseStepAnswer([]byte(body)); err != nil || a.Warnings != nil {
			t.Errorf("%s: %+v, %v", body, a.Warnings, err)
		}
	}
	for _, body := range []string{``, `{}`, `{"cart":null}`, `{"VALUE":{"own":1,"isValid":false},"ValidationErrors":[{"Message":"m"}],"validationMessage":"m"}`} {
		if v, err := cart.ParseValidation([]byte(body)); err != nil || v.Unread != nil {
			t.Errorf("%s: %+v, %v", body, v.Unread, err)
		}
	}
}

func TestManyUnreadMembersAreCounted(t *testing.T) {
	var members []string
	for i := range 70 {
		members = append(members, fmt.Sprintf(`"own%d":1`, i))
	}
	a, err := run.ParseStepAnswer([]byte(`{` + strings.Join(members, ",") + `}`))
	if err != nil || len(a.Warnings) != 51 || a.Warnings[50] != (apierr.Warning{Message: "nobody reads 20 more members"}) {
		t.Errorf("%d warnings, %v", len(a.Warnings), err)
	}
	if text := apierr.WarningText(a.Warnings); !strings.Contains(text, "own4: ") || strings.Contains(text, "own5: ") || !strings.HasSuffix(text, "; and 46 more") {
		t.Errorf("in one line: %s", text)
	}
}
