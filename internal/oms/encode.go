package oms

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/secret"
)

// JSON returns the object as compact JSON with camelCase names, as it is
// stored and as the API shows it.
func (o *Object) JSON() []byte { return appendValue(nil, o, false) }

// AtLeast reports whether the JSON of o has at least so many bytes, without
// writing it: it looks at no more of o than that takes.
func (o *Object) AtLeast(bytes int) bool { return leftOver(o, bytes) <= 0 }

// leftOver is what is left of so many bytes after those of a value, in which each
// value counts for its text alone and a byte; 0 or less: nothing is left.
func leftOver(v any, bytes int) int {
	bytes--
	switch v := v.(type) {
	case *Object:
		for _, m := range v.Members() {
			if bytes = leftOver(m.Value, bytes-len(m.Name)-len(`"":`)); bytes <= 0 {
				return bytes
			}
		}
	case []any:
		for _, item := range v {
			if bytes = leftOver(item, bytes); bytes <= 0 {
				return bytes
			}
		}
	case string:
		bytes -= len(v)
	case Number:
		bytes -= len(v)
	}
	return bytes
}

// PascalJSON returns the object as compact JSON with PascalCase names at every
// depth, the wire format of workflow steps (order-workflow-step.txt, Request Format).
func (o *Object) PascalJSON() []byte { return appendValue(nil, o, true) }

// MarshalJSON implements json.Marshaler.
func (o *Object) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("null"), nil
	}
	return o.JSON(), nil
}

// MarshalJSON implements json.Marshaler: the number goes out as it came in.
func (n Number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func appendValue(dst []byte, v any, pascal bool) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case string:
		return appendText(dst, v)
	case Number:
		return append(dst, v...)
	case secret.Value: // a reference; a text is never written
		return appendText(dst, cmp.Or(v.ID(), Masked))
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, e, pascal)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		var meeting map[string]bool
		if pascal {
			meeting = v.meeting()
		}
		for i, m := range v.Members() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendName(dst, m.Name, pascal && !meeting[m.Name])
			dst = append(dst, ':')
			dst = appendValue(dst, m.Value, pascal)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func appendName(dst []byte, name string, pascal bool) []byte {
	start := len(dst)
	dst = appendText(dst, name)
	if !pascal || name == "" {
		return dst
	}
	if first := name[0]; first < utf8.RuneSelf {
		if 'a' <= first && first <= 'z' {
			dst[start+1] -= 'a' - 'A'
		}
		return dst
	}
	return appendText(dst[:start], raised(name))
}

// meeting returns the names of an object's members that would be the same with
// their first letter raised; on the wire they stay as they are.
func (o *Object) meeting() map[string]bool {
	if !slices.ContainsFunc(o.Members(), func(m Member) bool { return m.Name == "" || m.Name[0] < 'a' || m.Name[0] > 'z' }) {
		return nil // names that differ, and all begin with a small letter
	}
	var meeting map[string]bool
	by := make(map[string]string, len(o.members))
	for _, m := range o.members {
		up := raised(m.Name)
		if other, taken := by[up]; taken {
			if meeting == nil {
				meeting = map[string]bool{}
			}
			meeting[m.Name], meeting[other] = true, true
		}
		by[up] = m.Name
	}
	return meeting
}

// appendText quotes s. Text inside a document is valid UTF-8 already; what
// comes from elsewhere (an error's message) has the rest replaced.
func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}
