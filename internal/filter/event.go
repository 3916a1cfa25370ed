package filter

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Event is an event as filters see it. Its data is read as far as filters name
// it, once for all of them. It is not safe for concurrent use.
type Event struct {
	ID, Type, OrderID      string
	SubjectKind, SubjectID string
	Timestamp              time.Time
	Data                   []byte // JSON; nil: it was erased

	data *lazy
}

// named returns what a name stands for.
func (e *Event) named(name string) any {
	switch name {
	case "id":
		return e.ID
	case "type":
		return e.Type
	case "timestamp":
		return e.Timestamp
	case "orderId":
		return e.OrderID
	case "subject":
		return map[string]any{"kind": e.SubjectKind, "id": e.SubjectID}
	}
	if e.Data == nil {
		panic(fault("the data of the event was erased"))
	}
	if e.data == nil {
		e.data = &lazy{raw: e.Data}
	}
	return e.data
}

// lazy is a JSON value of which nothing has been read so far.
type lazy struct {
	raw   jsontext.Value
	value any
	err   error // why it cannot be read
	read  bool
}

// load reads a value, one level of it: what is within is lazy again.
func load(v any) any {
	l, ok := v.(*lazy)
	if !ok {
		return v
	}
	if !l.read {
		l.value, l.err = readLevel(l.raw)
		if l.read = true; !isNumber(l.value) { // which is shown as it is written
			l.raw = nil
		}
	}
	if l.err != nil {
		panic(fault(l.err.Error()))
	}
	return l.value
}

func readLevel(raw jsontext.Value) (any, error) {
	switch kind := raw.Kind(); kind {
	case 'n':
		return nil, nil
	case 't', 'f':
		return kind == 't', nil
	case '0':
		return parseNumber(string(bytes.TrimSpace(raw)))
	case '"':
		text, err := jsontext.AppendUnquote(nil, bytes.TrimSpace(raw))
		return string(text), err
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	if raw.Kind() == '[' {
		return readList(raw, dec)
	}
	return readObject(raw, dec)
}

// within returns the part of raw that a decoder of it has just read as v, whose own
// memory is the decoder's.
func within(raw jsontext.Value, dec *jsontext.Decoder, v jsontext.Value) jsontext.Value {
	end := dec.InputOffset()
	return raw[end-int64(len(v)) : end]
}

func readList(raw jsontext.Value, dec *jsontext.Decoder) (any, error) {
	list := []any{}
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		list = append(list, &lazy{raw: within(raw, dec, v)})
	}
	return list, nil
}

func readObject(raw jsontext.Value, dec *jsontext.Decoder) (any, error) {
	object := map[string]any{}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		text := name.String()
		v, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		object[text] = &lazy{raw: within(raw, dec, v)}
	}
	return object, nil
}
