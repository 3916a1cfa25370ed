package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// simulatedStep is a workflow step of a shop, with whatever more it has.
func simulatedStep(name, url, more string) string {
	return fmt.Sprintf(`{"name":"WebhookWorkflowStep","displayName":%q,"connector":"Webhook"%s,"properties":[{"key":"Host","value":"%s/%s"},{"key":"ErrorStatus","value":"Held"}]}`, name, more, url, name)
}

// simulatedShop is settings whose statuses New and Accepted have these steps.
func simulatedShop(entered, accepted string) string {
	return fmt.Sprintf(`{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New","workflowSteps":[%s]},{"name":"Accepted","workflowSteps":[%s]}]}]}`, entered, accepted)
}

// TestSimulate: what happened comes out the same by the settings that there were, and what
// would have happened by others is told order by order; nothing is called for it, and nothing
// of the orders is written.
func TestSimulate(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	endpoint := newReceiver(t, func(w http.ResponseWriter, r *http.Request, got receipt) {
		answer := `{}`
		switch {
		case r.URL.Path == "/Fraud" && strings.Contains(got.body, "ORD-bad"):
			answer = `{"orderActionExecutionResults":[{"status":"Error","errorReason":"score too high","cancelWorkflow":true}]}`
		case r.URL.Path == "/Fraud":
			answer = `{"orderPatch":{"properties":[{"key":"Score","value":"2"}]}}`
		case r.URL.Path == "/ERP":
			answer = `{"orderActionExecutionResults":[{"triggerNewStatus":"Accepted"}]}`
		}
		fmt.Fprint(w, answer)
	})
	fraud, erp, mail := simulatedStep("Fraud", endpoint.URL, `,"stopOnError":true`), simulatedStep("ERP", endpoint.URL, ""), simulatedStep("Mail", endpoint.URL, "")
	w.file(t, "today.json", simulatedShop(fraud+","+erp, mail))
	s := w.serve(t, "--settings", "today.json")
	for _, id := range []string{"ORD-good", "ORD-bad"} {
		s.expect(t, http.StatusCreated, "POST", "/api/orders", crashKey, fmt.Sprintf(`{"id":%q,"orderType":"Online"}`, id))
	}
	before := w.orders(t, s)

	for _, args := range [][]string{{}, {"--settings", "today.json"}} {
		if out := w.succeeds(t, append([]string{"simulate"}, args...)...); !strings.Contains(out, "self-check: 3 of 3 runs reproduced\n") {
			t.Errorf("with %v it says %s", args, out)
		}
	}
	for name, c := range map[string]struct {
		settings string
		want     []string
	}{
		"another status": {simulatedShop(strings.Replace(fraud, "Held", "Review", 1)+","+erp, mail), []string{"ORD-bad  status  Held → Review"}},
		"no stop": {simulatedShop(strings.Replace(fraud, "true", "false", 1)+","+erp, mail),
			[]string{"ORD-bad  runs[New].steps[Fraud].result  Error → Warning", "ORD-bad  unknown: the run of New: ERP (step 2 of 2, WebhookWorkflowStep) was not called then"}},
		"removed": {simulatedShop(erp, mail), []string{`ORD-good  order.properties  [{"key":"Score","value":"2"}] → -`, "ORD-good  note: ERP (step 1 of 1, WebhookWorkflowStep) is sent another order here"}},
		"moved":   {simulatedShop(erp+","+fraud, mail), []string{`ORD-good  runs[New].steps  ["Fraud","ERP"] → ["ERP","Fraud"]`}},
		"added":   {simulatedShop(fraud+","+erp, mail+","+simulatedStep("SMS", endpoint.URL, "")), []string{"ORD-good  unknown: the run of Accepted: SMS (step 2 of 2, WebhookWorkflowStep) was not called then"}},
		"limited": {simulatedShop(fraud+","+strings.Replace(erp, `"name"`, `"enabledForMarkets":["NOR"],"name"`, 1), mail),
			[]string{"ORD-good  runs[New].steps[ERP].result Success → Skipped", "ORD-good  runs[Accepted] succeeded → -", "ORD-good  status Accepted → New"}},
	} {
		w.file(t, "new.json", c.settings)
		got := w.run(t, "simulate", "--settings", "new.json")
		for _, want := range c.want {
			if !strings.Contains(spaced(got.out), spaced(want)) {
				t.Errorf("%s: it says\n%s, want %s", name, got.out, want)
			}
		}
		if got.code != 1 {
			t.Errorf("%s: it ends with %d", name, got.code)
		}
	}
	w.file(t, "new.json", simulatedShop(fraud+","+strings.Replace(erp, `"name"`, `"enabledForMarkets":["NOR"],"name"`, 1), mail))
	if got := w.run(t, "simulate", "--settings", "new.json", "--order", "ORD-good", "--json").out; !strings.Contains(got, `{"path":"status","then":"Accepted","now":"New"}`) || !strings.Contains(got, `"summary":{`) {
		t.Errorf("as JSON it is %s", got)
	}
	w.refuses(t, `the order "nope" has no run in this time`, "simulate", "--order", "nope")
	w.refuses(t, "--to is not after --from", "simulate", "--from", "2026-11-02T00:00:00Z", "--to", "2026-11-01T00:00:00Z")
	w.refuses(t, "no such file", "simulate", "--settings", "gone.json")
	if calls, _ := endpoint.all(); len(calls) != 4 {
		t.Errorf("the endpoint was called %d times, and 4 times before the simulations", len(calls))
	}
	if after := w.orders(t, s); after != before {
		t.Errorf("the orders were %s and are %s", before, after)
	}
}

// orders is all that the API shows of the orders and their runs.
func (w where) orders(t *testing.T, s *server) (text string) {
	t.Helper()
	for _, path := range []string{"/api/orders", "/api/runs", "/api/attempts", "/api/orders/ORD-good/history", "/api/orders/ORD-bad/history", "/api/settings/history"} {
		text += s.expect(t, http.StatusOK, "GET", path, crashKey, "").text
	}
	return text
}

// spaced is a text with a single space for any number of them.
func spaced(text string) string { return strings.Join(strings.Fields(text), " ") }
