package oms

import (
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
)

// headers reads `{"name": "value"}`, or `[{"key", "value"}]` as connectors have
// them.
func (r *endpointReader) headers(v any) {
	r.e.Headers = nil
	switch v := v.(type) {
	case nil:
	case *Object:
		for _, m := range v.Members() {
			at := "headers"
			if canonical, _ := r.check.HeaderName(m.Name); canonical != "" {
				at = joinPath(at, canonical)
			}
			r.header(headerPlaces{at, at}, m.Name, m.Value)
		}
	case []any:
		for i, e := range v {
			at := fmt.Sprintf("headers[%d]", i)
			o, ok := e.(*Object)
			if !ok {
				r.wrong(at, "an object", e)
				continue
			}
			name, isText := typed[string](r, at+".key", "text", value(o, "key"))
			if !isText && !o.Has("key") {
				r.add(at+".key", "is needed")
			}
			if isText {
				r.header(headerPlaces{at + ".key", at + ".value"}, name, value(o, "value"))
			}
		}
	default:
		r.wrong("headers", "an object", v)
	}
	if len(r.e.Headers) > maxHeaders {
		r.add("headers", fmt.Sprintf("must be at most %d", maxHeaders))
	}
}

func value(o *Object, name string) any {
	v, _ := o.Get(name)
	return v
}

// headerPlaces is where a header's name and its value stand.
type headerPlaces struct{ name, value string }

// header reads one header. No message repeats its value, nor a name that is
// none: it may be a secret in the wrong place.
func (r *endpointReader) header(at headerPlaces, name string, v any) {
	canonical, why := r.check.HeaderName(name)
	taken := slices.ContainsFunc(r.e.Headers, func(h Header) bool { return strings.EqualFold(h.Name, name) })
	if why == "" && taken {
		why = "is there twice; case makes no difference"
	}
	if why != "" {
		r.add(at.name, why)
	}
	text, ok := v.(string)
	kept := secret.New(text)
	switch {
	case v == nil:
		r.add(at.value, "is needed")
	case !ok:
		r.wrong(at.value, "text", v)
	case text == Masked:
		kept = r.stored(at.value, r.storedHeader(name))
	case len(text) > maxHeaderValue:
		r.add(at.value, fmt.Sprintf("must be at most %d bytes long", maxHeaderValue))
	default:
		if why := r.check.HeaderValue(text); why != "" {
			r.add(at.value, why)
		}
	}
	r.e.Headers = append(r.e.Headers, Header{canonical, kept})
}

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

// tlsFields are what `tls` may have.
var tlsFields = []string{"ca", "certificate", "key"}

func (r *endpointReader) tls(v any) {
	r.e.TLS = nil
	o, ok := typed[*Object](r, "tls", "an object", v)
	if !ok || o.Len() == 0 {
		return
	}
	found := len(r.errors)
	texts := map[string]string{}
	for _, m := range o.Members() {
		i := slices.IndexFunc(tlsFields, func(f string) bool { return sameName(f, m.Name) })
		if i < 0 {
			r.add(joinPath("tls", m.Name), "is no field here; there are ca, certificate, key")
			continue
		}
		texts[tlsFields[i]], _ = typed[string](r, "tls."+tlsFields[i], "PEM, as text", m.Value)
	}
	t := EndpointTLS{texts["ca"], texts["certificate"], secret.New(texts["key"])}
	if texts["key"] == Masked {
		var stored secret.Value
		if r.was != nil && r.was.TLS != nil {
			stored = r.was.TLS.Key
		}
		t.Key = r.stored("tls.key", stored)
	}
	if len(r.errors) > found {
		return
	}
	if field, why := r.check.TLS(t, r.e.URL); why != "" {
		r.add("tls."+field, why)
	}
	if t != (EndpointTLS{}) {
		r.e.TLS = &t
	}
}
