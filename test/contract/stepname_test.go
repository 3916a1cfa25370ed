package contract

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/schema"
)

// docs/contract.md#order-errors; errors, histories and reasons name the step.

const fraudCheck = "Fraud check (step 2 of 3, WebhookWorkflowStep): "

func TestWhatWentWrongNamesTheStep(t *testing.T) {
	s := answering(t, success, canceled)
	r, res := placed(t, step{Host: s.URL}, step{Host: s.URL, Stop: true, More: `,"displayName":"Fraud check"`}, step{Host: s.URL, Deferred: true})
	reason := fraudCheck + "Shipping address could not be validated"
	res.is("runStatus", "aborted").is("reason", reason)
	res.is("orderActionExecutionResults[0].displayName", "WebhookWorkflowStep").is("orderActionExecutionResults[1].displayName", "Fraud check")
	res.is("orderActionExecutionResults[1].errorReason", "Shipping address could not be validated")
	run := r.get(runOf(res)).is("reason", reason)
	run.is("orderActionExecutionResults[1].displayName", "Fraud check").is("orderActionExecutionResults[2].displayName", "WebhookWorkflowStep")
	e := r.entry("WorkflowStepFailed")
	equals(t, "the step's entry", e.Step+": "+e.Message, "WebhookWorkflowStep: "+reason)
	equals(t, "the run's entry", r.entry("WorkflowEnded").Message, "the workflow of New was aborted: "+reason)
	equals(t, "the answered step's entry", r.entry("ExecuteExportOrder").Message, "WebhookWorkflowStep (step 1 of 3): answered Success")
	for path, want := range map[string]any{
		"key": "WebhookWorkflowStep", "displayName": "Fraud check", "message": reason, "severity": "Error", "status": "New", "referenceId": nil,
		"runId": res.at("runId"), "occurred": "2026-11-21T09:00:00.000000Z",
	} {
		r.get(theOrder).is("errors[0]."+path, want)
	}
}

func TestAnErrorNamesTheShipmentOrTheReturn(t *testing.T) {
	s := answering(t, canceled)
	r := lease(t)
	r.settings(with(config(status("Packed", step{Host: s.URL, Stop: true})), returnStatuses(step{Host: s.URL, Stop: true})))
	r.post(order)
	res := r.ship("SHIP-2", "Packed")
	res.is("order.errors[0].referenceId", "SHIP-2").is("order.errors[0].runId", res.at("runId")).is("order.errors[0].displayName", nil)
	res = r.giveBack("1")
	res.is("order.errors[1].referenceId", res.at("returnId")).is("order.errors[1].runId", res.at("runId")).is("order.errors[1].key", returnStep)
}

func TestClearingErrorsIsInTheHistory(t *testing.T) {
	s := answering(t, canceled, success, success)
	r, first := placed(t, step{Host: s.URL, Stop: true, More: `,"displayName":"Fraud check"`})
	r.call("PATCH", theOrder, `{"errors":[{"key":"Erp","message":"credit limit"}]}`).want(200)
	second := r.enter("New").is("order.errors[0].key", "Erp").is("order.errors[1]", nil)
	e := r.entry("ErrorsCleared")
	equals(t, "entry", fmt.Sprint(e.Step, e.RunID == second.at("runId"), e.CallID == second.at("orderActionExecutionResults[0].callId"), e.IsError), "WebhookWorkflowSteptrue true false")
	if !strings.HasPrefix(e.Message, "Fraud check (step 1 of 1, WebhookWorkflowStep): ") || !strings.Contains(e.Message, "Shipping address could not be validated") {
		t.Errorf("message %q", e.Message)
	}
	before := fmt.Sprint(e.Changes[0].Before)
	if !strings.HasPrefix(e.Changes[0].Path, "errors") || !strings.Contains(before, first.text("runId")) || strings.Contains(fmt.Sprint(e.Changes[0].After), first.text("runId")) {
		t.Errorf("changes %v", e.Changes)
	}
	version := r.get(theOrder).at("version")
	r.enter("New").is("order.version", version)
	r.entry("ErrorsCleared") // nothing was left to clear
}

func TestAnAnswerThatCannotBeAppliedClearsNothing(t *testing.T) {
	s := answering(t, canceled, answerWith(`{"OrderForm":{"LineItems":[{"LineItemId":"L1","PlacedPrice":1e1001}]}}`))
	r, _ := placed(t, step{Host: s.URL, Stop: true})
	r.enter("New").is("isAborted", true).is("order.errors[0].message", ofStep(1, 1, "Shipping address could not be validated"))
	equals(t, "entries", len(r.history("ErrorsCleared")), 0)
}

func TestAnErrorThatAStepAddedStaysInItsRun(t *testing.T) {
	s := answering(t, answerWith(`{"Errors":[{"Key":"WebhookWorkflowStep","Message":"by hand, please"},{"Key":"Erp","Message":"late"}]}`), success, success)
	r, res := placed(t, step{Host: s.URL}, step{Host: s.URL})
	res.is("order.errors[0].message", "by hand, please").is("order.errors[0].runId", res.at("runId")).is("order.errors[1].runId", nil).is("order.errors[2]", nil)
	r.enter("New").is("order.errors[0].key", "Erp").is("order.errors[1]", nil)
}

func TestAnErrorIsSolvedByAPatch(t *testing.T) {
	s := answering(t, canceled, canceled)
	r, _ := placed(t, step{Host: s.URL, Stop: true, More: `,"displayName":"Fraud check"`})
	shown := r.get(theOrder).doc().Objects("errors")[0]
	shown.Set("status", "Solved")
	r.call("PATCH", theOrder, `{"errors":[`+string(shown.JSON())+`]}`).want(200).is("errors[0].status", "Solved").is("errors[1]", nil)
	r.enter("New").is("order.errors[0].status", "Solved").is("order.errors[1].status", "New").is("order.errors[2]", nil)
}

func TestASuccessThatEchoesTheErrorClearsIt(t *testing.T) {
	var s *sink
	s = endpoint(t, func(w http.ResponseWriter, n int) {
		if n == 0 {
			_, _ = io.WriteString(w, canceled)
			return
		}
		sent, err := schema.Parse(s.got()[n].Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, answerWith(string(sent.Object("Value").JSON())))
	})
	r, _ := placed(t, step{Host: s.URL, Stop: true})
	r.enter("New").is("isAborted", false).is("order.errors", []string{}).is("orderActionExecutionResults[0].changes", nil)
	r.entry("ErrorsCleared")
}

func TestErrorsStoredBeforeTheyHadARunID(t *testing.T) {
	s := answering(t, canceled, success, success)
	r, res := placed(t, step{Host: s.URL, Stop: true})
	r.call("PATCH", theOrder, `{"keepExistingListItems":false,"errors":[{"key":"WebhookWorkflowStep","message":"old","referenceId":"`+res.text("runId")+`"}]}`).want(200)
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("errors", []string{})
	r.call("PATCH", theOrder, `{"errors":[{"key":"WebhookWorkflowStep","message":"old","referenceId":"run_of_before"}]}`).want(200)
	r.enter("New").is("order.errors", []string{})
}

func TestEntriesThatAreNoFailureNameTheStepToo(t *testing.T) {
	s := answering(t, `{"OrderActionExecutionResults":[{"ActionStatus":"Warning","ErrorReason":"new customer"}]}`, `{"OrderActionExecutionResults":[{"CancelWorkflow":true,"ErrorReason":"too new"}]}`)
	r, _ := placed(t, step{Host: s.URL}, step{Host: s.URL, More: `,"displayName":"Age"`}, step{Host: s.URL, More: `,"displayName":"Nordic","enabledForMarkets":["SWE"]`})
	equals(t, "a warning", r.entry("ExecuteExportOrder").Message, "WebhookWorkflowStep (step 1 of 3): answered Warning: new customer")
	equals(t, "a cancel without StopOnError", r.entry("WorkflowStepWarning").Message,
		"Age (step 2 of 3, WebhookWorkflowStep): the endpoint canceled, which the step does not heed without StopOnError: too new")
	equals(t, "a skipped step", r.entry("WorkflowStepSkipped").Message, "Nordic (step 3 of 3, WebhookWorkflowStep): the step was skipped: not enabled for market NOR")
}
