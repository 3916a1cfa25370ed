package oms

import (
	"slices"
	"strings"
)

// uncounted top-level fields change with every write and say nothing.
var uncounted = []string{"version", "modified"}

// Diff returns the fields in which two documents differ, but for version and
// modified. An element of a list that has keys is named by them, as in
// properties[ValidationScore].value; a list that is a set differs as a whole.
func Diff(before, after *Object) []Change {
	var d differ
	for _, name := range memberNames(before, after) {
		if !slices.Contains(uncounted, name) {
			d.field(before, after, name, "")
		}
	}
	return d.changes
}

type differ struct{ changes []Change }

func (d *differ) objects(before, after *Object, path string) {
	for _, name := range memberNames(before, after) {
		d.field(before, after, name, path)
	}
}

// memberNames returns the names of both objects: those of the first in order, then
// what the second has beyond.
func memberNames(a, b *Object) []string {
	out := make([]string, 0, max(a.Len(), b.Len()))
	for _, m := range a.Members() {
		out = append(out, m.Name)
	}
	for _, m := range b.Members() {
		if _, ok := a.Get(m.Name); !ok {
			out = append(out, m.Name)
		}
	}
	return out
}

func (d *differ) field(before, after *Object, name, path string) {
	a, _ := before.Get(name)
	b, _ := after.Get(name)
	path = joinPath(path, name)
	switch a := a.(type) {
	case *Object:
		if b, ok := b.(*Object); ok {
			d.objects(a, b, path)
			return
		}
	case []any:
		if b, ok := b.([]any); ok && d.keyed(a, b, listKeys[name], path) {
			return
		}
	}
	if !equal(a, b) {
		d.changes = append(d.changes, Change{Path: path, Before: a, After: b})
	}
}

// keyed compares two lists element by element, if every element of both has an
// identity of its own and those in both stand in the same order.
func (d *differ) keyed(a, b []any, keys []string, path string) bool {
	if len(keys) == 0 {
		return false
	}
	was, okA := elementsByKey(a, keys)
	is, okB := elementsByKey(b, keys)
	if !okA || !okB || !slices.Equal(shared(a, is, keys), shared(b, was, keys)) {
		return false
	}
	for _, e := range a {
		id := identity(e, keys)
		at := path + "[" + elementName(id) + "]"
		if now, ok := is[id]; ok {
			d.objects(e.(*Object), now, at)
		} else {
			d.changes = append(d.changes, Change{Path: at, Before: e})
		}
	}
	for _, e := range b {
		if id := identity(e, keys); was[id] == nil {
			d.changes = append(d.changes, Change{Path: path + "[" + elementName(id) + "]", After: e})
		}
	}
	return true
}

// shared returns the identities of a list's elements that the other list has.
func shared(list []any, other map[string]*Object, keys []string) []string {
	var ids []string
	for _, e := range list {
		if id := identity(e, keys); other[id] != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

func elementsByKey(list []any, keys []string) (map[string]*Object, bool) {
	m := make(map[string]*Object, len(list))
	for _, e := range list {
		o, _ := e.(*Object)
		id := identity(e, keys)
		if o == nil || id == "" || m[id] != nil {
			return nil, false
		}
		m[id] = o
	}
	return m, true
}

// elementName is an identity as a path shows it: its keys with commas between.
func elementName(id string) string {
	return cutStep(strings.ReplaceAll(strings.TrimRight(id, "\x00"), "\x00", ","))
}
