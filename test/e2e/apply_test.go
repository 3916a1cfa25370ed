package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	siteSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	siteKey    = "the-key-of-the-publisher"
)

// site is an installation as a file has it.
func site(url string) string {
	return `{
		"settings": {"connectors":[{"name":"ERP","connectorId":"e","host":"https://erp.example","bearerToken":"${ERP_TOKEN}"}]},
		"endpoints": [{"description":"warehouse","url":"` + url + `","eventTypes":["*"],"secret":"${WAREHOUSE_SECRET}","headers":{"X-Api-Key":"${WAREHOUSE_KEY}"}}],
		"keys": [{"name":"publisher","role":"publisher","keyFile":"publisher.key"}]
	}`
}

// TestAnInstallationInAFile: what the file says is there, after a second time as after the
// first, and each difference is shown, without a secret.
func TestAnInstallationInAFile(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]where{"file": newWhere(t), "server": onPostgreSQL(t)} {
		t.Run(name, func(t *testing.T) {
			w := w.with("ORDERHOOK_API_KEY="+crashKey, "ERP_TOKEN=hush-erp", "WAREHOUSE_SECRET="+siteSecret, "WAREHOUSE_KEY=hush-header")
			to := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(http.StatusNoContent) })
			w.file(t, "publisher.key", siteKey+"\n")
			w.file(t, "site.json", site(to.URL))
			said := ""
			run := func(w where, code int, want string, args ...string) {
				t.Helper()
				r := w.run(t, append([]string{"apply", "site.json"}, args...)...)
				said += r.out + r.errOut
				if r.code != code || !strings.Contains(r.out+r.errOut, want) {
					t.Errorf("apply %v: code %d, %s%s; want %d and %q", args, r.code, r.out, r.errOut, code, want)
				}
			}
			run(w, 1, "site.json: 3 differences", "--dry-run")
			run(w, 1, "site.json: 3 differences", "--dry-run") // nothing was changed
			if w.has("orderhook.db") {
				t.Error("a dry run has made a database")
			}
			if left, err := filepath.Glob(filepath.Join(w.dir, "orderhook-*")); len(left) > 0 || err != nil {
				t.Errorf("a dry run has left %v, %v", left, err)
			}
			run(w, 0, "applied: 3 differences")
			run(w, 0, "nothing to change", "--dry-run")
			run(w, 0, "nothing to change")
			s := w.serve(t)
			s.mustPublish(t, siteKey, "t", "one", map[string]any{})
			got := to.await(t, "an event", func(got []receipt) bool { return len(got) == 1 })
			verifier, err := standardwebhooks.NewWebhook(siteSecret)
			if err != nil {
				t.Fatal(err)
			}
			if err := verifier.Verify([]byte(got[0].body), got[0].header); err != nil || got[0].header.Get("X-Api-Key") != "hush-header" {
				t.Errorf("%v, %v", err, got[0].header)
			}
			run(w, 0, "nothing to change") // beside a server
			for _, c := range []struct{ env, want string }{
				{"ERP_TOKEN=hush-erp-2", "settings: a secret is another one"},
				{"WAREHOUSE_KEY=hush-header-2", `endpoint "warehouse": headers`},
				{"WAREHOUSE_SECRET=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", `endpoint "warehouse": secret`},
			} {
				run(w.with(c.env), 1, c.want, "--dry-run")
			}
			// A change of an endpoint beside a server: the nodes of a database hear of it, the one
			// server of a file makes it itself.
			w = w.with("WAREHOUSE_KEY=hush-header-2")
			if name == "file" {
				run(w, 2, "is in use by another orderhook: give its --url")
				through := []string{"--url", s.url, "--key-file", w.file(t, "admin.key", crashKey+"\n")}
				run(w, 1, `endpoint "warehouse": headers`, append(through, "--dry-run")...)
				run(w, 0, `endpoint "warehouse": headers`, through...)
				run(w, 0, "nothing to change", through...)
				run(w, 2, "the key is of tenant \"default\"", append(through, "--tenant", "acme")...)
			} else {
				run(w, 0, `endpoint "warehouse": headers`)
			}
			until(t, "the new header is sent", func() bool {
				s.mustPublish(t, siteKey, "t", "again", map[string]any{})
				sent := to.await(t, "an event", func(got []receipt) bool { return len(got) > 1 })
				return sent[len(sent)-1].header.Get("X-Api-Key") == "hush-header-2"
			})
			w.file(t, "publisher.key", siteKey+"-2\n")
			w.file(t, "site.json", strings.Replace(site(to.URL), "https://erp.example", "https://erp.example/v2", 1))
			run(w, 1, `connectors[0].host: "https://erp.example" → "https://erp.example/v2"`, "--dry-run")
			run(w, 0, `key "publisher": is replaced, role publisher`)
			if a := s.publish(siteKey+"-2", "t", "two", map[string]any{}); a.status != 202 {
				t.Errorf("the new key: %d %s", a.status, a.text)
			}
			s.stop(t)
			w.file(t, "site.json", `{"endpoints":[{"description":"warehouse","absent":true}],"keys":[{"name":"publisher","absent":true}]}`)
			run(w, 0, "applied: 2 differences")
			run(w, 0, "nothing to change")
			s = w.serve(t)
			if left := items(s.expect(t, 200, "GET", "/api/endpoints", crashKey, "")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			s.expect(t, 401, "GET", "/api/me", siteKey+"-2", "")
			actions := map[string]int{}
			for _, entry := range items(s.expect(t, 200, "GET", "/api/audit?limit=200", crashKey, "")) {
				actor, _ := entry["actor"].(map[string]any)
				if actor["command"] == "apply" {
					actions[fmt.Sprint(entry["action"])]++
				}
				if entry["action"] == "patch-endpoint" && (actor["via"] == "api") != (name == "file") {
					t.Errorf("the endpoint was changed by %v", actor)
				}
			}
			want := map[string]int{"put-settings": 2, "create-endpoint": 1, "patch-endpoint": 1, "delete-endpoint": 1, "create-key": 2, "delete-key": 2}
			if name == "file" { // where the server did it
				delete(want, "patch-endpoint")
			}
			if !maps.Equal(actions, want) {
				t.Errorf("the audit log has %v, want %v", actions, want)
			}
			s.stop(t)
			for _, secret := range []string{"hush", siteKey, siteSecret, "s3cret"} {
				if strings.Contains(said, secret) {
					t.Errorf("%s is shown: %s", secret, said)
				}
			}
		})
	}
}

// TestApplyPrintsWarnings: what settings check warns of, apply does, too, whether or not the settings
// are stored already, and beside an error of the file.
func TestApplyPrintsWarnings(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.file(t, "site.json", `{"settings":`+warned("https://a.example")+`}`)
	warning := `warning: settings.orderTypes[0].orderStatuses[0].workflowSteps[0].connector: no connector is named "Shup"; is Shop meant?` + "\n"
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--dry-run"}, 1, warning + "settings."},
		{nil, 0, warning + "settings."},
		{nil, 0, warning + "nothing to change\n"},
	} {
		r := w.run(t, append([]string{"apply", "site.json"}, c.args...)...)
		if r.code != c.code || !strings.HasPrefix(r.out, c.want) || strings.Count(r.out, "warning: ") != 1 {
			t.Errorf("apply %v: code %d, %s%s", c.args, r.code, r.out, r.errOut)
		}
	}
	w.file(t, "wrong.json", `{"settings":`+withErrors()+`}`)
	if r := w.run(t, "apply", "wrong.json"); r.code != 2 || r.out != warning || !strings.Contains(r.errOut, "wrong.json: settings.") {
		t.Errorf("code %d, %s%s", r.code, r.out, r.errOut)
	}
}

// TestWhatApplyRefuses: nothing of a file is applied if one thing in it is wrong.
func TestWhatApplyRefuses(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ERP_TOKEN=hush-erp", "SHORT=hush")
	w.succeeds(t, "migrate")
	for file, want := range map[string]string{
		`{`:                  "site.json",
		`{"endpoint":[]}`:    "is endpoints meant?",
		`{"endpoints":[{}]}`: "endpoints[0].description is needed",
		`{"endpoints":[3]}`:  "endpoints[0] must be an object",
		`{"endpoints":[{"description":"a","url":"https://x.example","eventTypes":["*"]}]}`:                                         "endpoints[0]: secret is needed",
		`{"endpoints":[{"description":"a","url":"ftp://x.example","eventTypes":["*"],"secret":"` + siteSecret + `"}]}`:             "endpoints[0].url",
		`{"endpoints":[{"description":"a","url":"https://x.example","eventTypes":["*"],"secret":"${SHORT}"}]}`:                     "endpoints[0].secret",
		`{"endpoints":[{"description":"a","url":"https://x.example","eventTypes":["*"],"secret":"${NOT_SET}"}]}`:                   "endpoints[0].secret: ${NOT_SET} is not set",
		`{"endpoints":[{"description":"a","url":"https://x.example","eventTypes":["*"],"secretFile":"none"}]}`:                     "endpoints[0].secretFile",
		`{"endpoints":[{"description":"a","absent":true},{"description":"a","absent":true}]}`:                                      "there are two of",
		`{"endpoints":[{"description":"a","absent":"true"}]}`:                                                                      "endpoints[0].absent must be true or false",
		`{"keys":[{"name":"a","role":"boss","key":"a-key-of-sixteen"}]}`:                                                           "role",
		`{"keys":[{"name":"a","role":"admin"}]}`:                                                                                   "keys[0].key is needed",
		`{"keys":[{"name":"a","role":"admin","key":"${SHORT}"}]}`:                                                                  "too short",
		`{"keys":[{"role":"admin","key":"a-key-of-sixteen"}]}`:                                                                     "name",
		`{"keys":[{"name":"b","role":"admin","key":"a-key-of-sixteen"}],"settings":{"connectors":[{"name":"ERP","host":"nope"}]}}`: "settings",
		`{"settings":{"connectors":[{"name":"ERP","connectorId":"e","host":"https://x.example","bearerToken":"${NOT_SET}"}]}}`:     "NOT_SET",
	} {
		w.file(t, "site.json", file)
		r := w.refuses(t, want, "apply", "site.json")
		if strings.Contains(r.errOut, "hush") || strings.Contains(r.errOut, siteSecret) {
			t.Errorf("a secret is shown: %s", r.errOut)
		}
	}
	w.refuses(t, "none.json", "apply", "none.json")
	if out := w.succeeds(t, "keys", "list"); strings.Contains(out, "admin") {
		t.Errorf("a key was made: %s", out)
	}
}

// TestKeysOfAnInstallation: a key has the limit and the expiry of the file, and gets others; a
// file that is older than the end of its key changes nothing.
func TestKeysOfAnInstallation(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.succeeds(t, "migrate")
	apply := func(fields string) result {
		w.file(t, "site.json", `{"keys":[{"name":"shop","role":"reader","key":"a-key-of-sixteen"`+fields+`}]}`)
		return w.run(t, "apply", "site.json")
	}
	for _, c := range []struct {
		fields string
		code   int
		want   string
	}{
		{`,"expiresAt":"2020-01-01T00:00:00Z"`, 2, "keys[0]: expiresAt must be a time to come"},
		{`,"rateLimit":"many"`, 2, "keys[0].rateLimit"},
		{`,"rateLimit":2.5,"expiresAt":"2099-01-01T00:00:00Z"`, 0, `key "shop": is made`},
		{`,"rateLimit":2.50,"expiresAt":"2099-01-01T01:00:00+01:00"`, 0, "nothing to change"},
		{``, 0, "nothing to change"},
		{`,"rateLimit":3`, 0, `key "shop": rateLimit`},
		{`,"expiresAt":"2020-01-01T00:00:00Z"`, 2, "keys[0]: expiresAt must be a time to come"},
		{`,"rateLimit":null,"expiresAt":"2098-01-01T00:00:00Z"`, 0, `key "shop": rateLimit, expiresAt`},
	} {
		if r := apply(c.fields); r.code != c.code || !strings.Contains(r.out+r.errOut, c.want) {
			t.Errorf("%s: code %d, %s%s", c.fields, r.code, r.out, r.errOut)
		}
	}
	sqlite(t, w, "orderhook.db", `UPDATE api_keys SET expires = 1577836800000000 WHERE name = 'shop'`)
	if r := apply(`,"expiresAt":"2020-01-01T00:00:00Z"`); r.code != 0 || !strings.Contains(r.out, "nothing to change") {
		t.Errorf("a key that has expired: code %d, %s%s", r.code, r.out, r.errOut)
	}
	if r := apply(``); r.code != 2 || !strings.Contains(r.errOut, "expired at 2020-01-01") {
		t.Errorf("a key that has expired, of which the file says no end: code %d, %s%s", r.code, r.out, r.errOut)
	}
	if out := w.succeeds(t, "keys", "list"); strings.Count(out, "shop") != 1 || !strings.Contains(out, "2020-01-01T00:00:00Z (expired)") {
		t.Errorf("the keys are %s", out)
	}
}

// TestAReplacedKeyPassesItsBoundsOn: another secret takes neither the limit nor the end of a key
// away, but for what the file says of them, and an end that is over.
func TestAReplacedKeyPassesItsBoundsOn(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.succeeds(t, "migrate")
	for i, c := range []struct{ fields, shows, not string }{
		{`,"rateLimit":7,"expiresAt":"2099-01-01T00:00:00Z"`, "2099-01-01T00:00:00Z  7 ", ""},
		{``, "2099-01-01T00:00:00Z  7 ", ""},
		{`,"rateLimit":8`, "2099-01-01T00:00:00Z  8 ", ""},
		{`,"expiresAt":null`, "  8 ", "2099"},
		{`,"rateLimit":null`, "shop", "  8 "},
		{`,"rateLimit":9,"expiresAt":"2098-01-01T00:00:00Z"`, "2098-01-01T00:00:00Z  9 ", ""},
	} {
		w.file(t, "site.json", fmt.Sprintf(`{"keys":[{"name":"shop","role":"reader","key":"a-key-of-sixteen-%d"%s}]}`, i, c.fields))
		w.succeeds(t, "apply", "site.json")
		out := w.succeeds(t, "keys", "list")
		if strings.Count(out, "shop") != 1 || !strings.Contains(out, c.shows) || c.not != "" && strings.Contains(out, c.not) {
			t.Errorf("%d: with %s the keys are %s", i, c.fields, out)
		}
	}
	sqlite(t, w, "orderhook.db", `UPDATE api_keys SET expires = 1577836800000000 WHERE name = 'shop'`)
	w.file(t, "site.json", `{"keys":[{"name":"shop","role":"reader","key":"a-key-of-sixteen-of-today"}]}`)
	w.succeeds(t, "apply", "site.json")
	if out := w.succeeds(t, "keys", "list"); !strings.Contains(out, "  9 ") || strings.Contains(out, "2020") {
		t.Errorf("instead of a key that has expired: %s", out)
	}
}

// TestADryRunWhereNoDatabaseCanBe fails as the real one does.
func TestADryRunWhereNoDatabaseCanBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ database, want string }{
		"no folder":                  {"none/shop.db", "none/shop.db"},
		"a key without its database": {"shop.db", "shop.db is missing or empty"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWhere(t)
			w.file(t, "site.json", `{"keys": [{"name": "publisher", "role": "publisher", "key": "`+siteKey+`"}]}`)
			w.file(t, "shop.db.key", strings.Repeat("k", 40)+"\n")
			for _, more := range [][]string{{"--dry-run"}, nil} {
				r := w.run(t, append([]string{"apply", "site.json", "--database", c.database}, more...)...)
				if r.code != 2 || !strings.Contains(r.errOut, c.want) {
					t.Errorf("apply %v: code %d, %s", more, r.code, r.errOut)
				}
			}
		})
	}
}
