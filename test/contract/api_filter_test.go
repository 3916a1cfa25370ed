package contract

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// found returns the ids of the orders that a query finds.
func (r *rig) found(query ...string) []string {
	r.t.Helper()
	q := url.Values{}
	for i := 0; i < len(query); i += 2 {
		q.Add(query[i], query[i+1])
	}
	return r.get("/api/orders?" + q.Encode()).ids("id")
}

func TestEveryFilterOfOrders(t *testing.T) {
	r := start(t)
	r.post(`{"id":"a","status":"New","marketId":"NOR","orderType":"Online","customerEmail":"Kari@Example.com","subscriptionId":"S-1","tags":["vip","x"],"created":"2026-01-01T00:00:00Z",
	  "note":"100% wool_knit","deep":[{"name":"Blåbærsyltetøy ÆØÅ"}],"price":10.10}`)
	r.post(`{"id":"b","status":"Held","marketId":"SWE","orderType":"Store","customerEmail":"ola@example.com","subscriptionId":"S-2","tags":["VIP"],"created":"2026-01-02T00:00:00Z",
	  "note":"100 wool-knit","deep":[{"name":"日本語 \"quoted\" back\\slash 🎁"}]}`)
	r.post(`{"id":"c","status":"new","created":"2026-01-03T00:00:00Z","tags":null,"note":"a\nb","Ångström":"x"}`)
	for _, c := range []struct{ name, value, want string }{
		{"status", "New", "c a"}, {"status", "NEW", "c a"}, {"status", "held", "b"}, {"status", "None", ""}, {"status", "Ne", ""}, {"status", "", "c b a"},
		{"marketId", "NOR", "a"}, {"marketId", "nor", "a"}, {"marketId", "%", ""}, {"orderType", "store", "b"},
		{"customerEmail", "kari@example.com", "a"}, {"customerEmail", "KARI@EXAMPLE.COM", "a"}, {"customerEmail", "example.com", ""}, {"customerEmail", "_la@example.com", ""},
		{"subscriptionId", "S-2", "b"}, {"subscriptionId", "S", ""},
		{"tag", "vip", "a"}, {"tag", "x", "a"}, {"tag", "VIP", "b"}, {"tag", "vi", ""}, {"tag", `vip","x`, ""},
		{"from", "2026-01-02T00:00:00Z", "c b"}, {"from", "2026-01-02T00:00:00.000001Z", "c"}, {"from", "2026-01-02", "c b"}, {"from", "2026-01-02T01:00:00+01:00", "c b"},
		{"to", "2026-01-02T00:00:00Z", "a"}, {"to", "2026-01-02T00:00:00.000001Z", "b a"}, {"to", "2025-01-01", ""},
		{"q", "wool", "b a"}, {"q", "WOOL_", "a"}, {"q", "100%", "a"}, {"q", "%", "a"}, {"q", "_", "a"}, {"q", "100_wool", ""},
		{"q", "blåbær", "a"}, {"q", "BLÅBÆRSYLTETØY æøå", "a"}, {"q", "日本", "b"}, {"q", "🎁", "b"}, {"q", `"quoted"`, "b"}, {"q", `back\slash`, "b"},
		{"q", "a\nb", "c"}, {"q", "10.10", "a"}, {"q", "kari@example", "a"}, {"q", "customerEmail", ""}, {"q", "ångström", ""}, {"q", "vip", "b a"}, {"q", "'; DROP TABLE orders; --", ""},
		{"q", "\xff", ""},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) { same(t, "found", r.in(t).found(c.name, c.value), strings.Fields(c.want)) })
	}
	equals(t, "together", r.found("status", "new", "from", "2026-01-02", "q", "b"), []string{"c"})
	equals(t, "together", r.found("marketId", "NOR", "orderType", "Online", "customerEmail", "kari@example.com", "subscriptionId", "S-1", "tag", "x", "from", "2026-01-01", "to", "2026-01-02", "q", "wool", "status", "New"), []string{"a"})
	equals(t, "together", r.found("marketId", "NOR", "status", "Held"), []string{})
}

func TestFiltersFollowTheOrder(t *testing.T) {
	r := start(t)
	r.post(order)
	r.call("PATCH", theOrder, `{"customerEmail":"new@example.com","marketId":"DEN","orderType":"Store","subscriptionId":"S-9","keepExistingListItems":false,"tags":["second"],"status":"Held"}`).want(200)
	for name, values := range map[string][2]string{"customerEmail": {"kari@example.com", "new@example.com"}, "marketId": {"NOR", "DEN"}, "orderType": {"Online", "Store"},
		"tag": {"first", "second"}, "status": {"New", "Held"}, "subscriptionId": {"S-1", "S-9"}, "q": {"kari@", "new@"}} {
		equals(t, name+" of before", r.found(name, values[0]), []string{})
		equals(t, name+" of now", r.found(name, values[1]), []string{"ORD-12345"})
	}
}

func TestEveryFilterOfRuns(t *testing.T) {
	r, s := start(t), holding(t)
	fails := answering(t, canceled)
	r.settings(config(status("Wait", step{Host: s.URL}), status("Stop", step{Host: fails.URL, Stop: true})))
	r.post(`{"id":"done"}`)
	stopped := r.post(`{"id":"stopped","status":"Stop"}`).is("isAborted", true)
	r.call("POST", "/api/orders?wait=false", `{"id":"runs","status":"Wait"}`).want(202)
	s.wait()
	r.call("POST", "/api/orders/runs/status", `{"status":"After"}`, "Prefer", "respond-async").want(202)
	r.call("POST", "/api/orders/done/status", `{"status":"Again"}`).want(200)
	for query, want := range map[string]string{
		"status=running": "runs", "status=waiting": "runs", "status=succeeded": "done done", "status=aborted": "stopped", "status=superseded": "",
		"status=failed": "", "status=canceled": "", "orderId=done": "done done", "orderId=runs": "runs runs", "orderId=none": "",
		"orderId=runs&status=running": "runs", "orderId=done&status=aborted": "", "orderId=runs&limit=1": "runs",
	} {
		same(t, query, r.get("/api/runs?"+query).ids("orderId"), strings.Fields(want))
	}
	run := r.get("/api/runs/"+stopped.text("runId")).is("status", "aborted").is("orderId", "stopped").is("enteredStatus", "Stop")
	run.is("orderActionExecutionResults[0].actionStatus", "Error").is("settingsVersion", 1)
	equals(t, "reason", run.text("reason"), "WebhookWorkflowStep: Shipping address could not be validated")
	s.answer(success)
	r.until("the run is superseded", func() bool { return fmt.Sprint(r.get("/api/runs?status=superseded").ids("orderId")) == "[runs]" })
}
