package dash

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jba/templatecheck"
	"golang.org/x/net/html"

	"github.com/orderhook/orderhook/internal/access"
)

func TestTemplatesFitTheirViews(t *testing.T) {
	for _, p := range pages {
		if err := templatecheck.CheckHTML(p.text().Lookup("layout"), p.example); err != nil {
			t.Errorf("templates/%s.html: %v", p.name, err)
		}
	}
}

// pathOf is a path that a route's pattern matches, and its method.
func pathOf(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodGet, pattern+"nowhere"
	}
	path = strings.ReplaceAll(path, "{$}", "")
	for strings.Contains(path, "{") {
		begin, end := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:begin] + "1" + path[end+1:]
	}
	return method, path
}

func TestPagesShowTextsAsTexts(t *testing.T) {
	b := newSite(t).as(access.Admin)
	query := "?" + url.Values{"orderId": {hostile}, "body": {hostile}, "next": {hostile}, "done": {hostile}, "cursor": {hostile}}.Encode()
	for _, r := range b.routes {
		method, path := pathOf(r.pattern)
		if method != http.MethodGet || strings.HasPrefix(path, "/assets/") || path == "/live" {
			continue
		}
		for name, path := range map[string]string{path: path, path + " with a query": path + query} {
			t.Run(name, func(t *testing.T) {
				got := b.get(path)
				if got.Header().Get("Content-Type") == "text/plain; charset=utf-8" {
					return // a browser makes no markup of it
				}
				if got.Code >= http.StatusInternalServerError || got.Code == http.StatusNotFound && r.pattern != "/" {
					t.Errorf("%d: is there an answer of the fake API for this page? %s", got.Code, got.Body)
				}
				harmless(t, got.Body.String())
			})
		}
	}
}

// TestErrorsShowTextsAsTexts: what the API refuses, it may refuse with texts of others.
func TestErrorsShowTextsAsTexts(t *testing.T) {
	b := newSite(t).as(access.Admin)
	own := b.get("/nowhere")
	if id := own.Header().Get("X-Request-Id"); strings.Count(own.Body.String(), id) != 2 { // in the problem, and below the page
		t.Errorf("the page of an error has not its request's id %s: %s", id, own.Body)
	}
	got := b.get("/attempts/none")
	if got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "there is no ") || !strings.Contains(got.Body.String(), got.Header().Get("X-Request-Id")) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	harmless(t, got.Body.String())
	harmless(t, b.get("/"+url.PathEscape(hostile)).Body.String())
}

func TestRoutesByRole(t *testing.T) {
	s := newSite(t)
	for _, role := range append([]access.Role{""}, access.Roles...) {
		for _, r := range s.routes {
			if r.needed == "" || r.pattern == "POST /sign-out" {
				continue
			}
			b := s.as(role)
			method, path := pathOf(r.pattern)
			request := httptest.NewRequest(method, path, nil)
			if method == http.MethodPost {
				request = httptest.NewRequest(method, path, strings.NewReader(""))
			}
			got := b.do(request)
			switch {
			case role == "":
				if got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/sign-in") {
					t.Errorf("%s without a session: %d", r.pattern, got.Code)
				}
			case !role.Reaches(r.needed):
				if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "needs a key of the role "+string(r.needed)) {
					t.Errorf("%s as %s: %d", r.pattern, role, got.Code)
				}
			case method == http.MethodPost: // there is no token
				if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "not of your session") {
					t.Errorf("%s without a token, as %s: %d", r.pattern, role, got.Code)
				}
			case got.Code == http.StatusForbidden:
				t.Errorf("%s as %s: %d", r.pattern, role, got.Code)
			}
		}
	}
}

func TestFormsOfOthers(t *testing.T) {
	s := newSite(t)
	b, other := s.as(access.Admin), s.as(access.Admin)
	const path = "/jobs/1/cancel"
	for name, token := range map[string]string{"none": "", "another session's": tokenFor(other.cookies[0].Value), "the session itself": b.cookies[0].Value} {
		if got := b.post(path, url.Values{formToken: {token}}); got.Code != http.StatusForbidden {
			t.Errorf("the token of the form is %s: %d", name, got.Code)
		}
	}
	if got := b.post(path, url.Values{}); got.Code != http.StatusSeeOther {
		t.Errorf("its own form: %d %s", got.Code, got.Body)
	}
	for name, header := range map[string][2]string{"another site": {"Sec-Fetch-Site", "cross-site"}, "another host of the site": {"Sec-Fetch-Site", "same-site"}, "another origin": {"Origin", "https://evil.example"}} {
		for _, path := range []string{path, "/sign-in", "/sign-out"} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{formToken: {tokenFor(b.cookies[0].Value)}, "key": {"admin-key"}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(header[0], header[1])
			if got := b.do(r); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "from another site") {
				t.Errorf("%s from %s: %d", path, name, got.Code)
			}
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	b := newSite(t).as(access.Admin)
	for _, r := range b.routes {
		method, path := pathOf(r.pattern)
		if path == "/live" {
			continue
		}
		h := b.do(httptest.NewRequest(method, path, nil)).Header()
		for name, want := range map[string]string{"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", r.pattern, name, h.Get(name))
			}
		}
		if cached := h.Get("Cache-Control"); cached != "no-store" && !strings.HasPrefix(path, "/assets/") {
			t.Errorf("%s: Cache-Control is %q", r.pattern, cached)
		}
		if !strings.HasPrefix(h.Get("X-Request-Id"), "req_") {
			t.Errorf("%s has no request id", r.pattern)
		}
	}
}

// TestMethodsOfPages: a page takes what browsers send, and says so otherwise.
func TestMethodsOfPages(t *testing.T) {
	b := newSite(t).as(access.Admin)
	const all = "GET, HEAD, POST"
	for _, row := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/orders", 200, ""}, {"HEAD", "/orders", 200, ""}, {"POST", "/orders", 405, "GET, HEAD"}, {"GET", "/sign-out", 405, "POST"},
		{"PUT", "/orders", 405, all}, {"DELETE", "/orders", 405, all}, {"OPTIONS", "/", 405, all}, {"PATCH", "/orders/1", 405, all},
		{"GET", "/nowhere", 404, ""},
	} {
		var got *httptest.ResponseRecorder
		if row.method == "POST" {
			got = b.post(row.path, url.Values{})
		} else {
			got = b.do(httptest.NewRequest(row.method, row.path, nil))
		}
		if allow := got.Header().Get("Allow"); got.Code != row.status || allow != row.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q", row.method, row.path, got.Code, allow, row.status, row.allow)
		}
	}
}

func TestSignIn(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Operator)
	first := b.cookies[0]
	if first.Name != "orderhook_session" || !first.HttpOnly || first.SameSite != http.SameSiteStrictMode || first.Path != "/" || first.Secure || first.Domain != "" {
		t.Errorf("the cookie %+v", first)
	}
	if got := b.post("/sign-in", url.Values{"key": {"operator-key"}}); got.Code != http.StatusSeeOther || b.cookies[0].Value == first.Value {
		t.Errorf("signing in again: %d, with the same token", got.Code)
	}
	again := &browserOf{site: s, cookies: []*http.Cookie{first}}
	if got := again.get("/attempts"); got.Code != http.StatusSeeOther {
		t.Errorf("the session before is still there: %d", got.Code)
	}
	mine := b.cookies
	if got := b.post("/sign-out", url.Values{}); got.Code != http.StatusSeeOther || len(b.cookies) > 0 {
		t.Errorf("signing out: %d, and the cookie is %v", got.Code, b.cookies)
	}
	again.cookies = mine
	if got := again.get("/attempts"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/sign-in?next=%2Fattempts" {
		t.Errorf("after signing out: %d %s", got.Code, got.Header().Get("Location"))
	}
}

// TestAFixedSession: a token that somebody else put into the browser never becomes a session.
func TestAFixedSession(t *testing.T) {
	s := newSite(t)
	b := &browserOf{site: s, cookies: []*http.Cookie{{Name: "orderhook_session", Value: "ohs_planted"}}}
	if got := b.post("/sign-in", url.Values{"key": {"admin-key"}}); got.Code != http.StatusSeeOther || b.cookies[0].Value == "ohs_planted" {
		t.Errorf("%d, cookie %v", got.Code, b.cookies)
	}
	planted := &browserOf{site: s, cookies: []*http.Cookie{{Name: "orderhook_session", Value: "ohs_planted"}}}
	if got := planted.get("/attempts"); got.Code != http.StatusSeeOther {
		t.Errorf("the planted token is a session: %d", got.Code)
	}
}

func TestAWrongKey(t *testing.T) {
	b := newSite(t).as("")
	got := b.post("/sign-in", url.Values{"key": {"a-guess"}, "next": {"/attempts?orderId=1"}})
	if got.Code != http.StatusUnauthorized || len(b.cookies) > 0 || !strings.Contains(got.Body.String(), "the key is not known") || !strings.Contains(got.Body.String(), `value="/attempts?orderId=1"`) {
		t.Errorf("%d %v %s", got.Code, b.cookies, got.Body)
	}
	if strings.Contains(got.Body.String(), "a-guess") {
		t.Error("the page shows the key")
	}
}

func TestCookiesBehindTLS(t *testing.T) {
	s := newSite(t)
	r := httptest.NewRequest(http.MethodPost, "/sign-in", strings.NewReader("key=admin-key"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-Proto", "https, http")
	b := s.as("")
	b.do(r)
	if c := b.cookies[0]; c.Name != "__Host-orderhook_session" || !c.Secure {
		t.Errorf("the cookie behind TLS is %+v", c)
	}
	if got := b.get("/attempts"); got.Code != http.StatusSeeOther {
		t.Errorf("a cookie of TLS holds without: %d", got.Code)
	}
}

// TestBehindAProxy that ends TLS and gives the server another Host: the public URL is what
// browsers see.
func TestBehindAProxy(t *testing.T) {
	s := newSite(t)
	o := s.Options
	o.PublicURL = "https://orders.example.com/"
	s.server = newServer(o)
	b := s.as(access.Admin)
	if c := b.cookies[0]; c.Name != "__Host-orderhook_session" || !c.Secure {
		t.Errorf("the cookie is %+v", c)
	}
	for origin, want := range map[string]int{"https://orders.example.com": http.StatusSeeOther, "https://evil.example": http.StatusForbidden, "http://orders.example.com": http.StatusForbidden} {
		r := httptest.NewRequest(http.MethodPost, "/jobs/1/cancel", strings.NewReader(url.Values{formToken: {tokenFor(b.cookies[0].Value)}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		if got := b.do(r); got.Code != want {
			t.Errorf("a form from %s: %d", origin, got.Code)
		}
	}
}

func TestLocalPath(t *testing.T) {
	for given, want := range map[string]string{
		"/attempts?orderId=1": "/attempts?orderId=1", "": "/", "/": "/", "///evil.example": "/", "attempts": "/", "//evil.example": "/", "/\\evil.example": "/", `\\evil.example`: "/",
		"https://evil.example/": "/", "javascript:alert(1)": "/", "/a\n/b": "/", "/\t/evil.example": "/", "http:/x": "/", "/orders/a%2Fb": "/orders/a%2Fb",
	} {
		if got := localPath(given); got != want {
			t.Errorf("%q: %q, not %q", given, got, want)
		}
	}
}

// TestSigningInLeadsNowhereElse: to the page that was asked for, and never to another site.
func TestSigningInLeadsNowhereElse(t *testing.T) {
	s := newSite(t)
	signedIn := s.as(access.Admin)
	for next, want := range map[string]string{"/attempts?orderId=1": "/attempts?orderId=1", "//evil.example": "/", "https://evil.example/": "/", "": "/"} {
		if got := s.as("").post("/sign-in", url.Values{"key": {"admin-key"}, "next": {next}}); got.Header().Get("Location") != want {
			t.Errorf("signing in leads from %q to %q", next, got.Header().Get("Location"))
		}
		if got := signedIn.get("/sign-in?" + url.Values{"next": {next}}.Encode()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != want {
			t.Errorf("who has signed in is led from %q to %d %q", next, got.Code, got.Header().Get("Location"))
		}
	}
}

// TestFilesAreCachedByBrowsers, since their names change with what they hold.
func TestFilesAreCachedByBrowsers(t *testing.T) {
	b := newSite(t).as("")
	for name, path := range assetPaths {
		if got := b.get(path); got.Code != http.StatusOK || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") || got.Body.String() != string(content("assets/"+name)) {
			t.Errorf("%s: %d, Cache-Control %q", path, got.Code, got.Header().Get("Cache-Control"))
		}
	}
}

// TestTheStateIsInTheURL: fields that were left empty are not in it, and what the API
// does not know it gets to refuse.
func TestTheStateIsInTheURL(t *testing.T) {
	b := newSite(t).as(access.Reader)
	got := b.get("/attempts?orderId=ORD-1&status=&kind=")
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/attempts?orderId=ORD-1" {
		t.Errorf("%d %s", got.Code, got.Header().Get("Location"))
	}
	asks := asked(url.Values{"orderId": {"1"}, "done": {"saved"}, "tab": {"x"}, "nonsense": {"2"}})
	if asks.Encode() != "nonsense=2&orderId=1" {
		t.Errorf("the API is asked %s", asks.Encode())
	}
}

func TestAPageThatPanics(t *testing.T) {
	s := newSite(t)
	s.page(access.Reader, "GET /panic", func(*visit) error { panic("secret-text") })
	got := s.as(access.Reader).get("/panic")
	if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "secret-text") || !strings.Contains(got.Body.String(), got.Header().Get("X-Request-Id")) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// TestThePolicy: nothing within a page is run or drawn, nothing comes from elsewhere, and
// no other page has this one in a frame.
func TestThePolicy(t *testing.T) {
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy has no %s", want)
		}
	}
	for _, wrong := range []string{"unsafe", "http", "*", "blob:", "script-src 'self' "} {
		if strings.Contains(policy, wrong) {
			t.Errorf("the policy has %s", wrong)
		}
	}
}

// TestWhatPagesHoldIsBounded: an answer of the API that is larger than all that the
// tenant's pages may hold makes no page, and leaves nothing taken.
func TestWhatPagesHoldIsBounded(t *testing.T) {
	s := newSite(t)
	whole := strings.Repeat("x", 1<<20)
	wrote := 0
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/me" {
			fakeAPI(w, r)
			return
		}
		for range 1000 {
			if _, err := w.Write([]byte(whole)); err != nil {
				panic(http.ErrAbortHandler) // as the API does
			}
			wrote++
		}
	})
	got := s.as(access.Reader).get("/attempts")
	if got.Code != http.StatusRequestEntityTooLarge || !strings.Contains(got.Body.String(), "more than a page can show") || wrote > 64 {
		t.Errorf("%d after %d MiB: %s", got.Code, wrote, got.Body)
	}
	if f := s.gate.Figures(); f.Bytes != 0 || f.Requests != 0 {
		t.Errorf("%d bytes and %d requests stay taken", f.Bytes, f.Requests)
	}
}

// TestPagesAreCountedAsTheyAreSent: what is short in the API's answer may be long as HTML.
func TestPagesAreCountedAsTheyAreSent(t *testing.T) {
	s, a := settingsSite(t, `{"markets":["`+strings.Repeat("&", 20<<20)+`"]}`)
	b := s.as(access.Operator)
	if got := b.get("/workflows/edit"); got.Code != http.StatusRequestEntityTooLarge || !strings.Contains(got.Body.String(), "more than a page can show") {
		t.Errorf("100 MiB of HTML: %d, %d bytes", got.Code, got.Body.Len())
	}
	a.versions = []string{`{"markets":["&"]}`}
	if got := b.get("/workflows/edit"); got.Code != http.StatusOK {
		t.Errorf("a small one: %d, %d bytes", got.Code, got.Body.Len())
	}
	if f := s.gate.Figures(); f.Bytes != 0 || f.Requests != 0 {
		t.Errorf("%d bytes and %d requests stay taken", f.Bytes, f.Requests)
	}
}

// TestTooManyPagesAtOnce of one tenant are refused, and those of others are not.
func TestTooManyPagesAtOnce(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	for range limits.Requests.PerTenant {
		if _, err := s.gate.Enter("t1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.get("/attempts"); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" || !strings.Contains(got.Body.String(), "too many pages") {
		t.Errorf("%d, Retry-After %q", got.Code, got.Header().Get("Retry-After"))
	}
	if _, err := s.gate.Enter("t2"); err != nil {
		t.Errorf("another tenant has no room: %v", err)
	}
}

// TestSectionsByRole: nobody is led to a section that the key does not reach.
func TestSectionsByRole(t *testing.T) {
	s := newSite(t)
	for _, role := range access.Roles {
		page := s.as(role).get("/attempts").Body.String()
		for _, n := range sections {
			if shown := strings.Contains(page, `<li><a href="`+n.Path+`"`); shown != role.Reaches(n.Needed) {
				t.Errorf("a %s is shown %s: %v", role, n.Name, shown)
			}
		}
	}
}

// TestWhatFormsHoldIsBounded: a form is counted, too, and one that is too long is not read.
func TestWhatFormsHoldIsBounded(t *testing.T) {
	s := newSite(t)
	calls := s.recording(nil)
	b := s.as(access.Admin)
	other, err := s.gate.Enter("t1")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Grow(limits.Bytes.PerTenant - 1000); err != nil {
		t.Fatal(err)
	}
	if got := b.post("/jobs/1/cancel", url.Values{"x": {strings.Repeat("x", 1000)}}); got.Code != http.StatusTooManyRequests || len(*calls) > 0 {
		t.Errorf("a form for which there is no room: %d", got.Code)
	}
	other.Leave()
	if got := b.post("/jobs/1/cancel", url.Values{"x": {strings.Repeat("x", mostForm)}}); got.Code != http.StatusRequestEntityTooLarge || len(*calls) > 0 {
		t.Errorf("a form that is too long: %d", got.Code)
	}
	if f := s.gate.Figures(); f.Bytes != 0 || f.Requests != 0 {
		t.Errorf("%d bytes and %d requests stay taken", f.Bytes, f.Requests)
	}
}

// TestWhatWasChangedIsALink in the audit log, where it has a page.
func TestWhatWasChangedIsALink(t *testing.T) {
	for target, want := range map[string]string{`{"kind":"endpoint","id":"ep_1"}`: `href="/endpoints/ep_1"`, `{"kind":"order","id":"a/b"}`: `href="/orders/a%2Fb"`, `{"kind":"settings","id":"7"}`: `href="/workflows/history/7"`, `{"kind":"key","id":"key_1"}`: ""} {
		s := newSite(t)
		s.answering("/api/audit", `{"items":[{"id":"aud_1","action":"x","target":`+target+`}]}`)
		page := s.as(access.Admin).get("/audit").Body.String()
		if want == "" && strings.Contains(page, `href="/keys/key_1`) || !strings.Contains(page, want) {
			t.Errorf("%s: %s", target, page)
		}
	}
}

// TestLinksLeadSomewhere: each link of a page leads to one that there is, and each form to
// what takes it.
func TestLinksLeadSomewhere(t *testing.T) {
	b := newSite(t).as(access.Admin)
	leads := func(method, to string) bool {
		path, _, _ := strings.Cut(to, "#")
		path, _, _ = strings.Cut(path, "?")
		_, pattern := b.mux.Handler(httptest.NewRequest(method, path, nil))
		return pattern != "" && (pattern != "/" || path == "/")
	}
	for _, r := range b.routes {
		method, path := pathOf(r.pattern)
		if method != http.MethodGet || path == "/live" || strings.HasPrefix(path, "/assets/") {
			continue
		}
		doc, err := html.Parse(strings.NewReader(b.get(path).Body.String()))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			for _, a := range n.Attr {
				to, method := a.Val, http.MethodGet
				if a.Key != "href" && a.Key != "action" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "/api/") {
					continue
				}
				if a.Key == "action" {
					method = strings.ToUpper(attribute(n, "method"))
				}
				if !leads(method, to) {
					t.Errorf("%s has %s %s, which leads nowhere", r.pattern, method, to)
				}
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// TestIDsThatLeadAway: .. and . as an id lead the API's own paths elsewhere. The page is
// not there, and nothing is reported as done.
func TestIDsThatLeadAway(t *testing.T) {
	s := newSite(t)
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux := http.NewServeMux()
		mux.HandleFunc("/api/", fakeAPI)
		mux.ServeHTTP(w, r)
	})
	b := s.as(access.Admin)
	for _, id := range []string{"%2e%2e", "%2e"} {
		for _, path := range []string{"/attempts/" + id, "/jobs/" + id, "/orders/" + id, "/carts/" + id} {
			if got := b.get(path); got.Code != http.StatusNotFound {
				t.Errorf("GET %s: %d", path, got.Code)
			}
		}
		for _, path := range []string{"/jobs/" + id + "/cancel", "/keys/" + id + "/delete"} {
			if got := b.post(path, url.Values{}); got.Code != http.StatusNotFound {
				t.Errorf("POST %s: %d, to %q", path, got.Code, got.Header().Get("Location"))
			}
		}
	}
}

// TestPagesAreUTF8, whatever bytes the URL holds.
func TestPagesAreUTF8(t *testing.T) {
	b := newSite(t).as(access.Reader)
	for _, path := range []string{"/attempts?kind=%ff", "/attempts?%fe=%ff", "/%ff", "/attempts/%ff"} {
		if got := b.get(path); !utf8.Valid(got.Body.Bytes()) || got.Header().Get("Content-Length") != strconv.Itoa(got.Body.Len()) {
			t.Errorf("%s: of %s bytes: %q", path, got.Header().Get("Content-Length"), got.Body)
		}
	}
}

// TestALinkOnAnotherSite: the browser keeps the cookie back, and sends it once one goes on from
// this server's own page.
func TestALinkOnAnotherSite(t *testing.T) {
	s := newSite(t)
	for from, shown := range map[string]bool{"cross-site": true, "same-origin": false, "none": false, "": false} {
		r := httptest.NewRequest(http.MethodGet, "/sign-in?next=%2Forders%2FORD-1", nil)
		r.Header.Set("Sec-Fetch-Site", from)
		got := httptest.NewRecorder()
		s.ServeHTTP(got, r)
		if got.Code != http.StatusOK || strings.Contains(got.Body.String(), `<a href="/orders/ORD-1">go on</a>`) != shown {
			t.Errorf("from %q: %d %s", from, got.Code, got.Body)
		}
	}
}
