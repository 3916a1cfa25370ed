package e2e

import (
	"net/http"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestTheEncryptionKeyIsRotated: a server delivers with the same secrets before and after,
// on either engine.
func TestTheEncryptionKeyIsRotated(t *testing.T) {
	t.Parallel()
	const newKey = "ORDERHOOK_ENCRYPTION_KEY=the new key, which is long enough, too"
	for name, w := range map[string]where{"file": newWhere(t), "server": onPostgreSQL(t)} {
		t.Run(name, func(t *testing.T) {
			w := w.with("ORDERHOOK_API_KEY=" + crashKey)
			to := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(http.StatusNoContent) })
			s := w.serve(t)
			s.expect(t, 200, "PUT", "/api/settings", crashKey, `{"connectors":[{"name":"ERP","connectorId":"e","host":"https://erp.example","bearerToken":"hush-1"}]}`)
			e := s.subscribe(t, crashKey, to.URL, `"eventTypes":["*"]`)
			s.mustPublish(t, crashKey, "t", "one", map[string]any{})
			to.await(t, "an event", func(got []receipt) bool { return len(got) == 1 })
			args := []string{"keys", "rotate-encryption"}
			if name == "server" {
				args = append(args, "--new-encryption-key-file", w.file(t, "new.key", strings.TrimPrefix(newKey, "ORDERHOOK_ENCRYPTION_KEY=")+"\n"))
				w.refuses(t, "in use by another orderhook", args...)
				w.refuses(t, "the new one has to be", "keys", "rotate-encryption")
			} else {
				w.refuses(t, "is in use by another orderhook", args...)
			}
			w.refuses(t, "too short", "keys", "rotate-encryption", "--new-encryption-key", "short")
			s.stop(t)
			out := w.succeeds(t, args...)
			if !strings.Contains(out, "encrypted again: 2 secrets, 1 endpoint") || strings.Contains(out, "new key, which") || strings.Contains(out, "ohe_") {
				t.Errorf("it says %s", out)
			}
			if name == "server" {
				w.refuses(t, "does not fit the database", "serve")
				w = w.with(newKey)
			} else if !strings.Contains(out, "the old key is in ") {
				t.Errorf("it says %s", out)
			}
			s = w.serve(t)
			s.mustPublish(t, crashKey, "t", "two", map[string]any{})
			got := to.await(t, "an event after the rotation", func(got []receipt) bool { return len(got) == 2 })
			verifier, err := standardwebhooks.NewWebhook(e.secret)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range got {
				if err := verifier.Verify([]byte(r.body), r.header); err != nil {
					t.Errorf("%s: %v", r.body, err)
				}
			}
			s.stop(t)
			w.succeeds(t, "check")
		})
	}
}
