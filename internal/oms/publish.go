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
		return nil, false, publishError(err, text)
	}
	if rest := bytes.TrimLeft(text[r.dec.InputOffset():], whitespace); len(rest) > 0 {
		return nil, false, Errorf(Malformed, "malformed JSON: something follows the end at %s", lineAndColumn(text, len(text)-len(rest)))
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
func publishError(err error, text []byte) error {
	s, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, jsontext.ErrDuplicateName):
		return parseError(&located{path: pointerPath(s.JSONPointer), message: "the field is there twice"}, text)
	case strings.Contains(s.Err.Error(), "max depth"):
		return parseError(&located{path: pointerPath(s.JSONPointer), message: tooDeep}, text)
	}
	return parseError(err, text)
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
