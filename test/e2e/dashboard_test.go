package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// visitor is a browser without a screen: it keeps cookies, and follows no redirect.
type visitor struct {
	t *testing.T
	s *server
	c http.Client
}

func (s *server) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, s: s}
	v.c = http.Client{Jar: jar, Timeout: patience, Transport: s.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return v
}

func (v *visitor) do(r *http.Request, err error) (status int, text string, h http.Header) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	resp, err := v.c.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

func (v *visitor) get(path string) (int, string, http.Header) {
	v.t.Helper()
	return v.do(http.NewRequest(http.MethodGet, v.s.url+path, nil))
}

// post sends a form, with the token of the form at its path.
func (v *visitor) post(path string, form url.Values) (int, string, http.Header) {
	v.t.Helper()
	if _, page, _ := v.get("/attempts"); strings.Contains(page, `name="formToken" value="`) {
		_, rest, _ := strings.Cut(page, `name="formToken" value="`)
		token, _, _ := strings.Cut(rest, `"`)
		form.Set("formToken", token)
	}
	r, err := http.NewRequest(http.MethodPost, v.s.url+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return v.do(r, err)
}

func (v *visitor) signIn(key string) {
	v.t.Helper()
	if status, page, _ := v.post("/sign-in", url.Values{"key": {key}}); status != http.StatusSeeOther {
		v.t.Fatalf("signing in: %d %s", status, page)
	}
}

// in fails unless the visitor is signed in, or is not.
func (v *visitor) in(want bool) {
	v.t.Helper()
	status, _, h := v.get("/attempts")
	if in := status == http.StatusOK; in != want || !in && !strings.HasPrefix(h.Get("Location"), "/sign-in") {
		v.t.Errorf("signed in: %d %s", status, h.Get("Location"))
	}
}

func TestASessionEndsWithItsKey(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	key := strings.TrimSpace(w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "operator"))
	v := s.visitor(t)
	v.in(false)
	v.signIn(key)
	v.in(true)
	id := s.expect(t, http.StatusOK, "GET", "/api/me", key, "").body["id"].(string)
	w.succeeds(t, "keys", "revoke", id, "--tenant", "acme")
	v.in(false)
	s.stop(t)
	if strings.Contains(s.errOut.String(), key) {
		t.Error("the log has the key")
	}
}

// TestASessionOutlivesARestart, and no file has its token.
func TestASessionOutlivesARestart(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.with("ORDERHOOK_API_KEY=admin-key-of-mine").serve(t)
	v := s.visitor(t)
	v.signIn("admin-key-of-mine")
	at, _ := url.Parse(s.url)
	cookies := v.c.Jar.Cookies(at)
	s.stop(t)
	again := w.serve(t)
	v.s, at.Host = again, strings.TrimPrefix(again.url, "http://")
	v.c.Jar.SetCookies(at, cookies)
	v.in(true)
	if status, _, _ := v.post("/sign-out", url.Values{}); status != http.StatusSeeOther {
		t.Errorf("signing out: %d", status)
	}
	v.c.Jar.SetCookies(at, cookies)
	v.in(false)
}

// TestTheAPIKnowsNoCookie: a page of another site could send it.
func TestTheAPIKnowsNoCookie(t *testing.T) {
	t.Parallel()
	s := newWhere(t).serve(t)
	v := s.visitor(t)
	v.signIn(s.newKey)
	for _, path := range []string{"/api/me", "/api/orders", "/api/keys"} {
		if status, _, _ := v.get(path); status != http.StatusUnauthorized {
			t.Errorf("%s takes the cookie: %d", path, status)
		}
	}
	if status, _, h := v.do(http.NewRequest(http.MethodPost, s.url+"/api/orders", strings.NewReader("{}"))); status != http.StatusUnauthorized || h.Get("Set-Cookie") != "" {
		t.Errorf("a POST takes the cookie: %d", status)
	}
}

func TestWrongKeysAtTheSignInAreSlowedDown(t *testing.T) {
	t.Parallel()
	s := newWhere(t).serve(t)
	v := s.visitor(t)
	var status int
	var h http.Header
	for n := 0; n < 50 && status != http.StatusTooManyRequests; n++ {
		status, _, h = v.post("/sign-in", url.Values{"key": {fmt.Sprint("guess-", n)}})
	}
	if status != http.StatusTooManyRequests || h.Get("Retry-After") == "" {
		t.Errorf("after 50 wrong keys: %d, Retry-After %q", status, h.Get("Retry-After"))
	}
	v.signIn(s.newKey) // who has a key is not locked out
	v.in(true)
}

// TestPagesOfAnotherTenant: what the API does not tell, no page does.
func TestPagesOfAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	other := strings.TrimSpace(w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "admin"))
	receiver := newReceiver(t, func(http.ResponseWriter, *http.Request, receipt) {})
	s.expect(t, http.StatusCreated, "POST", "/api/endpoints", s.newKey, `{"url":"`+receiver.URL+`","eventTypes":["*"]}`)
	s.expect(t, http.StatusCreated, "POST", "/api/orders", s.newKey, `{"id":"SECRET-ORDER","status":"New"}`)
	var attempt string
	for attempt == "" {
		if items := s.call("GET", "/api/attempts", s.newKey, "").body["items"].([]any); len(items) > 0 {
			attempt = items[0].(map[string]any)["id"].(string)
		}
	}
	mine, others := s.visitor(t), s.visitor(t)
	mine.signIn(s.newKey)
	others.signIn(other)
	for _, path := range []string{"", "/replay", "/request-body", "/response-body", "/curl"} {
		if status, page, _ := mine.get("/attempts/" + attempt + path); status != http.StatusOK {
			t.Errorf("one's own %s: %d %s", path, status, page)
		}
		if status, page, _ := others.get("/attempts/" + attempt + path); status != http.StatusNotFound || strings.Contains(page, "SECRET-ORDER") {
			t.Errorf("another tenant's %s: %d", path, status)
		}
	}
	if status, _, _ := others.post("/attempts/"+attempt+"/replay", url.Values{"once": {"x"}}); status != http.StatusNotFound {
		t.Errorf("another tenant's replay: %d", status)
	}
	for _, path := range []string{"/", "/attempts", "/keys", "/audit"} {
		if _, page, _ := others.get(path); strings.Contains(page, "SECRET-ORDER") || strings.Contains(page, attempt) {
			t.Errorf("%s shows another tenant's", path)
		}
	}
}

// TestWhatADashboardDoesIsInTheAuditLog, by its key and with its request's id.
func TestWhatADashboardDoesIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	s := newWhere(t).serve(t)
	v := s.visitor(t)
	v.signIn(s.newKey)
	status, page, h := v.post("/keys", url.Values{"name": {"of the dashboard"}, "role": {"reader"}, "once": {"form-1"}})
	if status != http.StatusOK || !strings.Contains(page, "ohk_") {
		t.Fatalf("making a key: %d %s", status, page)
	}
	if _, again, _ := v.post("/keys", url.Values{"name": {"of the dashboard"}, "role": {"reader"}, "once": {"form-1"}}); strings.Contains(again, "ohk_") || !strings.Contains(again, "was shown then") {
		t.Error("the form made another key when it was sent again")
	}
	e := s.expect(t, http.StatusOK, "GET", "/api/audit?action=create-key&requestId="+h.Get("X-Request-Id"), s.newKey, "").body["items"].([]any)[0].(map[string]any)
	actor := e["actor"].(map[string]any)
	if actor["via"] != "dashboard" || actor["address"] != "127.0.0.1" || actor["role"] != "admin" || e["detail"].(map[string]any)["name"] != "of the dashboard" {
		t.Errorf("the entry is %v", e)
	}
}

// TestCookiesOfTLS: they are for encrypted connections alone.
func TestCookiesOfTLS(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	pool := certificate(t, w)
	s := w.serve(t, "--tls-cert", "cert.pem", "--tls-key", "key.pem")
	s.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	v := s.visitor(t)
	_, _, h := v.post("/sign-in", url.Values{"key": {s.newKey}})
	cookie := h.Get("Set-Cookie")
	for _, want := range []string{"__Host-orderhook_session=ohs_", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q has no %q", cookie, want)
		}
	}
	v.in(true)
}

// TestStoppingWithPagesThatAreOpen: a stream holds nothing up, or the end would come with that of
// the grace, for which nobody waits here.
func TestStoppingWithPagesThatAreOpen(t *testing.T) {
	s := newWhere(t).serve(t, "--grace", "PT10M")
	v := s.visitor(t)
	v.signIn(s.newKey)
	r, err := http.NewRequest(http.MethodGet, s.url+"/live?topic=orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	v.c.Timeout = 0
	resp, err := v.c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	stream := bufio.NewReader(resp.Body)
	if line, err := stream.ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry: ") {
		t.Fatalf("the stream says %q, %v", line, err)
	}
	s.expect(t, http.StatusCreated, "POST", "/api/orders", s.newKey, `{"id":"ORD-1","status":"New"}`)
	for line := ""; line != "event: change\n"; {
		if line, err = stream.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	s.stop(t)
	if _, err := io.ReadAll(stream); err != nil {
		t.Errorf("the stream was broken off: %v", err)
	}
}
