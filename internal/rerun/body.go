package rerun

import (
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// bodyOf returns a body in the form that is the easiest to read. JSON that two programs may
// read differently, as with a name that is there twice, stays the text that it is.
func bodyOf(b []byte) Body {
	switch {
	case len(b) == 0:
		return Body{}
	case jsontext.Value(b).IsValid():
		return Body{JSON: b}
	case utf8.Valid(b):
		return Body{Text: string(b)}
	}
	return Body{Base64: b}
}

// Bytes returns the body as it goes over the wire. Of JSON, white space may differ from
// what was sent first.
func (b Body) Bytes() []byte {
	switch {
	case b.JSON != nil:
		return b.JSON
	case b.Text != "":
		return []byte(b.Text)
	}
	return b.Base64
}
