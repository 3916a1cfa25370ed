package order_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// docs/contract.md#order-errors.

const webhookStep = "WebhookWorkflowStep"

// stepError is an error of a run without a scope.
func stepError(message, runID string) order.OrderError {
	return order.OrderError{Key: webhookStep, Message: message, RunID: runID}
}

func TestAnErrorSaysWhichStepOfWhichRunFailed(t *testing.T) {
	o := ordertest.Doc(t, `{"errors":[{"key":"Erp","message":"down"}]}`)
	order.AddError(o, order.OrderError{Key: webhookStep, DisplayName: "Fraud check", Message: "no answer", ReferenceID: "SHIP-2", RunID: "run_1"}, ordertest.Noon)
	order.AddError(o, stepError("timeout", "run_2"), ordertest.Noon)
	ordertest.Same(t, o, `{"errors":[{"key":"Erp","message":"down"},
	 {"key":"WebhookWorkflowStep","displayName":"Fraud check","message":"no answer","severity":"Error","status":"New","referenceId":"SHIP-2","runId":"run_1","occurred":"2026-11-21T12:00:00.000000Z"},
	 {"key":"WebhookWorkflowStep","message":"timeout","severity":"Error","status":"New","runId":"run_2","occurred":"2026-11-21T12:00:00.000000Z"}]}`)
}

func TestASuccessClearsTheErrorsOfEarlierRuns(t *testing.T) {
	for _, tc := range []struct {
		name, error string
		cleared     bool
	}{
		{"an earlier run's", `{"key":"WebhookWorkflowStep","message":"m","runId":"run_1"}`, true},
		{"of a key in another case", `{"key":"WEBHOOKWORKFLOWSTEP","message":"m","runId":"run_1"}`, true},
		{"of another scope", `{"key":"WebhookWorkflowStep","message":"m","referenceId":"SHIP-1","runId":"run_1"}`, true},
		{"a solved one", `{"key":"WebhookWorkflowStep","message":"m","status":"Solved","runId":"run_1"}`, true},
		{"stored before errors had a runId", `{"key":"WebhookWorkflowStep","message":"m","referenceId":"run_1"}`, true},
		{"without any id", `{"key":"WebhookWorkflowStep","message":"m"}`, true},
		{"this run's", `{"key":"WebhookWorkflowStep","message":"m","runId":"run_2"}`, false},
		{"this run's, about a shipment", `{"key":"WebhookWorkflowStep","message":"m","referenceId":"SHIP-1","runId":"run_2"}`, false},
		{"this run's, stored before errors had a runId", `{"key":"WebhookWorkflowStep","message":"m","referenceId":"run_2"}`, false},
		{"another step's", `{"key":"WebhookReturnWorkflowStep","message":"m","runId":"run_1"}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := ordertest.Doc(t, `{"errors":[{"key":"Erp"},`+tc.error+`]}`)
			want, messages := []string{"m"}, `{"errors":[{"key":"Erp"}]}`
			if !tc.cleared {
				want, messages = nil, `{"errors":[{"key":"Erp"},`+tc.error+`]}`
			}
			if diff := cmp.Diff(want, order.ClearErrors(o, webhookStep, "run_2")); diff != "" {
				t.Errorf("cleared (-want +got):\n%s", diff)
			}
			ordertest.Same(t, o, messages)
		})
	}
}

func TestClearingErrorsWhereThereAreNoneChangesNothing(t *testing.T) {
	o := ordertest.Doc(t, `{"id":"BGO-1"}`)
	if cleared := order.ClearErrors(o, webhookStep, "run_1"); cleared != nil {
		t.Errorf("cleared %q", cleared)
	}
	ordertest.Same(t, o, `{"id":"BGO-1"}`)
}

func TestAResumedRunTakesItsLastErrorOfTheStep(t *testing.T) {
	for _, ids := range []string{`"runId":"run_1"`, `"referenceId":"run_1"`, `"referenceId":"SHIP-1","runId":"run_1"`} {
		o := ordertest.Doc(t, `{"errors":[{"key":"WebhookWorkflowStep","message":"first",`+ids+`},{"key":"WebhookWorkflowStep","message":"last",`+ids+`},
		 {"key":"WebhookWorkflowStep","message":"another run's","runId":"run_2"},{"key":"Erp",`+ids+`}]}`)
		if !order.TakeError(o, webhookStep, "run_1") {
			t.Errorf("with %s none is found", ids)
		}
		if got := string(o.JSON()); strings.Contains(got, "last") || !strings.Contains(got, "first") || !strings.Contains(got, "run_2") {
			t.Errorf("with %s it leaves %s", ids, got)
		}
		if order.TakeError(o, webhookStep, "run_3") {
			t.Error("one of a run that left none is found")
		}
	}
}

func TestErrorsThatAPatchAddedAreTheRuns(t *testing.T) {
	before := ordertest.Doc(t, `{"errors":[{"key":"WebhookWorkflowStep","message":"there"},{"key":"Erp","message":"there"}]}`)
	o := ordertest.Doc(t, `{"errors":[{"message":"there","key":"WebhookWorkflowStep"},{"key":"Erp","message":"there"},{"key":"WEBHOOKWORKFLOWSTEP","message":"new"},
	 {"key":"Erp","message":"new"},{"key":"WebhookWorkflowStep","message":"another's","runId":"run_0"},{"key":"WebhookWorkflowStep","message":"old","referenceId":"run_0"}]}`)
	order.OwnErrors(o, before, []string{"ExportOrder", webhookStep}, "run_1")
	ordertest.Same(t, o, `{"errors":[{"message":"there","key":"WebhookWorkflowStep"},{"key":"Erp","message":"there"},{"key":"WEBHOOKWORKFLOWSTEP","message":"new","runId":"run_1"},
	 {"key":"Erp","message":"new"},{"key":"WebhookWorkflowStep","message":"another's","runId":"run_0"},{"key":"WebhookWorkflowStep","message":"old","referenceId":"run_0"}]}`)
}

func TestAddErrorSharesNoListWithAClone(t *testing.T) {
	o := ordertest.Doc(t, `{"errors":[{"key":"A"}]}`)
	list := o.List("errors")
	order.AddError(o, stepError("x", "run_1"), ordertest.Noon)
	if len(list) != 1 || len(o.List("errors")) != 2 {
		t.Error("the old list changed")
	}
}
