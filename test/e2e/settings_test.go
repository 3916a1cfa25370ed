package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// workflow is settings whose status New calls an endpoint.
func workflow(url string) string {
	return fmt.Sprintf(`{"connectors": [{"name": "Shop", "connectorId": "c1", "host": %q, "token": "s3cret"}],
		"orderTypes": [{"name": "Online", "orderStatuses": [{"name": "New", "workflowSteps": [
		{"name": "WebhookWorkflowStep", "active": true, "connector": "Shop"}]}]}]}`, url)
}

func TestSettingsCheck(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.file(t, "good.json", workflow("https://shop.example"))
	if out := w.succeeds(t, "settings", "check", "good.json"); out != "good.json: no errors\n" {
		t.Errorf("of a good file it prints %q", out)
	}
	w.file(t, "warned.json", strings.Replace(workflow("https://shop.example"), `"connector": "Shop"`, `"connector": "Shup"`, 1))
	out := w.succeeds(t, "settings", "check", "warned.json")
	if !strings.Contains(out, `warning: orderTypes[0].orderStatuses[0].workflowSteps[0].connector: no connector is named "Shup"`) {
		t.Errorf("of a doubtful file it prints %q", out)
	}
	w.file(t, "bad.json", strings.Replace(workflow("shop"), `"name": "Online"`, `"name": ""`, 1))
	w.refuses(t, "bad.json: 2 errors", "settings", "check", "bad.json")
	out = w.run(t, "settings", "check", "bad.json").out
	if !strings.Contains(out, "connectors[0].host: ") || !strings.Contains(out, "orderTypes[0].name: is needed\n") {
		t.Errorf("of a bad file it prints %q", out)
	}
	w.file(t, "broken.json", "{\n \"a\": x}")
	w.refuses(t, "broken.json: malformed JSON at line 2, column 7: ", "settings", "check", "broken.json")
	if w.has("orderhook.db") {
		t.Error("a check makes a database")
	}
}

func TestSettingsApply(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	for i, c := range []struct{ url, want string }{
		{"https://a.example", "applied as version 1\n"},
		{"https://a.example", "nothing to change in version 1\n"},
		{"https://b.example", "applied as version 2\n"},
	} {
		w.file(t, "s.json", workflow(c.url))
		if out := w.succeeds(t, "settings", "apply", "s.json"); out != c.want {
			t.Errorf("%d: it prints %q", i, out)
		}
	}
	if got := s.expect(t, http.StatusOK, "GET", "/api/settings", s.newKey, "").text; !strings.Contains(got, "https://b.example") {
		t.Errorf("the server has %s", got)
	}
	w.file(t, "bad.json", workflow("nowhere"))
	w.refuses(t, "bad.json: 1 error", "settings", "apply", "bad.json")
	w.file(t, "new-secret.json", strings.Replace(workflow("https://b.example"), "s3cret", "other", 1))
	if out := w.succeeds(t, "settings", "apply", "new-secret.json"); out != "applied as version 3\n" {
		t.Errorf("of another secret it prints %q", out)
	}
	w.refuses(t, `there is no tenant "acme"`, "settings", "apply", "s.json", "--tenant", "acme")
	w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "reader")
	if out := w.succeeds(t, "settings", "apply", "s.json", "--tenant", "acme"); out != "applied as version 1\n" {
		t.Errorf("for another tenant it prints %q", out)
	}
}

func TestServeAppliesSettingsOnce(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_API_KEY=admin-key-of-mine")
	w.file(t, "settings.json", workflow("https://shop.example"))
	for _, want := range []int{1, 1, 2} {
		s := w.serve(t, "--settings", "settings.json")
		history := s.expect(t, http.StatusOK, "GET", "/api/settings/history", "admin-key-of-mine", "").body
		if items, _ := history["items"].([]any); len(items) != want {
			t.Errorf("%d versions, want %d", len(items), want)
		}
		s.stop(t)
		if want == 1 && w.has("restarted") {
			w.file(t, "settings.json", workflow("https://other.example"))
		}
		w.file(t, "restarted", "")
	}
	w.file(t, "settings.json", workflow("nowhere"))
	w.refuses(t, "settings.json: connectors[0].host: ", "serve", "--settings", "settings.json")
}
