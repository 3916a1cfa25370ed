package oms

import (
	"fmt"
	"strings"
)

// fieldType is what a known field's value may be. null is always allowed: a
// document with all its empty fields spelled out is a valid one.
type fieldType int

const (
	text fieldType = iota
	number
	boolean
	textList
	anyList
	anyObject
	modelObject
	modelList
)

func (t fieldType) String() string {
	return [...]string{"text", "a number", "true or false", "a list of texts", "a list", "an object", "an object", "a list of objects"}[t]
}

// fits reports whether a value is of the type; of a list, whatever it holds.
func (t fieldType) fits(v any) (ok bool) {
	switch t {
	case text:
		_, ok = v.(string)
	case number:
		_, ok = v.(Number)
	case boolean:
		_, ok = v.(bool)
	case anyObject, modelObject:
		_, ok = v.(*Object)
	default:
		_, ok = v.([]any)
	}
	return ok
}

// holds reports whether an element is one that a list of the type may have.
func (t fieldType) holds(e any) (ok bool) {
	switch t {
	case textList:
		_, ok = e.(string)
	case modelList:
		_, ok = e.(*Object)
	default:
		ok = true
	}
	return ok
}

// element names what the elements of a list of the type are.
func (t fieldType) element() string {
	if t == textList {
		return "text"
	}
	return "an object"
}

// field is what is known of one field of a model.
type field struct {
	kind fieldType
	of   *model // what a modelObject or the elements of a modelList are

	// keys are the fields of a list's elements that tell them apart; none where
	// an element is known by all that it holds.
	keys []string
	// zeroIsNone says that a key of 0 is none: typed programs fill it in.
	zeroIsNone bool
	// labels are the fields that a path shows an element by, where those are not
	// its keys.
	labels []string
	// beside are fields of a list's elements that do not count when an element
	// without a key is looked for: what somebody may have changed in it.
	beside []string
	// replaceable lists are those that keepExistingListItems: false replaces.
	replaceable bool
	// appended lists merge by the elements that they hold; a list of objects
	// that has no keys and is not appended is replaced.
	appended bool

	id      bool // a number in its place is the text of its digits
	name    bool // white space around it does not count
	must    bool // the engine reads it: a value of another shape is refused
	own     bool // orderhook sets it, whatever a new document says
	control bool // it says how a patch is applied, and is never stored
}

// takes reports whether a value is of a shape that the engine reads: an amount may
// be written as text.
func (f field) takes(v any) bool {
	return f.kind.fits(v) || f.kind == number && sameAmount(v, v)
}

// model is the known fields of one kind of object.
type model struct {
	fields map[string]field
	// spellings finds a field's name by its folded form.
	spellings map[string]string
}

type modelPart func(map[string]field)

func newModel(parts ...modelPart) *model {
	m := &model{fields: map[string]field{}, spellings: map[string]string{}}
	for _, p := range parts {
		p(m.fields)
	}
	for name, f := range m.fields {
		m.spellings[fold(name)] = name
		f.id = f.kind == text && (name == "id" || strings.HasSuffix(name, "Id")) || f.kind == textList && strings.HasSuffix(name, "Ids")
		f.must = f.must || f.id && f.kind == text
		m.fields[name] = f
	}
	return m
}

// field returns what is known of a field; nothing of those of the nil model.
func (m *model) field(name string) (field, bool) {
	if m == nil {
		return field{}, false
	}
	f, ok := m.fields[name]
	return f, ok
}

// spelling returns the model's spelling of a field's name, "" of one that it
// does not know.
func (m *model) spelling(name string) string {
	if _, ok := m.fields[name]; ok {
		return name
	}
	return m.spellings[fold(name)]
}

// of adds fields of one type; names are separated by white space.
func of(t fieldType, names string) modelPart {
	return func(fields map[string]field) {
		for name := range strings.FieldsSeq(names) {
			fields[name] = field{kind: t, replaceable: t == textList}
		}
	}
}

// with adds fields and says more of each.
func with(more func(*field), parts ...modelPart) modelPart {
	return func(fields map[string]field) {
		added := map[string]field{}
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
// the model's is refused there (CONTRACT.md, "Names").
func must(parts ...modelPart) modelPart { return with(func(f *field) { f.must = true }, parts...) }

// own adds fields that orderhook sets itself: what another system has under such
// a name is replaced when its document comes in, whatever shape it is of.
func own(parts ...modelPart) modelPart { return with(func(f *field) { f.own = true }, parts...) }

// statusNames adds fields that hold the name of a status.
func statusNames(names string) modelPart {
	return with(func(f *field) { f.must, f.name = true, true }, of(text, names))
}

// controls adds fields that say how a patch is applied.
func controls(parts ...modelPart) modelPart {
	return with(func(f *field) { f.must, f.control = true, true }, parts...)
}

func object(name string, m *model) modelPart {
	return func(fields map[string]field) { fields[name] = field{kind: modelObject, of: m} }
}

func list(name string, m *model) modelPart {
	return func(fields map[string]field) { fields[name] = field{kind: modelList, of: m} }
}

// keyed adds a list whose elements have keys, which are separated by white space.
func keyed(name string, m *model, keys string) modelPart {
	return with(func(f *field) { f.keys = strings.Fields(keys) }, list(name, m))
}

// mostFieldErrors bounds how many mistakes one answer names.
const mostFieldErrors = 20

// checker finds values of the wrong type in what has to be as its model says:
// requests and answers. Documents have a [documentReader].
type checker struct{ errors []FieldError }

func (c *checker) object(o *Object, m *model, path string) {
	for _, member := range o.Members() {
		if f, ok := m.fields[member.Name]; ok && member.Value != nil {
			c.value(member.Value, f, path, member.Name)
		}
	}
}

func (c *checker) value(v any, f field, path, name string) {
	if !f.kind.fits(v) {
		c.wrong(joinPath(path, name), f.kind.String(), v)
		return
	}
	switch v := v.(type) {
	case *Object:
		if f.of != nil {
			c.object(v, f.of, joinPath(path, name))
		}
	case []any:
		c.elements(v, f, joinPath(path, name))
	}
}

func (c *checker) elements(l []any, f field, path string) {
	for i, e := range l {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch o, isObject := e.(*Object); {
		case !f.kind.holds(e):
			c.wrong(at, f.kind.element(), e)
		case isObject && f.of != nil:
			c.object(o, f.of, at)
		}
	}
}

func (c *checker) wrong(path, want string, got any) {
	c.add(path, fmt.Sprintf("must be %s, not %s", want, typeName(got)))
}

func (c *checker) add(path, message string) {
	if len(c.errors) < mostFieldErrors {
		c.errors = append(c.errors, FieldError{shorten(path), message})
	}
}

// typeName names the type of a document's value in an error.
func typeName(v any) string {
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
