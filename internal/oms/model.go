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

type field struct {
	kind fieldType
	of   *model // what a modelObject or the elements of a modelList are
}

// model is the known fields of one kind of object.
type model struct {
	fields map[string]field
}

type modelPart func(map[string]field)

func newModel(parts ...modelPart) *model {
	m := &model{fields: map[string]field{}}
	for _, p := range parts {
		p(m.fields)
	}
	return m
}

// of adds fields of one type; names are separated by white space.
func of(t fieldType, names string) modelPart {
	return func(fields map[string]field) {
		for name := range strings.FieldsSeq(names) {
			fields[name] = field{kind: t}
		}
	}
}

func object(name string, m *model) modelPart {
	return func(fields map[string]field) { fields[name] = field{modelObject, m} }
}

func list(name string, m *model) modelPart {
	return func(fields map[string]field) { fields[name] = field{modelList, m} }
}

// mostFieldErrors bounds how many mistakes one answer names.
const mostFieldErrors = 20

// CheckOrder returns every known field of an order, or of a patch of one,
// whose value has the wrong type, each with its path below the given one.
func CheckOrder(doc *Object, path string) []FieldError {
	c := checker{}
	c.object(doc, orderModel, path)
	return c.errors
}

type checker struct{ errors []FieldError }

func (c *checker) object(o *Object, m *model, path string) {
	for _, member := range o.Members() {
		if f, ok := m.fields[member.Name]; ok && member.Value != nil {
			c.value(member.Value, f, path, member.Name)
		}
	}
}

func (c *checker) value(v any, f field, path, name string) {
	ok := false
	switch f.kind {
	case text:
		_, ok = v.(string)
	case number:
		_, ok = v.(Number)
	case boolean:
		_, ok = v.(bool)
	case anyObject, modelObject:
		var o *Object
		if o, ok = v.(*Object); ok && f.of != nil {
			c.object(o, f.of, joinPath(path, name))
		}
	default:
		var l []any
		if l, ok = v.([]any); ok {
			c.elements(l, f, joinPath(path, name))
		}
	}
	if !ok {
		c.wrong(joinPath(path, name), f.kind.String(), v)
	}
}

func (c *checker) elements(l []any, f field, path string) {
	if f.kind == anyList {
		return
	}
	for i, e := range l {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch e := e.(type) {
		case *Object:
			if f.kind == modelList {
				c.object(e, f.of, at)
				continue
			}
		case string:
			if f.kind == textList {
				continue
			}
		}
		want := "an object"
		if f.kind == textList {
			want = "text"
		}
		c.wrong(at, want, e)
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
