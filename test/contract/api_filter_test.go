package contract

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/jsondoc"
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
	  "storeId":"Bergen","externalIds":[{"providerName":"shop","id":"EXT-1"},{"providerName":"erp","id":"77"}],"errors":[{"key":"x","status":"Solved"},{"key":"y"}],
	  "note":"100% wool_knit","deep":[{"name":"Blåbærsyltetøy ÆØÅ"}],"price":10.10}`)
	r.post(`{"id":"b","status":"Held","marketId":"SWE","orderType":"Store","customerEmail":"ola@example.com","subscriptionId":"S-2","tags":["VIP"],"created":"2026-01-02T00:00:00Z",
	  "storeId":"oslo","externalIds":[{"id":"EXT-2"}],"errors":[{"key":"x","status":"Solved"},{"key":"y","status":"DELETED"}],
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
		{"storeId", "bergen", "a"}, {"storeId", "OSLO", "b"}, {"storeId", "berg", ""},
		{"externalId", "EXT-1", "a"}, {"externalId", "77", "a"}, {"externalId", "EXT-2", "b"}, {"externalId", "ext-2", ""}, {"externalId", "EXT", ""}, {"externalId", "shop", ""},
		{"hasErrors", "true", "a"}, {"hasErrors", "false", "c b"}, {"hasErrors", "", "c b a"},
		{"modifiedFrom", "2026-11-20", "c b a"}, {"modifiedFrom", "2999-01-01T00:00:00Z", ""},
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
	equals(t, "together", r.found("hasErrors", "true", "storeId", "Bergen", "externalId", "77", "modifiedFrom", "2026-11-20", "status", "New", "q", "wool"), []string{"a"})
	equals(t, "together", r.found("hasErrors", "false", "storeId", "Bergen"), []string{})
}

func TestOrdersAreFoundByWhenTheyWereChanged(t *testing.T) {
	r := lease(t)
	for _, id := range []string{"a", "b", "c"} {
		r.call("POST", "/api/orders", `{"id":"`+id+`","created":"2026-01-01T00:00:00Z"}`).want(201)
	}
	r.clock.Advance(time.Hour)
	since := r.clock.Now().Format(time.RFC3339Nano)
	equals(t, "before", r.found("modifiedFrom", since), []string{})
	r.call("PATCH", "/api/orders/b", `{"tags":["x"]}`).want(200)
	r.call("POST", "/api/orders", `{"id":"new"}`).want(201)
	r.call("PATCH", "/api/orders/a", `{"id":"a"}`).want(200) // changes nothing
	equals(t, "after", r.found("modifiedFrom", since), []string{"new", "b"})
	equals(t, "page by page", r.all("/api/orders?limit=1&modifiedFrom="+url.QueryEscape(since), "id", func() {}), []string{"new", "b"})
}

func TestSolvingAnErrorTakesAnOrderOffTheList(t *testing.T) {
	r, _ := placed(t, step{Host: answering(t, canceled).URL, Stop: true})
	equals(t, "with errors", r.found("hasErrors", "true"), []string{"ORD-12345"})
	r.call("PATCH", theOrder, `{"keepExistingListItems":false,"errors":[{"key":"WebhookWorkflowStep","message":"looked at","status":"Solved"}]}`).want(200)
	equals(t, "with errors", r.found("hasErrors", "true"), []string{})
	equals(t, "without", r.found("hasErrors", "false"), []string{"ORD-12345"})
}

func TestFiltersThatCannotBeRead(t *testing.T) {
	r := lease(t)
	for path, place := range map[string]string{
		"/api/orders?hasErrors=maybe": "query.hasErrors", "/api/orders?modifiedFrom=yesterday": "query.modifiedFrom", "/api/runs?canceled=7x": "query.canceled",
		"/api/runs?from=x": "query.from", "/api/runs?to=x": "query.to", "/api/runs?status=stopped": "query.status",
		"/api/orders?status=New&status=Held": "query.status", "/api/orders?limit=2&limit=3": "query.limit", "/api/runs?status=aborted&orderId=a&status=failed": "query.status",
		"/api/deliveries?status=failed&status=pending": "query.status", "/api/attempts?host=a&host=a": "query.host",
	} {
		r.call("GET", path, "").problem(422, place)
	}
}

// TestBlankFiltersAreRefused in every list, and where a body is the filter.
func TestBlankFiltersAreRefused(t *testing.T) {
	r, names := furnished(t)
	tried := 0
	eachOperation(r.get("/api/openapi.json").doc(), "paths", func(at string, op *jsondoc.Object) {
		s, isSample := samples[at]
		if !isSample || !strings.HasPrefix(at, "GET") {
			return
		}
		for _, p := range op.Objects("parameters") {
			if p.Text("in") != "query" {
				continue
			}
			for _, blank := range []string{"+", "%20", "%0a", "%C2%A0%09"} {
				r.call("GET", names.Replace(s.path)+"?"+p.Text("name")+"="+blank, "").problem(422, "query."+p.Text("name"))
				tried++
			}
		}
	})
	equals(t, "many are tried", tried > 200, true)
	for _, call := range []string{"POST /api/runs/resume orderId", "POST /api/runs/resume step", "POST /api/deliveries/redeliver eventType", "POST /api/deliveries/redeliver orderId",
		"POST /api/deliveries/redeliver eventId", "POST /api/deliveries/redeliver endpointId", "POST /api/deliveries/cancel eventType", "POST /api/deliveries/cancel orderId"} {
		method, rest, _ := strings.Cut(call, " ")
		path, field, _ := strings.Cut(rest, " ")
		for _, blank := range []string{" ", `\n`, `\u00a0`} {
			r.call(method, path, fmt.Sprintf(`{"dryRun":true,"%s":"%s"}`, field, blank)).problem(422, "body."+field)
		}
	}
	r.get("/api/orders?status=&customerEmail=&storeId=").is("items[0].id", "ORD-12345") // as forms send it
}

func TestFiltersFollowTheOrder(t *testing.T) {
	r := start(t)
	r.post(order)
	r.call("PATCH", theOrder, `{"storeId":"bergen-1","externalIds":[{"id":"E-1"}]}`).want(200)
	r.call("PATCH", theOrder, `{"customerEmail":"new@example.com","marketId":"DEN","orderType":"Store","subscriptionId":"S-9","storeId":"bergen-9","externalIds":[{"id":"E-9"}],"keepExistingListItems":false,"tags":["second"],"status":"Held"}`).want(200)
	for name, values := range map[string][2]string{"customerEmail": {"kari@example.com", "new@example.com"}, "marketId": {"NOR", "DEN"}, "orderType": {"Online", "Store"},
		"tag": {"first", "second"}, "status": {"New", "Held"}, "subscriptionId": {"S-1", "S-9"}, "storeId": {"bergen-1", "bergen-9"}, "externalId": {"E-1", "E-9"}, "q": {"kari@", "new@"}} {
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
		"canceled=true": "", "canceled=false": "done runs runs stopped done", "canceled=false&status=aborted": "stopped", "canceled=true&status=aborted": "",
		"step=webhookWORKFLOWstep": "runs stopped", "step=WebhookWorkflowStep&status=aborted": "stopped", "step=none": "", "step=WebhookWorkflowStep&orderId=done": "",
		"from=2026-01-01": "done runs runs stopped done", "to=2026-01-01": "", "from=2026-01-01&status=running": "runs",
	} {
		same(t, query, r.get("/api/runs?"+query).ids("orderId"), strings.Fields(want))
	}
	run := r.get("/api/runs/"+stopped.text("runId")).is("status", "aborted").is("orderId", "stopped").is("enteredStatus", "Stop")
	run.is("orderActionExecutionResults[0].actionStatus", "Error").is("settingsVersion", 1)
	equals(t, "reason", run.text("reason"), ofStep(1, 1, "Shipping address could not be validated"))
	s.answer(success)
	r.until("the run is superseded", func() bool { return fmt.Sprint(r.get("/api/runs?status=superseded").ids("orderId")) == "[runs]" })
}
