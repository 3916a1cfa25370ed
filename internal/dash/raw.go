package dash

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object whose members may have any shape: orders and carts come as
// others write them, and a page shows what it can read of them. Where a member is
// missing, or of another shape than is asked for, its methods return nothing: a page with
// a gap is better than none.
type object map[string]json.RawMessage

// objectOf reads an object; what is none has no members. Its members stay as they are: to read
// them would be most of the work with a document of several megabytes. Where a name stands
// twice, the last one counts, as for most readers.
func objectOf(raw json.RawMessage) object {
	in := decoder(raw)
	if in.PeekKind() != '{' {
		return nil
	}
	_, _ = in.ReadToken()
	o := object{}
	for in.PeekKind() == '"' {
		name, err := in.ReadToken()
		if err != nil {
			return nil
		}
		member := name.String()
		value, err := in.ReadValue()
		if err != nil {
			return nil
		}
		end := in.InputOffset()
		o[member] = json.RawMessage(raw[end-int64(len(value)) : end])
	}
	if in.PeekKind() != '}' { // it was broken off
		return nil
	}
	return o
}

// decoder reads a JSON text as tolerantly as the API takes one.
// It reads where the text is: of a [bytes.Buffer] it makes no copy. Its errors mean that
// the text was broken off, since the API sends valid JSON.
func decoder(raw []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// text is a text, or the digits of a number; "" is anything else.
func (o object) text(name string) string { return plainText(o[name]) }

// plainText is what a JSON text says, or the digits of a number; "" is anything else. An
// id that another system writes as a number is shown by its digits.
func plainText(raw json.RawMessage) (text string) {
	if len(raw) == 0 {
		return ""
	}
	if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		return string(raw)
	}
	_ = json.Unmarshal(raw, &text) // of another shape it stays empty
	return text
}

// first is the first of these members that says something. Other systems have another
// name for the same thing.
func (o object) first(names ...string) string {
	for _, name := range names {
		if text := o.text(name); text != "" {
			return text
		}
	}
	return ""
}

// object is a member that is an object; one that is none has no members.
func (o object) object(name string) object { return objectOf(o[name]) }

// count is how many elements a list has; anything else has none. It skips over the
// elements, and builds none of them.
func (o object) count(name string) (n int) {
	in := decoder(o[name])
	if in.PeekKind() != '[' {
		return 0
	}
	_, _ = in.ReadToken()
	for in.PeekKind() != ']' && in.SkipValue() == nil {
		n++
	}
	return n
}

// list is the first elements of a list that are objects, at most so many. What is behind
// them is not read. An element that is no object is left out, and does not count.
func (o object) list(name string, most int) (out []object) {
	in := decoder(o[name])
	if in.PeekKind() != '[' {
		return nil
	}
	_, _ = in.ReadToken()
	for in.PeekKind() != ']' && len(out) < most {
		raw, err := in.ReadValue()
		if err != nil {
			break
		}
		if element := objectOf(bytes.Clone(raw)); element != nil { // it is good until the next read
			out = append(out, element)
		}
	}
	return out
}

// time is a time; the zero one is anything else. A time that was written in another form
// than RFC 3339 is not shown as one.
func (o object) time(name string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, o.text(name))
	return t
}
