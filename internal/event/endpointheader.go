package event

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
)

// Limits of an endpoint's headers.
const (
	maxHeaders     = 30
	maxHeaderValue = 4096 // bytes
)

// headers reads `{"name": "value"}`, or `[{"key", "value"}]` as connectors have
// them. null, or an empty list, removes those that there are.
func (r *endpointReader) headers(v any) {
	r.e.Headers = nil
	switch v := v.(type) {
	case nil:
	case *jsondoc.Object:
		for _, m := range v.Members() {
			at := "headers"
			// A name that is none does not come into the path of the error, either.
			if canonical, _ := r.check.HeaderName(m.Name); canonical != "" {
				at = jsondoc.JoinPath(at, canonical)
			}
			r.header(headerPlaces{at, at}, m.Name, m.Value)
		}
	case []any:
		for i, e := range v {
			at := fmt.Sprintf("headers[%d]", i)
			o, ok := e.(*jsondoc.Object)
			if !ok {
				r.Wrong(at, "an object", e)
				continue
			}
			name, isText := value(o, "key").(string)
			if !isText && o.Has("key") {
				r.Wrong(at+".key", "text", value(o, "key"))
			}
			if !isText && !o.Has("key") {
				r.Add(at+".key", "is needed")
			}
			// A value without a name is not looked at: the name is what is wrong.
			if isText {
				r.header(headerPlaces{at + ".key", at + ".value"}, name, value(o, "value"))
			}
		}
	}
	if len(r.e.Headers) > maxHeaders {
		r.Add("headers", fmt.Sprintf("must be at most %d", maxHeaders))
	}
}

// value returns a member of an object, nil if it has none.
func value(o *jsondoc.Object, name string) any {
	v, _ := o.Get(name)
	return v
}

// headerPlaces is where a header's name and its value stand.
type headerPlaces struct{ name, value string }

// header reads one header. No message repeats its value, nor a name that is
// none: it may be a secret in the wrong place.
func (r *endpointReader) header(at headerPlaces, name string, v any) {
	// Package outbound knows which headers it writes itself.
	canonical, why := r.check.HeaderName(name)
	taken := slices.ContainsFunc(r.e.Headers, func(h Header) bool { return strings.EqualFold(h.Name, name) })
	if why == "" && taken {
		why = "is there twice; case makes no difference"
	}
	if why != "" {
		r.Add(at.name, why)
	}
	text, ok := v.(string)
	stored := secret.New(text)
	switch {
	case v == nil:
		r.Add(at.value, "is needed")
	case !ok:
		r.Wrong(at.value, "text", v)
	// The mask stands for what is stored, as long as that goes to the same origin.
	case text == secret.Mask:
		stored = r.stored(at.value, r.storedHeader(name))
	case len(text) > maxHeaderValue:
		r.Add(at.value, fmt.Sprintf("must be at most %d bytes long", maxHeaderValue))
	default:
		if why := r.check.HeaderValue(text); why != "" {
			r.Add(at.value, why)
		}
	}
	// One with an error counts as well, so that a second one of its name is found.
	r.e.Headers = append(r.e.Headers, Header{canonical, stored})
}

// storedHeader returns what is stored under a name, in whatever case; the zero value for
// nothing.
func (r *endpointReader) storedHeader(name string) secret.Value {
	if r.was != nil {
		for _, h := range r.was.Headers {
			if strings.EqualFold(h.Name, name) {
				return h.Value
			}
		}
	}
	return secret.Value{}
}

// tls takes what the endpoint says of TLS. Neither null nor an empty object says anything.
// Where the key is masked, the stored one stays, as a header does. Its secrets are the key
// alone: certificates are shown.
func (r *endpointReader) tls(v any) {
	r.e.TLS = nil
	o, ok := v.(*jsondoc.Object)
	if !ok || o.Len() == 0 {
		return
	}
	found := len(r.Errors)
	read := schema.Read(o, tlsShape)
	for _, wrong := range read.Errors {
		r.Add(jsondoc.JoinPath("tls", wrong.Location), wrong.Message)
	}
	key := read.Text("key")
	t := EndpointTLS{read.Text("ca"), read.Text("certificate"), secret.New(key)}
	if key == secret.Mask {
		var stored secret.Value
		if r.was != nil && r.was.TLS != nil {
			stored = r.was.TLS.Key
		}
		t.Key = r.stored("tls.key", stored)
	}
	// Certificate and key are looked at together only if each by itself is what it should
	// be.
	if len(r.Errors) > found {
		return
	}
	if field, why := r.check.TLS(t, r.e.URL); why != "" {
		r.Add("tls."+field, why)
	}
	// Empty texts say nothing, either.
	if t != (EndpointTLS{}) {
		r.e.TLS = &t
	}
}
