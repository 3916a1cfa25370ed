package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#runs: `POST /api/orders/{id}/status` with dryRun: what would run, be
// skipped and change, and nothing stored.

// rehearse makes a dry run of a status change, whose further fields have a
// comma in front, and checks that it stores nothing.
func (r *rig) rehearse(status, more string, headers ...string) answer {
	r.t.Helper()
	before := r.stored()
	a := r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":%q,"dryRun":true%s}`, status, more), headers...)
	equals(r.t, "what is stored after a dry run", r.stored(), before)
	return a
}

const calling = `,"callWebhooks":true`

// outlook returns what a dry run says of each step, as "Skipped: why".
func outlook(a answer) (out []string) {
	a.t.Helper()
	for _, s := range a.doc().Objects("orderActionExecutionResults") {
		line := s.Text("actionStatus")
		if reason := s.Text("errorReason"); reason != "" {
			line += ": " + reason
		}
		out = append(out, line)
	}
	return out
}

func TestADryRunSaysWhatEachStepWouldDo(t *testing.T) {
	for _, row := range []struct {
		name, want string
		step       string
	}{
		{"runs", "WouldRun", step{Host: "http://HOST"}.String()},
		{"runs, after the order is saved", "WouldRun", step{Host: "http://HOST", Deferred: true}.String()},
		{"another market", "Skipped: not enabled for market NOR", step{Host: "http://HOST", More: `,"enabledForMarkets":["SWE"]`}.String()},
		{"its market is disabled", "Skipped: disabled for market NOR", step{Host: "http://HOST", More: `,"disabledForMarkets":["NOR"]`}.String()},
		{"another store", "Skipped: not enabled for store oslo-city", step{Host: "http://HOST", More: `,"enabledForStores":["bergen"]`}.String()},
		{"its tag is disabled", "Skipped: disabled for tag first", step{Host: "http://HOST", More: `,"disabledForTags":["first"]`}.String()},
		{"its condition does not hold", "Skipped: none of its conditions holds: Error", step{Host: "http://HOST", More: `,"conditions":["Error"]`}.String()},
		{"its condition holds", "WouldRun", step{Host: "http://HOST", More: `,"conditions":["Success"]`}.String()},
		{"inactive", "Skipped: it is not active", strings.Replace(step{Host: "http://HOST"}.String(), `"active":true`, `"active":false`, 1)},
		{"a step of returns", "Skipped: it runs in return workflows only", step{Name: returnStep, Host: "http://HOST"}.String()},
		{"a step that there is not", "Skipped: orderhook has no step of this name", step{Name: "SendFax", Host: "http://HOST"}.String()},
		{"connector not found", "Error: connector not found: Webhook with the ConnectorId gone", step{ID: "gone", Stop: true}.String()},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.post(order)
			all := strings.ReplaceAll(step{Host: "http://HOST/first"}.String()+","+row.step, "http://HOST", s.URL)
			r.settings(`{"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"Accepted","workflowSteps":[` + all + `]}]}]}`)
			res := r.rehearse("Accepted", "").want(200).is("isAborted", false).is("runId", nil).is("order.status", "Accepted")
			equals(t, "steps", outlook(res), []string{"WouldRun", row.want})
			res.is("orderActionExecutionResults[0].step", "WebhookWorkflowStep").is("orderActionExecutionResults[0].attempts", 0)
			equals(t, "calls", len(s.got()), 0)
		})
	}
}

func TestADryRunOfAStatusWithoutSteps(t *testing.T) {
	r := lease(t)
	r.post(order)
	r.rehearse("Parked", "").want(200).is("orderActionExecutionResults", []string{}).is("order.status", "Parked").is("order.version", 1)
	r.rehearse("Parked", `,"skipRunWorkflow":true`+calling).want(200).is("orderActionExecutionResults", []string{}).is("order.status", "Parked")
	r.rehearse("new", "").want(200).is("order.status", "New")
}

func TestDryRunsThatCannotBe(t *testing.T) {
	r := lease(t)
	r.post(order)
	for _, row := range []struct {
		name, status, more string
		code               int
		place              string
	}{
		{"no such shipment", "Packed", `,"shipmentId":"SHIP-9"`, 422, "body.shipmentId"},
		{"no such return", "Returned", `,"returnId":"ret_none"`, 422, "body.returnId"},
		{"no status", "  ", "", 422, "body.status"},
		{"callWebhooks that is none", "Packed", `,"callWebhooks":"yes"`, 422, "body.callWebhooks"},
	} {
		t.Run(row.name, func(t *testing.T) { r.in(t).rehearse(row.status, row.more).problem(row.code, row.place) })
	}
	r.rehearse("Packed", "", "If-Match", `"7"`).problem(412)
	r.call("POST", "/api/orders/none/status", `{"status":"Packed","dryRun":true}`).problem(404)
	r.stranger().call("POST", theOrder+"/status", `{"status":"Packed","dryRun":true}`).problem(404)
	r.role("reader").call("POST", theOrder+"/status", `{"status":"Packed","dryRun":true}`).problem(403)
	r.role("publisher").call("POST", theOrder+"/status", `{"status":"Packed","dryRun":true}`, "If-Match", `"1"`).want(200)
}

func TestADryRunLeavesItsIdempotencyKeyFree(t *testing.T) {
	r := lease(t)
	r.post(order)
	r.rehearse("Packed", "", "Idempotency-Key", "one").want(200)
	r.rehearse("Held", "", "Idempotency-Key", "one").want(200).is("order.status", "Held")
	r.call("POST", theOrder+"/status", `{"status":"Packed"}`, "Idempotency-Key", "one").want(200).is("order.version", 2)
}

func TestADryRunWaitsForNobody(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL})))
	finish := r.begin("/api/orders", order)
	g.wait()
	equals(t, "steps", outlook(r.rehearse("New", "").want(200)), []string{"WouldRun"})
	g.answer(success)
	finish().want(201).is("orderActionExecutionResults[0].actionStatus", "Success")
}
