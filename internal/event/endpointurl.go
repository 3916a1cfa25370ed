package event

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/weburl"
)

// movedSecrets notes secrets that would travel to another origin than they were
// given for, without having been sent again: whoever may change a URL may not
// thereby read a secret. Secrets that only sign stay: they are not sent.
func (r *endpointReader) movedSecrets() {
	if r.was == nil || !r.moved() {
		return
	}
	// Headers that the body has were looked at one by one.
	if _, given := r.doc.Get("headers"); !given && len(r.was.Headers) > 0 {
		r.Add("headers", otherOrigin)
	}
	if _, given := r.doc.Get("tls"); !given && r.was.TLS != nil && !r.was.TLS.Key.IsZero() {
		r.Add("tls", otherOrigin)
	}
}

// moved reports whether the URL leads to another origin than the stored one.
func (r *endpointReader) moved() bool {
	return weburl.URLOrigin(r.was.URL) != weburl.URLOrigin(r.e.URL)
}

// stored returns the secret that a *** stands for, and notes why it stands for none.
func (r *endpointReader) stored(at string, v secret.Value) secret.Value {
	r.keeps(at, !v.IsZero())
	return v
}

// keeps notes why a *** stands for no secret, if that is so. Headers, the TLS key and the
// password in the URL all go by it.
func (r *endpointReader) keeps(at string, stored bool) {
	switch {
	case r.was == nil || !stored:
		r.Add(at, nothingMasked)
	case r.moved():
		r.Add(at, otherOrigin)
	}
}

// url takes the URL in its normal spelling. Whether it may be called is checked by the
// package that makes the requests.
func (r *endpointReader) url(v any) {
	text := v.(string)
	switch {
	// What is pending could not be sent any more, and what was only in the feed never was.
	case r.was != nil && r.was.FeedOnly() != (text == FeedURL):
		r.Add("url", "is feed: from the beginning, or never; make another endpoint")
		return
	case text == FeedURL:
		r.e.URL = text
		return
	}
	u, why := CheckURL(text)
	if why == "" && weburl.HasMaskedQuery(text) {
		why = weburl.MaskedQuery
	}
	if why == "" {
		why = r.check.Target(u)
	}
	if why != "" {
		r.Add("url", why)
	} else {
		r.e.URL = r.unmasked(text, u)
	}
}

// CheckURL reads the URL of an endpoint as [weburl.ParseURL] does, and says what is wrong
// with it, if anything. It does not repeat the URL: there may be a password in it.
func CheckURL(text string) (u *url.URL, why string) {
	u, ok := weburl.ParseURL(text)
	switch {
	case !ok:
		return nil, "must be an absolute http or https URL, as https://example.com/webhooks"
	case weburl.OddHost(u):
		return nil, weburl.WrongHost
	case len(weburl.NormalURL(text)) > maxURL:
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
	text = weburl.NormalURL(text)
	if u.User == nil {
		return text
	}
	// The mask of a user name counts only where there is no password.
	password, given := u.User.Password()
	byName := password == "" && u.User.Username() == secret.Mask
	if password != secret.Mask && !byName {
		return text
	}
	r.e.URL = text // whose origin is compared
	was := url.User("")
	if stored := r.storedURL(); stored != nil && stored.User != nil {
		was = stored.User
	}
	switch {
	case !byName:
		password, _ = was.Password()
		r.keeps("url", password != "")
		u.User = url.UserPassword(u.User.Username(), password)
	case given:
		r.keeps("url", was.Username() != "")
		u.User = url.UserPassword(was.Username(), "")
	default:
		r.keeps("url", was.Username() != "")
		u.User = url.User(was.Username())
	}
	return u.String()
}

// storedURL returns the URL that is stored; nil for a new endpoint.
func (r *endpointReader) storedURL() *url.URL {
	if r.was == nil {
		return nil
	}
	u, _ := weburl.ParseURL(r.was.URL) // checked when it came in
	return u
}
