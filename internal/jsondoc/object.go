package jsondoc

import (
	"slices"

	"github.com/orderhook/orderhook/internal/spelling"
)

// Number is a JSON number, as the text in which it came: a price never
// passes through a float, and 0.10 stays 0.10.
type Number string

// Object is a JSON object. It keeps its members in the order they came, under
// the names they have. Two names may differ in case alone; a look-up takes the
// member of exactly that name, and only where there is none the first one whose
// name differs in case.
//
// A member's value is one of nil, bool, string, [Number], []any and *Object; of
// settings also [secret.Value]. The nil *Object reads as an empty one. One goroutine may
// change an object while no other uses it. A document that is stored is read by many at
// once, and nobody changes it.
type Object struct {
	members []Member
	index   *nameIndex // only for large objects
}

// nameIndex finds the positions of members: by name, and the first of each
// folded name. It is made anew when members move.
type nameIndex struct{ exact, folded map[string]int }

// Member is one name and value of an [Object].
type Member struct {
	Name  string
	Value any
}

// Pair returns a member.
func Pair(name string, value any) Member { return Member{name, value} }

// indexFrom is the number of members from which an object keeps an index, so
// that an order with a hundred thousand fields costs no quadratic time. Smaller ones are
// gone through, which takes no memory beside theirs.
const indexFrom = 48

// NewObject returns an object of the given members, whose names must differ.
func NewObject(members ...Member) *Object {
	o := &Object{}
	for _, m := range members {
		o.Set(m.Name, m.Value)
	}
	return o
}

// Members returns the members in order. The caller must not change the slice. It is the
// object's own, and may change with it.
func (o *Object) Members() []Member {
	if o == nil {
		return nil
	}
	return o.members
}

// Len returns the number of members.
func (o *Object) Len() int { return len(o.Members()) }

// Get returns the value of the named member, and whether there is one. One that is null is
// there.
func (o *Object) Get(name string) (any, bool) {
	if i := o.Find(name); i >= 0 {
		return o.members[i].Value, true
	}
	return nil, false
}

// Has reports whether there is a member of that name whose value is not null.
func (o *Object) Has(name string) bool {
	v, _ := o.Get(name)
	return v != nil
}

// Text returns the named member if it is text, else "". What must be text was checked when
// the document was read; here, as in the methods below, a value of another type counts as
// none.
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

// Set gives the named member a value, where it stands or else at the end. A name that
// differs from it in case alone is taken for the same.
func (o *Object) Set(name string, value any) {
	if i := o.Find(name); i >= 0 {
		o.members[i].Value = value
		return
	}
	o.add(name, value)
}

// Delete removes the named member, if there is one. The others keep their order.
func (o *Object) Delete(name string) {
	i := o.Find(name)
	if i < 0 {
		return
	}
	o.members = slices.Delete(o.members, i, i+1)
	if o.index != nil {
		o.reindex()
	}
}

// DeleteFunc removes the members of which is says so.
func (o *Object) DeleteFunc(is func(Member) bool) {
	if !slices.ContainsFunc(o.Members(), is) {
		return
	}
	o.members = slices.DeleteFunc(o.members, is)
	if o.index != nil {
		o.reindex()
	}
}

// Respell gives members other names, at their places. It asks for the name of each;
// "" leaves it as it is. Two members may come to have one name; whoever asks for it looks
// for that.
func (o *Object) Respell(name func(was string) string) {
	renamed := false
	for i := range o.Members() {
		m := &o.members[i]
		if now := name(m.Name); now != "" && now != m.Name {
			m.Name, renamed = now, true
		}
	}
	if renamed && o.index != nil {
		o.reindex()
	}
}

// SetValue gives the member at a position a value.
func (o *Object) SetValue(at int, value any) { o.members[at].Value = value }

// SetText gives the named member a text, unless the text is empty.
func (o *Object) SetText(name, value string) {
	if value != "" {
		o.Set(name, value)
	}
}

// Without returns a copy that shares its members with o and lacks one of them. What is
// within the members belongs to both, so it must not be changed in either.
func (o *Object) Without(name string) *Object {
	c := &Object{members: slices.Clone(o.Members())}
	// The positions of the copy change, so its index is its own.
	if len(c.members) >= indexFrom {
		c.reindex()
	}
	c.Delete(name)
	return c
}

// With sets a member and returns the object itself.
func (o *Object) With(name string, value any) *Object {
	o.Put(name, value)
	return o
}

// Clone returns a copy that shares nothing with o that could change.
func (o *Object) Clone() *Object {
	if o == nil {
		return nil
	}
	return new(slabs).clone(o)
}

// CloneValue returns a copy of a value that shares nothing with it that could change.
// Nobody who has the value notices a change of the copy.
func CloneValue(v any) any { return new(slabs).cloneValue(v) }

// Find returns the position of the named member, -1 if there is none. Removing a member
// changes the positions of those behind it.
func (o *Object) Find(name string) int {
	if i := o.FindExact(name); i >= 0 {
		return i
	}
	return o.findFolded(name)
}

// FindExact returns the position of the member of exactly that name, -1 if there is none.
func (o *Object) FindExact(name string) int {
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
		if i, ok := o.index.folded[spelling.Fold(name)]; ok {
			return i
		}
		return -1
	}
	// A small object has no index: to look at each of its names is as quick.
	for i := range o.members {
		if spelling.SameField(o.members[i].Name, name) {
			return i
		}
	}
	return -1
}

// add adds a member of a name that the object does not have.
func (o *Object) add(name string, value any) {
	o.members = append(o.members, Member{name, value})
	o.indexLast()
}

// indexLast keeps the index true after a member was put at the end.
func (o *Object) indexLast() {
	switch last := len(o.members) - 1; {
	case o.index != nil:
		o.index.add(o.members[last].Name, last)
	case last+1 >= indexFrom:
		o.reindex()
	}
}

// Put gives the member of exactly this name a value, where it stands or else at
// the end. [Object.Set] would take one whose name differs in case for it.
func (o *Object) Put(name string, value any) {
	if i := o.FindExact(name); i >= 0 {
		o.members[i].Value = value
		return
	}
	o.add(name, value)
}

// reindex makes the index anew, after members have moved or are called otherwise.
func (o *Object) reindex() {
	o.index = &nameIndex{make(map[string]int, len(o.members)), make(map[string]int, len(o.members))}
	for i, m := range o.members {
		o.index.add(m.Name, i)
	}
}

// add notes where a member stands. When names differ in case alone, the first is found by
// its folded form.
func (x *nameIndex) add(name string, at int) {
	x.exact[name] = at
	f := spelling.Fold(name)
	if _, taken := x.folded[f]; !taken {
		x.folded[f] = at
	}
}
