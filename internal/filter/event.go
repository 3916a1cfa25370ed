package filter

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Event is an event as filters see it. Its data is read as far as filters name
// it, once for all of them. It is not safe for concurrent use. Package event makes one for
// each event that endpoints with filters may get. Whoever makes one leaves Data as it is
// until the last filter was evaluated.
type Event struct {
	ID, Type, OrderID      string
	SubjectKind, SubjectID string
	Timestamp              time.Time
	Data                   []byte // JSON; nil: it was erased

	data *lazy
}

// named returns what a name stands for. The parser knows no other names than these and
// data. What a filter does not name is never looked at.
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
	// It is a map, so that its parts have names.
	case "subject":
		return map[string]any{"kind": e.SubjectKind, "id": e.SubjectID}
	}
	// Only data is left.
	if e.Data == nil {
		panic(fault("the data of the event was erased"))
	}
	if e.data == nil {
		e.data = &lazy{raw: e.Data}
	}
	return e.data
}

// lazy is a JSON value of which nothing has been read so far. It is read when a filter
// first asks for it, once for all filters.
type lazy struct {
	// raw is the JSON of the value. Once that is read, it is kept of numbers alone, which
	// are shown as they were sent.
	raw jsontext.Value
	// value and err are what reading it came to, once read says that it was done.
	value any
	err   error
	read  bool
}

// load reads a value, one level of it: what is within is lazy again. One that was read
// before is only returned.
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
	// The error is kept, so each filter that looks there hears of it.
	if l.err != nil {
		panic(fault(l.err.Error()))
	}
	return l.value
}

// readLevel reads one level of a value: scalars whole, of lists and objects where their parts
// are. A filter that names one field of a large order so reads only the levels above it.
func readLevel(raw jsontext.Value) (any, error) {
	switch kind := raw.Kind(); kind {
	case 'n':
		return nil, nil
	case 't', 'f':
		return kind == 't', nil
	// Numbers keep all their digits.
	case '0':
		return parseNumber(string(bytes.TrimSpace(raw)))
	case '"':
		text, err := jsontext.AppendUnquote(nil, bytes.TrimSpace(raw))
		return string(text), err
	}
	// The JSON was checked when it came in. To look for equal names would only cost time.
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
// memory is the decoder's. So no byte is copied.
func within(raw jsontext.Value, dec *jsontext.Decoder, v jsontext.Value) jsontext.Value {
	end := dec.InputOffset()
	return raw[end-int64(len(v)) : end]
}

// readList finds the elements of a list. None of them is read. The decoder finds where each
// ends.
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

// readObject finds the members of an object. Where two have one name, the last one counts, as
// in most readers of JSON.
func readObject(raw jsontext.Value, dec *jsontext.Decoder) (any, error) {
	object := map[string]any{}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		// The token is overwritten by the next one.
		text := name.String()
		v, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		object[text] = &lazy{raw: within(raw, dec, v)}
	}
	return object, nil
}
