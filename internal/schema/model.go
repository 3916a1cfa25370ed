package schema

import (
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// FieldType is what a known field's value may be. null is always allowed: a
// document with all its empty fields spelled out is a valid one.
type FieldType int

// The types of fields. For some objects and lists a model says what is in them.
const (
	Text FieldType = iota
	Number
	boolean
	TextList
	AnyList
	anyObject
	ModelObject
	ModelList
)

// String names the type in messages.
func (t FieldType) String() string {
	return [...]string{"text", "a number", "true or false", "a list of texts", "a list", "an object", "an object", "a list of objects"}[t]
}

// fits reports whether a value is of the type. A list is, whatever it holds.
func (t FieldType) fits(v any) (ok bool) {
	switch t {
	case Text:
		_, ok = v.(string)
	case Number:
		_, ok = v.(jsondoc.Number)
	case boolean:
		_, ok = v.(bool)
	case anyObject, ModelObject:
		_, ok = v.(*jsondoc.Object)
	default:
		_, ok = v.([]any)
	}
	return ok
}

// Holds reports whether an element is one that a list of the type may have.
func (t FieldType) Holds(e any) (ok bool) {
	switch t {
	case TextList:
		_, ok = e.(string)
	case ModelList:
		_, ok = e.(*jsondoc.Object)
	default:
		ok = true
	}
	return ok
}

// Element names what the elements of a list of the type are.
func (t FieldType) Element() string {
	if t == TextList {
		return "text"
	}
	return "an object"
}

// Field is what is known of one field of a model.
type Field struct {
	Kind FieldType
	Of   *Model // what a ModelObject or the elements of a ModelList are

	// Keys are the fields of a list's elements that tell them apart; there are none where
	// an element is known by all that it holds.
	Keys []string
	// zeroIsNone says that a key of 0 is none: typed programs fill it in.
	zeroIsNone bool
	// Labels are the fields that a path shows an element by, where those are not its keys.
	Labels []string
	// Beside are fields of a list's elements that do not count when an element without a
	// key is looked for: somebody may have changed them.
	Beside []string
	// Replaceable says that keepExistingListItems: false replaces the list.
	Replaceable bool
	// Appended says that the list merges by the elements that it holds. A list of objects
	// that has no keys and is not appended is replaced.
	Appended bool
	// StatusName says that the field holds the name of a status: neither case nor white space
	// around it counts.
	StatusName bool

	id      bool // a number in its place is the text of its digits
	must    bool // the engine reads it: a value of another shape is refused
	own     bool // orderhook sets it, whatever a new document says
	Control bool // it says how a patch is applied, and is never stored
}

// Takes reports whether a value is of a shape that the engine reads: an amount may
// be written as text.
func (f Field) Takes(v any) bool {
	return f.Kind.fits(v) || f.Kind == Number && jsondoc.SameAmount(v, v)
}

// Model is the known fields of one kind of object. Models are made at the start and never
// change. A nil *Model knows no fields. It is used for objects that have no model.
type Model struct {
	Fields map[string]Field
	// spellings finds a field's name by its folded form.
	spellings map[string]string
}

// modelPart adds some fields to a model.
type modelPart func(map[string]Field)

// newModel makes a model of its parts. That a name ends in Id, or Ids, says of a field what
// it is, in all models alike.
func newModel(parts ...modelPart) *Model {
	m := &Model{Fields: map[string]Field{}, spellings: map[string]string{}}
	for _, p := range parts {
		p(m.Fields)
	}
	for name, f := range m.Fields {
		m.spellings[spelling.Fold(name)] = name
		f.id = f.Kind == Text && (name == "id" || strings.HasSuffix(name, "Id")) || f.Kind == TextList && strings.HasSuffix(name, "Ids")
		// An id that is no text could never be found again.
		f.must = f.must || f.id && f.Kind == Text
		m.Fields[name] = f
	}
	return m
}

// Field returns what is known of a field; nothing of those of the nil model. The name must
// be in the model's own spelling.
func (m *Model) Field(name string) (Field, bool) {
	if m == nil {
		return Field{}, false
	}
	f, ok := m.Fields[name]
	return f, ok
}

// spelling returns the model's spelling of a field's name, "" of one that it
// does not know. The exact name is looked up first, since nearly all come in that spelling.
func (m *Model) spelling(name string) string {
	if _, ok := m.Fields[name]; ok {
		return name
	}
	return m.spellings[spelling.Fold(name)]
}

// of adds fields of one type; names are separated by white space. Lists of texts are sets
// that a patch may replace.
func of(t FieldType, names string) modelPart {
	return func(fields map[string]Field) {
		for name := range strings.FieldsSeq(names) {
			fields[name] = Field{Kind: t, Replaceable: t == TextList}
		}
	}
}

// with adds fields and says more of each.
func with(more func(*Field), parts ...modelPart) modelPart {
	return func(fields map[string]Field) {
		added := map[string]Field{}
		for _, p := range parts {
			p(added)
		}
		for name, f := range added {
			more(&f)
			fields[name] = f
		}
	}
}

// must adds fields that the engine itself reads: a value of another shape than
// the model's is refused there (docs/contract.md#documents). A guess would be worse than an
// error.
func must(parts ...modelPart) modelPart { return with(func(f *Field) { f.must = true }, parts...) }

// own adds fields that orderhook sets itself: what another system has under such
// a name is replaced when its document comes in, whatever shape it is of.
func own(parts ...modelPart) modelPart { return with(func(f *Field) { f.own = true }, parts...) }

// statusNames adds fields that hold the name of a status.
func statusNames(names string) modelPart {
	return with(func(f *Field) { f.must, f.StatusName = true, true }, of(Text, names))
}

// controls adds fields that say how a patch is applied. Only a patch has them.
func controls(parts ...modelPart) modelPart {
	return with(func(f *Field) { f.must, f.Control = true, true }, parts...)
}

// object adds a field that holds an object of a model.
func object(name string, m *Model) modelPart {
	return func(fields map[string]Field) { fields[name] = Field{Kind: ModelObject, Of: m} }
}

// list adds a list of objects of a model. It has no keys.
func list(name string, m *Model) modelPart {
	return func(fields map[string]Field) { fields[name] = Field{Kind: ModelList, Of: m} }
}

// keyed adds a list whose elements have keys, which are separated by white space. The first
// of them is the one that an element must have to be known by it.
func keyed(name string, m *Model, keys string) modelPart {
	return with(func(f *Field) { f.Keys = strings.Fields(keys) }, list(name, m))
}

// MostFieldErrors bounds how many errors one answer names.
const MostFieldErrors = 20

// Checker finds values of the wrong type in what has to be as its model says:
// requests and answers. Documents have a [DocumentReader]. Its zero value has found nothing
// yet.
type Checker struct{ Errors []apierr.FieldError }

// Object checks the fields of an object that its model knows. Fields that it does not know
// are somebody else's, and pass.
func (c *Checker) Object(o *jsondoc.Object, m *Model, path string) {
	for _, member := range o.Members() {
		if f, ok := m.Fields[member.Name]; ok && member.Value != nil {
			c.value(member.Value, f, path, member.Name)
		}
	}
}

// value checks the value of one field, and what is in it.
func (c *Checker) value(v any, f Field, path, name string) {
	if !f.Kind.fits(v) {
		c.Wrong(jsondoc.JoinPath(path, name), f.Kind.String(), v)
		return
	}
	switch v := v.(type) {
	case *jsondoc.Object:
		if f.Of != nil {
			c.Object(v, f.Of, jsondoc.JoinPath(path, name))
		}
	case []any:
		c.elements(v, f, jsondoc.JoinPath(path, name))
	}
}

// elements checks the elements of a list.
func (c *Checker) elements(l []any, f Field, path string) {
	for i, e := range l {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch o, isObject := e.(*jsondoc.Object); {
		case !f.Kind.Holds(e):
			c.Wrong(at, f.Kind.Element(), e)
		case isObject && f.Of != nil:
			c.Object(o, f.Of, at)
		}
	}
}

// Wrong notes a value of the wrong type.
func (c *Checker) Wrong(path, want string, got any) {
	c.Add(path, fmt.Sprintf("must be %s, not %s", want, jsondoc.TypeName(got)))
}

// Add notes what is wrong at a path, until there is enough of it for one answer.
func (c *Checker) Add(path, message string) {
	if len(c.Errors) < MostFieldErrors {
		c.Errors = append(c.Errors, apierr.FieldError{Location: jsondoc.ShortPath(path), Message: message})
	}
}

// NameSet returns a set of names, which are separated by white space. Lists of names stay
// readable so.
func NameSet(list string) map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		m[name] = true
	}
	return m
}

// MostStatus is how many bytes the name of a status has at most, as in calls of the API.
const MostStatus = 200

// LongStatus is the message about a status that is longer.
const LongStatus = "is longer than the 200 bytes that a status may have"

// BlankStatus is the message about a status that is empty.
const BlankStatus = "must not be empty"
