package contract

import (
	"slices"
	"testing"
)

// docs/contract.md#settings: `POST /api/settings/check` with an order is a dry
// run with settings that are not stored.

func TestSettingsAreTriedOnAnOrder(t *testing.T) {
	s, r := answering(t, success), lease(t)
	r.settings(config(status("Accepted", step{Host: s.URL})))
	r.post(order)
	tried := config(status("New", step{Host: s.URL}), status("Accepted", step{Host: s.URL, More: `,"enabledForMarkets":["SWE"]`}, step{Host: s.URL, Name: returnStep}))
	before, settings := r.stored(), r.settingsStored()
	for _, row := range []struct {
		query, status string
		want          []string
	}{
		{"", "New", []string{"WouldRun"}}, // the status that it is in
		{"&status=New", "New", []string{"WouldRun"}},
		{"&status=%20accepted", "accepted", []string{"Skipped: not enabled for market NOR", "Skipped: it runs in return workflows only"}},
		{"&status=Unknown", "Unknown", nil},
	} {
		a := r.call("POST", "/api/settings/check?orderId=ORD-12345"+row.query, tried).want(200).is("dryRun.runId", nil).is("dryRun.order.status", row.status)
		var got []string
		for _, s := range a.doc().Object("dryRun").Objects("orderActionExecutionResults") {
			line := s.Text("actionStatus")
			if reason := s.Text("errorReason"); reason != "" {
				line += ": " + reason
			}
			got = append(got, line)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, not %q", row.query, got, row.want)
		}
	}
	r.call("POST", "/api/settings/check", tried).want(200).is("dryRun", nil)
	r.call("POST", "/api/settings/check?orderId=ORD-12345", config(status("New", step{Name: "none"}))).want(200).is("warnings[0].path", "orderTypes[0].orderStatuses[0].workflowSteps[0].name")
	equals(t, "what is stored after a dry run", r.stored(), before)
	equals(t, "the settings after it", r.settingsStored(), settings)
	equals(t, "calls that were made", len(s.got()), 0)
}

func TestSettingsAreNotTriedOnWhatIsNotThere(t *testing.T) {
	r, other := lease(t), lease(t)
	r.post(order)
	r.call("POST", "/api/settings/check?orderId=none", `{}`).problem(404)
	other.call("POST", "/api/settings/check?orderId=ORD-12345", `{}`).problem(404)
	r.call("POST", "/api/settings/check?status=New", `{}`).problem(422, "query.orderId")
	r.call("POST", "/api/settings/check?orderId=ORD-12345&returnId=none", `{}`).problem(422, "query.returnId")
	r.call("POST", "/api/settings/check?orderId=ORD-12345&shipmentId=none", `{}`).problem(422, "query.shipmentId")
	r.call("POST", "/api/settings/check?orderId=ORD-12345", `{"connectors":[{}]}`).problem(422, "body.connectors[0].name")
}
