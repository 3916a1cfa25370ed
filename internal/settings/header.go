package settings

import (
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/orderhook/orderhook/internal/event"
)

// ownHeaders are those that orderhook or the transport writes itself
// (docs/contract.md#headers), so nobody else may. Package outbound would leave them out.
var ownHeaders = map[string]bool{
	"host": true, "idempotency-key": true, "traceparent": true,
	"connection": true, "expect": true, "transfer-encoding": true, "te": true, "trailer": true, "upgrade": true, "keep-alive": true,
}

// badHeaderValue says what is wrong without repeating the value, which is a secret.
const badHeaderValue = "holds a character that HTTP does not allow in a header"

// reserved reports whether a header says what the message is, so that no setting may
// replace it (docs/contract.md#headers).
func reserved(name string) bool {
	name = strings.ToLower(name)
	for _, prefix := range []string{"content-", "proxy-", "webhook-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return ownHeaders[name] || strings.HasPrefix(name, "x-") && strings.HasSuffix(name, "delivery-count")
}

// headerList is the headers of one connector or step.
type headerList struct {
	list  []event.Header
	names names
}

// add reads the next header. Where two have one name, only the first is sent.
func (l *headerList) add(n node) {
	h := header(n)
	if first, there := l.names.add(h.Name, n.at); there && h.Name != "" {
		n.warn(n.path("key"), "is that of %s too, and only the first is sent", first.at)
	}
	l.list = append(l.list, h)
}

// header reads a `{key, value}` that is sent as a header. No message repeats
// the value, nor a name that is none: it may be a secret in the wrong place. The name stays
// as it was written; on the wire its case means nothing.
func header(n node) event.Header {
	h := event.Header{Name: n.required("key")}
	switch {
	case h.Name == "":
	case !httpguts.ValidHeaderFieldName(h.Name):
		n.wrong(n.path("key"), "is no name that HTTP allows for a header")
	case reserved(h.Name):
		n.wrong(n.path("key"), "is a header that orderhook or HTTP itself writes, and cannot be set")
	}
	var text string
	h.Value, text = n.secret("value")
	switch {
	case !n.obj.Has("value"):
		n.wrong(n.path("value"), "is needed")
	case h.Value.ID() != "": // it was checked when it came in
	case strings.TrimSpace(text) == "":
		n.warn(n.path("value"), "is empty, and is sent so")
	case !httpguts.ValidHeaderFieldValue(text):
		n.wrong(n.path("value"), badHeaderValue)
	}
	return h
}
