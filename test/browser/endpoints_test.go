package browser

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestEveryPageOfWebhooks looks at the pages of endpoints, deliveries, events and jobs as
// TestEveryPage looks at the others.
func TestEveryPageOfWebhooks(t *testing.T) {
	s := startServer(t)
	s.seed()
	s.first("/api/deliveries?status=succeeded")
	failing := s.first("/api/endpoints")
	well := s.call("GET", "/api/endpoints", "")["items"].([]any)[1].(map[string]any)["id"].(string)
	delivery, event := s.first("/api/deliveries?endpointId="+failing), s.first("/api/events?type=OrderCreated&orderId=ORD-1")
	at := "/endpoints/" + failing
	for range 30 {
		s.call("POST", "/api/endpoints/"+well+"/test", "")
	}
	s.call("POST", "/api"+at+"/recover", `{"from":"2026-01-01T00:00:00Z","what":"missing"}`)
	s.call("POST", "/api/deliveries/redeliver", `{"status":"failed"}`)
	job := s.first("/api/jobs")
	s.call("PATCH", "/api/endpoints/"+well, `{"filter":"data.status == \"New\"","signatures":["v1","v1a"],"rateLimit":50,"description":"The warehouse in Oslo"}`)
	fed, _ := s.call("POST", "/api/endpoints", `{"url":"feed:","eventTypes":["*"],"description":"Read by listen"}`)["id"].(string)
	pages := []struct{ name, path, says string }{
		{"endpoints", "/endpoints", "The warehouse in Oslo"},
		{"endpoint-feed", at + "/feed", "What follows"},
		{"endpoint-feed-end", at + "/feed?after=latest", "Nothing follows"},
		{"endpoint-feed-wrong", at + "/feed?after=here", "After the position: "},
		{"endpoint-fed", "/endpoints/" + fed, "Nothing is sent to it"},
		{"endpoint-fed-empty", "/endpoints/" + fed + "/feed", "has been given nothing yet"},
		{"endpoint", "/endpoints/" + well, "Public key"},
		{"endpoint-failing", at, "Failed attempts since the last success"},
		{"endpoint-attempts", at + "/attempts", "OrderCreated"},
		{"endpoint-new", "/endpoints/new", "Create the endpoint"},
		{"endpoint-edit", "/endpoints/" + well + "/edit", "Save"},
		{"endpoint-test", at + "/test", "Send it"},
		{"endpoint-rotate", at + "/rotate-secret", "Make a new secret"},
		{"endpoint-disable", at + "/disable", "gets nothing any more"},
		{"endpoint-delete", at + "/delete", "cannot be brought back"},
		{"endpoint-recover", at + "/recover", "Since:"},
		{"endpoint-recover-failed", at + "/recover?what=failed&from=2026-01-01T00:00:00Z", "failed for good"},
		{"endpoint-recover-missing", at + "/recover?what=missing&from=2026-01-01T00:00:00Z", "never got"},
		{"endpoints-found", "/endpoints?q=oslo&enabled=true", "The warehouse in Oslo"},
		{"endpoints-none", "/endpoints?q=nowhere", "Nothing is found."},
		{"explain", "/endpoints/explain", "Write a filter"},
		{"explain-endpoint", "/endpoints/explain?endpointId=" + well, "data.status"},
		{"explain-filter", "/endpoints/explain?endpointId=" + well + "&filter=" + url.QueryEscape(`data.orderForm.total > 2000 && data.status == "New"`) + "&eventTypes=Order*", "1234.50"},
		{"explain-wrong", "/endpoints/explain?filter=data.total+%3E", "Filter: line 1"},
		{"deliveries", "/deliveries", "OrderCreated"},
		{"deliveries-failing", "/deliveries?endpointId=" + failing, "Send all of these again"},
		{"delivery", "/deliveries/" + delivery, "Last change"},
		{"delivery-cancel", "/deliveries/" + delivery + "/cancel", "Cancel the delivery"},
		{"delivery-again", "/deliveries/" + delivery + "/redeliver", "again, now"},
		{"deliveries-again", "/deliveries/redeliver?endpointId=" + failing, "the filter picks"},
		{"deliveries-cancel", "/deliveries/cancel?endpointId=" + failing, "the filter picks"},
		{"events", "/events", "OrderCreated"},
		{"events-wrong", "/events?from=yesterday", "From: must be a time"},
		{"event", "/events/" + event, "SHOE-42"},
		{"event-again", "/events/" + event + "/redeliver", "twice, with the same webhook-id"},
		{"event-types", "/event-types", "stock_item_back_in_stock"},
		{"event-publish", "/events/publish", "Publish the event"},
		{"jobs", "/jobs", "Send deliveries again"},
		{"job", "/jobs/" + job, "Looked at"},
	}
	for _, l := range looks() {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(adminKey)
			for _, page := range pages {
				p.visit(page.path)
				p.check(page.name+"-"+l.String(), page.says)
			}
		})
	}
}

// TestAnEndpointByHand: an endpoint is made, seen once with its secret, tested, changed,
// turned off and on, and deleted, with a script and without.
func TestAnEndpointByHand(t *testing.T) {
	s := startServer(t)
	for _, l := range []look{wide, narrow.withoutScript()} {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(s.key("operator"))
			p.visit("/endpoints")
			p.click(`a[href="/endpoints/new"]`)
			p.fill("url", "nonsense")
			p.fill("eventTypes", "order_*\nordr_created")
			p.click("form.stack button.main")
			p.says("the endpoint is not valid")
			p.fill("url", s.receiver+"/hook/"+l.String())
			p.fill("description", "By hand "+hostile)
			p.click("form.stack button.main")
			p.check("endpoint-made-"+l.String(), "whsec_")
			p.says("not shown again", "ordr_created") // which is warned of
			p.click(".buttons a.main")
			at := p.at()
			p.says("nothing sent yet", "order_*, ordr_created")
			if strings.Contains(p.text("body"), "whsec_") {
				t.Error("the secret is shown again")
			}

			p.click(`a[href="` + at + `/test"]`)
			p.click("form.stack button.main")
			if !strings.HasPrefix(p.at(), "/attempts/") {
				t.Errorf("the test leads to %s", p.at())
			}
			p.says("200", s.receiver+"/hook/"+l.String())

			p.visit(at + "/edit")
			p.fill("eventTypes", "order_completed")
			p.fill("filter", "data.total >")
			p.click("form.stack button.main")
			p.says("the endpoint is not valid")
			p.fill("filter", "data.total > 1000")
			p.click("form.stack button.main")
			p.says("Saved.", "data.total > 1000", "order_completed", "By hand "+hostile)

			p.click(`a[href="` + at + `/disable"]`)
			p.click("form.stack button.danger")
			p.says("It is off.")
			p.click(`a[href="` + at + `/enable"]`)
			p.click("form.stack button.main")
			p.says("It is on.")
			p.click(`a[href="` + at + `/rotate-secret"]`)
			p.fill("overlap", "an hour")
			p.click("form.stack button.main")
			p.says("must be a duration")
			p.fill("overlap", "PT1H")
			p.click("form.stack button.main")
			p.says("whsec_")
			p.visit(at)
			p.click(`a[href="` + at + `/delete"]`)
			p.click("form.stack button.danger")
			if p.at() != "/endpoints?done=deleted" {
				t.Errorf("deleting leads to %s", p.at())
			}
			p.visit(at)
			p.says("Not Found")
		})
	}
}

// TestWhyNot: an event that an endpoint did not get is explained, the filter is changed
// until it matches, and is taken over.
func TestWhyNot(t *testing.T) {
	s := startServer(t)
	endpoint := s.call("POST", "/api/endpoints", `{"url":"`+s.receiver+`/hook","eventTypes":["OrderCreated"],"filter":"data.customerEmail == 'b@example.com'"}`)["id"].(string)
	s.call("POST", "/api/orders", `{"id":"ORD-1","status":"New","customerEmail":"a@example.com"}`)
	p := open(t, s.url, narrow.withoutScript())
	p.signIn(s.key("operator"))
	p.visit("/events/" + s.first("/api/events"))
	p.says("No endpoint wanted it.")
	p.fill("endpointId", endpoint)
	p.click("form.row button")
	p.says("not matched", "the filter is not true for it", `"a@example.com"`)
	p.fill("filter", "data.customerEmail == 'a@example.com'")
	p.click("form.form button.main")
	p.says("matched", "true")
	p.click(`a[href^="/endpoints/` + endpoint + `/edit"]`)
	p.click("form.stack button.main")
	p.says("Saved.", "data.customerEmail == 'a@example.com'")
	s.call("POST", "/api/orders", `{"id":"ORD-2","status":"New","customerEmail":"a@example.com"}`)
	s.all("/api/deliveries?status=succeeded&orderId=ORD-2", 1)
}

// TestWebhooksByKeyboard: an endpoint is made and tested, and a job is begun, with nothing
// but keys.
func TestWebhooksByKeyboard(t *testing.T) {
	s := startServer(t)
	s.call("POST", "/api/endpoints", `{"url":"`+s.receiver+`/fail","eventTypes":["*"],"retrySchedule":["PT0S"]}`)
	s.call("POST", "/api/orders", `{"id":"ORD-1","status":"New"}`)
	s.all("/api/deliveries?status=failed", 1)
	p := open(t, s.url, wide)
	p.signIn(adminKey)
	p.tabTo(`nav a[href="/endpoints"]`)
	p.enter()
	p.tabTo(`a[href="/endpoints/new"]`)
	p.enter()
	p.tabTo(`input[name="url"]`)
	p.press(s.receiver + "/hook")
	p.tabTo(`textarea[name="eventTypes"]`)
	p.press("order_*")
	p.tabTo("form.stack button.main")
	p.enter()
	p.says("whsec_")
	p.tabTo(`.buttons a[href$="/test"]`)
	p.enter()
	p.tabTo("form.stack button.main")
	p.enter()
	p.says("200", s.receiver+"/hook")
	p.visit("/deliveries?status=failed")
	p.tabTo(`a[href^="/deliveries/redeliver"]`)
	p.enter()
	p.tabTo("form.stack button.main")
	p.enter()
	p.says("Send deliveries again")
}

// TestEverythingBack: an endpoint that failed for an hour is sent everything again, from
// the list of endpoints in four clicks; and so does a filter over deliveries.
func TestEverythingBack(t *testing.T) {
	s := startServer(t)
	s.call("POST", "/api/endpoints", `{"url":"`+s.receiver+`/fail","eventTypes":["*"],"retrySchedule":["PT0.1S"]}`)
	for _, id := range []string{"ORD-1", "ORD-2", "ORD-3"} {
		s.call("POST", "/api/orders", `{"id":"`+id+`","status":"New"}`)
	}
	s.all("/api/deliveries?status=failed", 3)
	endpoint := s.first("/api/endpoints")
	s.call("PATCH", "/api/endpoints/"+endpoint, `{"url":"`+s.receiver+`/hook"}`) // the other side is put right
	for _, l := range []look{wide.withoutScript(), narrow} {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(s.key("operator"))
			p.visit("/endpoints")
			if l.noScript {
				p.click("table.list td.name a")
				p.click(`a[href$="/recover"]`)
				p.says("3 deliveries failed for good", "OrderCreated")
				p.click("form .buttons button.main")
			} else {
				s.call("PATCH", "/api/endpoints/"+endpoint, `{"url":"`+s.receiver+`/fail"}`)
				s.call("POST", "/api/orders", `{"id":"ORD-4","status":"New"}`)
				s.all("/api/deliveries?status=failed&orderId=ORD-4", 1)
				s.call("PATCH", "/api/endpoints/"+endpoint, `{"url":"`+s.receiver+`/hook"}`)
				p.visit("/deliveries?status=failed&endpointId=" + url.QueryEscape(endpoint))
				p.click(`a[href^="/deliveries/redeliver"]`)
				p.says("Send 1 again", endpoint, "failed")
				p.click("form.stack button.main")
			}
			if !strings.HasPrefix(p.at(), "/jobs/") {
				t.Fatalf("the button leads to %s", p.at())
			}
			p.says("Sent again")
		})
	}
	s.all("/api/deliveries?status=succeeded", 4)
}

// TestAnEventByHand: an event is published by hand, and sent again.
func TestAnEventByHand(t *testing.T) {
	s := startServer(t)
	s.call("POST", "/api/endpoints", `{"url":"`+s.receiver+`/hook","eventTypes":["loyalty.*"]}`)
	p := open(t, s.url, narrow.withoutScript())
	p.signIn(s.key("publisher"))
	p.visit("/events")
	p.click(`a[href="/events/publish"]`)
	p.fill("type", "OrderCreated")
	p.fill("data", `{"points": 1.50, "note": "<b>"}`)
	p.click("form.stack button.main")
	p.says("type") // it is orderhook's own
	p.fill("type", "loyalty.points_earned")
	p.click("form.stack button.main")
	p.says("The event is published.", "1.50", "<b>", "loyalty.points_earned")
	at, _, _ := strings.Cut(p.at(), "?")
	s.all("/api/deliveries?status=succeeded", 1)
	q := open(t, s.url, wide)
	q.signIn(s.key("operator"))
	q.visit(at)
	q.says("succeeded")
	q.click(`a[href$="/redeliver"]`)
	q.click("form.stack button.main")
	q.says("It is sent again.")
	s.all("/api/attempts?kind=event", 2)
}

// all waits until a list has so many entries.
func (s *server) all(list string, want int) {
	s.t.Helper()
	found := 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if found = len(s.call("GET", list, "")["items"].([]any)); found == want {
			return
		}
	}
	s.t.Fatalf("%s has %d entries, not %d", list, found, want)
}
