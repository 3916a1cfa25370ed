package oms

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// ParseOrder reads an order or a cart as it comes in: a field that the model
// knows gets the model's spelling at its place, an id that came as a number
// becomes the text of its digits, and the name of a status loses the white space
// around it. All else is kept as it was sent (CONTRACT.md, "Names"). The
// warnings name what nothing reads because it has another shape than the
// model's. Errors are as those of [Parse].
func ParseOrder(data []byte) (*Object, []Warning, error) {
	return parseDocument(data, orderModel, documentReader{})
}

// OtherShapes names what [ParseOrder] warned of when it read a document that is
// kept: carts have no place of their own for such warnings.
func OtherShapes(doc *Object) []Warning {
	var r documentReader
	r.object(doc.Clone(), orderModel)
	return r.warnings
}

// ParseOrderPatch is [ParseOrder] for a patch of an order or a cart, which may
// say how it is to be applied.
func ParseOrderPatch(data []byte) (*Object, []Warning, error) {
	return parseDocument(data, orderModel, documentReader{patch: true})
}

// ParseShipment is [ParseOrderPatch] for a shipment, or a patch of one.
func ParseShipment(data []byte) (*Object, []Warning, error) {
	return parseDocument(data, shipmentModel, documentReader{patch: true})
}

func parseDocument(data []byte, m *model, r documentReader) (*Object, []Warning, error) {
	doc, err := parse(data, reading{levels: MaxDepth})
	if err != nil {
		return nil, nil, err
	}
	r.object(doc, m)
	if len(r.errors) > 0 {
		return nil, nil, &Error{Kind: Invalid, Detail: "the document is not valid", Fields: r.errors}
	}
	return doc, r.warnings, nil
}

// documentReader brings a document that was just parsed into the form in which
// it is kept. It changes the document itself.
type documentReader struct {
	checker
	patch    bool // the fields that control a patch stay
	warnings []Warning
	at       []step // the way to where it reads, made into a path only for who is told of it
}

// step is a field's name, or the index of an element.
type step struct {
	name  string
	index int
}

// path is the way to where the reader is, and to a field there.
func (r *documentReader) path(field string) string {
	path := ""
	for _, s := range r.at {
		if s.name == "" {
			path += fmt.Sprintf("[%d]", s.index)
		} else {
			path = joinPath(path, s.name)
		}
	}
	return joinPath(path, field)
}

func (r *documentReader) object(o *Object, m *model) {
	r.spell(o, m)
	for i := range o.members {
		member := &o.members[i]
		f, known := m.field(member.Name)
		switch {
		case !known || member.Value == nil:
		case f.control && !r.patch:
			r.warn(r.path(member.Name), "says how a patch is applied; it is not stored")
		case f.own && !r.patch:
		default:
			r.at = append(r.at, step{name: member.Name})
			member.Value = r.value(member.Value, f)
			r.at = r.at[:len(r.at)-1]
		}
	}
	if !r.patch {
		r.dropControls(o, m)
	}
}

// spell gives the fields that the model knows their spelling there. Two names
// that are one field are a mistake, as nobody can tell which was meant.
func (r *documentReader) spell(o *Object, m *model) {
	renamed, foreign := false, false
	for i := range o.members {
		member := &o.members[i]
		if name := m.spelling(member.Name); name == member.Name {
			continue
		} else if foreign = true; name != "" {
			member.Name, renamed = name, true
		}
	}
	if renamed && o.index != nil {
		o.reindex()
	}
	if foreign {
		r.doubles(o)
	}
}

// doubles names the fields that an object has twice.
func (r *documentReader) doubles(o *Object) {
	seen := make(map[string]bool, len(o.members))
	for _, member := range o.members {
		key := fold(member.Name)
		if seen[key] {
			r.add(r.path(member.Name), thereTwice)
		}
		seen[key] = true
	}
}

func (r *documentReader) dropControls(o *Object, m *model) {
	is := func(member Member) bool { f, _ := m.field(member.Name); return f.control }
	if !slices.ContainsFunc(o.members, is) {
		return
	}
	o.members = slices.DeleteFunc(o.members, is)
	if o.index != nil {
		o.reindex()
	}
}

// value returns a known field's value in the form in which it is kept.
func (r *documentReader) value(v any, f field) any {
	switch f.kind {
	case text:
		return r.text(v, f)
	case number:
		if s, ok := v.(string); ok && isDecimal(s) && !f.must {
			return s // money as text is kept as text, and counted as its decimal
		}
	case modelObject:
		if o, ok := v.(*Object); ok {
			r.object(o, f.of)
			return v
		}
	case modelList, textList:
		if l, ok := v.([]any); ok {
			r.elements(l, f)
			return v
		}
	}
	if !f.kind.fits(v) {
		r.otherShape(v, f, f.kind.String())
	}
	return v
}

func (r *documentReader) text(v any, f field) any {
	switch s := v.(type) {
	case string:
		name := strings.TrimSpace(s)
		if !f.name || name == s {
			return v
		}
		if name == "" { // the empty text is what typed clients write for none
			r.add(r.path(""), blankStatus)
			return v
		}
		return name
	case Number:
		if f.id {
			return digits(s)
		}
	}
	r.otherShape(v, f, text.String())
	return v
}

// elements reads the elements of a list, in place. A long list of them has one
// warning for all that are of another shape.
func (r *documentReader) elements(l []any, f field) {
	warned := false
	for i, e := range l {
		r.at = append(r.at, step{index: i})
		n, isNumber := e.(Number)
		switch o, isObject := e.(*Object); {
		case f.kind == textList && f.id && isNumber:
			l[i] = digits(n)
		case !f.kind.holds(e):
			if f.must || !warned {
				r.otherShape(e, f, f.kind.element())
			}
			warned = true
		case isObject && f.of != nil:
			r.object(o, f.of)
		}
		r.at = r.at[:len(r.at)-1]
	}
}

// otherShape refuses what the engine must read, and names all else in a warning.
func (r *documentReader) otherShape(v any, f field, want string) {
	path := r.path("")
	if f.must {
		r.wrong(path, want, v)
		return
	}
	if !r.patch { // of a patch only what it changes is told of: see [merger.value]
		r.warn(path, keptMessage(v, want))
	}
}

func keptMessage(v any, want string) string {
	return fmt.Sprintf("is kept as it is, and nothing reads it: it is %s where %s is expected", typeName(v), want)
}

func (r *documentReader) warn(path, message string) {
	if len(r.warnings) < mostFieldErrors {
		r.warnings = append(r.warnings, Warning{Path: shorten(path), Message: message})
	}
}

// isDecimal reports whether a text is a number as JSON writes it, small enough
// to calculate with.
func isDecimal(s string) bool {
	_, ok := decimalOf(s)
	return ok
}

// digits is the text of an id that came as a number: 450789469, not 4.50789469e8.
func digits(n Number) string {
	d, ok := n.decimal()
	if !ok || !d.Equal(d.Truncate(0)) || d.NumDigits()+int(max(d.Exponent(), 0)) > maxID {
		return string(n)
	}
	return d.Truncate(0).String()
}

// decimalOf returns the amount that a value of a document stands for: a number,
// or a text that is written as one.
func decimalOf(v any) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case Number:
		return v.decimal()
	case string:
		if len(v) <= maxNumber && isJSONNumber(v) {
			return Number(v).decimal()
		}
	}
	return decimal.Zero, false
}

// isJSONNumber reports whether a text is a number as JSON writes it, and nothing more.
func isJSONNumber(s string) bool {
	v := jsontext.Value(s)
	return s != "" && (s[0] == '-' || '0' <= s[0] && s[0] <= '9') && strings.TrimSpace(s) == s && v.IsValid()
}
