package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The signatures of real deliveries are verified with what others wrote: the
// Go module of the Standard Webhooks specification, and the npm packages in
// verifiers/, which `make needs` installs.

// delivered is an event as an endpoint was sent it.
func delivered(t *testing.T, s *server, to *receiver, id string) receipt {
	t.Helper()
	s.mustPublish(t, s.newKey, "thing_happened", id, map[string]string{"text": `Blåbærsyltetøy "12,50 €" 🫐 \ end`})
	got := to.await(t, id, func(got []receipt) bool {
		return slices.ContainsFunc(got, func(r receipt) bool { return r.ID == id })
	})
	return got[slices.IndexFunc(got, func(r receipt) bool { return r.ID == id })]
}

func TestVerifiersOfOthersTakeOurSignatures(t *testing.T) {
	t.Parallel()
	s := newWhere(t).serve(t)
	to := newReceiver(t, nil)
	e := s.subscribe(t, s.newKey, to.URL, `"eventTypes":["*"],"signatures":["v1","v1a"]`)
	public := fmt.Sprint(s.expect(t, 200, "GET", "/api/endpoints/"+e.id+"/public-key", s.newKey, "").body["publicKey"])
	other := s.subscribe(t, s.newKey, to.URL, `"eventTypes":["never"],"signatures":["v1a"]`)
	otherPublic := fmt.Sprint(s.expect(t, 200, "GET", "/api/endpoints/"+other.id+"/public-key", s.newKey, "").body["publicKey"])

	before := delivered(t, s, to, "before")
	second := fmt.Sprint(s.expect(t, 200, "POST", "/api/endpoints/"+e.id+"/rotate-secret", s.newKey, `{"overlap":"PT1H"}`).body["secret"])
	during := delivered(t, s, to, "during")
	third := fmt.Sprint(s.expect(t, 200, "POST", "/api/endpoints/"+e.id+"/rotate-secret", s.newKey, `{"overlap":"PT0S"}`).body["secret"])
	after := delivered(t, s, to, "after")

	var all []claim
	for _, secret := range []struct {
		name, text string
		good       []string
	}{
		{"first secret", e.secret, []string{"before", "during"}}, // no overlap ends every older secret, whatever is left of its hour
		{"second secret", second, []string{"during"}},
		{"third secret", third, []string{"after"}},
		{"secret of another", other.secret, nil},
	} {
		for _, d := range []receipt{before, during, after} {
			all = append(all, claims(d, secret.name, secret.text, "", slices.Contains(secret.good, d.ID))...)
		}
	}
	for _, d := range []receipt{before, during, after} {
		all = append(all, claims(d, "public key", "", public, true)...)
		all = append(all, claims(d, "public key of another", "", otherPublic, false)...)
	}
	verifyHere(t, all)
	verifyWithNode(t, all)
}

// claim is a delivery with a key, and whether the one is signed with the other.
type claim struct {
	name      string
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"body"`
	Secret    string            `json:"secret,omitempty"`
	PublicKey string            `json:"publicKey,omitempty"`
	valid     bool
}

// claims are a delivery as it came, and the same one tampered with.
func claims(d receipt, name, secret, public string, valid bool) []claim {
	headers := map[string]string{}
	for _, h := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers[h] = d.header.Get(h)
	}
	name = d.webhookID() + ", " + name
	tampered := map[string]string{"webhook-id": d.webhookID() + "x", "webhook-timestamp": headers["webhook-timestamp"], "webhook-signature": headers["webhook-signature"]}
	return []claim{
		{name, headers, d.body, secret, public, valid},
		{name + ", another body", headers, strings.Replace(d.body, "12,50", "12,51", 1), secret, public, false},
		{name + ", another id", tampered, d.body, secret, public, false},
	}
}

func (c claim) header() http.Header {
	h := http.Header{}
	for name, value := range c.Headers {
		h.Set(name, value)
	}
	return h
}

// verifyHere verifies with the Go module, which knows v1 alone.
func verifyHere(t *testing.T, all []claim) {
	t.Helper()
	for _, c := range all {
		if c.Secret == "" {
			continue
		}
		w, err := standardwebhooks.NewWebhook(c.Secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Verify([]byte(c.Body), c.header()); (err == nil) != c.valid {
			t.Errorf("%s: the Go module says %v", c.name, err)
		}
	}
}

// verifyWithNode verifies with the packages of npm.
func verifyWithNode(t *testing.T, all []claim) {
	t.Helper()
	cmd := exec.Command("node", "verifiers/verify.js")
	cmd.Stdin = strings.NewReader(mustJSON(all))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node verifiers/verify.js (`make needs` installs what it needs): %v %s", err, stderrOf(err))
	}
	var said []map[string]string
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(all) {
		t.Fatalf("%d verdicts on %d deliveries, %v", len(said), len(all), err)
	}
	for i, c := range all {
		if len(said[i]) == 0 {
			t.Errorf("%s: nobody verified it", c.name)
		}
		for who, why := range said[i] {
			if (why == "") != c.valid {
				t.Errorf("%s: %s says %q", c.name, who, why)
			}
		}
	}
}

func stderrOf(err error) string {
	if failed, ok := err.(*exec.ExitError); ok {
		return string(failed.Stderr)
	}
	return ""
}
