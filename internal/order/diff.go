package order

import (
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// uncounted top-level fields change with every write and say nothing.
var uncounted = []string{"version", "modified"}

// Diff returns the fields in which two documents differ, as people are shown
// them and as the history keeps them: as in [Differences], long values shortened
// to what differs in them. For what is to be compared by a program, take [Differences].
func Diff(before, after *jsondoc.Object) []Change { return shortened(Differences(before, after)) }

// Differences returns the fields in which two documents differ, but for version
// and modified, with their whole values. An element of a list that has keys is
// named by them, as in properties[ValidationScore].value; a list that is a set
// differs as a whole.
func Differences(before, after *jsondoc.Object) []Change {
	var d differ
	for _, name := range MemberNames(before, after) {
		if !slices.Contains(uncounted, name) {
			d.field(before, after, name, place{model: schema.Order})
		}
	}
	return d.changes
}

// differ collects changes in the order of the first document, so that a reader finds them as they
// stand there.
type differ struct{ changes []Change }

// objects compares two objects, member by member.
func (d *differ) objects(before, after *jsondoc.Object, at place) {
	for _, name := range MemberNames(before, after) {
		d.field(before, after, name, at)
	}
}

// MemberNames returns the names of both objects: those of the first in order, then
// what the second has beyond. Two spellings of one name are one member, and the first
// object's counts.
func MemberNames(a, b *jsondoc.Object) []string {
	out := make([]string, 0, max(a.Len(), b.Len()))
	for _, m := range a.Members() {
		out = append(out, m.Name)
	}
	for _, m := range b.Members() {
		if a.Counterpart(m.Name, b) < 0 {
			out = append(out, m.Name)
		}
	}
	return out
}

// field compares one member. Absent and null are the same here: whoever reads an order by a model
// sees no difference.
func (d *differ) field(before, after *jsondoc.Object, name string, at place) {
	a, b := before.MemberOf(name, after), after.MemberOf(name, before)
	if jsondoc.Identical(a, b) {
		return
	}
	f, _ := at.model.Field(name)
	at = at.of(name)
	switch a := a.(type) {
	case *jsondoc.Object:
		if b, ok := b.(*jsondoc.Object); ok {
			d.objects(a, b, at)
			return
		}
	case []any:
		if b, ok := b.([]any); ok && d.keyed(a, b, f, at) {
			return
		}
	}
	if !jsondoc.Equal(a, b) {
		d.changes = append(d.changes, Change{Path: at.path, Before: a, After: b})
	}
}

// keyed compares two lists element by element, if every element of both has an
// identity of its own and those in both stand in the same order.
func (d *differ) keyed(a, b []any, f schema.Field, at place) bool {
	// Labels name the elements for people where the keys are not what people know them by.
	if f.Labels != nil {
		f.Keys = f.Labels
	}
	if len(f.Keys) == 0 {
		return false
	}
	was, okA := f.ByIdentity(a)
	is, okB := f.ByIdentity(b)
	// Without an identity for each element, or in another order, what happened element by
	// element would say less than the lists as a whole do.
	if !okA || !okB || !slices.Equal(f.Shared(a, is), f.Shared(b, was)) {
		return false
	}
	for _, e := range a {
		// Elements that are gone are named where they stood, new ones behind all others.
		id := f.Identity(e)
		element := place{f.Of, at.path + "[" + schema.ElementName(id) + "]"}
		if now, ok := is[id]; ok {
			d.objects(e.(*jsondoc.Object), now, element)
		} else {
			d.changes = append(d.changes, Change{Path: element.path, Before: e})
		}
	}
	for _, e := range b {
		if id := f.Identity(e); was[id] == nil {
			d.changes = append(d.changes, Change{Path: at.path + "[" + schema.ElementName(id) + "]", After: e})
		}
	}
	return true
}
