package outbound

import (
	"errors"
	"net/http"
	"strings"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/weburl"
)

// Carrier takes a request elsewhere than to its URL, and brings the answer back: no
// connection is opened, so neither the guard nor a slot is asked. All else is as for any
// request: the headers, the time, the bounds of the answer, its record.
type Carrier interface {
	// RoundTrip is as in [http.RoundTripper]. An error that is a [CarrierError] says in the
	// record why there is no answer.
	http.RoundTripper
	// Listener is who gets the request, for the record.
	Listener() attempt.Listener
}

// CarrierError is why a carrier brought no answer. It holds no secret, and is the same each
// time.
type CarrierError string

// Error implements error.
func (e CarrierError) Error() string { return string(e) }

// ByCarrier returns a request that a carrier takes elsewhere. What was given for the place of
// the URL alone is not in it: credentials, custom headers, and what the URL holds, also
// where the body names that (docs/contract.md#interceptions). The signature is made as ever:
// it gives nobody the secret.
func (r Request) ByCarrier(c Carrier) Request {
	r.Carrier, r.Header, r.Given, r.Username = c, nil, nil, ""
	r.BearerToken, r.Token, r.Password = secret.Value{}, secret.Value{}, secret.Value{}
	if shown := weburl.PublicURL(withoutUser(r.URL)); shown != r.URL {
		r.Body = withURLShown(r.Body, r.URL, func(raw string) string { return weburl.PublicURL(withoutUser(raw)) })
		r.URL = bareURL(r.URL)
	}
	return r
}

// withoutUser is a URL without its user, and as it was written else.
func withoutUser(raw string) string {
	scheme, rest, found := strings.Cut(raw, "//")
	if !found {
		return raw
	}
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	}
	return scheme + "//" + rest[strings.LastIndexByte(host, '@')+1:]
}

// bareURL is a URL without its user and its query: it says for which place the signature is.
func bareURL(raw string) string {
	u, ok := weburl.ParseURL(raw)
	if !ok {
		return raw
	}
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment = nil, "", ""
	return bare.String()
}

// carrierFailure is how the failure of a carrier is called; "" where it is none.
func carrierFailure(err error) failure {
	if e, ok := errors.AsType[CarrierError](err); ok {
		return failure(e)
	}
	return ""
}
