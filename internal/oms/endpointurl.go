package oms

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
)

// movedSecrets notes secrets that would travel to another origin than they were
// given for, without having been sent again: whoever may change a URL may not
// thereby read a secret.
func (r *endpointReader) movedSecrets() {
	if r.was == nil || !r.moved() {
		return
	}
	if _, given := r.doc.Get("headers"); !given && len(r.was.Headers) > 0 {
		r.add("headers", otherOrigin)
	}
	if _, given := r.doc.Get("tls"); !given && r.was.TLS != nil && !r.was.TLS.Key.IsZero() {
		r.add("tls", otherOrigin)
	}
}

func (r *endpointReader) moved() bool { return URLOrigin(r.was.URL) != URLOrigin(r.e.URL) }

// stored returns the secret that a *** stands for, and notes why it stands for none.
func (r *endpointReader) stored(at string, v secret.Value) secret.Value {
	r.keeps(at, !v.IsZero())
	return v
}

// keeps notes why a *** stands for no secret, if that is so.
func (r *endpointReader) keeps(at string, stored bool) {
	switch {
	case r.was == nil || !stored:
		r.add(at, nothingMasked)
	case r.moved():
		r.add(at, otherOrigin)
	}
}

func (r *endpointReader) url(v any) {
	text, ok := typed[string](r, "url", "text", v)
	if !ok {
		if v == nil {
			r.add("url", "is needed")
		}
		return
	}
	u, why := CheckURL(text)
	if why == "" && HasMaskedQuery(text) {
		why = MaskedQuery
	}
	if why == "" {
		why = r.check.Target(u)
	}
	if why != "" {
		r.add("url", why)
	} else {
		r.e.URL = r.unmasked(text, u)
	}
}

// CheckURL reads the URL of an endpoint as [ParseURL] does, and says what is wrong
// with it, if anything. It does not repeat the URL: there may be a password in it.
func CheckURL(text string) (u *url.URL, why string) {
	u, ok := ParseURL(text)
	switch {
	case !ok:
		return nil, "must be an absolute http or https URL, as https://example.com/webhooks"
	case OddHost(u):
		return nil, "must have a name or a plain IP address as its host, as 192.0.2.10 or [2001:db8::10]"
	case len(NormalURL(text)) > maxURL:
		return nil, fmt.Sprintf("must be at most %d bytes long, escapes included", maxURL)
	case strings.Contains(text, "#"):
		return nil, "must have no fragment"
	}
	return u, ""
}

// unmasked returns the normal spelling of a URL, with the stored user name and
// password in place of their masks: the password's, or that of a user name
// without one, which is a token then.
func (r *endpointReader) unmasked(text string, u *url.URL) string {
	text = NormalURL(text)
	if u.User == nil {
		return text
	}
	password, given := u.User.Password()
	if password != Masked && (given || u.User.Username() != Masked) {
		return text
	}
	r.e.URL = text // whose origin is compared
	was := url.User("")
	if stored := r.storedURL(); stored != nil && stored.User != nil {
		was = stored.User
	}
	if given {
		password, _ = was.Password()
		r.keeps("url", password != "")
		u.User = url.UserPassword(u.User.Username(), password)
	} else {
		r.keeps("url", was.Username() != "")
		u.User = url.User(was.Username())
	}
	return u.String()
}

func (r *endpointReader) storedURL() *url.URL {
	if r.was == nil {
		return nil
	}
	u, _ := ParseURL(r.was.URL) // checked when it came in
	return u
}
