package dash_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/dash"
)

// These tests walk every path of the dashboard on a whole server with two tenants. A path
// that is new is walked without being named here; only the ids in it have to be known.

const (
	walkKey = "the-admin-key-of-the-walk"
	// marked is in whatever the first tenant has; nobody else may see it.
	marked = "Marked-c0ffee"
)

// walk is a server, and what is known of it.
type walk struct {
	t    *testing.T
	url  string
	keys map[access.Role]string // of the first tenant
	// other is an admin's key of the second tenant.
	other string
	ids   map[string]string // by the section and the parameter of a path, as orders/id
}

func startWalk(t *testing.T) *walk {
	t.Helper()
	w := &walk{t: t, keys: map[access.Role]string{access.Admin: walkKey}, ids: map[string]string{}}
	database := filepath.Join(t.TempDir(), "orderhook.db")
	a, err := app.Start(t.Context(), app.Options{Listen: "127.0.0.1:0", Database: database, APIKey: walkKey, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	w.url = a.URL
	st, err := app.OpenExisting(t.Context(), database, app.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, w.other, err = app.CreateKey(t.Context(), st, access.Key{Tenant: "other", Role: access.Admin}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	for _, role := range access.Roles {
		if role != access.Admin {
			w.keys[role] = w.text(w.call("POST", "/api/keys", fmt.Sprintf(`{"role":%q,"name":%q}`, role, marked)), "key")
		}
	}
	w.furnish()
	return w
}

// call calls the API as the first tenant's admin.
func (w *walk) call(method, path, body string) map[string]any {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+walkKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var value map[string]any
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode >= 300 || json.Unmarshal(text, &value) != nil {
		w.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, text)
	}
	return value
}

func (w *walk) text(o map[string]any, name string) string {
	w.t.Helper()
	text, ok := o[name].(string)
	if !ok {
		w.t.Fatalf("no %s in %v", name, o)
	}
	return text
}

// furnish gives the first tenant one of everything.
func (w *walk) furnish() {
	w.t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, `{}`) }))
	w.t.Cleanup(receiver.Close)
	w.call("PUT", "/api/settings", fmt.Sprintf(`{"connectors":[{"name":"Webhook","host":%q}],"orderTypes":[{"name":%q,"orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook"},{"name":"WebhookWorkflowStep","displayName":%q,"connector":"Webhook","mode":"shadow"}]}]}]}`, receiver.URL, marked, marked))
	w.ids["workflows/id"] = w.first("/api/workflow-shadows")
	w.ids["endpoints/id"] = w.text(w.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*"],"description":%q}`, receiver.URL, marked)), "id")
	w.call("POST", "/api/orders", fmt.Sprintf(`{"id":"ORD-%s","status":"New","customerName":%q,"subscriptionId":"S-1","orderForm":{"lineItems":[{"lineItemId":"1","quantity":1,"placedPrice":1}]},"shipments":[{"shipmentId":"1"}]}`, marked, marked))
	w.ids["orders/id"], w.ids["subscriptions/id"] = "ORD-"+marked, "S-1"
	w.ids["orders/returnId"] = w.text(w.call("POST", "/api/orders/ORD-"+marked+"/returns", `{"lineItems":[{"lineItemId":"1","returnQuantity":1}]}`), "returnId")
	w.call("PUT", "/api/carts/C-"+marked, fmt.Sprintf(`{"id":"C-%s","customerName":%q}`, marked, marked))
	w.ids["carts/id"] = "C-" + marked
	w.ids["keys/id"] = w.first("/api/keys")
	w.ids["runs/id"], w.ids["events/id"] = w.first("/api/runs"), w.first("/api/events")
	w.ids["deliveries/id"] = w.first("/api/deliveries?status=succeeded")
	w.ids["attempts/id"] = w.first("/api/attempts?kind=step")
	replay, ok := w.call("POST", "/api/attempts/"+w.ids["attempts/id"]+"/replay", `{}`)["replay"].(map[string]any)
	if !ok {
		w.t.Fatal("the replay has no attempt")
	}
	w.ids["attempts/replay"] = w.text(replay, "id")
	w.ids["jobs/id"] = w.text(w.call("POST", "/api/deliveries/redeliver", `{"status":"failed"}`), "id")
	w.ids["workflows/version"], w.ids["orders/version"] = "1", "1"
	w.until("/api/deliveries?status=pending", func(items []any) bool { return len(items) == 0 })
	w.until("/api/runs?status=running", func(items []any) bool { return len(items) == 0 })
	w.until("/api/attempts?kind=shadow", func(items []any) bool { return len(items) == 1 })
	w.until("/api/jobs", func(items []any) bool { return items[0].(map[string]any)["status"] != "running" })
}

// until asks for a list until it is as it should be.
func (w *walk) until(list string, is func(items []any) bool) []any {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if items := w.call("GET", list, "")["items"].([]any); is(items) {
			return items
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s does not become as it should be", list)
		}
	}
}

func (w *walk) first(list string) string {
	w.t.Helper()
	items := w.until(list, func(items []any) bool { return len(items) > 0 })
	return w.text(items[0].(map[string]any), "id")
}

// state is what the first tenant has, as far as pages change it.
func (w *walk) state() string {
	w.t.Helper()
	var all strings.Builder
	for _, path := range []string{"/api/orders", "/api/carts", "/api/runs", "/api/events", "/api/deliveries", "/api/attempts", "/api/jobs", "/api/keys", "/api/settings/history", "/api/audit"} {
		text, err := json.Marshal(w.call("GET", path, ""))
		if err != nil {
			w.t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

var parameter = regexp.MustCompile(`\{([a-zA-Z]+)\}`)

// path is a path that a pattern matches, with ids of the first tenant.
func (w *walk) path(pattern string) (method, path string, hasID bool) {
	w.t.Helper()
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodGet, pattern+"nowhere"
	}
	path = strings.TrimSuffix(path, "{$}")
	section, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	path = parameter.ReplaceAllStringFunc(path, func(p string) string {
		hasID = true
		id := w.ids[section+"/"+strings.Trim(p, "{}")]
		if id == "" {
			w.t.Fatalf("%s: furnish says nothing of %s/%s", pattern, section, p)
		}
		return url.PathEscape(id)
	})
	if path == "/live" {
		path += "?topic=orders"
	}
	return method, path, hasID
}

// visitor is somebody with a browser.
type visitor struct {
	*walk
	session *http.Cookie // nil: nobody has signed in
	token   string       // of the forms
}

// as signs in.
func (w *walk) as(key string) *visitor {
	w.t.Helper()
	v := &visitor{walk: w}
	if key == "" {
		return v
	}
	got, _ := v.post("/sign-in", url.Values{"key": {key}})
	if v.session = cookieOf(got); v.session == nil {
		w.t.Fatalf("signing in: %d", got.StatusCode)
	}
	_, page := v.get("/attempts")
	m := regexp.MustCompile(`name="formToken" value="([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		w.t.Fatal("a page without a token")
	}
	v.token = m[1]
	return v
}

func cookieOf(answer *http.Response) *http.Cookie {
	for _, c := range answer.Cookies() {
		if c.Name == "orderhook_session" && c.MaxAge >= 0 {
			return c
		}
	}
	return nil
}

func (v *visitor) get(path string) (*http.Response, string) { return v.ask("GET", path, nil) }

func (v *visitor) post(path string, form url.Values, headers ...string) (*http.Response, string) {
	return v.ask("POST", path, form, headers...)
}

var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// ask makes a request. It reads nothing of a stream of events.
func (v *visitor) ask(method, path string, form url.Values, headers ...string) (*http.Response, string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if v.session != nil {
		r.AddCookie(v.session)
	}
	answer, err := noRedirects.Do(r)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.Header.Get("Content-Type") == "text/event-stream" {
		return answer, ""
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer, string(text)
}

// TestWalkByRole: each role gets the pages that it may have, and is refused the others and
// all forms of theirs; who has not signed in is led to where one does.
func TestWalkByRole(t *testing.T) {
	w := startWalk(t)
	before := w.state()
	for _, role := range append([]access.Role{""}, access.Roles...) {
		v := w.as(w.keys[role])
		for _, r := range dash.Routes() {
			method, path, _ := w.path(r.Pattern)
			if r.Needed == "" || path == "/sign-out" {
				continue
			}
			if method == http.MethodPost && role.Reaches(r.Needed) {
				continue // it would be done
			}
			got, page := v.ask(method, path, url.Values{"formToken": {v.token}})
			switch {
			case role == "":
				if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/sign-in") {
					t.Errorf("%s without a session: %d", r.Pattern, got.StatusCode)
				}
			case !role.Reaches(r.Needed):
				if got.StatusCode != http.StatusForbidden || !strings.Contains(page, "needs a key of the role "+string(r.Needed)) {
					t.Errorf("%s as %s: %d", r.Pattern, role, got.StatusCode)
				}
			case got.StatusCode >= 500 || got.StatusCode == http.StatusForbidden || got.StatusCode == http.StatusNotFound && r.Pattern != "/":
				t.Errorf("%s (%s) as %s: %d %s", r.Pattern, path, role, got.StatusCode, page)
			}
			framedNowhere(t, r.Pattern, got)
		}
	}
	if after := w.state(); after != before {
		t.Errorf("looking changed something:\n%s\nwas\n%s", after, before)
	}
}

// framedNowhere: no other site can show an answer within a page of its own, nor make
// anything of it but what it is.
func framedNowhere(t *testing.T, pattern string, got *http.Response) {
	t.Helper()
	policy := got.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
		got.Header.Get("X-Frame-Options") != "DENY" || got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("X-Request-Id") == "" {
		t.Errorf("%s: headers %v", pattern, got.Header)
	}
}

// forAnyID are the pages that are there for any id: they list what has it.
var forAnyID = map[string]bool{"GET /subscriptions/{id}": true}

// TestWalkAsAnotherTenant: what the first tenant has is not there for the second, by
// whatever path, and no form of the second's does anything to it.
func TestWalkAsAnotherTenant(t *testing.T) {
	w := startWalk(t)
	before := w.state()
	v := w.as(w.other)
	for _, r := range dash.Routes() {
		method, path, hasID := w.path(r.Pattern)
		if r.Needed == "" || path == "/sign-out" {
			continue
		}
		form := url.Values{"formToken": {v.token}, "version": {"0"}, "do": {"save"}, "status": {"Stolen"}, "name": {"n"}, "role": {"reader"}, "url": {"https://example.com"}}
		got, page := v.ask(method, path, form)
		if hasID && !forAnyID[r.Pattern] && got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d for another tenant: %s", r.Pattern, got.StatusCode, page)
		}
		if got.StatusCode >= 500 {
			t.Errorf("%s: %d %s", r.Pattern, got.StatusCode, page)
		}
		if page = strings.ReplaceAll(page, path, ""); got.StatusCode != http.StatusNotFound && strings.Contains(page, marked) {
			t.Errorf("%s shows another tenant's: %s", r.Pattern, page)
		}
	}
	if after := w.state(); after != before {
		t.Errorf("another tenant changed something:\n%s\nwas\n%s", after, before)
	}
}

// TestWalkOfForgedForms: a form without the session's token, with another one's, or sent
// from another site does nothing, whoever has signed in.
func TestWalkOfForgedForms(t *testing.T) {
	w := startWalk(t)
	before := w.state()
	v, other := w.as(walkKey), w.as(walkKey)
	forgeries := map[string]struct {
		token   string
		headers []string
	}{
		"no token":              {"", nil},
		"another session's":     {other.token, nil},
		"the session itself":    {v.session.Value, nil},
		"another site":          {v.token, []string{"Sec-Fetch-Site", "cross-site"}},
		"another host of ours":  {v.token, []string{"Sec-Fetch-Site", "same-site"}},
		"another origin":        {v.token, []string{"Origin", "https://evil.example"}},
		"a page without origin": {v.token, []string{"Origin", "null"}},
	}
	posts := 0
	for _, r := range dash.Routes() {
		method, path, _ := w.path(r.Pattern)
		if method != http.MethodPost || r.Needed == "" {
			continue
		}
		posts++
		for name, f := range forgeries {
			got, page := v.post(path, url.Values{"formToken": {f.token}, "version": {"1"}, "do": {"save"}, "status": {"Forged"}}, f.headers...)
			if got.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s: %d %s", r.Pattern, name, got.StatusCode, page)
			}
		}
		if got, _ := v.get(path); got.StatusCode != http.StatusOK && got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusMethodNotAllowed && got.StatusCode != http.StatusUnprocessableEntity && got.StatusCode != http.StatusConflict {
			t.Errorf("GET %s: %d", path, got.StatusCode)
		}
	}
	if posts < 5 {
		t.Errorf("only %d forms were walked", posts)
	}
	if after := w.state(); after != before {
		t.Errorf("a forged form did something:\n%s\nwas\n%s", after, before)
	}
	if got, _ := v.get("/attempts"); got.StatusCode != http.StatusOK {
		t.Errorf("a forged form ended the session: %d", got.StatusCode)
	}
}

// TestWalkWithAFixedSession: a token that somebody planted in a browser opens nothing, before
// its owner signs in and after; nor does one that was signed out. The API takes no cookie.
func TestWalkWithAFixedSession(t *testing.T) {
	w := startWalk(t)
	planted := &http.Cookie{Name: "orderhook_session", Value: "ohs_planted"}
	victim := &visitor{walk: w, session: planted}
	got, _ := victim.post("/sign-in", url.Values{"key": {walkKey}})
	signedIn := cookieOf(got)
	if signedIn == nil || signedIn.Value == planted.Value {
		t.Fatalf("%d, cookie %v", got.StatusCode, signedIn)
	}
	out := w.as(walkKey)
	if got, _ := out.post("/sign-out", url.Values{"formToken": {out.token}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing out: %d", got.StatusCode)
	}
	for name, session := range map[string]*http.Cookie{"planted": planted, "signed out": out.session, "secure": {Name: "__Host-orderhook_session", Value: signedIn.Value}} {
		v := &visitor{walk: w, session: session}
		for _, r := range dash.Routes() {
			method, path, _ := w.path(r.Pattern)
			if r.Needed == "" {
				continue
			}
			if got, _ := v.ask(method, path, nil); got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/sign-in") {
				t.Errorf("%s with a token that is %s: %d", r.Pattern, name, got.StatusCode)
			}
		}
	}
	v := &visitor{walk: w, session: signedIn}
	for _, path := range []string{"/api/orders", "/api/me", "/api/settings"} {
		if got, _ := v.get(path); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s takes the cookie: %d", path, got.StatusCode)
		}
	}
}
