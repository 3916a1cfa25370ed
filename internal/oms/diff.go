package oms

import (
	"slices"
	"strings"
)

// uncounted top-level fields change with every write and say nothing.
var uncounted = []string{"version", "modified"}

// Diff returns the fields in which two documents differ, as people are shown
// them and as the history keeps them: as of [Differences], long values shortened
// to what differs in them.
func Diff(before, after *Object) []Change { return shortened(Differences(before, after)) }

// Differences returns the fields in which two documents differ, but for version
// and modified, with their whole values. An element of a list that has keys is
// named by them, as in properties[ValidationScore].value; a list that is a set
// differs as a whole.
func Differences(before, after *Object) []Change {
	var d differ
	for _, name := range memberNames(before, after) {
		if !slices.Contains(uncounted, name) {
			d.field(before, after, name, place{model: orderModel})
		}
	}
	return d.changes
}

type differ struct{ changes []Change }

func (d *differ) objects(before, after *Object, at place) {
	for _, name := range memberNames(before, after) {
		d.field(before, after, name, at)
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
		if a.counterpart(m.Name, b) < 0 {
			out = append(out, m.Name)
		}
	}
	return out
}

func (d *differ) field(before, after *Object, name string, at place) {
	a, b := before.member(name, after), after.member(name, before)
	f, _ := at.model.field(name)
	at = at.of(name)
	switch a := a.(type) {
	case *Object:
		if b, ok := b.(*Object); ok {
			d.objects(a, b, at)
			return
		}
	case []any:
		if b, ok := b.([]any); ok && d.keyed(a, b, f, at) {
			return
		}
	}
	if !equal(a, b) {
		d.changes = append(d.changes, Change{Path: at.path, Before: a, After: b})
	}
}

// keyed compares two lists element by element, if every element of both has an
// identity of its own and those in both stand in the same order.
func (d *differ) keyed(a, b []any, f field, at place) bool {
	if f.labels != nil {
		f.keys = f.labels
	}
	if len(f.keys) == 0 {
		return false
	}
	was, okA := f.byIdentity(a)
	is, okB := f.byIdentity(b)
	if !okA || !okB || !slices.Equal(f.shared(a, is), f.shared(b, was)) {
		return false
	}
	for _, e := range a {
		id := f.identity(e)
		element := place{f.of, at.path + "[" + elementName(id) + "]"}
		if now, ok := is[id]; ok {
			d.objects(e.(*Object), now, element)
		} else {
			d.changes = append(d.changes, Change{Path: element.path, Before: e})
		}
	}
	for _, e := range b {
		if id := f.identity(e); was[id] == nil {
			d.changes = append(d.changes, Change{Path: at.path + "[" + elementName(id) + "]", After: e})
		}
	}
	return true
}

// shared returns the identities of a list's elements that the other list has.
func (f field) shared(list []any, other map[string]*Object) []string {
	var ids []string
	for _, e := range list {
		if id := f.identity(e); other[id] != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// byIdentity returns the elements of a list by what identifies them, and whether
// every one has such a thing of its own.
func (f field) byIdentity(list []any) (map[string]*Object, bool) {
	m := make(map[string]*Object, len(list))
	for _, e := range list {
		id := f.identity(e)
		if id == "" || m[id] != nil {
			return nil, false
		}
		m[id] = e.(*Object)
	}
	return m, true
}

// elementName is an identity as a path shows it: its keys with commas between.
func elementName(id string) string {
	return cutStep(strings.ReplaceAll(strings.TrimRight(id, "\x00"), "\x00", ","))
}
