package outbound

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/trace"
)

// reserved are the headers, in lower case, that no custom header replaces:
// those that orderhook or HTTP itself writes.
var reserved = []string{
	"host", "idempotency-key", "traceparent",
	"connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
}

// HeaderAllowed reports whether a custom header may have that name. It may
// replace User-Agent, Accept and Authorization, but not what frames the
// message or what orderhook says about it (docs/contract.md#headers). Settings and
// endpoints are refused by it when they come in, and once more left out here.
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

// EndpointHeaderAllowed is [HeaderAllowed] for a header of an endpoint of
// events, whose requests say more about themselves.
func EndpointHeaderAllowed(name string) bool {
	own := strings.EqualFold(name, "X-Signature") || strings.EqualFold(name, "X-Attempt")
	return HeaderAllowed(name) && !own
}

// ShadowHeader tells an endpoint that nothing will become of its answer
// (docs/contract.md#shadow-steps): it must not charge a card for it, say.
const ShadowHeader = "X-Shadow"

// usualHeaders is for how many headers there is space at first.
const usualHeaders = 10

// headers are those of a request that is being written. They belong to one request.
type headers struct {
	http.Header
	names  []string // in the order in which they were put
	values []string // of them all: one array is cheaper than many
	secret []string // the names of those whose values are not shown, canonical
}

// put sets a header, whose name is canonical. A header of that name from before is
// replaced, where it stands.
func (h *headers) put(name, value string) {
	if _, replaced := h.Header[name]; !replaced {
		h.names = append(h.names, name)
	}
	h.values = append(h.values, value)
	n := len(h.values)
	h.Header[name] = h.values[n-1 : n : n]
}

// putHidden sets a header under a key that net/http does not look up. Where it
// finds Idempotency-Key or X-Idempotency-Key it takes the request for
// repeatable, and sends it again on its own when a connection that is used again breaks: an
// attempt that is recorded once would reach the endpoint twice. On the wire
// the case of a name means nothing.
//
// net/http still sends again what the endpoint cannot have seen:
// when no byte was written to a connection that had gone stale, or when an
// HTTP/2 server says that it did not process the request (RFC 9113, 8.7).
func (h *headers) putHidden(name, value string) { h.put(strings.ToLower(name), value) }

// headers returns every header but the signature's.
func (r *Request) headers(ctx context.Context, open *credentials, user *url.Userinfo, userAgent string) *headers {
	h := &headers{Header: make(http.Header, usualHeaders), names: make([]string, 0, usualHeaders), values: make([]string, 0, usualHeaders)}
	h.put("User-Agent", userAgent)
	h.put("Accept", "application/json")
	// What HTTP does not allow there was refused with the settings that brought it.
	if auth := open.authorization(r.Username, user); auth != "" && httpguts.ValidHeaderFieldValue(auth) {
		h.put("Authorization", auth)
		h.secret = append(h.secret, "Authorization")
	}
	// Custom headers are put after those that they may replace, and before those that they
	// may not.
	r.putCustom(h, open.header)
	h.put("Content-Type", "application/json")
	if r.Delivery > 0 {
		h.put("X-Delivery-Count", strconv.Itoa(r.Delivery))
		h.put("X-Max-Delivery-Count", strconv.Itoa(r.MaxDelivery))
	}
	if r.Shadow {
		h.put(ShadowHeader, "true")
	}
	if r.Attempt > 0 {
		h.put("X-Attempt", strconv.Itoa(r.Attempt))
	}
	if r.Place != nil && r.Place.Position > 0 {
		h.put("Webhook-Position", event.FormatPosition(r.Place.Position))
		h.put("Webhook-Previous-Position", event.FormatPosition(r.Place.Previous))
	}
	// The trace is that of the span of this attempt where spans are made, else the
	// publisher's as it came. Where there is none, each request begins a trace of its own, so
	// that it is found in the endpoint's systems all the same.
	parent, state := trace.Headers(ctx)
	if parent == "" {
		parent = traceparent()
	}
	h.put("Traceparent", parent)
	if _, own := h.Header["Tracestate"]; state != "" && !own { // that of the settings or the endpoint stays
		h.put("Tracestate", state)
	}
	if r.IdempotencyKey != "" {
		h.putHidden("Idempotency-Key", r.IdempotencyKey)
	}
	return h
}

// putCustom sets the custom headers that may be sent, the first of a name
// winning. A wrong one was refused with the settings that brought it, so it is
// passed over here.
func (r *Request) putCustom(h *headers, custom []plainHeader) {
	var names []string
	for _, c := range custom {
		name := http.CanonicalHeaderKey(c.name)
		if slices.Contains(names, name) || !r.mayBeCustom(name) || !httpguts.ValidHeaderFieldValue(c.value) {
			continue
		}
		names = append(names, name)
		if name == "X-Idempotency-Key" {
			h.putHidden(name, c.value)
		} else {
			h.put(name, c.value)
		}
	}
	h.secret = append(h.secret, names...)
}

// mayBeCustom is [HeaderAllowed] for a name, which is canonical, of a header of
// this request: what it says about itself is its own. An export counts its
// attempts and signs no X-Signature; a two-way call does neither, and there
// both are headers like any other.
func (r *Request) mayBeCustom(name string) bool {
	switch name {
	case "X-Attempt":
		return r.Attempt == 0
	case ShadowHeader:
		return !r.Shadow
	case "X-Signature":
		return r.Signer == nil || r.Signer.body == nil
	}
	return HeaderAllowed(name)
}

// authorization returns the Authorization of the strongest credentials, or "".
func (c *credentials) authorization(username string, user *url.Userinfo) string {
	switch {
	case c.bearerToken != "":
		return "Bearer " + c.bearerToken
	case c.token != "":
		return "Token " + c.token
	case username != "" || c.password != "":
		return basic(username, c.password)
	case user != nil:
		password, _ := user.Password()
		return basic(user.Username(), password)
	}
	return ""
}

// basic is what Basic authentication sends (RFC 7617).
func basic(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

// traceparent starts a trace (W3C Trace Context, version 00, sampled).
func traceparent() string {
	var id [24]byte
	rand.Read(id[:]) // never fails
	text := make([]byte, 0, 55)
	text = hex.AppendEncode(append(text, "00-"...), id[:16])
	text = hex.AppendEncode(append(text, '-'), id[16:])
	return string(append(text, "-01"...))
}
