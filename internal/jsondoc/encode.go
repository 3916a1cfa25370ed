package jsondoc

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/secret"
)

// JSON returns the object as compact JSON with camelCase names, as it is stored and as the
// API shows it. Members keep their order, and numbers their digits.
func (o *Object) JSON() []byte { return AppendValue(o.buffer(), o, false) }

// buffer returns an empty buffer that is large enough for the JSON of o: to let it grow takes twice as much.
func (o *Object) buffer() []byte {
	const most = math.MaxInt
	size := most - leftOver(o, most)
	return make([]byte, 0, size+size/64) // a few letters are written as two
}

// AtLeast reports whether the JSON of o has at least so many bytes, without
// writing it: it looks at no more of o than that takes. So a large document is told from a
// small one without being encoded.
func (o *Object) AtLeast(bytes int) bool { return leftOver(o, bytes) <= 0 }

// leftOver is what is left of so many bytes after those of a value and of the comma
// or bracket behind it, as if no letter of it was written as two; 0 or less: nothing
// is left. It looks no further once nothing is left, so a large document costs no more than
// the question is worth.
func leftOver(v any, bytes int) int {
	bytes--
	switch v := v.(type) {
	case *Object:
		bytes--
		for _, m := range v.Members() {
			if bytes = leftOver(m.Value, bytes-len(m.Name)-len(`"":`)); bytes <= 0 {
				return bytes
			}
		}
	case []any:
		bytes--
		for _, item := range v {
			if bytes = leftOver(item, bytes); bytes <= 0 {
				return bytes
			}
		}
	case string:
		bytes -= len(v) + len(`""`)
	case Number:
		bytes -= len(v)
	// false is a byte longer, which matters to no caller.
	case bool, nil:
		bytes -= len("true")
	case secret.Value:
		bytes -= len(v.ID()) + len(`""`)
	}
	return bytes
}

// PascalJSON returns the object as compact JSON with PascalCase names at every
// depth, the wire format of workflow steps (docs/contract.md#names). Names that would meet
// stay as they are: see [Object.Meeting].
func (o *Object) PascalJSON() []byte { return AppendValue(o.buffer(), o, true) }

// MarshalJSON implements json.Marshaler.
func (o *Object) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("null"), nil
	}
	return o.JSON(), nil
}

// MarshalJSON implements json.Marshaler: the number goes out as it came in.
func (n Number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// AppendValue appends the JSON of a value of a document; with pascal its names are as on
// the wire of the steps. A value that no document can hold is written as null.
func AppendValue(dst []byte, v any, pascal bool) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case string:
		return AppendText(dst, v)
	case Number:
		return append(dst, v...)
	case secret.Value: // a reference; a text is never written
		return AppendText(dst, cmp.Or(v.ID(), secret.Mask))
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendValue(dst, e, pascal)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		var meeting map[string]bool
		if pascal {
			meeting = v.Meeting()
		}
		for i, m := range v.Members() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendName(dst, m.Name, pascal && !meeting[m.Name])
			dst = append(dst, ':')
			dst = AppendValue(dst, m.Value, pascal)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// AppendName appends the name of a member, quoted.
func AppendName(dst []byte, name string, pascal bool) []byte {
	start := len(dst)
	dst = AppendText(dst, name)
	if !pascal || name == "" {
		return dst
	}
	// Nearly all names begin with an ASCII letter, which is raised where it stands.
	if first := name[0]; first < utf8.RuneSelf {
		if 'a' <= first && first <= 'z' {
			dst[start+1] -= 'a' - 'A'
		}
		return dst
	}
	return AppendText(dst[:start], Raised(name))
}

// Meeting returns the names of an object's members that would be the same with
// their first letter raised; on the wire they stay as they are.
func (o *Object) Meeting() map[string]bool {
	if !slices.ContainsFunc(o.Members(), func(m Member) bool { return m.Name == "" || m.Name[0] < 'a' || m.Name[0] > 'z' }) {
		return nil // names that differ, and all begin with a small letter
	}
	var meeting map[string]bool
	by := make(map[string]string, len(o.members))
	for _, m := range o.members {
		up := Raised(m.Name)
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

// AppendText quotes s. Text inside a document is valid UTF-8 already; what
// comes from elsewhere (an error's message) has the rest replaced. No more is escaped than
// JSON asks for.
func AppendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// Size is about how many bytes a document's JSON has: characters that are escaped count
// as they are. It encodes nothing.
func (o *Object) Size() int { return sizeOf(o) }

// sizeOf is [Object.Size] of any value.
func sizeOf(v any) int {
	size := 2 // what encloses it
	switch v := v.(type) {
	case string:
		size += len(v)
	case Number:
		size = len(v)
	case []any:
		for _, e := range v {
			size += sizeOf(e) + 1
		}
	case *Object:
		for _, m := range v.Members() {
			size += len(m.Name) + 4 + sizeOf(m.Value)
		}
	default:
		size = len("null")
	}
	return size
}
