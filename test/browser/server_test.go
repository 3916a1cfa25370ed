package browser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

const adminKey = "the-admin-key-of-tests"

// server is the real binary, with a database of its own.
type server struct {
	t   *testing.T
	url string
	// receiver is where its endpoints and connectors are. A path with "fail" in it is
	// answered with 500.
	receiver string
}

var serves = regexp.MustCompile(`address=(http\S+)`)

// startServer starts a server that a test has for itself.
func startServer(t *testing.T) *server {
	t.Helper()
	if browser == nil && os.Getenv("CI") != "true" {
		t.Skip(missing)
	}
	cmd := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--database", t.TempDir()+"/orderhook.db", "--api-key", adminKey)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, receiver: newReceiver(t)}
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	address := make(chan string, 1)
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := serves.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
		close(address)
	}()
	if s.url = <-address; s.url == "" {
		t.Fatal("the server did not start")
	}
	return s
}

// newReceiver takes what the server sends.
func newReceiver(t *testing.T) string {
	t.Helper()
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "fail") {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"error":"no such customer <b>","code":12.50}`)
			return
		}
		if strings.Contains(r.URL.Path, "step") {
			_, _ = io.WriteString(w, `{"success":true,"orderPatch":{"tags":["checked"],"orderForm":{"total":99.90}}}`)
			return
		}
		if strings.Contains(r.URL.Path, "validator") {
			_, _ = io.WriteString(w, `{"isValidatedSuccessful":false,"validationErrors":[{"message":"Over the credit limit <i>","validationType":"Customer","referenceId":"1"}]}`)
			return
		}
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	t.Cleanup(r.Close)
	return r.URL
}

// call calls the API, and must succeed. It returns the answer.
func (s *server) call(method, path, body string) map[string]any {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var text bytes.Buffer
	_, _ = text.ReadFrom(answer.Body)
	if answer.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, &text)
	}
	var value map[string]any
	if text.Len() > 0 {
		if err := json.Unmarshal(text.Bytes(), &value); err != nil {
			s.t.Fatal(err)
		}
	}
	return value
}

// callWith is call with a body that is to be encoded.
func (s *server) callWith(method, path string, body any) map[string]any {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.call(method, path, string(text))
}

// key makes a key of a role.
func (s *server) key(role string) string {
	s.t.Helper()
	return s.call("POST", "/api/keys", fmt.Sprintf(`{"role":%q,"name":"of a test"}`, role))["key"].(string)
}

// hostile is in every field of the seed that takes a text.
const hostile = `"><img src=x onerror=alert(1)><script>alert(1)</script>'`

// seed stores something of everything, and waits until it has been sent: two endpoints,
// one of which fails for good; a workflow with a step, and one whose step stops it;
// orders, with hostile texts.
func (s *server) seed() {
	s.t.Helper()
	const step = `{"name":"WebhookWorkflowStep","displayName":%q,"connector":"Webhook","connectorId":%q,"stopOnError":true}`
	s.call("PUT", "/api/settings", fmt.Sprintf(`{"connectors":[{"name":"Webhook","connectorId":"erp","host":%q},{"name":"Webhook","connectorId":"tax","host":%q,"disableStandardErrorPolicy":true}],
		"orderTypes":[{"name":"Standard","default":true,"orderStatuses":[{"name":"New","workflowSteps":[`+step+`]},{"name":"Taxed","workflowSteps":[`+step+`]}]}]}`,
		s.receiver+"/step", s.receiver+"/fail", "Check the order", "erp", "Ask for the tax "+hostile, "tax"))
	for _, path := range []string{"/hook", "/fail"} {
		s.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*"],"description":%q,"headers":{"X-Api-Key":"sesame-open"},"retrySchedule":["PT0.05S"]}`, s.receiver+path, hostile))
	}
	for i := range 3 {
		order, err := json.Marshal(map[string]any{"id": fmt.Sprintf("ORD-%d", i+1), "status": "New", "customerEmail": "a@example.com", "customerName": hostile, "tags": []string{hostile},
			"orderForm": map[string]any{"total": json.Number("1234.50"), "lineItems": []any{map[string]any{"lineItemId": "L1", "sku": "SHOE-42", "quantity": json.Number("2.0"), "placedPrice": json.Number("617.25")}}}})
		if err != nil {
			s.t.Fatal(err)
		}
		s.call("POST", "/api/orders", string(order))
	}
	s.call("POST", "/api/orders/ORD-1/status", `{"status":"Taxed"}`)
	s.first("/api/runs?status=aborted")
	s.first("/api/deliveries?status=failed&orderId=ORD-1")
}

// first is the id of the first entry of a list; it waits until there is one.
func (s *server) first(list string) string {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if items := s.call("GET", list, "")["items"].([]any); len(items) > 0 {
			return items[0].(map[string]any)["id"].(string)
		}
	}
	s.t.Fatalf("%s stays empty", list)
	return ""
}
