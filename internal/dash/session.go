package dash

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
)

// cookieName is the name of the session's cookie. Where the connection is
// encrypted, the prefix has browsers refuse one that somebody else set for the
// domain, or over plain HTTP. A browser takes such a cookie only over HTTPS, from this
// very host, and for all paths.
func cookieName(secure bool) string {
	if secure {
		return "__Host-orderhook_session"
	}
	return "orderhook_session"
}

// sessionToken is the token that a request has; "" if it has none. Anybody may send
// anything; whether it is the token of a session, the store says.
func sessionToken(s *server, r *http.Request) string {
	c, err := r.Cookie(cookieName(s.isTLS(r)))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie gives the browser a session's token, or takes it away with "". Scripts cannot
// read the cookie, and requests that come from other sites do not carry it.
func (s *server) setCookie(w http.ResponseWriter, r *http.Request, token string, ttl time.Duration) {
	secure := s.isTLS(r)
	c := &http.Cookie{Name: cookieName(secure), Value: token, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode, MaxAge: int(ttl / time.Second)}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// toSignIn leads to the page where one signs in, and from there back. Only the URL of a
// page is one that a browser may come back to; what was posted is lost.
func toSignIn(w http.ResponseWriter, r *http.Request) {
	path := "/sign-in"
	if r.Method == http.MethodGet && r.URL.RequestURI() != "/" {
		path += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// localPath returns a path of this server's, with its query: "/" in place of what
// could lead anywhere else. A browser takes //host, and /\host, for another host. So
// nobody can use a link to this server to lead people to another.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return u.RequestURI()
}

// signInView is the page where one signs in. Problem is nil unless a key was refused.
type signInView struct {
	Next    string
	Problem *Problem
	Server  string // this server's address
	MakeKey string // the command that makes a key, where the server runs
	// Elsewhere says that a link on another site led here. A browser sends no cookie then
	// (SameSite=Strict), so who clicks may well have signed in.
	Elsewhere bool
}

// signInPage asks for a key.
var signInPage = newPage[signInView]("sign-in", "")

// signInPages registers the pages by which one signs in and out. They are the only ones
// for those who have not signed in, beside the files.
func signInPages(s *server) {
	s.open("GET /sign-in", s.showSignIn)
	s.open("POST /sign-in", s.signIn)
	s.page(access.Reader, "POST /sign-out", signOut)
}

// open registers a path for everybody. There is no visit, and the gate does not count it.
func (s *server) open(pattern string, do func(http.ResponseWriter, *http.Request) error) {
	s.routes = append(s.routes, route{pattern: pattern})
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := do(w, r); err != nil {
			s.fail(w, r, nil, err)
		}
	})
}

// showSignIn leads on who has signed in already, so that the form is not there to confuse them.
func (s *server) showSignIn(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"))
	if v, err := s.enter(w, r); err == nil && v != nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return signInPage.write(s, w, r, nil, http.StatusOK, "Sign in", signInView{Next: next, Server: s.address(r), MakeKey: s.makeKey(r), Elsewhere: r.Header.Get("Sec-Fetch-Site") == "cross-site"})
}

// mostSignIn is how many bytes the form with a key may have. It is read before anybody is
// known, so it is much less than other forms may have.
const mostSignIn = 16 << 10

// signIn begins a session with a new token, whatever cookie the browser had. The API
// says what the key is: it slows down who tries wrong ones. The old session of the
// browser ends, so that a token which somebody planted there is worth nothing after it.
// The key itself is not stored anywhere, and not logged.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, mostSignIn)
	if err := r.ParseForm(); err != nil {
		return apierr.Errorf(apierr.Malformed, "the form could not be read")
	}
	next := localPath(r.PostForm.Get("next"))
	key, err := s.keyOf(r, strings.TrimSpace(r.PostForm.Get("key")))
	if p := problemOf(err); p != nil && p.Status < http.StatusInternalServerError {
		p.hint(w.Header())
		return signInPage.write(s, w, r, nil, p.Status, "Sign in", signInView{Next: next, Problem: p, Server: s.address(r), MakeKey: s.makeKey(r)})
	}
	if err != nil {
		return err
	}
	session, token := access.NewSession(key, s.Clock.Now())
	if err := s.Sessions.CreateSession(r.Context(), session); err != nil {
		return err
	}
	if old := sessionToken(s, r); old != "" {
		_ = s.Sessions.DeleteSession(r.Context(), access.HashKey(old)) // it ends by itself if this fails
	}
	s.Log.Info("somebody signed in to the dashboard", "request", idOf(r), "tenant", key.Tenant, "key", key.ID, "role", key.Role, "address", api.AddressOf(r).String())
	s.setCookie(w, r, token, access.SessionTTL)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// signOut ends the session in the database first: a cookie that was copied is worth
// nothing then. If the database does not answer, the session goes on, and the error says
// so.
func signOut(v *visit) error {
	if err := v.s.Sessions.DeleteSession(v.r.Context(), access.HashKey(v.token)); err != nil {
		return err
	}
	v.s.setCookie(v.w, v.r, "", 0)
	return v.see("/sign-in")
}

// address is where the browser reaches this server, for commands to copy. Without a
// public URL it is what the browser itself has asked for.
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

// makeKey is the command that makes a key in this server's database. It is for whoever
// has just begun, and has no key yet. Where the database is, is shown to a browser on the
// server's own machine alone: nobody else has a use for it who has not signed in.
func (s *server) makeKey(r *http.Request) string {
	command := "orderhook keys create --tenant default --role operator"
	if s.Database != "" && isLocal(r.RemoteAddr) && isLocal(r.Host) {
		command += " --database " + word(s.Database)
	}
	return command
}

// isLocal reports whether an address, with its port or without, is this machine's own. A proxy
// on this machine is not the browser, but it passes on the name that the browser asked for.
func isLocal(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// word is a text as one word of a shell's command. It is quoted only where it must be, so
// that most commands stay easy to read.
func word(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:") == "" {
		return text
	}
	return quoted(text)
}
