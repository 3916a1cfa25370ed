package browser

import (
	"strings"
	"testing"
)

// TestCancelByHand: a delivery and a run that would go on by themselves are ended, each
// after a page that says what that does; then the delivery is sent after all.
func TestCancelByHand(t *testing.T) {
	s := startServer(t)
	s.call("PUT", "/api/settings", `{"connectors":[{"name":"Webhook","connectorId":"erp","host":"`+s.receiver+`/fail"}],
		"orderTypes":[{"name":"Standard","default":true,"orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"erp","stopOnError":true}]}]}]}`)
	s.call("POST", "/api/endpoints", `{"url":"`+s.receiver+`/fail","eventTypes":["*"],"retrySchedule":["PT1H","PT1H"]}`)
	s.call("POST", "/api/orders?wait=false", `{"id":"ORD-1","status":"New"}`)
	delivery, run := s.first("/api/deliveries?status=pending&lastStatus=500"), s.first("/api/runs?status=waiting")

	p := open(t, s.url, narrow.withoutScript())
	p.signIn(s.key("operator"))
	p.visit("/deliveries/" + delivery)
	p.click(`a[href$="/cancel"]`)
	p.click("main form button.main, main form button.danger")
	s.first("/api/deliveries?status=canceled")
	p.says("canceled")
	p.click(`a[href$="/redeliver"]`)
	p.click("main form button.main")
	s.first("/api/deliveries?status=pending")

	// All that a filter picks at once, the first of which is this one.
	s.call("POST", "/api/orders?wait=false", `{"id":"ORD-2","status":"Packed"}`)
	s.all("/api/deliveries?status=pending", 2)
	p.visit("/deliveries?status=pending")
	p.click(`a[href^="/deliveries/cancel"]`)
	p.says("Cancel 2", "not over one page", "pending")
	p.click("main form button.danger")
	if !strings.HasPrefix(p.at(), "/jobs/") {
		t.Fatalf("the button leads to %s", p.at())
	}
	s.all("/api/deliveries?status=canceled", 2)
	p.says("Cancel deliveries")

	p.visit("/runs/" + run)
	p.click(`a[href$="/cancel"]`)
	p.click("main form button.main, main form button.danger")
	s.first("/api/runs?status=canceled")
	p.says("canceled")
}
