package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/timetext"
)

// ObjectReader reads one object by its shape. A field that is absent, null, or not as the
// shape has it, is its default; what is wrong comes as one error. A handler asks it for the
// fields by their names, and in the end for the error.
type ObjectReader struct {
	Checker
	doc    *jsondoc.Object
	shape  *Shape
	values map[string]any // of the fields that are there and as they should be
}

// Read checks an object against a shape: that it has no other fields, and that
// each is of its type and within its limits. It goes on after an error, so that a caller
// learns of all of them at once. The object itself stays as it is.
func Read(doc *jsondoc.Object, s *Shape) *ObjectReader {
	r := &ObjectReader{doc: doc, shape: s, values: map[string]any{}}
	for _, m := range doc.Members() {
		if len(r.Errors) == MostFieldErrors { // a hostile object has a million members
			break
		}
		f := s.Named(m.Name)
		if f == nil {
			r.Add(jsondoc.JoinPath("", m.Name), s.Unknown(m.Name))
		} else if m.Value != nil {
			if v, ok := r.Take(f, m.Value); ok {
				r.values[f.Name] = v
			}
		}
	}
	// These are looked for by themselves: one that is null is as missing as one that is not
	// there.
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Required && !r.Has(f.Name) {
			r.Needed(f)
		}
	}
	return r
}

// Take returns a value as getters have it, if it is as the field's shape has it,
// and notes otherwise. Callers that read fields by rules of their own, as those of endpoints,
// ask for each by itself.
func (c *Checker) Take(f *ShapeField, v any) (taken any, ok bool) {
	if !f.Type.fits(v) {
		c.Wrong(f.Name, f.Type.String(), v)
		return nil, false
	}
	found := len(c.Errors)
	switch v := v.(type) {
	case string:
		taken = c.takeText(f, v)
	case jsondoc.Number:
		taken = c.takeNumber(f, v)
	case []any:
		taken = c.takeList(f, v)
	// Flags and objects have no limits besides their type.
	default:
		taken = v
	}
	return taken, len(c.Errors) == found
}

// takeText returns a text, or a time, and notes what is wrong with it.
func (c *Checker) takeText(f *ShapeField, text string) any {
	length := len([]rune(text))
	switch {
	case f.Type == ShapeTime:
		return c.takeTime(f, text)
	case len(f.Enum) > 0 && !slices.Contains(f.Enum, text) && !(f.Blank && text == ""):
		c.Add(f.Name, "must be "+cmp.Or(f.Form, either(f.Enum)))
	case f.MaxLength > 0 && length > f.MaxLength:
		c.Add(f.Name, fmt.Sprintf("must be at most %d characters long", f.MaxLength))
	case length < f.MinLength:
		c.Add(f.Name, "must not be empty")
	}
	return text
}

// either lists values of which one must be given.
func either(values []string) string {
	last := len(values) - 1
	if last == 0 {
		return values[0]
	}
	return strings.Join(values[:last], ", ") + " or " + values[last]
}

// takeTime reads a time as queries have it, too. An empty one is none.
func (c *Checker) takeTime(f *ShapeField, text string) any {
	if text == "" && f.Required {
		c.Needed(f)
	}
	if text == "" {
		return time.Time{}
	}
	at, err := timetext.ParseTime(text, timetext.LayoutLocal, timetext.LayoutDate)
	if err != nil {
		c.Add(f.Name, err.Error())
	}
	return at
}

// takeNumber returns a number, as an int if the field is a whole one. Any other keeps its
// digits, and is a float only for being held against the limits.
func (c *Checker) takeNumber(f *ShapeField, n jsondoc.Number) any {
	if f.Type == ShapeWhole {
		whole, err := strconv.Atoi(string(n))
		if err != nil || f.outside(float64(whole)) {
			c.Add(f.Name, fmt.Sprintf("must be a whole number from %v to %v", f.Min, f.Max))
		}
		return whole
	}
	if f.Max > 0 {
		if v, err := strconv.ParseFloat(string(n), 64); err != nil || f.outside(v) {
			c.Add(f.Name, "must be "+f.Form)
		}
	}
	return n
}

// outside reports whether a number is beyond the limits.
func (f *ShapeField) outside(v float64) bool { return v < f.Min || v > f.Max }

// takeList returns a list, and notes if it has too many entries or too few.
func (c *Checker) takeList(f *ShapeField, list []any) any {
	switch {
	case f.MaxItems > 0 && f.MinItems > 0 && (len(list) > f.MaxItems || len(list) < f.MinItems):
		c.Add(f.Name, fmt.Sprintf("must have from %d to %d entries", f.MinItems, f.MaxItems))
	case f.MaxItems > 0 && len(list) > f.MaxItems:
		c.Add(f.Name, fmt.Sprintf("must have at most %d entries", f.MaxItems))
	case len(list) < f.MinItems:
		c.Add(f.Name, "must have an entry")
	case f.Type == ShapeTexts:
		return c.takeTexts(f, list)
	}
	return list
}

// takeTexts returns a list of texts, and notes each entry that is not one of those that
// there may be.
func (c *Checker) takeTexts(f *ShapeField, list []any) []string {
	texts := make([]string, len(list))
	for i, e := range list {
		at, isText := fmt.Sprintf("%s[%d]", f.Name, i), false
		if texts[i], isText = e.(string); !isText {
			c.Wrong(at, "text", e)
		} else if len(f.Enum) > 0 && !slices.Contains(f.Enum, texts[i]) {
			c.Add(at, "must be "+either(f.Enum))
		} else if f.Each != nil && !f.Each(texts[i]) {
			c.Add(at, "must be "+f.Form)
		}
	}
	return texts
}

// Needed notes that a field is not there.
func (c *Checker) Needed(f *ShapeField) {
	switch {
	case len(f.Enum) > 0:
		c.Add(f.Name, "must be "+either(f.Enum))
	case f.Hint != "":
		c.Add(f.Name, "is needed; "+f.Hint)
	default:
		c.Add(f.Name, "is needed")
	}
}

// Has reports whether a field is there and says something: null does not.
func (r *ObjectReader) Has(name string) bool {
	v, _ := r.doc.Get(name)
	return v != nil
}

// Given reports whether a field is there, be it null. In a change, null and nothing mean
// different things.
func (r *ObjectReader) Given(name string) bool {
	_, given := r.doc.Get(name)
	return given
}

// Text returns a text, "" where there is none. It returns the default, as all of these
// methods do, if the field is not as the shape has it; the error says that, too.
func (r *ObjectReader) Text(name string) string { return valueOf[string](r, name) }

// Texts returns a list of texts, nil where there is none.
func (r *ObjectReader) Texts(name string) []string { return valueOf[[]string](r, name) }

// Flag returns true or false.
func (r *ObjectReader) Flag(name string) bool { return valueOf[bool](r, name) }

// Whole returns a whole number.
func (r *ObjectReader) Whole(name string) int { return valueOf[int](r, name) }

// Number returns a number as it was written, "" where there is none.
func (r *ObjectReader) Number(name string) jsondoc.Number { return valueOf[jsondoc.Number](r, name) }

// Time returns a point in time, zero where there is none.
func (r *ObjectReader) Time(name string) time.Time { return valueOf[time.Time](r, name) }

// List returns a list, nil where there is none.
func (r *ObjectReader) List(name string) []any { return valueOf[[]any](r, name) }

// Object returns an object, nil where there is none.
func (r *ObjectReader) Object(name string) *jsondoc.Object { return valueOf[*jsondoc.Object](r, name) }

// valueOf returns a field's value, or its default. A field that the shape does not have
// is a slip of whoever wrote the code, which would read nothing for ever.
func valueOf[T any](r *ObjectReader, name string) (v T) {
	f := r.shape.Field(name)
	if f == nil {
		panic("there is no field " + name + " of " + r.shape.Noun)
	}
	if f.Default != nil {
		v = f.Default.(T)
	}
	// A value that was not as it should be is not in values: its error is what counts.
	if given, ok := r.values[name]; ok {
		v = given.(T)
	}
	return v
}

// Wrong notes what is wrong with a field beyond what the shape says; name is "" for
// the object itself. It comes out with the errors of the shape.
func (r *ObjectReader) Wrong(name, format string, args ...any) {
	r.Add(name, fmt.Sprintf(format, args...))
}

// OK reports whether nothing was found to be wrong so far. What looks at several fields at
// once asks it first.
func (r *ObjectReader) OK() bool { return len(r.Errors) == 0 }

// Err returns all that is wrong as one error of kind [apierr.Invalid], nil if nothing is.
func (r *ObjectReader) Err() error { return r.Invalid(r.shape.Noun) }

// Invalid is the error of an object that a noun names, with its article. It is nil if
// nothing is wrong.
func (c *Checker) Invalid(noun string) error {
	if len(c.Errors) == 0 {
		return nil
	}
	_, name, _ := strings.Cut(noun, " ")
	return &apierr.Error{Kind: apierr.Invalid, Detail: "the " + name + " is not valid", Fields: c.Errors}
}
