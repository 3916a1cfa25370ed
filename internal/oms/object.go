package oms

import (
	"slices"
	"strings"
)

// Number is a JSON number kept as the text it arrived in: a price never
// passes through a float, and 0.10 stays 0.10.
type Number string

// Object is a JSON object. It keeps its members in the order they came, holds
// each name in camelCase, and finds a member without regard to case.
//
// A member's value is one of nil, bool, string, [Number], []any and *Object.
// The nil *Object reads as an empty one.
type Object struct {
	members []Member
	index   map[string]int // folded name to position; kept only for large objects
}

// Member is one name and value of an [Object].
type Member struct {
	Name  string
	Value any
}

// indexFrom is the number of members from which an object keeps an index, so
// that an order with a hundred thousand fields costs no quadratic time.
const indexFrom = 48

// NewObject returns an object of the given members, whose names must differ.
func NewObject(members ...Member) *Object {
	o := &Object{}
	for _, m := range members {
		o.Set(m.Name, m.Value)
	}
	return o
}

// Members returns the members in order. The caller must not change the slice.
func (o *Object) Members() []Member {
	if o == nil {
		return nil
	}
	return o.members
}

// Len returns the number of members.
func (o *Object) Len() int { return len(o.Members()) }

// Get returns the value of the named member, and whether there is one.
func (o *Object) Get(name string) (any, bool) {
	if i := o.find(name); i >= 0 {
		return o.members[i].Value, true
	}
	return nil, false
}

// Has reports whether there is a member of that name whose value is not null.
func (o *Object) Has(name string) bool {
	v, _ := o.Get(name)
	return v != nil
}

// Text returns the named member if it is text, else "".
func (o *Object) Text(name string) string {
	v, _ := o.Get(name)
	s, _ := v.(string)
	return s
}

// True reports whether the named member is true.
func (o *Object) True(name string) bool {
	v, _ := o.Get(name)
	b, _ := v.(bool)
	return b
}

// Object returns the named member if it is an object, else nil.
func (o *Object) Object(name string) *Object {
	v, _ := o.Get(name)
	obj, _ := v.(*Object)
	return obj
}

// List returns the named member if it is a list, else nil.
func (o *Object) List(name string) []any {
	v, _ := o.Get(name)
	l, _ := v.([]any)
	return l
}

// Objects returns the objects of the named list, leaving out all else in it.
func (o *Object) Objects(name string) []*Object {
	var out []*Object
	for _, v := range o.List(name) {
		if obj, ok := v.(*Object); ok {
			out = append(out, obj)
		}
	}
	return out
}

// Texts returns the texts of the named list, leaving out all else in it.
func (o *Object) Texts(name string) []string {
	var out []string
	for _, v := range o.List(name) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Set gives the named member a value, where it stands or else at the end.
func (o *Object) Set(name string, value any) {
	if i := o.find(name); i >= 0 {
		o.members[i].Value = value
		return
	}
	o.add(name, value)
}

// Delete removes the named member, if there is one.
func (o *Object) Delete(name string) {
	i := o.find(name)
	if i < 0 {
		return
	}
	o.members = slices.Delete(o.members, i, i+1)
	if o.index != nil {
		o.reindex()
	}
}

// Clone returns a copy that shares nothing with o that could change.
func (o *Object) Clone() *Object {
	if o == nil {
		return nil
	}
	c := &Object{members: make([]Member, len(o.members))}
	for i, m := range o.members {
		c.members[i] = Member{m.Name, cloneValue(m.Value)}
	}
	if o.index != nil {
		c.reindex()
	}
	return c
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case *Object:
		return v.Clone()
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = cloneValue(v[i])
		}
		return c
	}
	return v
}

func (o *Object) find(name string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index[fold(name)]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].Name == name {
			return i
		}
	}
	if known[name] == name {
		return -1 // a known name has one spelling in every document
	}
	for i := range o.members {
		if sameName(o.members[i].Name, name) {
			return i
		}
	}
	return -1
}

// add adds a member that the object does not have.
func (o *Object) add(name string, value any) {
	o.members = append(o.members, Member{name, value})
	if o.index != nil {
		o.index[fold(name)] = len(o.members) - 1
	} else if len(o.members) >= indexFrom {
		o.reindex()
	}
}

func (o *Object) reindex() {
	o.index = make(map[string]int, len(o.members))
	for i, m := range o.members {
		o.index[fold(m.Name)] = i
	}
}

// sameName compares two field names without regard to case.
func sameName(a, b string) bool {
	if a == b {
		return true
	}
	if isASCII(a) && isASCII(b) {
		return len(a) == len(b) && strings.EqualFold(a, b)
	}
	return fold(a) == fold(b)
}

// FoldName maps names that differ only in case to one text, as all comparisons of
// names do.
func FoldName(name string) string { return fold(name) }

// fold maps names that differ only in case to one text. Upper case comes
// first so that it agrees with the PascalCase of the wire: letters that share
// a capital are one letter there.
func fold(name string) string {
	if isASCII(name) {
		return strings.ToLower(name)
	}
	return strings.ToLower(strings.ToUpper(name))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
