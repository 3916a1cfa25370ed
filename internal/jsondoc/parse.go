package jsondoc

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
)

// MaxDepth is how deep objects and lists of a document may nest. Real orders
// stay below ten; the limit keeps a hostile one from costing stack and time. It counts
// objects and lists.
const MaxDepth = 100

// TooDeep is the message about a document that nests too deep.
var TooDeep = fmt.Sprintf("nests deeper than %d levels", MaxDepth)

// StoredDepth is what a stored document may have beyond MaxDepth: a shipment or
// a line that came by itself stands some levels deeper in its order.
const StoredDepth = 16

// Reading says how a document is read. Package schema has one for each way in which
// documents come.
type Reading struct {
	Levels int    // how deep it may nest
	Camel  bool   // its names become camelCase; else they stay as they are
	Names  *Names // the names that are known; nil: none are
}

// Read reads one JSON object. Its errors are those of [schema.Parse]. The byte order mark
// and white space around the object do not matter.
func Read(data []byte, r Reading) (*Object, error) {
	text, err := Text(data, "a JSON object")
	if err != nil {
		return nil, err
	}
	p := newParser(text, r)
	if _, wrong := KindNames[p.dec.PeekKind()]; wrong {
		return nil, WrongKind(p.dec, text, "a JSON object")
	}
	v, err := p.value(r.Levels)
	if err != nil {
		return nil, ParseError(err, text)
	}
	if p.dec.InputOffset() < int64(len(text)) {
		if err := AtEnd(p.dec, text, "the object's end"); err != nil {
			return nil, err
		}
	}
	return v.(*Object), nil
}

// ParseValue reads a value that orderhook itself has written.
func ParseValue(text []byte, known *Names) (any, error) {
	r := Reading{Levels: MaxDepth + StoredDepth, Names: known}
	return newParser(text, r).value(r.Levels)
}

// Whitespace is what JSON takes for it.
const Whitespace = " \t\r\n"

// parser reads a document. Members and elements stand in open until the object or
// list that they belong to ends, and are then copied into slices that fit.
type parser struct {
	dec   *jsontext.Decoder
	camel bool
	names *Names
	slabs
	openMembers []Member
	openValues  []any
	unquoted    []byte // of the text that is being read
}

// newParser leaves it to [parser.object] to find a name that is there twice, as only
// that knows the names that differ in case.
func newParser(text []byte, r Reading) *parser {
	return &parser{dec: jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true)), camel: r.Camel, names: r.Names}
}

// value reads a value in which objects and lists may nest so deep.
func (p *parser) value(levels int) (any, error) {
	switch p.dec.PeekKind() {
	case '"':
		text, err := p.text()
		if err != nil {
			return nil, err
		}
		return p.string(text), nil
	case '0':
		return p.number()
	}
	tok, err := p.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	// The depth is bounded before anything deeper is read, so that no document can use up
	// the stack.
	if k := tok.Kind(); (k == '{' || k == '[') && levels == 0 {
		return nil, &Misplaced{Message: TooDeep}
	}
	switch tok.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return tok.Bool(), nil
	case '[':
		return p.list(levels - 1)
	default:
		return p.object(levels - 1)
	}
}

// text reads a text. It is valid until the next one is read.
func (p *parser) text() ([]byte, error) {
	quoted, err := p.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], nil
	}
	p.unquoted, err = jsontext.AppendUnquote(p.unquoted[:0], quoted)
	return p.unquoted, err
}

// MaxNumber bounds a number's digits: no price has as many, and arithmetic on
// a million of them would hold up everyone else.
const MaxNumber = 400

// number reads a number, as the text in which it is written.
func (p *parser) number() (any, error) {
	text, err := p.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	if len(text) > MaxNumber {
		return nil, &Misplaced{Message: fmt.Sprintf("a number of more than %d characters", MaxNumber)}
	}
	return Number(p.string(text)), nil
}

// list reads the rest of a list, whose bracket was read before.
func (p *parser) list(levels int) (any, error) {
	begin := len(p.openValues)
	for p.dec.PeekKind() != ']' {
		v, err := p.value(levels)
		if err != nil {
			return nil, within(err, fmt.Sprintf("[%d]", len(p.openValues)-begin))
		}
		p.openValues = append(p.openValues, v)
	}
	list := p.values.take(len(p.openValues) - begin)
	copy(list, p.openValues[begin:])
	p.openValues = p.openValues[:begin]
	_, err := p.dec.ReadToken()
	return list, err
}

// object reads the rest of an object, whose brace was read before.
func (p *parser) object(levels int) (any, error) {
	o, begin := p.slabs.object(), len(p.openMembers)
	find := o.FindExact
	if p.camel {
		find = o.Find
	}
	for p.dec.PeekKind() != '}' {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		v, err := p.value(levels)
		if err != nil {
			return nil, within(err, name)
		}
		if find(name) >= 0 {
			return nil, &Misplaced{Path: name, Message: ThereTwice}
		}
		p.openMembers = append(p.openMembers, Member{name, v})
		// The slice may have moved when it grew.
		o.members = p.openMembers[begin:]
		o.indexLast()
	}
	if o.members != nil {
		o.members = p.members.take(len(o.members))
		copy(o.members, p.openMembers[begin:])
		p.openMembers = p.openMembers[:begin]
	}
	_, err := p.dec.ReadToken()
	return o, err
}

// name reads the name of a member, in the spelling that the reader gives it.
func (p *parser) name() (string, error) {
	text, err := p.text()
	if err != nil {
		return "", err
	}
	name, known := "", false
	if p.names != nil {
		name, known = p.names.spellings[string(text)]
	}
	if !known || name != string(text) { // a known name in its own spelling costs no new string
		name = p.string(text)
	}
	if p.camel {
		name = p.names.Camel(name)
	}
	return name, nil
}

// ThereTwice is the message about a field that an object has twice.
const ThereTwice = "the field is there twice; names are compared without regard to case"

// Misplaced is an error in a document and the path to it, built up on the way
// out of the recursion so that a sound document pays nothing for it. One that is about JSON
// itself has a line and a column instead.
type Misplaced struct {
	Path    string
	Message string
}

// Error implements error.
func (l *Misplaced) Error() string { return l.Path + ": " + l.Message }

// within puts a step in front of the path of an error that has one.
func within(err error, step string) error {
	if l, ok := errors.AsType[*Misplaced](err); ok {
		l.Path = JoinPath(step, l.Path)
	}
	return err
}

// MostStep bounds how much of a name or key a path repeats, in bytes.
const MostStep = 100

// JoinPath puts a step behind a path. A long one is cut, with a hash to tell it
// from others: a path is built for every field that is looked at.
func JoinPath(path, step string) string {
	step = CutStep(step)
	if path == "" || step == "" || strings.HasPrefix(step, "[") {
		return path + step
	}
	return path + "." + step
}

// CutStep shortens a name or key to what a path repeats of it. Two long names that begin
// alike still differ by their hashes.
func CutStep(step string) string {
	if len(step) <= MostStep {
		return step
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, step)
	return fmt.Sprintf("%s…%x", strings.ToValidUTF8(step[:MostStep], ""), h.Sum64())
}

// ParseError makes an [apierr.Error] of what went wrong in a text. What is no JSON is
// [apierr.Malformed], with a line and a column. JSON that is no document is
// [apierr.Invalid], with a path.
func ParseError(err error, text []byte) error {
	if l, ok := errors.AsType[*Misplaced](err); ok {
		return &apierr.Error{Kind: apierr.Invalid, Detail: "the document is not valid", Fields: []apierr.FieldError{{Location: ShortPath(l.Path), Message: l.Message}}}
	}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return apierr.Errorf(apierr.Malformed, "malformed JSON at %s: %v", LineAndColumn(text, int(s.ByteOffset)), s.Err)
	}
	return apierr.Errorf(apierr.Malformed, "malformed JSON: %v", err)
}

// LineAndColumn says where a byte of a text is, as editors show it: lines and columns
// begin at 1, and a column is one character.
func LineAndColumn(text []byte, offset int) string {
	before := text[:min(offset, len(text))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(line)+1)
}

// ShortPath keeps a path of a hostile document readable. A path may be cut in the middle of
// a name.
func ShortPath(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	return strings.ToValidUTF8(path[:most], "") + "…"
}

// KindNames names what a document may be instead of an object. An object is not among them,
// since that is what is wanted.
var KindNames = map[jsontext.Kind]string{
	'n': "null", 't': "true or false", 'f': "true or false", '"': "text", '0': "a number", '[': "a list",
}

// TypeName names the type of a document's value in an error.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case string:
		return "text"
	case Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}
