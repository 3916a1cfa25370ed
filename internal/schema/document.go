package schema

import (
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// ParseOrder reads an order or a cart as it comes in: a field that the model
// knows gets the model's spelling at its place, an id that came as a number
// becomes the text of its digits, and the name of a status loses the white space
// around it. All else is stored as it was sent (docs/contract.md#documents). The
// warnings name what nothing reads because it has another shape than the
// model's. Errors are as those of [Parse]. A new document has nothing to say about how a
// patch is applied: fields that do are dropped, and a warning says so.
func ParseOrder(data []byte) (*jsondoc.Object, []apierr.Warning, error) {
	return parseDocument(data, Order, DocumentReader{})
}

// OtherShapes names what [ParseOrder] warned of when it read a document that is
// stored: carts have no place of their own for such warnings. The document itself stays as
// it is.
func OtherShapes(doc *jsondoc.Object) []apierr.Warning {
	var r DocumentReader
	r.Object(doc.Clone(), Order)
	return r.Warnings
}

// ParseOrderPatch is [ParseOrder] for a patch of an order or a cart, which may
// say how it is to be applied.
func ParseOrderPatch(data []byte) (*jsondoc.Object, []apierr.Warning, error) {
	return parseDocument(data, Order, DocumentReader{Patch: true})
}

// ParseShipment is [ParseOrderPatch] for a shipment, or a patch of one.
func ParseShipment(data []byte) (*jsondoc.Object, []apierr.Warning, error) {
	return parseDocument(data, Shipment, DocumentReader{Patch: true})
}

// parseDocument reads a document of a model.
func parseDocument(data []byte, m *Model, r DocumentReader) (*jsondoc.Object, []apierr.Warning, error) {
	doc, err := ParseRaw(data)
	if err != nil {
		return nil, nil, err
	}
	r.Object(doc, m)
	if len(r.Errors) > 0 {
		return nil, nil, &apierr.Error{Kind: apierr.Invalid, Detail: "the document is not valid", Fields: r.Errors}
	}
	return doc, r.Warnings, nil
}

// DocumentReader brings a document that was just parsed into the form in which
// it is stored. It changes the document itself. One reads one document.
type DocumentReader struct {
	Checker
	Patch    bool // the fields that control a patch stay
	Warnings []apierr.Warning
	at       []step // the way to where it reads, made into a path only for who is told of it
}

// step is a field's name, or the index of an element. One without a name is an index.
type step struct {
	name  string
	index int
}

// path is the way to where the reader is, and to a field there.
func (r *DocumentReader) path(field string) string {
	path := ""
	for _, s := range r.at {
		if s.name == "" {
			path += fmt.Sprintf("[%d]", s.index)
		} else {
			path = jsondoc.JoinPath(path, s.name)
		}
	}
	return jsondoc.JoinPath(path, field)
}

// Object reads an object, in place: its fields get the form that they are stored in. It
// reads every object within it that a model knows.
func (r *DocumentReader) Object(o *jsondoc.Object, m *Model) {
	r.spell(o, m)
	for i, member := range o.Members() {
		f, known := m.Field(member.Name)
		switch {
		case !known || member.Value == nil:
		case f.Control && !r.Patch:
			r.warn(r.path(member.Name), "says how a patch is applied; it is not stored")
		// orderhook sets this field itself, so what came in it does not matter.
		case f.own && !r.Patch:
		default:
			// The way is kept as steps: a path is seldom asked for.
			r.at = append(r.at, step{name: member.Name})
			o.SetValue(i, r.value(member.Value, f))
			r.at = r.at[:len(r.at)-1]
		}
	}
	if !r.Patch { // what says how a patch is applied is not stored
		o.DeleteFunc(func(member jsondoc.Member) bool { f, _ := m.Field(member.Name); return f.Control })
	}
}

// spell gives the fields that the model knows their spelling there. Two names
// that are one field are an error, as nobody can tell which was meant.
func (r *DocumentReader) spell(o *jsondoc.Object, m *Model) {
	foreign := false
	o.Respell(func(name string) string {
		spelling := m.spelling(name)
		// Only where a name is not spelled as in the model can it be a second one of a
		// field.
		foreign = foreign || spelling != name
		return spelling
	})
	if !foreign {
		return
	}
	seen := make(map[string]bool, o.Len())
	for _, member := range o.Members() {
		key := spelling.Fold(member.Name)
		if seen[key] {
			r.Add(r.path(member.Name), jsondoc.ThereTwice)
		}
		seen[key] = true
	}
}

// value returns a known field's value in the form in which it is stored. A value of another
// shape comes out as it went in.
func (r *DocumentReader) value(v any, f Field) any {
	switch f.Kind {
	case Text:
		return r.text(v, f)
	case Number:
		if s, ok := v.(string); ok && jsondoc.IsDecimal(s) && !f.must {
			return s // money as text is stored as text, and counted as its decimal
		}
	case ModelObject:
		if o, ok := v.(*jsondoc.Object); ok {
			r.Object(o, f.Of)
			return v
		}
	case ModelList, TextList:
		if l, ok := v.([]any); ok {
			r.elements(l, f)
			return v
		}
	}
	if !f.Kind.fits(v) {
		r.otherShape(v, f, f.Kind.String())
	}
	return v
}

// text returns a text as it is stored: names of statuses without white space around them,
// and ids that came as numbers as their digits.
func (r *DocumentReader) text(v any, f Field) any {
	switch s := v.(type) {
	case string:
		name := strings.TrimSpace(s)
		if !f.name || name == s {
			return v
		}
		if name == "" { // the empty text is what typed clients write for none
			r.Add(r.path(""), BlankStatus)
			return v
		}
		return name
	case jsondoc.Number:
		// A text that is no id is of another shape where it comes as a number.
		if f.id {
			return Digits(s)
		}
	}
	r.otherShape(v, f, Text.String())
	return v
}

// elements reads the elements of a list, in place. A long list of them has one
// warning for all that are of another shape. The list itself keeps its length and its
// order.
func (r *DocumentReader) elements(l []any, f Field) {
	warned := false
	for i, e := range l {
		r.at = append(r.at, step{index: i})
		n, isNumber := e.(jsondoc.Number)
		switch o, isObject := e.(*jsondoc.Object); {
		case f.Kind == TextList && f.id && isNumber:
			l[i] = Digits(n)
		// A field that the engine must read is an error each time; a warning is for the whole list.
		case !f.Kind.Holds(e):
			if f.must || !warned {
				r.otherShape(e, f, f.Kind.Element())
			}
			warned = true
		case isObject && f.Of != nil:
			r.Object(o, f.Of)
		}
		r.at = r.at[:len(r.at)-1]
	}
}

// otherShape refuses what the engine must read, and names all else in a warning.
func (r *DocumentReader) otherShape(v any, f Field, want string) {
	path := r.path("")
	if f.must {
		r.Wrong(path, want, v)
		return
	}
	if !r.Patch { // of a patch only what it changes is told of: see [order.merger.value]
		r.warn(path, UnreadMessage(v, want))
	}
}

// UnreadMessage is the warning about a value of another shape than is expected. It does not
// repeat the value, which may be of any length.
func UnreadMessage(v any, want string) string {
	return fmt.Sprintf("is kept as it is, and nothing reads it: it is %s where %s is expected", jsondoc.TypeName(v), want)
}

// warn notes a warning, as long as there are not too many.
func (r *DocumentReader) warn(path, message string) {
	if len(r.Warnings) < MostFieldErrors {
		r.Warnings = append(r.Warnings, apierr.Warning{Path: jsondoc.ShortPath(path), Message: message})
	}
}

// Digits is the text of an id that came as a number: 450789469, not 4.50789469e8. Ids are
// compared as text, so each must have one spelling.
func Digits(n jsondoc.Number) string {
	d, ok := n.Decimal()
	// A number that is not whole, or too long for an id, stays as it was written.
	if !ok || !d.Equal(d.Truncate(0)) || d.NumDigits()+int(max(d.Exponent(), 0)) > ids.MaxLength {
		return string(n)
	}
	return d.Truncate(0).String()
}
