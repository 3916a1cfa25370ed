package oms

import "slices"

// Number is a JSON number kept as the text it arrived in: a price never
// passes through a float, and 0.10 stays 0.10.
type Number string

// Object is a JSON object. It keeps its members in the order they came, under
// the names they have. Two names may differ in case alone; a look-up takes the
// member of exactly that name, and only where there is none the first one whose
// name differs in case.
//
// A member's value is one of nil, bool, string, [Number], []any and *Object; of
// settings also [secret.Value]. The nil *Object reads as an empty one.
type Object struct {
	members []Member
	index   *nameIndex // kept only for large objects
}

// nameIndex finds the positions of members: by name, and the first of each
// folded name.
type nameIndex struct{ exact, folded map[string]int }

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

// without returns a copy that shares its members with o and lacks one of them.
func (o *Object) without(name string) *Object {
	c := &Object{members: slices.Clone(o.Members())}
	if len(c.members) >= indexFrom {
		c.reindex()
	}
	c.Delete(name)
	return c
}

// with sets a member and returns the object itself.
func (o *Object) with(name string, value any) *Object {
	o.put(name, value)
	return o
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

// find returns the position of the named member, -1 if there is none.
func (o *Object) find(name string) int {
	if i := o.findExact(name); i >= 0 {
		return i
	}
	return o.findFolded(name)
}

func (o *Object) findExact(name string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index.exact[name]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].Name == name {
			return i
		}
	}
	return -1
}

// findFolded returns the position of the first member whose name is the given
// one but for case.
func (o *Object) findFolded(name string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index.folded[fold(name)]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if sameName(o.members[i].Name, name) {
			return i
		}
	}
	return -1
}

// add adds a member of a name that the object does not have.
func (o *Object) add(name string, value any) {
	o.members = append(o.members, Member{name, value})
	switch {
	case o.index != nil:
		o.index.add(name, len(o.members)-1)
	case len(o.members) >= indexFrom:
		o.reindex()
	}
}

// put gives the member of exactly this name a value, where it stands or else at
// the end.
func (o *Object) put(name string, value any) {
	if i := o.findExact(name); i >= 0 {
		o.members[i].Value = value
		return
	}
	o.add(name, value)
}

func (o *Object) reindex() {
	o.index = &nameIndex{make(map[string]int, len(o.members)), make(map[string]int, len(o.members))}
	for i, m := range o.members {
		o.index.add(m.Name, i)
	}
}

func (x *nameIndex) add(name string, at int) {
	x.exact[name] = at
	if f := fold(name); !has(x.folded, f) {
		x.folded[f] = at
	}
}

func has[V any](m map[string]V, key string) bool { _, ok := m[key]; return ok }
