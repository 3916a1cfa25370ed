package oms

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The fields of an event; a field that was read has its bit.
const (
	bitType = 1 << iota
	bitData
	bitID
	bitSubject
	bitOrderID
	bitTimestamp
)

var eventFields = []struct {
	name string
	bit  int
}{
	{"type", bitType}, {"data", bitData}, {"id", bitID}, {"subject", bitSubject}, {"orderId", bitOrderID}, {"timestamp", bitTimestamp},
}

// name reads a field's name as it is written, in the decoder's memory; one with
// escapes, which nobody writes, in its own.
func (r *eventReader) name() ([]byte, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	return unquoted(v), nil
}

// unquoted returns what a JSON string says.
func unquoted(v jsontext.Value) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, v) // the decoder has read it
	return text
}

// eventField returns the bit of a field, 0 for one that there is not.
func eventField(name []byte) int {
	for _, f := range eventFields {
		if string(name) == f.name {
			return f.bit
		}
	}
	for _, f := range eventFields {
		if sameName(string(name), f.name) {
			return f.bit
		}
	}
	return 0
}

func eventFieldName(bit int) string {
	for _, f := range eventFields {
		if f.bit == bit {
			return f.name
		}
	}
	return ""
}

// field reads the value of a field. null is as good as absent.
func (r *eventReader) field(e *Event, bit int, name []byte) error {
	if bit == 0 {
		r.unknown(string(name)) // before the decoder's memory is used again
	}
	if bit == bitSubject && r.dec.PeekKind() == '{' {
		return r.subject(e)
	}
	v, err := r.dec.ReadValue()
	if err != nil || v.Kind() == 'n' {
		return err
	}
	switch bit {
	case bitType:
		e.Type = r.text("type", v)
	case bitData:
		r.data(e, v)
	case bitID:
		e.ID, e.WebhookID = r.text("id", v), NewID(WebhookID)
		r.check("id", checkEventID(e.ID))
	case bitSubject:
		r.mistake("subject", "must be an object with kind and id, not "+kindNames[v.Kind()])
	case bitOrderID:
		e.OrderID = r.text("orderId", v)
		r.check("orderId", checkName(e.OrderID, maxID))
	case bitTimestamp:
		r.timestamp(e, r.text("timestamp", v))
	}
	return nil
}

func (r *eventReader) unknown(name string) {
	known := make([]string, len(eventFields))
	for i, f := range eventFields {
		known[i] = f.name
	}
	message := "is no field of an event"
	if meant := Nearest(name, known); meant != "" {
		message += "; is " + meant + " meant?"
	}
	r.mistake(joinPath("", name), message)
}

// text returns a text's value. A mistake leaves a text that no check objects to.
func (r *eventReader) text(field string, v jsontext.Value) string {
	if v.Kind() != '"' {
		r.mistake(field, "must be text, not "+nameOf(v.Kind()))
		return "-"
	}
	return string(unquoted(v))
}

func nameOf(kind jsontext.Kind) string {
	if name, ok := kindNames[kind]; ok {
		return name
	}
	return "an object"
}

// check notes what is wrong with a field, if anything.
func (r *eventReader) check(field, why string) {
	if why != "" {
		r.mistake(field, why)
	}
}

func (r *eventReader) data(e *Event, v jsontext.Value) {
	switch {
	case v.Kind() != '{':
		r.mistake("data", "must be an object, not "+nameOf(v.Kind()))
	case nestsDeeper(v, MaxDepth):
		r.mistake("data", tooDeep)
	case len(v) < r.size/2: // it should not keep the rest in memory
		e.Data = bytes.Clone(v)
	default:
		e.Data = v
	}
}

// nestsDeeper reports whether a value nests deeper than so many levels.
func nestsDeeper(v []byte, levels int) bool {
	if bytes.Count(v, []byte("{"))+bytes.Count(v, []byte("[")) <= levels {
		return false // as nearly all, at a fraction of the cost
	}
	depth, quoted := 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > levels {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}

func (r *eventReader) timestamp(e *Event, text string) {
	at, err := ParseTime(text)
	if err != nil {
		r.mistake("timestamp", err.Error())
	}
	e.Timestamp = at
}

// subject reads `{"kind", "id"}`.
func (r *eventReader) subject(e *Event) error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	seen := ""
	for r.dec.PeekKind() != '}' {
		name, err := r.name()
		if err != nil {
			return err
		}
		into, field := &e.Subject.Kind, "kind"
		switch {
		case sameName(string(name), "kind"):
		case sameName(string(name), "id"):
			into, field = &e.Subject.ID, "id"
		default:
			r.mistake("subject."+cutStep(string(name)), "is no field here; there are kind, id")
			into, field = new(string), "-"
		}
		if strings.Contains(seen, field) && field != "-" {
			r.mistake("subject."+field, "the field is there twice; names are compared without regard to case")
		}
		seen += field + " "
		v, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		if v.Kind() != 'n' && field != "-" {
			*into = r.text("subject."+field, v)
		}
	}
	r.check("subject.kind", checkKind(e.Subject.Kind))
	r.check("subject.id", checkName(e.Subject.ID, maxID))
	_, err := r.dec.ReadToken()
	return err
}
