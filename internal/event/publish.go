package event

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// Limits of what is published (docs/contract.md#publishing).
const (
	MaxPublished = 1000 // events at once
	maxEventID   = 255  // bytes
	maxKind      = 50   // bytes of a subject's kind
)

// eventOrList is what a publication consists of, in errors.
const eventOrList = "an event or a list of events"

// ParseEvents reads the body of a publication: one event, or a list of up to
// [MaxPublished] of them, which single tells apart. An event without an id gets
// one, one without a timestamp that of now. Data is the text that was sent,
// byte for byte; it may share the body's memory.
//
// Every error is an *[apierr.Error]: [apierr.Malformed] for what is no JSON, [apierr.Invalid] for
// all else, with the places of the errors as `type` or `[17].type`.
//
// It builds no tree of what it reads, for thousands of events come in a second. A list is
// refused as a whole if one of its events is wrong.
func ParseEvents(body []byte, now time.Time) (events []*Event, single bool, err error) {
	text, err := jsondoc.Text(body, eventOrList)
	if err != nil {
		return nil, false, err
	}
	dec := decoders.Get().(*jsontext.Decoder)
	defer decoders.Put(dec)
	defer dec.Reset(noBytes) // not to hold on to the body
	dec.Reset(bytes.NewBuffer(text))
	r := eventReader{dec: dec, size: len(text), now: now}
	// A list is told from one event by its first character.
	kind := r.dec.PeekKind()
	switch _, other := jsondoc.KindNames[kind]; {
	case kind == '[':
		events, err = r.list()
	case other:
		err = jsondoc.WrongKind(r.dec, text, eventOrList)
	default:
		e := new(Event)
		events, err = []*Event{e}, r.event(e)
	}
	if err != nil {
		return nil, false, publishError(err, text)
	}
	if r.dec.InputOffset() < int64(len(text)) {
		if err := jsondoc.AtEnd(r.dec, text, "the end"); err != nil {
			return nil, false, err
		}
	}
	if len(r.Errors) > 0 {
		return nil, false, &apierr.Error{Kind: apierr.Invalid, Detail: "what is published is not valid", Fields: r.Errors}
	}
	return events, kind != '[', nil
}

// decoders are used again: to set one up costs as much as to read an event. Between two
// uses they hold on to nothing.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(noBytes) }}

// noBytes is what a decoder has to read while nobody uses it.
var noBytes = strings.NewReader("")

// publishError is jsondoc.ParseError, for a decoder that finds names that are there
// twice, and too deep a nesting, by itself.
func publishError(err error, text []byte) error {
	s, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, jsontext.ErrDuplicateName):
		return jsondoc.ParseError(&jsondoc.Misplaced{Path: pointerPath(s.JSONPointer), Message: "the field is there twice"}, text)
	case strings.Contains(s.Err.Error(), "max depth"):
		return jsondoc.ParseError(&jsondoc.Misplaced{Path: pointerPath(s.JSONPointer), Message: jsondoc.TooDeep}, text)
	}
	return jsondoc.ParseError(err, text)
}

// pointerPath writes a JSON pointer as the paths of documents are written. A member whose
// name is a number looks like an element there.
func pointerPath(p jsontext.Pointer) string {
	path := ""
	for token := range p.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil {
			token = "[" + token + "]"
		}
		if path = jsondoc.JoinPath(path, token); len(path) > 4*jsondoc.MostStep {
			break // shortened later
		}
	}
	return path
}

// eventReader reads one publication. Errors of fields are collected; those of the JSON end
// it.
type eventReader struct {
	schema.Checker
	dec   *jsontext.Decoder
	size  int // of the body
	now   time.Time
	many  bool
	index int // of the event, where there are many
}

// list reads a list of events. It goes on after an event that is wrong, so that the
// publisher learns of all errors at once.
func (r *eventReader) list() (events []*Event, err error) {
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	r.many = true
	for ; r.dec.PeekKind() != ']'; r.index++ {
		// What is too long is not read to its end: it may be of any length.
		if r.index == MaxPublished {
			return nil, apierr.Wrong("", "holds more than %d events", MaxPublished)
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
		return nil, apierr.Wrong("", "holds no event")
	}
	_, err = r.dec.ReadToken()
	return events, err
}

// noObject passes over what stands in place of an event, and notes it.
func (r *eventReader) noObject() error {
	v, err := r.dec.ReadValue()
	if err == nil {
		r.invalid("", "must be an event, not "+jsondoc.KindNames[v.Kind()])
	}
	return err
}

// invalid notes what is wrong with a field of the event that is being read.
func (r *eventReader) invalid(field, message string) {
	if r.many {
		field = jsondoc.JoinPath(fmt.Sprintf("[%d]", r.index), field)
	}
	r.Add(field, message)
}

// event reads an object into e, and completes it.
func (r *eventReader) event(e *Event) error {
	found := len(r.Errors)
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
			r.invalid(eventFieldName(bit), "the field is there twice; names are compared without regard to case")
		}
		seen |= bit
		if err := r.field(e, bit, name); err != nil {
			return err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	// When an event could not be read, nothing is said to be missing.
	if len(r.Errors) == found {
		r.complete(e)
	}
	return nil
}
