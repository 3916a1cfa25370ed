package hook

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// mask stands where a secret was.
const mask = "***"

// reserved are the headers, in lower case, that no custom header replaces:
// those that orderhook or HTTP itself writes.
var reserved = []string{
	"host", "idempotency-key", "traceparent",
	"connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
}

// HeaderAllowed reports whether a custom header may have that name. It may
// replace User-Agent, Accept and Authorization, but not what frames the
// message or what orderhook says about it (CONTRACT.md, "Request").
func HeaderAllowed(name string) bool {
	name = strings.ToLower(name)
	switch {
	case !httpguts.ValidHeaderFieldName(name), slices.Contains(reserved, name):
		return false
	case strings.HasPrefix(name, "content-"), strings.HasPrefix(name, "proxy-"), strings.HasPrefix(name, "webhook-"):
		return false
	}
	return !strings.HasPrefix(name, "x-") || !strings.HasSuffix(name, "delivery-count")
}

// setHeaders writes every header but the signature's, and returns the names of
// those whose values are secret.
func (r Request) setHeaders(h http.Header, user *url.Userinfo, userAgent string) map[string]bool {
	h.Set("User-Agent", userAgent)
	h.Set("Accept", "application/json")
	if auth := r.authorization(user); httpguts.ValidHeaderFieldValue(auth) && auth != "" {
		h.Set("Authorization", auth)
	}
	secret := r.setCustom(h)
	secret["Authorization"] = true
	h.Set("Content-Type", "application/json")
	if r.Delivery > 0 {
		h.Set("X-Delivery-Count", strconv.Itoa(r.Delivery))
		h.Set("X-Max-Delivery-Count", strconv.Itoa(r.MaxDelivery))
	}
	h.Set("Traceparent", traceparent())
	setHidden(h, "Idempotency-Key", r.IdempotencyKey)
	return secret
}

// setCustom writes the custom headers that may be sent, the first of a name
// winning, and returns their names. A wrong one was refused with the settings
// that brought it, so it is passed over here.
func (r Request) setCustom(h http.Header) map[string]bool {
	names := map[string]bool{}
	for _, c := range r.Header {
		name := http.CanonicalHeaderKey(c.Name)
		if names[name] || !HeaderAllowed(name) || !httpguts.ValidHeaderFieldValue(c.Value) {
			continue
		}
		names[name] = true
		if name == "X-Idempotency-Key" {
			setHidden(h, name, c.Value)
		} else {
			h.Set(name, c.Value)
		}
	}
	return names
}

// setHidden sets a header under a key that net/http does not look up. Where it
// finds Idempotency-Key or X-Idempotency-Key it takes the request for
// repeatable, and sends it again on its own when a kept connection breaks: an
// attempt that is recorded once would reach the endpoint twice. On the wire
// the case of a name means nothing.
//
// What stays is that net/http sends again what the endpoint cannot have seen:
// when no byte was written to a connection that had gone stale, or when an
// HTTP/2 server says that it did not process the request (RFC 9113, 8.7).
func setHidden(h http.Header, name, value string) {
	h[strings.ToLower(name)] = []string{value}
}

// authorization returns the Authorization of the strongest credentials, or "".
func (r Request) authorization(user *url.Userinfo) string {
	switch {
	case r.BearerToken != "":
		return "Bearer " + r.BearerToken
	case r.Token != "":
		return "Token " + r.Token
	case r.Username != "" || r.Password != "":
		return basic(r.Username, r.Password)
	case user != nil:
		password, _ := user.Password()
		return basic(user.Username(), password)
	}
	return ""
}

func basic(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

// traceparent starts a trace (W3C Trace Context, version 00, sampled).
func traceparent() string {
	var id [24]byte
	rand.Read(id[:]) // never fails
	return fmt.Sprintf("00-%x-%x-01", id[:16], id[16:])
}

// masked returns a copy of h as it may be recorded: names canonical, the
// values of the secret ones as ***.
func masked(h http.Header, secret map[string]bool) http.Header {
	shown := make(http.Header, len(h))
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		if secret[name] {
			values = []string{mask}
		}
		shown[name] = slices.Clone(values)
	}
	return shown
}

// leastSecret is the length from which a secret is looked for in what comes
// back: a shorter one would be found everywhere, and is none.
const leastSecret = 8

// valuesOf returns the secrets among headers, credentials with their scheme and
// without it.
func valuesOf(h http.Header, secret map[string]bool) []string {
	var out []string
	for name, values := range h {
		if !secret[http.CanonicalHeaderKey(name)] {
			continue
		}
		for _, v := range values {
			_, bare, _ := strings.Cut(v, " ")
			for _, s := range []string{v, bare} {
				if len(s) >= leastSecret {
					out = append(out, s)
				}
			}
		}
	}
	return out
}
