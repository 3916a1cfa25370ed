package event

import (
	"bytes"
	"math/bits"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/timetext"
)

// The fields of an event, in the order of [EventShape]; a field that was read has its bit.
const (
	bitType = 1 << iota
	bitData
	bitID
	bitSubject
	bitOrderID
	bitTimestamp
)

// EventShape is an event as it is published. It is read without a tree, by a reader
// of its own, since thousands of events come in a second.
var EventShape = &schema.Shape{Name: "PublishedEvent", Noun: "an event", Fields: []schema.ShapeField{
	{Name: "type", Required: true, Limits: schema.Limits{MinLength: 1, MaxLength: maxType}, Doc: "Letters, digits, _, - and .; none of the types that orderhook makes"},
	{Name: "data", Type: schema.ShapeObject, Required: true, Doc: "The payload, sent on as it is"},
	{Name: "id", Limits: schema.Limits{MinLength: 1, MaxLength: maxEventID}, Doc: "Visible ASCII characters without a dot; made if it is left out"},
	{Name: "subject", Type: schema.ShapeObject, Of: subjectShape, Doc: "What the event is about; the kinds order, shipment, return, cart, subscription and stockItem can be filtered by"},
	{Name: "orderId", Limits: schema.Limits{MinLength: 1, MaxLength: ids.MaxLength}},
	{Name: "timestamp", Type: schema.ShapeTime, Doc: "Now if it is left out"},
}}

// subjectShape is what an event may say of its subject.
var subjectShape = &schema.Shape{Name: "Subject", Noun: "subject", Fields: []schema.ShapeField{{Name: "kind", Required: true}, {Name: "id", Required: true}}}

// name reads a field's name as it is written, in the decoder's memory; one with escapes,
// which nobody writes, in its own. What is in the decoder's memory is overwritten by the
// next read. Escapes are rare, and cost a copy.
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

// eventField returns the bit of a field, 0 for one that there is not. The case of a name
// does not matter.
func eventField(name []byte) int {
	// Nearly all come in this spelling, so the case is looked at only where none fits.
	for i := range EventShape.Fields {
		if string(name) == EventShape.Fields[i].Name {
			return 1 << i
		}
	}
	for i := range EventShape.Fields {
		if spelling.SameField(string(name), EventShape.Fields[i].Name) {
			return 1 << i
		}
	}
	return 0
}

// eventFieldName returns the name of the field that has a bit.
func eventFieldName(bit int) string {
	return EventShape.Fields[bits.TrailingZeros(uint(bit))].Name
}

// field reads the value of a field. null is as good as absent. An error of the JSON is
// returned, any other noted.
func (r *eventReader) field(e *Event, bit int, name []byte) error {
	if bit == 0 {
		r.unknown(EventShape, "", string(name)) // before the decoder's memory is used again
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
		// The publisher's id is not the one that is signed.
		e.ID, e.WebhookID = r.text("id", v), ids.New(ids.Webhook)
		if wrong := checkEventID(e.ID); e.ID == "" || len(e.ID) > maxEventID {
			r.invalid("id", wrong+"; leave it out and one is made")
		} else {
			r.check("id", wrong)
		}
	case bitSubject:
		r.invalid("subject", "must be an object with kind and id, not "+jsondoc.KindNames[v.Kind()])
	case bitOrderID:
		e.OrderID = r.text("orderId", v)
		r.check("orderId", checkName(e.OrderID, ids.MaxLength))
	case bitTimestamp:
		if e.Timestamp, err = timetext.ParseTime(r.text("timestamp", v)); err != nil {
			r.invalid("timestamp", err.Error())
		}
	}
	return nil
}

// unknown notes a field that there is not, at a place of the event.
func (r *eventReader) unknown(s *schema.Shape, at, name string) {
	if len(r.Errors) < schema.MostFieldErrors { // a hostile body has a million of them
		r.invalid(jsondoc.JoinPath(at, name), s.Unknown(name))
	}
}

// text returns a text's value. An error leaves a text that no check objects to.
func (r *eventReader) text(field string, v jsontext.Value) string {
	if v.Kind() != '"' {
		r.invalid(field, "must be text, not "+nameOf(v.Kind()))
		return "-"
	}
	return string(unquoted(v))
}

// nameOf is what a message calls a value of this kind.
func nameOf(kind jsontext.Kind) string {
	if name, ok := jsondoc.KindNames[kind]; ok {
		return name
	}
	return "an object"
}

// check notes what is wrong with a field, if anything.
func (r *eventReader) check(field, why string) {
	if why != "" {
		r.invalid(field, why)
	}
}

// data takes the payload as it was written.
func (r *eventReader) data(e *Event, v jsontext.Value) {
	switch wrong := checkData(v, jsondoc.MaxDepth); {
	case wrong != "":
		r.invalid("data", wrong)
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
	// What stands within texts does not count, an escaped quote does not end one.
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

// subject reads `{"kind", "id"}`. Both members are needed.
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
		case spelling.SameField(string(name), "kind"):
		case spelling.SameField(string(name), "id"):
			into, field = &e.Subject.ID, "id"
		default:
			r.unknown(subjectShape, "subject", string(name))
			// It is read nevertheless, to get to the next one.
			into, field = new(string), "-"
		}
		if strings.Contains(seen, field) && field != "-" {
			r.invalid("subject."+field, "the field is there twice; names are compared without regard to case")
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
	r.check("subject.id", checkName(e.Subject.ID, ids.MaxLength))
	_, err := r.dec.ReadToken()
	return err
}
