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

	"github.com/orderhook/orderhook/internal/apierr"
)

// policy lets pages use what this server sends them, and nothing else: no script
// or style within a page, and nothing from another host. Texts of others are on every
// page; if one of them ever got into the HTML as HTML, the browser would still run
// nothing.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// secure sets the headers that every answer has. No other site may show a page in a
// frame, learn its URL, or reach its window.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // assets.go says otherwise of its files
}

// formToken is the name of the hidden field that each form has. It comes beside the
// origin check and the cookie's SameSite, so that a hole in one of them opens nothing.
const formToken = "formToken"

// tokenFor returns the token of a session's forms. It cannot be made without the session's own
// token, and does not give that away. It is the same for the whole session and on every node,
// so nothing has to be stored for it.
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
//
// A form without a declared length is refused, since its memory could not be counted
// before it is read. MaxBytesReader guards against one that is longer than it says.
func (v *visit) readForm() error {
	if v.r.ContentLength < 0 || v.r.ContentLength > mostForm {
		return apierr.Errorf(apierr.TooLarge, "a form may have %d bytes", mostForm)
	}
	if err := v.ticket.Grow(2 * v.r.ContentLength); err != nil { // the body, and the fields made of it
		return fullHouse(err)
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, mostForm)
	if err := v.r.ParseForm(); err != nil {
		return apierr.Errorf(apierr.Malformed, "the form could not be read")
	}
	if !hmac.Equal([]byte(v.field(formToken)), []byte(tokenFor(v.token))) {
		return apierr.Errorf(apierr.Forbidden, "this form is not of your session: you may have signed in again since it was opened; nothing was done; open the page again")
	}
	return nil
}

// field is what was posted in a field. readForm has read the form before. A field that is
// not there is "".
func (v *visit) field(name string) string { return v.r.PostForm.Get(name) }

// originOf is the scheme, host and port of a URL. A URL that cannot be read has none.
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

// errInside stands for a panic, whose text only the log has.
var errInside = errors.New("something went wrong inside")
