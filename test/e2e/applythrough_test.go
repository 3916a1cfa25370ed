package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestApplyThroughAServer with keys that may not do it, and without a change: with an error, and
// with --dry-run, the server is as it was, in the tenant of the file and in that of the key.
func TestApplyThroughAServer(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	s := w.serve(t)
	acme := strings.TrimSpace(w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "admin"))
	w.file(t, "site.json", `{"settings":{"connectors":[{"name":"ERP","connectorId":"e","host":"https://erp.example"}]},
		"endpoints":[{"description":"warehouse","url":"http://127.0.0.1:1/","eventTypes":["*"],"secret":"`+siteSecret+`"}],
		"keys":[{"name":"shop","role":"publisher","key":"`+siteKey+`"}]}`)
	// state is what a file may change, and who changed it.
	state := func() string {
		all := ""
		for _, key := range []string{crashKey, acme} {
			for _, path := range []string{"/api/settings", "/api/endpoints", "/api/audit?action=create-endpoint", "/api/audit?action=put-settings"} {
				all += s.expect(t, 200, "GET", path, key, "").text
			}
		}
		for _, tenant := range []string{"default", "acme"} {
			for line := range strings.Lines(w.succeeds(t, "keys", "list", "--tenant", tenant)) {
				all += strings.Join(strings.Fields(line)[:1], "") + "\n" // the rest says when a key was used
			}
		}
		return all
	}
	tries := func(what string, code int, want, server, key string, args ...string) {
		t.Helper()
		before := state()
		r := w.run(t, append([]string{"apply", "site.json", "--url", server, "--key-file", w.file(t, "key", key+"\n")}, args...)...)
		if r.code != code || !strings.Contains(r.out+r.errOut, want) || strings.Contains(r.out+r.errOut, key) || strings.Contains(r.out+r.errOut, siteSecret) || strings.Contains(r.out, "applied") {
			t.Errorf("%s: code %d, %s%s; want %d and %q", what, r.code, r.out, r.errOut, code, want)
		}
		if after := state(); after != before {
			t.Errorf("%s: something has changed: %s\n%s", what, before, after)
		}
	}
	tries("the key of another tenant", 2, `the key is of tenant "acme", and not of "default"`, s.url, acme)
	tries("the key of another tenant, which is named", 2, `the key is of tenant "default", and not of "acme"`, s.url, crashKey, "--tenant", "acme")
	tries("a dry run with the key of another tenant", 2, `the key is of tenant "acme"`, s.url, acme, "--dry-run")
	tries("a dry run", 1, "site.json: 3 differences", s.url, crashKey, "--dry-run")
	tries("a wrong key", 2, "the server answers 401: the key is not known", s.url, "no-key-of-anybody")
	operator := strings.TrimSpace(w.succeeds(t, "keys", "create", "--role", "operator"))
	tries("an operator's key", 2, "the server answers 403", s.url, operator)
	tries("a dry run with an operator's key", 2, "the server answers 403", s.url, operator, "--dry-run")

	expired := strings.TrimSpace(w.succeeds(t, "keys", "create", "--role", "admin", "--name", "expired", "--expires-at", time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
	sqlite(t, w, "orderhook.db", `UPDATE api_keys SET expires = 1577836800000000 WHERE name = 'expired'`)
	tries("a key that has expired", 2, "expired at 2020-01-01", s.url, expired)

	// The role of a key does not change, but a key may be made anew with another one. That happens
	// between what the command looks at and what it changes.
	const again = "a-key-that-is-made-anew"
	s.expect(t, 200, "PUT", "/api/installation", crashKey, `{"keys":[{"name":"again","role":"admin","key":"`+again+`"}]}`)
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	passes, dryRuns := httputil.NewSingleHostReverseProxy(to), 0
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodPut:
		case r.URL.Query().Get("dryRun") == "true":
			dryRuns++
		default:
			s.call("PUT", "/api/installation", crashKey, `{"keys":[{"name":"again","absent":true}]}`)
			s.call("PUT", "/api/installation", crashKey, `{"keys":[{"name":"again","role":"reader","key":"`+again+`"}]}`)
		}
		passes.ServeHTTP(w, r)
	}))
	t.Cleanup(between.Close)
	before := items(s.expect(t, 200, "GET", "/api/endpoints", crashKey, ""))
	r := w.run(t, "apply", "site.json", "--url", between.URL, "--key-file", w.file(t, "key", again))
	if r.code != 2 || !strings.Contains(r.errOut, "the server answers 403") || strings.Contains(r.out, "applied") || dryRuns != 1 {
		t.Errorf("a key that is a reader's by now: %d dry runs, code %d, %s%s", dryRuns, r.code, r.out, r.errOut)
	}
	if after := items(s.expect(t, 200, "GET", "/api/endpoints", crashKey, "")); len(after) != len(before) {
		t.Errorf("it has made %v", after)
	}
	s.expect(t, 401, "GET", "/api/me", siteKey, "")
	if a := s.expect(t, 200, "GET", "/api/me", again, ""); a.body["role"] != "reader" {
		t.Errorf("the key made anew is %s", a.text)
	}
	s.stop(t)
}
