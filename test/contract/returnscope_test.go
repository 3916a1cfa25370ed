package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#which-steps-run, docs/contract.md#order-errors, and
// docs/contract.md#attempts by `returnId`.

func TestReturnStepErrorsAreClearedByItsOwnSuccessOnly(t *testing.T) {
	const failedAnswer = `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"no room"}]}`
	orderStep, theReturn := answering(t, failedAnswer, success, failedAnswer), answering(t, failedAnswer, failedAnswer, success)
	r := lease(t)
	r.settings(with(config(status("New", step{Host: orderStep.URL})), returnStatuses(step{Host: theReturn.URL})))
	keys := func(a answer) (keys []string) {
		for _, e := range a.doc().Object("order").Objects("errors") {
			keys = append(keys, e.Text("key"))
		}
		return keys
	}
	equals(t, "after the order's step failed", keys(r.post(order)), []string{"WebhookWorkflowStep"})
	equals(t, "after the return's failed too", keys(r.giveBack("0.5")), []string{"WebhookWorkflowStep", "WebhookReturnWorkflowStep"})
	equals(t, "after the order's succeeded", keys(r.enter("New")), []string{"WebhookReturnWorkflowStep"})
	equals(t, "after the return's failed again", keys(r.giveBack("0.5")), []string{"WebhookReturnWorkflowStep", "WebhookReturnWorkflowStep"})
	equals(t, "after the order's failed again", keys(r.enter("New")), []string{"WebhookReturnWorkflowStep", "WebhookReturnWorkflowStep", "WebhookWorkflowStep"})
	equals(t, "after the return's succeeded", keys(r.giveBack("0.5")), []string{"WebhookWorkflowStep"})
}

func TestWhereAReturnStepRuns(t *testing.T) {
	const not, elsewhere = "it runs in return workflows only", "it runs in the statuses Returned and PartiallyReturned only"
	for _, row := range []struct {
		name, status string
		scope        string // "" enters the status without a return
		reason       string // "" when it runs
	}{
		{"Returned", "Returned", "returnId", ""},
		{"PartiallyReturned", "PartiallyReturned", "returnId", ""},
		{"in any case", "partiallyRETURNED", "returnId", ""},
		{"another status of a return", "Inspected", "returnId", elsewhere},
		{"Returned of an order", "Returned", "", not},
		{"another status of an order", "Packed", "", not},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			at := func(name string) string { return status(name, step{Name: returnStep, Host: s.URL}) }
			doc := config(at("Returned"), at("Packed"))
			r.settings(with(doc, `"returnStatuses":[`+at("Returned")+","+at("PartiallyReturned")+","+at("Inspected")+"]"))
			r.post(order)
			id := r.giveBack("1").text("returnId")
			body := fmt.Sprintf(`{"status":%q}`, row.status)
			if row.scope != "" {
				body = fmt.Sprintf(`{"status":%q,%q:%q}`, row.status, row.scope, id)
			}
			res := r.call("POST", theOrder+"/status", body).want(200).is("isAborted", false)
			equals(t, "runs", len(s.got()) == 2, row.reason == "") // once for the return itself
			res.is("orderActionExecutionResults[0].actionStatus", map[bool]any{true: "Success", false: nowhere}[row.reason == ""])
			if row.reason != "" {
				equals(t, "why not", r.entry("WorkflowStepSkipped").Message, returnStep+" (step 1 of 1): the step was skipped: "+row.reason)
			}
		})
	}
}

func TestAReturnStatusThatSettingsDoNotName(t *testing.T) {
	r := lease(t)
	r.post(order)
	res := r.giveBack("2").is("order.status", "Returned").is("orderActionExecutionResults", []string{})
	r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"Refunded","returnId":%q}`, res.at("returnId"))).want(200).is("order.status", "Refunded")
}

func TestStatusWithAReturn(t *testing.T) {
	s := answering(t, "")
	r := returning(t, step{Host: s.URL})
	first, second := r.giveBack("1").text("returnId"), r.giveBack("1").text("returnId")
	res := r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"PartiallyReturned","returnId":%q}`, first)).want(200)
	res.is("returnId", first).is("order.status", "PartiallyReturned")
	for i, want := range []string{first, second, first} {
		is(t, s.got()[i].Body, "ReturnOrderFormId", want)
	}
	r.get("/api/runs/"+res.text("runId")).is("returnId", first).is("enteredStatus", "PartiallyReturned")
	before := r.stored()
	for _, id := range []string{"ret_none", "L1"} {
		r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"Returned","returnId":%q}`, id)).problem(422, "body.returnId")
	}
	r.call("POST", "/api/orders/none/status", fmt.Sprintf(`{"status":"Returned","returnId":%q}`, first)).problem(404)
	equals(t, "what is stored", r.stored(), before)
}

func TestAttemptsOfAReturn(t *testing.T) {
	s := failing(t, 1, 500)
	r := returning(t, step{Host: s.URL})
	res := r.giveBack("1")
	list := r.get("/api/attempts?kind=returnStep&returnId="+res.text("returnId")).is("items[2]", nil)
	for i, number := range []int{2, 1} {
		at := fmt.Sprintf("items[%d].", i)
		list.is(at+"kind", "returnStep").is(at+"number", number).is(at+"orderId", "ORD-12345").is(at+"returnId", res.at("returnId"))
		list.is(at+"runId", res.at("runId")).is(at+"callId", res.at("orderActionExecutionResults[0].callId"))
	}
	r.get("/api/attempts?kind=step").is("items[0]", nil)
	r.get("/api/attempts?returnId=other").is("items[0]", nil)
}

func TestTheReturnStepIsDescribed(t *testing.T) {
	steps := lease(t).get("/api/workflow-steps")
	steps.is("items[1].key", returnStep).is("items[1].group", "Export").is("items[1].applicableStatuses", []string{"Returned", "PartiallyReturned"})
	described := fmt.Sprint(steps.at("items[1].properties"), steps.at("items[1].listedProperties"))
	for _, name := range []string{"connector", "connectorId", "runAfterOrderIsSaved", "stopOnError", "translateKey", "Host", "ErrorStatus", "RequestHeaders"} {
		if !strings.Contains(described, name) {
			t.Errorf("%s is not described in %s", name, described)
		}
	}
}

// TriggerNewStatus: the run of the return goes on with its return.
func TestTriggerNewStatusOfAReturnKeepsItsReturn(t *testing.T) {
	for _, row := range []struct {
		name, status string
		statuses     string // more return statuses
		keeps        bool
	}{
		{"a return status", "Returned", "", true},
		{"another return status", "Inspected", "," + status("Inspected", step{Name: exportStep, Host: "SINK/inspected"}), true},
		{"in another case", "RETURNED", "", true},
		{"a status of orders alone", "Packed", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := answering(t, triggering(row.status), ""), lease(t)
			at := func(name string) string { return status(name, step{Name: returnStep, Host: s.URL + "/" + name}) }
			doc := config(status("Packed", step{Host: s.URL + "/Packed"}))
			r.settings(with(doc, `"returnStatuses":[`+at("Returned")+","+at("PartiallyReturned")+strings.ReplaceAll(row.statuses, "SINK", s.URL)+"]"))
			r.post(order)
			res := r.giveBack("1").is("order.status", row.status)
			runs := r.ended().is("items[0].enteredStatus", row.status).is("items[0].status", "succeeded").is("items[1].triggeredRunId", r.get("/api/runs").text("items[0].id"))
			want := any(res.text("returnId"))
			if !row.keeps {
				want = nil
			}
			runs.is("items[0].returnId", want)
			if row.statuses != "" {
				_, e, _ := r.export()
				is(t, e.Data, "returnOrderForm.returnId", want)
				return
			}
			is(t, s.got()[1].Body, "ReturnOrderFormId", want)
		})
	}
}
