package browser

import "testing"

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
		{"attempts-wrong", "/attempts?status=nonsense", "query.status"},
		{"attempts-more", "/attempts?connectorId=erp&minDurationMs=0", "Clear all"},
		{"attempt", "/attempts/" + attempt, "All attempts of this call"},
		{"attempt-failed", "/attempts/" + s.first("/api/attempts?kind=event&outcome=failed"), "no such customer"},
		{"replay-form", "/attempts/" + attempt + "/replay", "It changes nothing here"},
		{"replay", "/attempts/" + attempt + "/replays/" + replay, "Where they differ"},
		{"job", "/jobs/" + job, "Sent again"},
		{"job-cancel", "/jobs/" + job + "/cancel", "The job stops where it is"},
		{"keys", "/keys", "of a test"},
		{"key-new", "/keys/new", "It is shown once"},
		{"key-delete", "/keys/key_1/delete", "signed out"},
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
