package oms

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep objects and lists of a document may nest. Real orders
// stay below ten; the limit keeps a hostile one from costing stack and time.
const MaxDepth = 100

var tooDeep = fmt.Sprintf("nests deeper than %d levels", MaxDepth)

// Parse reads one JSON object of settings, of a request or of an answer. Names
// become camelCase; two names of one object that differ only in case are an
// error, as they would be one field. Orders and what is like them, whose other
// names stay as they are, have readers of their own, as [ParseOrder].
// Every error is an *[Error]: [Malformed] for what is no JSON, [Invalid] for
// JSON that is no document; both say where.
func Parse(data []byte) (*Object, error) { return parse(data, reading{levels: MaxDepth, camel: true}) }

// storedDepth is what a stored document may have beyond MaxDepth: a shipment or
// a line that came by itself stands some levels deeper in its order.
const storedDepth = 16

// ParseStored reads a document that orderhook itself has written.
func ParseStored(data []byte) (*Object, error) {
	return parse(data, reading{levels: MaxDepth + storedDepth})
}

// reading says how deep a document may nest, and whether its names become
// camelCase or stay as they are.
type reading struct {
	levels int
	camel  bool
}

// has reports whether an object has a field of that name already.
func (p reading) has(o *Object, name string) bool {
	if p.camel {
		return o.find(name) >= 0
	}
	return o.findExact(name) >= 0
}

func (p reading) below() reading { return reading{p.levels - 1, p.camel} }

func parse(data []byte, p reading) (*Object, error) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // .NET writers like a byte order mark
	if len(bytes.Trim(text, whitespace)) == 0 {
		return nil, Errorf(Malformed, "the body is empty, a JSON object is needed")
	}
	dec := newDecoder(text)
	if name, ok := kindNames[dec.PeekKind()]; ok {
		if _, err := dec.ReadToken(); err != nil { // nonsense is no null
			return nil, parseError(err, text)
		}
		return nil, Errorf(Invalid, "a JSON object is needed, not %s", name)
	}
	v, err := p.value(dec)
	if err != nil {
		return nil, parseError(err, text)
	}
	if rest := bytes.TrimLeft(text[dec.InputOffset():], whitespace); len(rest) > 0 {
		return nil, Errorf(Malformed, "malformed JSON: something follows the object's end at %s", lineAndColumn(text, len(text)-len(rest)))
	}
	return v.(*Object), nil
}

// whitespace is what JSON takes for it.
const whitespace = " \t\r\n"

// newDecoder leaves it to [reading.object] to find a name that is there twice, as
// only that knows the names that differ in case.
func newDecoder(data []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))
}

func (p reading) value(dec *jsontext.Decoder) (any, error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	if k := tok.Kind(); (k == '{' || k == '[') && p.levels == 0 {
		return nil, &located{message: tooDeep}
	}
	switch tok.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return tok.Bool(), nil
	case '"':
		return tok.String(), nil
	case '0':
		return parseNumber(tok.String())
	case '[':
		return p.list(dec)
	default:
		return p.object(dec)
	}
}

// maxNumber bounds a number's digits: no price has as many, and arithmetic on
// a million of them would hold up everyone else.
const maxNumber = 400

func parseNumber(text string) (any, error) {
	if len(text) > maxNumber {
		return nil, &located{message: fmt.Sprintf("a number of more than %d characters", maxNumber)}
	}
	return Number(text), nil
}

func (p reading) list(dec *jsontext.Decoder) (any, error) {
	list := []any{}
	for dec.PeekKind() != ']' {
		v, err := p.below().value(dec)
		if err != nil {
			return nil, within(err, fmt.Sprintf("[%d]", len(list)))
		}
		list = append(list, v)
	}
	_, err := dec.ReadToken()
	return list, err
}

func (p reading) object(dec *jsontext.Decoder) (any, error) {
	o := &Object{}
	for dec.PeekKind() != '}' {
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		name, ok := spellings[tok.String()] // a name that is known costs no new string
		if !ok {
			name = tok.String()
		}
		if p.camel {
			name = CamelName(name)
		}
		v, err := p.below().value(dec)
		if err != nil {
			return nil, within(err, name)
		}
		if p.has(o, name) {
			return nil, &located{path: name, message: thereTwice}
		}
		o.add(name, v)
	}
	_, err := dec.ReadToken()
	return o, err
}

const thereTwice = "the field is there twice; names are compared without regard to case"

// located is a mistake in a document and the path to it, built up on the way
// out of the recursion so that a sound document pays nothing for it.
type located struct {
	path    string
	message string
}

func (l *located) Error() string { return l.path + ": " + l.message }

// within puts a step in front of the path of a mistake that has one.
func within(err error, step string) error {
	if l, ok := errors.AsType[*located](err); ok {
		l.path = joinPath(step, l.path)
	}
	return err
}

// mostStep bounds how much of a name or key a path repeats, in bytes.
const mostStep = 100

// joinPath puts a step behind a path. A long one is cut, with a hash to tell it
// from others: a path is built for every field that is looked at.
func joinPath(path, step string) string {
	step = cutStep(step)
	if path == "" || step == "" || strings.HasPrefix(step, "[") {
		return path + step
	}
	return path + "." + step
}

func cutStep(step string) string {
	if len(step) <= mostStep {
		return step
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, step)
	return fmt.Sprintf("%s…%x", strings.ToValidUTF8(step[:mostStep], ""), h.Sum64())
}

// parseError makes an [Error] of what went wrong in a text.
func parseError(err error, text []byte) error {
	if l, ok := errors.AsType[*located](err); ok {
		return &Error{Kind: Invalid, Detail: "the document is not valid", Fields: []FieldError{{Location: shorten(l.path), Message: l.message}}}
	}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return Errorf(Malformed, "malformed JSON at %s: %v", lineAndColumn(text, int(s.ByteOffset)), s.Err)
	}
	return Errorf(Malformed, "malformed JSON: %v", err)
}

// lineAndColumn says where a byte of a text is, as editors show it: lines and columns
// begin at 1, and a column is one character.
func lineAndColumn(text []byte, offset int) string {
	before := text[:min(offset, len(text))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(line)+1)
}

// shorten keeps a path of a hostile document readable.
func shorten(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	return strings.ToValidUTF8(path[:most], "") + "…"
}

// kindNames names what a document may be instead of an object.
var kindNames = map[jsontext.Kind]string{
	'n': "null", 't': "true or false", 'f': "true or false", '"': "text", '0': "a number", '[': "a list",
}
