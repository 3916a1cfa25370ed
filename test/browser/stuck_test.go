package browser

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestWhatIsStuckByHand: the overview says of an endpoint that answered 410 why it is off
// and since when, and of a connector with an open breaker it has the button that helps.
func TestWhatIsStuckByHand(t *testing.T) {
	s := startServer(t)
	var down atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/gone":
			w.WriteHeader(http.StatusGone)
		case down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(other.Close)
	s.call("PUT", "/api/settings", `{"connectors":[{"name":"Webhook","connectorId":"erp","host":"`+other.URL+`","disableStandardErrorPolicy":true,
		"breaker":{"failures":1,"window":"PT1M","openFor":"PT1H","whileOpen":"wait"}}],
		"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"erp"}]}]}]}`)
	s.call("POST", "/api/events", `{"type":"seen.before","data":{}}`)
	gone := s.call("POST", "/api/endpoints", `{"url":"`+other.URL+`/gone","eventTypes":["seen.*"],"description":"A shop that closed"}`)["id"].(string)
	s.call("POST", "/api/events", `{"type":"seen.now","data":{}}`)
	s.all("/api/deliveries?status=failed", 1)
	missing := s.call("POST", "/api/endpoints", `{"url":"`+s.receiver+`/hook","eventTypes":["seen.*"]}`)["id"].(string)
	down.Store(true)
	s.call("POST", "/api/orders", `{"id":"ORD-1","status":"New"}`)
	s.call("POST", "/api/orders?wait=false", `{"id":"ORD-2","status":"New"}`)
	s.all("/api/runs?status=waiting", 1)
	s.call("DELETE", "/api/orders/ORD-1?permanently=true", "")
	for _, l := range []look{wide, narrow.inDark()} {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(adminKey)
			for _, page := range []struct{ name, path, says string }{
				{"stuck", "/", "the endpoint answered 410 Gone"},
				{"stuck-endpoint", "/endpoints/" + gone, "It was turned off"},
				{"stuck-connectors", "/workflows/connectors", "Try now…"},
				{"stuck-try", "/workflows/connectors/try?connectorId=erp", "lets one call through"},
				{"recover-missing", "/endpoints/" + missing + "/recover?what=missing&from=2026-01-01T00:00:00Z", "the endpoint wants 2 that it never got"},
				{"job-erase", "/jobs/" + s.first("/api/jobs"), "removes the data of its events"},
				{"jobs-erase", "/jobs", "Erase an order"},
			} {
				p.visit(page.path)
				p.check(page.name+"-"+l.String(), page.says)
			}
		})
	}
	down.Store(false)
	p := open(t, s.url, wide)
	p.signIn(s.key("operator"))
	p.visit("/")
	p.click(`a[href^="/workflows/connectors/try"]`)
	p.click("form.stack button.main")
	if !strings.HasPrefix(p.at(), "/workflows/connectors") {
		t.Fatalf("the button leads to %s", p.at())
	}
	s.all("/api/runs?status=succeeded", 1)
}
