package contract

import (
	"testing"
)

// The errors that steps leave on an order (docs/contract.md#effects).

func TestErrorsOfEarlierRunsAreClearedBySuccess(t *testing.T) {
	for _, row := range []struct {
		name, second string
		left         []string // the errors' messages, after the second run
	}{
		{"Success", success, nil},
		{"empty body", "", nil},
		{"Warning", `{"OrderActionExecutionResults":[{"ActionStatus":"Warning"}]}`, nil},
		{"Error adds one", `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"second"}]}`, []string{ofStep(1, 1, "first"), ofStep(1, 1, "second")}},
		{"CancelWorkflow adds one", `{"OrderActionExecutionResults":[{"CancelWorkflow":true,"ErrorReason":"second"}]}`, []string{ofStep(1, 1, "first"), ofStep(1, 1, "second")}},
		{"a failed call adds one", "garbage", []string{ofStep(1, 1, "first"), ofStep(1, 1, "invalid response: malformed JSON at line 1, column 1: invalid character 'g' at start of value")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := answering(t, `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"first"}]}`, row.second)
			r, _ := placed(t, step{Host: s.URL, Stop: true})
			r.call("PATCH", theOrder, `{"errors":[{"key":"Erp","message":"credit limit"}]}`).want(200)
			r.enter("New")
			var got []string
			for _, e := range r.get(theOrder).doc().Objects("errors") {
				if e.Text("key") == "WebhookWorkflowStep" {
					got = append(got, e.Text("message"))
				}
			}
			equals(t, "errors", got, row.left)
			equals(t, "the ERP's", r.get(theOrder).doc().Objects("errors")[min(1, len(row.left))].Text("key"), "Erp")
		})
	}
}

func TestASuccessKeepsTheErrorsOfItsOwnRun(t *testing.T) {
	s := answering(t, success)
	_, res := placed(t, step{ID: "gone"}, step{Host: s.URL})
	res.is("order.errors[0].message", ofStep(1, 2, "connector not found: Webhook with the ConnectorId gone"))
}

func TestErrorStatusOnlyWithStopOnError(t *testing.T) {
	for _, row := range []struct {
		name, status string
		step         step
	}{
		{"with both", "ValidationFailed", step{Stop: true, ErrorStatus: "ValidationFailed"}},
		{"no StopOnError", "New", step{ErrorStatus: "ValidationFailed"}},
		{"no ErrorStatus", "New", step{Stop: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, body := range []string{canceled, "not JSON"} {
				row.step.Host = answering(t, body).URL
				_, res := placed(t, row.step)
				res.is("order.status", row.status).is("isAborted", row.step.Stop)
			}
		})
	}
}

func TestErrorStatusAndPatchStatusStartNoWorkflow(t *testing.T) {
	other := answering(t, "")
	for _, s := range []step{
		{Host: answering(t, canceled).URL, Stop: true, ErrorStatus: "Other"},
		{Host: answering(t, answerWith(`{"Status":"Other"}`)).URL},
	} {
		r := lease(t)
		r.settings(config(status("New", s), status("Other", step{Host: other.URL})))
		res := r.post(order).is("order.status", "Other")
		r.ended().is("items[0].id", res.at("runId")).is("items[1]", nil)
	}
	equals(t, "calls of the other status's step", len(other.got()), 0)
}

func TestAPatchStatusDoesNotEndItsRun(t *testing.T) {
	s := answering(t, answerWith(`{"Status":"Validated"}`), answerWith(`{"Status":"Picked"}`), "")
	_, res := placed(t, step{Host: s.URL}, step{Host: s.URL}, step{Host: s.URL})
	res.is("order.status", "Picked").is("orderActionExecutionResults[2].actionStatus", "Success")
	is(t, s.got()[1].Body, "Value.Status", "Validated")
	is(t, s.got()[2].Body, "Value.Status", "Picked")
}

func TestAnAnswerThatChangesNothingMakesNoVersion(t *testing.T) {
	s := answering(t, "", "{}", success, answerWith(`{"Tags":["first"],"CustomerEmail":"kari@example.com"}`))
	r, res := placed(t, step{Host: s.URL}, step{Host: s.URL}, step{Host: s.URL}, step{Host: s.URL})
	res.is("order.version", 1)
	equals(t, "answers in the history", len(r.history("ExecuteExportOrder")), 4)
}
