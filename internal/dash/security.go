package dash

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// policy lets pages use what this server sends them, and nothing else: no script
// or style within a page, and nothing from another host.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// secure sets the headers that every answer has.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // assets.go says otherwise of its files
}

// formToken is the name of the hidden field that each form has.
const formToken = "formToken"

// tokenFor returns the token of a session's forms. Who does not know the session's
// own token cannot make it, and it does not give that away.
func tokenFor(session string) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("a form of the dashboard"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const (
	// mostForm is how many bytes a form may have: a settings document of 4 MiB in
	// which most characters are escaped as three.
	mostForm = 12 << 20
	// patience is how long a browser may take to send a request, and as long at
	// least to take an answer.
	patience = 30 * time.Second
)

// readForm reads what was posted, and refuses a form that is not of this session.
func (v *visit) readForm() error {
	if v.r.ContentLength < 0 || v.r.ContentLength > mostForm {
		return oms.Errorf(oms.TooLarge, "a form may have %d bytes", mostForm)
	}
	if err := v.ticket.Grow(2 * v.r.ContentLength); err != nil { // the body, and the fields made of it
		return fullHouse(err)
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, mostForm)
	if err := v.r.ParseForm(); err != nil {
		return oms.Errorf(oms.Malformed, "the form could not be read")
	}
	if !hmac.Equal([]byte(v.field(formToken)), []byte(tokenFor(v.token))) {
		return oms.Errorf(oms.Forbidden, "this form is not of your session: you may have signed in again since it was opened; nothing was done; open the page again")
	}
	return nil
}

// field is what was posted in a field.
func (v *visit) field(name string) string { return v.r.PostForm.Get(name) }

// originOf is the scheme, host and port of a URL.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// isTLS reports whether the browser's connection is encrypted: ours is, or a proxy
// before us says so, the first of several, or the public URL does. A client that lies
// about it makes its own cookie stricter, and nothing else.
func (s *server) isTLS(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.HasPrefix(s.PublicURL, "https://") || strings.EqualFold(strings.TrimSpace(first), "https")
}

var errInside = errors.New("something went wrong inside")
