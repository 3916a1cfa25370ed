package dash

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// hostile is in every text that the fake API answers with. It would end an attribute, a
// tag, a script, and it is no URL to follow.
const hostile = `x"'><canary onload=alert(1)></script><script>canary()</script>javascript:alert(1)&lt;é`

// answers are what the fake API says, by method and path; HOSTILE in them is replaced. A
// page's test needs one for each path that the page asks.
var answers = map[string]string{
	"GET /api/attempts":             `{"items":[` + fakeAttempt + `],"nextCursor":"HOSTILE"}`,
	"GET /api/attempts/1":           fakeFullAttempt,
	"GET /api/attempts/1/replays/1": `{"original":` + strings.TrimSuffix(fakeFullAttempt, "}") + `,"patch":{"HOSTILE":1}},"replay":` + strings.TrimSuffix(fakeFullAttempt, "}") + `,"patchProblem":"HOSTILE"}}`,
	"GET /api/deliveries/1":         `{"status":"HOSTILE","waitsFor":"HOSTILE","attempts":1,"nextAttemptAt":"2026-11-28T12:00:05Z"}`,
	"POST /api/attempts/1/replay":   `{"original":{},"replay":{"id":"HOSTILE"}}`,
	"GET /api/overview": `{"warnings":[{"path":"HOSTILE","message":"HOSTILE"}],"lastHour":` + fakeSeries + `,"lastDay":` + fakeSeries + `,"waiting":{"deliveries":{"count":10000,"countCapped":true,"oldest":"2026-11-28T10:00:00Z"}},"stuck":{
		"endpoints":{"count":1,"items":[{"id":"HOSTILE","url":"HOSTILE","description":"HOSTILE","disabledReason":"HOSTILE","health":{"lastError":"HOSTILE","circuit":"HOSTILE"}}]},
		"connectors":{"count":1,"items":[{"name":"HOSTILE","connectorId":"HOSTILE","lastError":"HOSTILE","breaker":{"circuit":"HOSTILE"}}]},
		"runs":{"count":1,"items":[{"id":"HOSTILE","orderId":"HOSTILE","status":"HOSTILE","enteredStatus":"HOSTILE","step":"HOSTILE","displayName":"HOSTILE","reason":"HOSTILE"}]},
		"deliveries":{"count":1,"items":[{"id":"HOSTILE","eventType":"HOSTILE","endpointId":"HOSTILE","endpointUrl":"HOSTILE","orderId":"HOSTILE","lastError":"HOSTILE"}]}}}`,
	"GET /api/nodes":     `{"items":[{"id":"HOSTILE","name":"HOSTILE","address":"HOSTILE","version":"HOSTILE","started":"2026-11-28T10:00:00Z","lastSeen":"2026-11-28T10:00:00Z","live":false,"self":true,"shards":64,"maintenance":true}]}`,
	"GET /api/me":        `{"id":"HOSTILE","tenant":"HOSTILE","role":"HOSTILE","name":"HOSTILE","created":"2026-11-28T10:00:00Z","expiresAt":"2026-11-28T13:00:00Z","rateLimit":2.5,"may":["HOSTILE"]}`,
	"GET /api/keys":      `{"items":[{"id":"HOSTILE","tenant":"HOSTILE","role":"HOSTILE","name":"HOSTILE","created":"2026-11-28T10:00:00Z"}]}`,
	"GET /api/keys/1":    `{"id":"HOSTILE","tenant":"HOSTILE","role":"HOSTILE","name":"HOSTILE","created":"2026-11-28T10:00:00Z"}`,
	"POST /api/keys":     `{"id":"HOSTILE","name":"HOSTILE","role":"reader","key":"ohk_HOSTILE"}`,
	"PATCH /api/keys/1":  `{}`,
	"DELETE /api/keys/1": `{}`,
	"GET /api/audit": `{"items":[{"id":"HOSTILE","timestamp":"2026-11-28T10:00:00Z","actor":{"keyId":"HOSTILE","keyName":"HOSTILE","role":"HOSTILE","address":"HOSTILE","via":"HOSTILE"},"action":"HOSTILE",
		"target":{"kind":"endpoint","id":"HOSTILE"},"requestId":"HOSTILE","detail":{"changed":["HOSTILE"],"fromVersion":1,"toVersion":2,"role":"HOSTILE","name":"HOSTILE","orderId":"HOSTILE","attemptId":"HOSTILE","url":"HOSTILE",
		"endpointIds":["HOSTILE"],"sent":3,"job":{"id":"HOSTILE","kind":"HOSTILE","what":"HOSTILE","filter":{"HOSTILE":"HOSTILE"}}}}]}`,
	"GET /api/jobs/1": `{"id":"HOSTILE","kind":"redeliver","status":"running","reason":"HOSTILE","filter":{"HOSTILE":"HOSTILE"},
		"examined":3,"skips":[{"id":"HOSTILE","reason":"HOSTILE"}],"created":"2026-11-28T10:00:00Z","updated":"2026-11-28T10:00:00Z"}`,
	"POST /api/jobs/1/cancel": `{}`,
}

const fakeAttempt = `{"id":"HOSTILE","kind":"HOSTILE","callId":"HOSTILE","number":1,"maxNumber":6,"startedAt":"2026-11-28T10:00:00Z","durationMs":12.5,
	"url":"HOSTILE","host":"HOSTILE","status":500,"outcome":"failed","error":"HOSTILE","warnings":[{"path":"HOSTILE","message":"HOSTILE"}],
	"connectorId":"HOSTILE","orderId":"HOSTILE","shipmentId":"HOSTILE","returnId":"HOSTILE","cartId":"HOSTILE","subscriptionId":"HOSTILE","stockItemId":"HOSTILE",
	"runId":"HOSTILE","endpointId":"HOSTILE","eventId":"HOSTILE","eventType":"HOSTILE","deliveryId":"HOSTILE"}`

var fakeFullAttempt = strings.TrimSuffix(fakeAttempt, "}") + `,
	"request":{"method":"POST","headers":{"HOSTILE":"HOSTILE"},"body":"{\"HOSTILE\":[\"HOSTILE\",1.50,{\"HOSTILE\":null}]}","bodyBytes":20},
	"response":{"headers":{"HOSTILE":"HOSTILE"},"body":"HOSTILE","bodyBytes":20,"truncated":true},
	"remoteAddress":"HOSTILE","tlsVersion":"HOSTILE","timing":{"dns":1,"connect":2,"tls":3,"firstByte":9}}`

const fakeSeries = `{"from":"2026-11-28T10:00:00Z","to":"2026-11-28T10:02:00Z","total":{"succeeded":3,"failed":1,"p50Ms":1.5,"p99Ms":20,"kinds":[{"kind":"HOSTILE","succeeded":3,"failed":1,"p50Ms":1,"p99Ms":2}]},"points":[{"from":"2026-11-28T10:00:00Z","succeeded":3,"failed":1},{"from":"2026-11-28T10:01:00Z","succeeded":0,"failed":0}]}`

// fakeAPI answers as answers say, to every key.
func fakeAPI(w http.ResponseWriter, r *http.Request) {
	answer, ok := answers[r.Method+" "+strings.ReplaceAll(r.URL.Path, hostile, "1")]
	if r.URL.Path == "/api/me" && r.Header.Get("Authorization") != "" { // who signs in; a page asks with its session's key
		role, ok := strings.CutSuffix(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "-key")
		if !ok {
			refuse(w, http.StatusUnauthorized, "the key is not known")
			return
		}
		_, _ = io.WriteString(w, `{"id":"key_`+role+`","tenant":"t1","role":"`+role+`","name":"`+escapedHostile()+`"}`)
		return
	}
	if !ok {
		refuse(w, http.StatusNotFound, "there is no HOSTILE")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// Within a body, which is a text that holds JSON, it is escaped twice.
	within := strings.ReplaceAll(strings.ReplaceAll(escapedHostile(), `\`, `\\`), `"`, `\"`)
	_, _ = io.WriteString(w, strings.NewReplacer(`\"HOSTILE\"`, `\"`+within+`\"`, "HOSTILE", escapedHostile()).Replace(answer))
}

func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	text := fmt.Sprintf(`{"status":%d,"title":"HOSTILE","detail":"%s","errors":[{"location":"HOSTILE","message":"HOSTILE"}]}`, status, detail)
	_, _ = io.WriteString(w, strings.ReplaceAll(text, "HOSTILE", escapedHostile()))
}

// escapedHostile is the hostile text within a JSON text.
func escapedHostile() string { return strings.ReplaceAll(hostile, `"`, `\"`) }

// fakeSessions keeps sessions in memory.
type fakeSessions struct {
	mu    sync.Mutex
	keys  map[string]access.Key // by the hash of the token
	clock clock.Clock
	ends  time.Time // when all keys expire; zero: never
}

func (f *fakeSessions) Session(_ context.Context, hash []byte) (access.Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.keys[string(hash)]
	if !ok {
		return k, apierr.Errorf(apierr.NotFound, "there is no such session")
	}
	k.ExpiresAt = f.ends
	return k, nil
}

func (f *fakeSessions) CreateSession(_ context.Context, s access.Session) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys[string(s.Hash)] = access.Key{ID: s.KeyID, Tenant: s.Tenant, Role: access.Role(strings.TrimPrefix(s.KeyID, "key_")), Name: hostile}
	return nil
}

func (f *fakeSessions) DeleteSession(_ context.Context, hash []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.keys, string(hash))
	return nil
}

// site is a dashboard over the fake API.
type site struct {
	t testing.TB
	*server
	sessions *fakeSessions
	clock    *clocktest.Fake
}

func newSite(t testing.TB) *site {
	t.Helper()
	c := clocktest.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	sessions := &fakeSessions{keys: map[string]access.Key{}, clock: c}
	return &site{t, newServer(Options{API: http.HandlerFunc(fakeAPI), Sessions: sessions, KeyRates: new(admission.KeyRates), Changes: changes.New(c), Clock: c, Log: slog.New(slog.DiscardHandler), Version: "test"}), sessions, c}
}

// browserOf is somebody with a cookie.
type browserOf struct {
	*site
	cookies []*http.Cookie
}

// as signs in with a key of a role; "" does not.
func (s *site) as(role access.Role) *browserOf {
	s.t.Helper()
	b := &browserOf{site: s}
	if role == "" {
		return b
	}
	if got := b.post("/sign-in", url.Values{"key": {string(role) + "-key"}}); got.Code != http.StatusSeeOther {
		s.t.Fatalf("signing in as %s: %d %s", role, got.Code, got.Body)
	}
	return b
}

func (b *browserOf) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, path, nil))
}

// post sends a form, with the token of the session unless the form has one.
func (b *browserOf) post(path string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	if _, given := form[formToken]; !given && len(b.cookies) > 0 {
		form.Set(formToken, tokenFor(b.cookies[0].Value))
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func (b *browserOf) do(r *http.Request) *httptest.ResponseRecorder {
	b.t.Helper()
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	if set := w.Result().Cookies(); len(set) > 0 {
		if b.cookies = set; set[0].MaxAge < 0 {
			b.cookies = nil
		}
	}
	return w
}

// harmless fails if a page took a hostile text for anything but text.
func harmless(t *testing.T, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "canary" || n.Data == "style" || n.Data == "iframe" || n.Data == "base" || n.Data == "script" && n.FirstChild != nil {
			t.Errorf("the page has an element %s", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.ContainsAny(a.Key, `"'<`) {
				t.Errorf("<%s> has an attribute %s=%q", n.Data, a.Key, a.Val)
			}
			isURL := a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction"
			if isURL && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") || isURL && strings.HasPrefix(a.Val, "//") {
				t.Errorf("<%s> leads to %q", n.Data, a.Val)
			}
		}
	}
}
