package e2e

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// checkSecret signs the calls of the checks.
const checkSecret = "whsec_c2l4dGVlbiBieXRlcyBhbmQgYSBoYWxmIG9mIHRoZW0="

// called is a call as an endpoint of a check sees it.
type called struct {
	*http.Request
	body []byte
	sent map[string]any // the order, the cart or the event
}

// order is what a step was sent of its order.
func (c called) order() map[string]any {
	value, _ := c.sent["Value"].(map[string]any)
	return value
}

// goodEndpoint verifies, answers a repeated key as it did before, and takes whatever comes.
// Each part of it may be replaced by one with a bad habit.
type goodEndpoint struct {
	kind     string
	verify   func(called) bool
	repeated func(w http.ResponseWriter, first string)
	answer   func(called) string                    // the body of the answer
	before   func(http.ResponseWriter, called) bool // true: it has answered
	header   func(http.Header)

	mu       sync.Mutex
	answered map[string]string
}

func newGoodEndpoint(kind string) *goodEndpoint {
	answers := map[string]string{
		"step":      `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],"OrderPatch":{"Tags":["checked"],"Properties":[{"Key":"Score","Value":"95"}]}}`,
		"return":    `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],"OrderPatch":{"Tags":["refunded"]}}`,
		"validator": `{"isValidatedSuccessful":true,"value":{"tags":["validated"]}}`,
		"event":     `{}`,
	}
	return &goodEndpoint{
		kind: kind, verify: verifiedCall, answered: map[string]string{}, answer: func(called) string { return answers[kind] },
		repeated: func(w http.ResponseWriter, first string) { fmt.Fprint(w, first) }, header: func(http.Header) {},
		before: func(http.ResponseWriter, called) bool { return false },
	}
}

// verifiedCall reports whether a call was signed with the secret, in the last five minutes.
func verifiedCall(c called) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(checkSecret, "whsec_"))
	at, err := strconv.ParseInt(c.Header.Get("Webhook-Timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", c.Header.Get("Webhook-Id"), at, c.body)
	return c.Header.Get("Webhook-Signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// ServeHTTP implements http.Handler.
func (e *goodEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	c := called{Request: r, body: body}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&c.sent) != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	e.header(w.Header())
	if e.before(w, c) {
		return
	}
	if !e.verify(c) {
		http.Error(w, "wrong signature", http.StatusUnauthorized)
		return
	}
	key := cmp.Or(r.Header.Get("Webhook-Id"), r.Header.Get("Idempotency-Key"))
	e.mu.Lock()
	first, again := e.answered[key]
	e.mu.Unlock()
	if again {
		e.repeated(w, first)
		return
	}
	text := e.answer(c)
	e.mu.Lock()
	e.answered[key] = text
	e.mu.Unlock()
	fmt.Fprint(w, text)
}

// checkReport is a report as --json prints it.
type checkReport struct {
	URL, Kind, Timeout, Unreachable string
	Signed                          bool
	Cases                           []struct {
		Name, About, Result, Skipped string
		Calls                        []struct {
			Sent, Key, Failure, Effect, Answer string
			Attempt, Status                    int
			DurationMs                         float64
		}
		Findings []struct{ Kind, Severity, Text, Sent, Came, Effect, Advice, Section string }
	}
	Errors, Warnings, Notes int
}

// kinds are the findings, each with its case.
func (f checkReport) kinds() (all []string) {
	for _, c := range f.Cases {
		for _, one := range c.Findings {
			all = append(all, c.Name+": "+one.Kind)
		}
	}
	return all
}

// checks runs the check of an endpoint and returns its report.
func (w where) checks(t *testing.T, url, kind string, flags ...string) (checkReport, result) {
	t.Helper()
	r := w.run(t, append([]string{"check", url, "--kind", kind, "--json"}, flags...)...)
	var f checkReport
	if err := json.Unmarshal([]byte(r.out), &f); err != nil {
		t.Fatalf("%v: code %d, %s%s", err, r.code, r.out, r.errOut)
	}
	return f, r
}

// withSecret has the secret in a file.
func withSecret(t *testing.T, w where) []string {
	t.Helper()
	return []string{"--secret-file", w.file(t, "secret", checkSecret+"\n")}
}

// TestAGoodEndpointIsClean: of each kind, signed, over HTTP and HTTPS.
func TestAGoodEndpointIsClean(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"step", "return", "validator", "event"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWhere(t)
			e := newGoodEndpoint(kind)
			s := httptest.NewServer(e)
			defer s.Close()
			f, r := w.checks(t, s.URL+"/hook?key=s3cret", kind, withSecret(t, w)...)
			if r.code != 0 || len(f.kinds()) > 0 || f.Errors+f.Warnings+f.Notes > 0 {
				t.Errorf("code %d, %q\n%s%s", r.code, f.kinds(), r.out, r.errOut)
			}
			for _, c := range f.Cases {
				if c.Result != "ok" || len(c.Calls) == 0 {
					t.Errorf("the case %s is %s, with %d calls", c.Name, c.Result, len(c.Calls))
				}
			}
			if strings.Contains(r.out+r.errOut, "s3cret") || strings.Contains(r.out, checkSecret) {
				t.Error("a secret is in the report")
			}
			if w.has("orderhook.db") {
				t.Error("a database was made")
			}
			text := w.run(t, append([]string{"check", s.URL, "--kind", kind}, withSecret(t, w)...)...)
			if text.code != 0 || !strings.Contains(text.out, fmt.Sprintf("%d cases: 0 errors, 0 warnings\n", len(f.Cases))) {
				t.Errorf("code %d, %s", text.code, text.out)
			}
		})
	}
}
