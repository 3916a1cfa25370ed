package jsondoc

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/spelling"
)

// Equal compares two values of documents. Numbers are equal by value, times by
// instant, names of fields without regard to case, objects whatever the order of
// their members; a null member is as an absent one. It is for what people and programs
// mean, not for how they write it.
func Equal(a, b any) bool { return same(a, b, sameNumber) }

// Echoes reports whether a value that came back is the one that was sent, as a
// JSON library may have written it anew: a number as the double nearest to it. By it, an
// endpoint that hands back what it got has changed nothing (docs/contract.md#patches).
func Echoes(sent, back any) bool {
	return same(sent, back, func(s, b Number) bool { return sameNumber(s, b) || asDouble(s, b) })
}

// same is Equal with a comparison of numbers that the caller chooses.
func same(a, b any, numbers func(a, b Number) bool) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		if !ok || a == b {
			return ok
		}
		// Other systems write a time's zone and its fractions in their own way.
		t, ok := timeOf(a)
		if !ok {
			return false
		}
		u, ok := timeOf(b)
		return ok && t.Equal(u)
	case Number:
		b, ok := b.(Number)
		return ok && numbers(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, func(x, y any) bool { return same(x, y, numbers) })
	case *Object:
		b, ok := b.(*Object)
		return ok && present(a) == present(b) && subset(a, b, numbers)
	}
	// Two values of different types differ, so neither of these is a list.
	return a == b
}

// subset reports whether b has all that a has. Where both have as many members
// they are equal then; to look from both sides would double the work at each
// depth.
func subset(a, b *Object, numbers func(a, b Number) bool) bool {
	for _, m := range a.Members() {
		if m.Value == nil {
			continue
		}
		i := b.Counterpart(m.Name, a)
		if i < 0 || !same(m.Value, b.members[i].Value, numbers) {
			return false
		}
	}
	return true
}

// Identical reports whether two values are the same to the letter, names, order and
// numbers included. It is quicker than [Equal], and takes no memory: most of a
// document is as it was after a change. Values that are not identical may be equal all the
// same.
func Identical(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Identical)
	case *Object:
		b, ok := b.(*Object)
		return ok && slices.EqualFunc(a.Members(), b.Members(), func(x, y Member) bool {
			return x.Name == y.Name && Identical(x.Value, y.Value)
		})
	}
	// Two values of different types differ, so neither of these is a list.
	return a == b
}

// Holds reports whether a value that came back says nothing but what the one that
// is there says: objects may lack members of it, at every depth. It ends at the
// first difference, so that its cost is bounded by the smaller of both. Lists must be as
// long, and alike.
func Holds(have, back any) bool {
	h, ok := have.(*Object)
	b, ok2 := back.(*Object)
	if !ok || !ok2 {
		return Echoes(have, back)
	}
	for _, m := range b.Members() {
		if m.Value == nil {
			continue
		}
		i := h.Counterpart(m.Name, b)
		if i < 0 || !Holds(h.members[i].Value, m.Value) {
			return false
		}
	}
	return true
}

// Counterpart returns the position of the member that another object's member of
// the given name means: the one of exactly that name, else the one that has that
// name on the wire of the steps, else one whose name differs in case; of the last
// two only one which the other object does not name itself. -1 for none. Patches,
// differences and the search for who set a field all follow names by it.
func (o *Object) Counterpart(name string, other *Object) int {
	if i := o.FindExact(name); i >= 0 {
		return i
	}
	i := o.FindExact(unraised(name))
	if i < 0 || other.FindExact(o.members[i].Name) >= 0 {
		i = o.findFolded(name)
	}
	if i < 0 || other.FindExact(o.members[i].Name) >= 0 {
		return -1
	}
	return i
}

// MemberOf returns the value of the counterpart of another object's member.
func (o *Object) MemberOf(name string, other *Object) any {
	if i := o.Counterpart(name, other); i >= 0 {
		return o.members[i].Value
	}
	return nil
}

// present counts the members that are not null. Null is as good as absent, so they alone
// count when two objects are compared.
func present(o *Object) (n int) {
	for _, m := range o.Members() {
		if m.Value != nil {
			n++
		}
	}
	return n
}

// timeLayouts are how RFC 3339, Java and .NET write a time, the last without a zone.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"}

// timeOf reads a text that is a date, with a time or without, which then is the
// day's first instant: a typed program hands back a date like that. A time without
// a zone is UTC.
func timeOf(s string) (time.Time, bool) {
	const shortest, longest = len(time.DateOnly), len("2006-01-02T15:04:05.000000000+00:00")
	// Most texts are no dates. That is found out here, before anything is parsed.
	if len(s) < shortest || len(s) > longest || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	if len(s) == shortest {
		t, err := time.Parse(time.DateOnly, s)
		return t, err == nil
	}
	if s[shortest] != 'T' {
		return time.Time{}, false
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// Canonical appends a text that two values share exactly when they are equal. It is a key
// for maps, where each value would otherwise be compared with each.
func Canonical(dst []byte, v any) []byte {
	switch v := v.(type) {
	case Number:
		if d, ok := v.Decimal(); ok {
			return appendNormal(dst, d)
		}
	case string:
		if t, ok := timeOf(v); ok {
			// No text begins so, since texts are quoted.
			return append(t.AppendFormat(append(dst, '@'), time.RFC3339Nano), ' ')
		}
	case []any:
		dst = append(dst, '[')
		for _, e := range v {
			dst = append(Canonical(dst, e), ',')
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		// The order of members does not matter to Equal.
		sorted := slices.Clone(v.Members())
		slices.SortFunc(sorted, func(a, b Member) int {
			// Names that differ in case alone have an order, too, so that the text comes
			// out the same each time.
			return cmp.Or(strings.Compare(spelling.Fold(a.Name), spelling.Fold(b.Name)), strings.Compare(a.Name, b.Name))
		})
		for _, m := range sorted {
			if m.Value != nil {
				dst = append(AppendText(dst, spelling.Fold(m.Name)), ':')
				dst = append(Canonical(dst, m.Value), ',')
			}
		}
		return append(dst, '}')
	}
	return AppendValue(dst, v, false)
}
