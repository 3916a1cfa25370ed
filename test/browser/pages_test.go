package browser

import (
	"strings"
	"testing"
)

// TestEveryPage looks at every page, as [looks] says: it says what it is
// about, nothing is wider than the window, axe-core finds no serious violation, and
// nothing of what is shown is taken for markup.
func TestEveryPage(t *testing.T) {
	s := startServer(t)
	s.seed()
	attempt := s.first("/api/attempts?kind=step&orderId=ORD-1&outcome=succeeded")
	replay := s.call("POST", "/api/attempts/"+attempt+"/replay", "")["replay"].(map[string]any)["id"].(string)
	s.key("reader")
	job := s.call("POST", "/api/deliveries/redeliver", `{"status":"failed"}`)["id"].(string)
	pages := []struct{ name, path, says string }{
		{"overview", "/", "Runs that were aborted or failed: 1"},
		{"attempts", "/attempts", "OrderCreated"},
		{"attempts-none", "/attempts?orderId=none", "Nothing is found."},
		{"attempts-wrong", "/attempts?status=nonsense", "Status: "},
		{"attempts-more", "/attempts?connectorId=erp&minDurationMs=0", "Clear all"},
		{"attempt", "/attempts/" + attempt, "All attempts of this call"},
		{"attempt-failed", "/attempts/" + s.first("/api/attempts?kind=event&outcome=failed"), "no such customer"},
		{"replay-form", "/attempts/" + attempt + "/replay", "It changes nothing here"},
		{"replay", "/attempts/" + attempt + "/replays/" + replay, "Where they differ"},
		{"job", "/jobs/" + job, "Sent again"},
		{"job-cancel", "/jobs/" + job + "/cancel", "The job stops where it is"},
		{"nodes", "/nodes", "(this one)"},
		{"me", "/me", "With this key you have signed in"},
		{"keys", "/keys", "of a test"},
		{"key-new", "/keys/new", "It is shown once"},
		{"key-delete", "/keys/" + s.first("/api/keys") + "/delete", "signed out"},
		{"audit", "/audit", "put-settings"},
		{"audit-none", "/audit?target=none", "Nothing is found."},
		{"not-found", "/attempts/none", "Not Found"},
	}
	for _, l := range looks() {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.visit("/sign-in")
			p.check("sign-in-"+l.String(), "API key")
			p.signIn(adminKey)
			for _, page := range pages {
				p.visit(page.path)
				p.check(page.name+"-"+l.String(), page.says)
			}
		})
	}
}

// TestEveryEmptyPage looks at the lists of a server that nothing was stored on: each says
// what to do next.
func TestEveryEmptyPage(t *testing.T) {
	s := startServer(t)
	pages := []struct{ name, path, says string }{
		{"overview-empty", "/", "curl " + s.url + "/api/endpoints"},
		{"orders-empty", "/orders", "curl " + s.url + "/api/orders"},
		{"carts-empty", "/carts", s.url + "/api/carts"},
		{"endpoints-empty", "/endpoints", "curl " + s.url + "/api/endpoints"},
		{"attempts-empty", "/attempts", "curl " + s.url + "/api/orders"},
		{"deliveries-empty", "/deliveries", "curl " + s.url + "/api/endpoints"},
		{"events-empty", "/events", "curl " + s.url + "/api/events"},
		{"runs-empty", "/runs", s.url + "/api/settings"},
		{"jobs-empty", "/jobs", "There has been no job yet."},
		{"workflows-empty", "/workflows", s.url + "/api/settings"},
		{"connectors-empty", "/workflows/connectors", "Add a connector"},
		{"settings-history-empty", "/workflows/history", "No settings were ever stored."},
		{"subscription-empty", "/subscriptions/none", "No order has this subscriptionId."},
	}
	for _, l := range []look{wide.inDark(), narrow} {
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

// TestLongWords: what has no place to break is broken all the same, so that no page is
// wider than a narrow window.
func TestLongWords(t *testing.T) {
	s := startServer(t)
	word := strings.Repeat("longword", 12)
	s.callWith("POST", "/api/endpoints", map[string]any{"url": s.receiver + "/" + word, "eventTypes": []string{"x." + word}, "description": word, "filter": `data.id == "` + word + `"`})
	s.callWith("POST", "/api/orders", map[string]any{"id": word, "status": word, "orderType": word, "marketId": word, "customerName": word, "subscriptionId": word, "tags": []string{word},
		"orderForm": map[string]any{"lineItems": []any{map[string]any{"lineItemId": word, "code": word, "name": word, "quantity": 1}}, "shipments": []any{map[string]any{"shipmentId": word, "status": word, "warehouseCode": word}}}})
	s.callWith("POST", "/api/events", map[string]any{"type": "x." + word, "data": map[string]any{word: word}, "subject": map[string]any{"kind": "x", "id": word}})
	endpoint, event := s.first("/api/endpoints"), s.first("/api/events?type=x."+word)
	attempt := s.call("POST", "/api/endpoints/"+endpoint+"/test", "")["id"].(string)
	p := open(t, s.url, narrow)
	p.signIn(adminKey)
	for name, path := range map[string]string{
		"orders": "/orders", "order": "/orders/" + word, "order-blame": "/orders/" + word + "/blame", "order-status": "/orders/" + word + "/status?status=" + word + "&shipmentId=" + word,
		"endpoint": "/endpoints/" + endpoint, "explain": "/endpoints/explain?endpointId=" + endpoint, "attempt": "/attempts/" + attempt, "replay": "/attempts/" + attempt + "/replay",
		"event": "/events/" + event, "event-again": "/events/" + event + "/redeliver",
	} {
		p.visit(path)
		p.check("long-"+name, "longword")
	}
}
