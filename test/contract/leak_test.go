package contract

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// docs/contract.md#secrets: whatever a test of this suite gives an orderhook as a secret,
// and whatever secret it is given, is in no answer after that, in no line of the log, no
// span, no metric, no export and no backup.

// leaks are the secrets of one orderhook, in each form in which one could get out.
type leaks struct {
	mu    sync.Mutex
	forms map[prefix][]spelled // by how they begin, so that a text is gone through once
	known map[string]bool
	// shared are the values of queries of URLs. Settings and endpoints store them as they
	// stand, for operators to see, so a database has them.
	shared map[string]bool
}

type prefix [8]byte

// spelled is a form that a secret may have.
type spelled struct{ text, secret string }

// shortestSecret is how long a text must be to be looked for: a shorter one, such as the
// name of a warehouse in a header, is in other places for reasons of its own.
const shortestSecret = 12

// noSecret are, beside those of one letter alone, values of headers and passwords that say nothing: a type, and the name of
// a variable.
var noSecret = regexp.MustCompile(`^(application/json|\$\{\w+\})$`)

func newLeaks() *leaks {
	return &leaks{forms: map[prefix][]spelled{}, known: map[string]bool{}, shared: map[string]bool{}}
}

// add makes a secret known.
func (l *leaks) add(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(secret) < shortestSecret || l.known[secret] || strings.Trim(secret, secret[:1]) == "" || noSecret.MatchString(secret) {
		return
	}
	l.known[secret] = true
	for _, text := range formsOf(secret) {
		if len(text) < len(prefix{}) {
			continue
		}
		begin := prefix([]byte(text[:len(prefix{})]))
		if f := (spelled{text, secret}); !slices.Contains(l.forms[begin], f) {
			l.forms[begin] = append(l.forms[begin], f)
		}
	}
}

// formsOf returns a secret as it is, as JSON and URLs have it, in hexadecimal digits, and in
// base64 wherever in a longer text it stands.
func formsOf(secret string) []string {
	quoted, _ := json.Marshal(secret)
	unescaped := &strings.Builder{}
	plain := json.NewEncoder(unescaped)
	plain.SetEscapeHTML(false)
	_ = plain.Encode(secret)
	all := []string{secret, strings.Trim(string(quoted), `"`), strings.Trim(strings.TrimSpace(unescaped.String()), `"`), url.QueryEscape(secret), url.PathEscape(secret),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))}
	for before := range 3 {
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := e.EncodeToString(append(make([]byte, before), secret...))
			all = append(all, text[(before*8+5)/6:len(text)-1]) // without what its neighbours have a part in
		}
	}
	return all
}

// in returns the secrets that are in a text.
func (l *leaks) in(text string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 0; i+len(prefix{}) <= len(text); i++ {
		for _, f := range l.forms[prefix([]byte(text[i:i+len(prefix{})]))] {
			if strings.HasPrefix(text[i:], f.text) && !slices.Contains(found, f.secret) {
				found = append(found, f.secret)
			}
		}
	}
	return found
}

// secretNames are the members, in lower case, whose text is a secret wherever they stand.
var secretNames = []string{"token", "bearertoken", "password", "signingsecret", "secret", "signingkey"}

// given makes the secrets of a body known that the settings or an endpoint are made of.
func (l *leaks) given(path, body string) {
	var doc any
	if (strings.HasPrefix(path, "/api/settings") || strings.HasPrefix(path, "/api/endpoints")) && json.Unmarshal([]byte(body), &doc) == nil {
		l.walk("", doc)
	}
}

// walk looks for secrets in a value that stands under a name.
func (l *leaks) walk(under string, value any) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			l.walk(under, element)
		}
	case map[string]any:
		member := map[string]any{}
		for name, inner := range v {
			member[strings.ToLower(name)] = inner
			l.walk(strings.ToLower(name), inner)
		}
		text, _ := member["value"].(string)
		if group, _ := member["keygroup"].(string); under == "customheaders" || strings.EqualFold(group, "RequestHeaders") {
			l.header(text)
		}
		if under == "headers" {
			for _, inner := range v {
				text, _ := inner.(string)
				l.header(text)
			}
		}
	case string:
		if slices.Contains(secretNames, under) {
			l.add(v)
		} else if u, err := url.Parse(v); err == nil && u.Host != "" {
			l.url(u)
		}
	}
}

// header adds the value of a header, and what follows the scheme in it.
func (l *leaks) header(value string) {
	l.add(value)
	if _, credentials, cut := strings.Cut(value, " "); cut {
		l.add(credentials)
	}
}

// url adds a password in a URL, and the values in its query.
func (l *leaks) url(u *url.URL) {
	if password, has := u.User.Password(); has {
		l.add(password)
	}
	for _, values := range u.Query() {
		for _, v := range values {
			l.add(v)
			l.shared[v] = true
		}
	}
}

// givenBack is where the new secret of an endpoint is shown this once.
var givenBack = regexp.MustCompile(`"secret":"whsec_[^"]*"`)

// shown makes the secrets known that an answer gives out: a new key, a new endpoint's
// secret. They are shown this once.
func (l *leaks) shown(raw []byte) {
	var doc map[string]any
	if json.Unmarshal(raw, &doc) != nil {
		return
	}
	for _, name := range []string{"secret", "key"} {
		if text, _ := doc[name].(string); strings.HasPrefix(text, "whsec_") || strings.HasPrefix(text, "ohk_") {
			l.add(text)
		}
	}
}

// silent fails the test if a text has a secret in it.
func (r *rig) silent(what, text string) {
	r.t.Helper()
	for _, secret := range r.leaks.in(text) {
		r.t.Errorf("%s holds the secret %q", what, secret)
	}
}

// answered looks at an answer to a request with a body.
func (r *rig) answered(req *http.Request, body string, header http.Header, raw []byte) {
	r.t.Helper()
	r.leaks.given(req.URL.Path, body)
	text := string(raw)
	if at := req.URL.Path; req.Method == http.MethodPost && (at == "/api/endpoints" || strings.HasSuffix(at, "/rotate-secret")) {
		text = givenBack.ReplaceAllString(text, "") // where the caller named it, too
	}
	r.silent(fmt.Sprintf("the answer to %s %s", req.Method, req.URL.Path), fmt.Sprint(header)+text)
	r.leaks.shown(raw)
	r.leaks.add(r.key)
}

// ownOutput looks at what an orderhook says of itself, at the end of a test.
func (r *rig) ownOutput() {
	r.t.Helper()
	r.silent("the log", r.log.String())
	r.silent("a span", r.spans.String())
	r.silent("a metric", r.scraped())
}

// scraped is what its metrics are.
func (r *rig) scraped() string {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "go_goroutines") {
		r.t.Errorf("the metrics are answered with %d", w.Code)
	}
	return w.Body.String()
}

const backupName = "backup.db"

// writtenFiles looks at what an orderhook writes for others: the exports of each tenant and a
// backup. It is called with the orderhook running, at its end.
func (r *rig) writtenFiles() error {
	dir, err := os.MkdirTemp("", "orderhook-leaks-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	tenants, err := r.store.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := r.decideAgain(ctx, tenant); err != nil {
			return err
		}
		if !r.leased { // else each test looks at its own
			if err := r.happenAgain(ctx, tenant); err != nil {
				return err
			}
		}
		for _, kind := range []string{"orders", "history", "attempts", "events"} {
			x := app.Export{Kind: kind, Format: "jsonl", Tenant: tenant, File: filepath.Join(dir, kind+tenant)}
			if _, err := x.Run(ctx, r.store); err != nil {
				return err
			}
		}
	}
	if !onServer {
		if err := app.Backup(ctx, r.path, filepath.Join(dir, backupName), sqlite.BackupOptions{}); err != nil {
			return err
		}
	}
	return filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found := r.leaks.in(string(text))
		if e.Name() == backupName {
			found = slices.DeleteFunc(found, func(secret string) bool { return r.leaks.shared[secret] })
		}
		if len(found) > 0 {
			return fmt.Errorf("%s holds the secrets %q", filepath.Base(path), found)
		}
		return err
	})
}

// spansTo is an exporter that writes spans down.
type spansTo struct{ *journal }

// ExportSpans implements [sdk.SpanExporter].
func (s spansTo) ExportSpans(_ context.Context, spans []sdk.ReadOnlySpan) error {
	for _, span := range spans {
		fmt.Fprintln(s.journal, span.Name(), span.Attributes(), span.Events(), span.Links(), span.Status(), span.SpanContext().TraceState())
	}
	return nil
}

// Shutdown implements [sdk.SpanExporter].
func (spansTo) Shutdown(context.Context) error { return nil }

func TestALeakIsFound(t *testing.T) {
	const secret = `pass"word & 123/ü`
	l := newLeaks()
	l.given("/api/endpoints", `{"url":"https://me:url-password@a.example/?code=code-in-a-query","secret":"whsec_abcdefghijkl","headers":{"Authorization":"Bearer header-secret-1"}}`)
	l.given("/api/settings", `{"Connectors":[{"Host":"https://b.example","Token":"`+strings.ReplaceAll(secret, `"`, `\"`)+`","CustomHeaders":[{"Key":"X","Value":"custom-secret-1"}]}],
		"OrderTypes":[{"OrderStatuses":[{"WorkflowSteps":[{"Properties":[{"Key":"X","Value":"step-secret-123","KeyGroup":"RequestHeaders"},{"Key":"Host","Value":"https://c.example"}]}]}]}]}`)
	l.shown([]byte(`{"id":"key_1","key":"ohk_newly-made-key"}`))
	for _, text := range []string{"url-password", "code-in-a-query", "whsec_abcdefghijkl", "header-secret-1", "Bearer header-secret-1", "custom-secret-1", "step-secret-123", "ohk_newly-made-key",
		secret, `pass\"word & 123/ü`, `pass\"word \u0026 123/ü`, url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)), fmt.Sprintf("%X", secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("a:" + secret)), base64.URLEncoding.EncodeToString([]byte("me:" + secret + "!"))} {
		if len(l.in("before "+text+" after")) == 0 {
			t.Errorf("%q is not found", text)
		}
	}
	for _, text := range []string{"", "https://c.example", "pass", "whsec_***", "abcdefghijkl"} {
		if found := l.in("before " + text + " after"); len(found) > 0 {
			t.Errorf("%q is found in %q", found, text)
		}
	}
}
