package dash

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// cookieName is the name of the session's cookie. Where the connection is
// encrypted, the prefix has browsers refuse one that somebody else set for the
// domain, or over plain HTTP.
func cookieName(secure bool) string {
	if secure {
		return "__Host-orderhook_session"
	}
	return "orderhook_session"
}

// sessionToken is the token that a request has; "" if it has none.
func sessionToken(s *server, r *http.Request) string {
	c, err := r.Cookie(cookieName(s.isTLS(r)))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie gives the browser a session's token, or takes it away with "".
func (s *server) setCookie(w http.ResponseWriter, r *http.Request, token string, ttl time.Duration) {
	secure := s.isTLS(r)
	c := &http.Cookie{Name: cookieName(secure), Value: token, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode, MaxAge: int(ttl / time.Second)}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// toSignIn leads to the page where one signs in, and from there back.
func toSignIn(w http.ResponseWriter, r *http.Request) {
	path := "/sign-in"
	if r.Method == http.MethodGet && r.URL.RequestURI() != "/" {
		path += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// localPath returns a path of this server's, with its query: "/" in place of what
// could lead anywhere else. A browser takes //host, and /\host, for another host.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return u.RequestURI()
}

// signInView is the page where one signs in.
type signInView struct {
	Next    string
	Problem *Problem
	Server  string // this server's address, for the command that makes a key
	// Elsewhere says that a link on another site led here. A browser sends no cookie then
	// (SameSite=Strict), so who clicks may well have signed in.
	Elsewhere bool
}

var signInPage = newPage[signInView]("sign-in", "")

func signInPages(s *server) {
	s.open("GET /sign-in", s.showSignIn)
	s.open("POST /sign-in", s.signIn)
	s.page(oms.Reader, "POST /sign-out", signOut)
}

// open registers a path for everybody.
func (s *server) open(pattern string, do func(http.ResponseWriter, *http.Request) error) {
	s.routes = append(s.routes, route{pattern: pattern})
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := do(w, r); err != nil {
			s.fail(w, r, nil, err)
		}
	})
}

func (s *server) showSignIn(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"))
	if v, err := s.enter(w, r); err == nil && v != nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return signInPage.write(s, w, r, nil, http.StatusOK, "Sign in", signInView{Next: next, Server: s.address(r), Elsewhere: r.Header.Get("Sec-Fetch-Site") == "cross-site"})
}

// mostSignIn is how many bytes the form with a key may have.
const mostSignIn = 16 << 10

// signIn begins a session with a new token, whatever cookie the browser had. The API
// says what the key is: it slows down who tries wrong ones.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, mostSignIn)
	if err := r.ParseForm(); err != nil {
		return oms.Errorf(oms.Malformed, "the form could not be read")
	}
	next := localPath(r.PostForm.Get("next"))
	key, err := s.keyOf(r, strings.TrimSpace(r.PostForm.Get("key")))
	if p := problemOf(err); p != nil && p.Status < http.StatusInternalServerError {
		p.hint(w.Header())
		return signInPage.write(s, w, r, nil, p.Status, "Sign in", signInView{Next: next, Problem: p, Server: s.address(r)})
	}
	if err != nil {
		return err
	}
	session, token := oms.NewSession(key, s.Clock.Now())
	if err := s.Sessions.CreateSession(r.Context(), session); err != nil {
		return err
	}
	if old := sessionToken(s, r); old != "" {
		_ = s.Sessions.DeleteSession(r.Context(), oms.HashKey(old)) // it ends by itself if this fails
	}
	s.Log.Info("somebody signed in to the dashboard", "request", idOf(r), "tenant", key.Tenant, "key", key.ID, "role", key.Role, "address", r.RemoteAddr)
	s.setCookie(w, r, token, oms.SessionTTL)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

func signOut(v *visit) error {
	if err := v.s.Sessions.DeleteSession(v.r.Context(), oms.HashKey(v.token)); err != nil {
		return err
	}
	v.s.setCookie(v.w, v.r, "", 0)
	return v.see("/sign-in")
}

// address is where the browser reaches this server, for commands to copy.
func (s *server) address(r *http.Request) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	scheme := "http"
	if s.isTLS(r) {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
