package oms

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of what is published (API.md, "Webhook endpoints and events").
const (
	MaxPublished = 1000 // events at once
	maxEventID   = 255  // bytes
	maxKind      = 50   // bytes of a subject's kind
)

// ParseEvents reads the body of a publication: one event, or a list of up to
// [MaxPublished] of them, which single tells apart. An event without an id gets
// one, one without a timestamp that of now. Data is the text that was sent,
// byte for byte; it may share the body's memory.
//
// Every error is an *[Error]: [Malformed] for what is no JSON, [Invalid] for
// all else, with the places of the mistakes as `type` or `[17].type`.
//
// It builds no tree of what it reads, for thousands of events come in a second.
func ParseEvents(body []byte, now time.Time) (events []*Event, single bool, err error) {
	text := bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	start := len(body) - len(text)
	if len(bytes.Trim(text, whitespace)) == 0 {
		return nil, false, Errorf(Malformed, "the body is empty, an event or a list of events is needed")
	}
	dec := decoders.Get().(*jsontext.Decoder)
	defer decoders.Put(dec)
	defer dec.Reset(noBytes) // not to hold on to the body
	dec.Reset(bytes.NewBuffer(text))
	r := eventReader{dec: dec, size: len(text), now: now}
	kind := r.dec.PeekKind()
	if kind == '[' {
		events, err = r.list()
	} else {
		events, err = r.one(kind)
	}
	if err != nil {
		return nil, false, publishError(err, int64(start))
	}
	if rest := bytes.TrimLeft(text[r.dec.InputOffset():], whitespace); len(rest) > 0 {
		return nil, false, Errorf(Malformed, "malformed JSON: something follows the end at byte %d", len(body)-len(rest))
	}
	if len(r.errors) > 0 {
		return nil, false, &Error{Kind: Invalid, Detail: "what is published is not valid", Fields: r.errors}
	}
	return events, kind != '[', nil
}

// decoders are used again: to set one up costs as much as to read an event.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(noBytes) }}

var noBytes = strings.NewReader("")

// publishError is parseError, for a decoder that finds names that are there
// twice, and too deep a nesting, by itself.
func publishError(err error, start int64) error {
	s, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, jsontext.ErrDuplicateName):
		return parseError(&located{path: pointerPath(s.JSONPointer), message: "the field is there twice"}, start)
	case strings.Contains(s.Err.Error(), "max depth"):
		return parseError(&located{path: pointerPath(s.JSONPointer), message: tooDeep}, start)
	}
	return parseError(err, start)
}

// pointerPath writes a JSON pointer as the paths of documents are written.
func pointerPath(p jsontext.Pointer) string {
	path := ""
	for token := range p.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil {
			token = "[" + token + "]"
		}
		if path = joinPath(path, token); len(path) > 4*mostStep {
			break // shortened later
		}
	}
	return path
}

type eventReader struct {
	checker
	dec   *jsontext.Decoder
	size  int // of the body
	now   time.Time
	many  bool
	index int // of the event, where there are many
}

// one reads the only event; kind is how it begins.
func (r *eventReader) one(kind jsontext.Kind) ([]*Event, error) {
	if name, ok := kindNames[kind]; ok {
		if _, err := r.dec.ReadToken(); err != nil { // nonsense is no null
			return nil, err
		}
		return nil, Errorf(Invalid, "an event or a list of events is needed, not %s", name)
	}
	e := new(Event)
	return []*Event{e}, r.event(e)
}

func (r *eventReader) list() (events []*Event, err error) {
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	r.many = true
	for ; r.dec.PeekKind() != ']'; r.index++ {
		if r.index == MaxPublished {
			return nil, Wrong("", "holds more than %d events", MaxPublished)
		}
		if kind := r.dec.PeekKind(); kind != '{' {
			if err := r.noObject(); err != nil {
				return nil, err
			}
			continue
		}
		e := new(Event)
		if err := r.event(e); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	if r.index == 0 {
		return nil, Wrong("", "holds no event")
	}
	_, err = r.dec.ReadToken()
	return events, err
}

func (r *eventReader) noObject() error {
	v, err := r.dec.ReadValue()
	if err == nil {
		r.mistake("", "must be an event, not "+kindNames[v.Kind()])
	}
	return err
}

// mistake notes what is wrong with a field of the event that is being read.
func (r *eventReader) mistake(field, message string) {
	if r.many {
		field = joinPath(fmt.Sprintf("[%d]", r.index), field)
	}
	r.add(field, message)
}

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

// event reads an object into e, and completes it.
func (r *eventReader) event(e *Event) error {
	found := len(r.errors)
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	for seen := 0; r.dec.PeekKind() != '}'; {
		name, err := r.name()
		if err != nil {
			return err
		}
		bit := eventField(name)
		if seen&bit != 0 {
			r.mistake(eventFieldName(bit), "the field is there twice; names are compared without regard to case")
		}
		seen |= bit
		if err := r.field(e, bit, name); err != nil {
			return err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	if len(r.errors) == found {
		r.complete(e)
	}
	return nil
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
		e.ID = r.text("id", v)
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
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() < 1 || at.Year() > 9999 {
		r.mistake("timestamp", "must be a time as 2026-11-21T09:30:00Z")
	}
	e.Timestamp = at.UTC().Truncate(time.Microsecond)
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

// checkEventID returns what is wrong with an id: it travels in a header and
// stands in a URL.
func checkEventID(id string) string {
	switch {
	case id == "" || len(id) > maxEventID:
		return fmt.Sprintf("must have from 1 to %d characters; leave it out and one is made", maxEventID)
	case id == "." || id == ".." || id == "/":
		return fmt.Sprintf("must not be %q, which cannot stand in a URL", id)
	case strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "must be of visible ASCII characters"
	}
	return ""
}

func checkKind(kind string) string {
	if wrong := CheckEventType(kind, ""); len(wrong) > 0 || len(kind) > maxKind {
		return fmt.Sprintf("must be from 1 to %d letters, digits, _, - and .", maxKind)
	}
	return ""
}

// checkName returns what is wrong with a text that names something.
func checkName(name string, most int) string {
	switch {
	case name == "":
		return "must not be empty"
	case len(name) > most:
		return fmt.Sprintf("must be at most %d bytes long", most)
	}
	for i := range len(name) {
		if name[i] < ' ' || name[i] == 0x7f {
			return "must not hold control characters"
		}
	}
	return ""
}

// complete checks what fields say together and gives the event what it lacks.
func (r *eventReader) complete(e *Event) {
	for _, wrong := range CheckEventType(e.Type, "type") {
		r.mistake("type", wrong.Message)
	}
	if e.Data == nil {
		r.mistake("data", "is needed, as an object")
	}
	if e.ID == "" {
		e.ID = NewID(EventID)
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = r.now
	}
	if e.Subject == (Subject{}) && e.OrderID != "" {
		e.Subject = Subject{SubjectOrder, e.OrderID}
	}
	if e.Subject.Kind == SubjectOrder && e.OrderID != "" && e.OrderID != e.Subject.ID {
		r.mistake("orderId", "is another order than the subject")
	}
	e.relate()
}

// relate says of an event what its subject says.
func (e *Event) relate() {
	switch id := e.Subject.ID; e.Subject.Kind {
	case SubjectOrder:
		e.OrderID = id
	case SubjectShipment:
		e.ShipmentID = id
	case SubjectReturn:
		e.ReturnID = id
	case SubjectCart:
		e.CartID = id
	case SubjectSubscription:
		e.SubscriptionID = id
	case SubjectStockItem:
		e.StockItemID = id
	}
}
