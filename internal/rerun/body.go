package rerun

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// bodyOf returns a body in the form that is the easiest to read, from which the very bytes
// come back. JSON that two programs may read differently, as with a name that is there twice,
// stays the text that it is.
func bodyOf(b []byte) Body {
	switch {
	case len(b) == 0:
		return Body{}
	case !deep(b) && jsontext.Value(b).IsValid() && bytes.Equal(compact(b), b):
		return Body{JSON: b}
	case utf8.Valid(b):
		return Body{Text: string(b)}
	}
	return Body{Base64: b}
}

// deepest is how deep a body may nest to be shown as JSON. The document that it becomes a part
// of must not nest deeper than programs read; no order does by far.
const deepest = 1000

// deep reports whether a body nests deeper than that. Text in JSON may have brackets, too, so
// this may be true of what is not deep: it is then shown as text.
func deep(b []byte) bool {
	open := 0
	for _, c := range b {
		switch c {
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		if open > deepest {
			return true
		}
	}
	return false
}

// compact returns JSON without the white space that stands between its parts.
func compact(b []byte) []byte {
	v := jsontext.Value(bytes.Clone(b))
	if err := v.Compact(); err != nil {
		return b
	}
	return v
}

// Bytes returns the body as it goes over the wire.
func (b Body) Bytes() []byte {
	switch {
	case b.JSON != nil:
		return compact(b.JSON)
	case b.Text != "":
		return []byte(b.Text)
	}
	return b.Base64
}
