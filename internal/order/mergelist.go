package order

import (
	"fmt"
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// list merges a list of a patch into the one that is there, beside the one that
// was sent. The list is written only if elements came or went. What changed within an
// element changed in place, in the copy.
func (m *merger) list(f *mergedField, patch []any, k keep) {
	l := &listMerge{merger: m, field: f.field, at: f.at.of(f.name), keep: k, patch: patch, lines: m.cart && f.name == "lineItems"}
	// Nobody has such a list yet, so all that comes is new.
	if f.have == nil && f.was == nil {
		f.dst.Put(f.name, l.elementsOf(patch))
		return
	}
	l.have, _ = f.have.([]any)
	l.was, _ = f.was.([]any)
	merge := l.elements
	if f.field.Kind == schema.TextList {
		merge = l.texts
	}
	// In a cart each list replaces the one that is there; lines still keep what they do not
	// name.
	if merge(k.list(f.name, f.field) && !m.cart) {
		f.dst.Put(f.name, l.out)
	}
}

// listMerge is the merge of one list. It lives for one list. The merger is that of the
// whole patch.
type listMerge struct {
	*merger
	field schema.Field
	at    place // of its elements
	keep  keep
	lines bool // a line keeps what the new one of its id lacks

	have, was, patch []any          // what is there, what was sent, what came
	out              []any          // what becomes of it
	now              []int          // of each element that was sent, where it is now; -1: somebody removed it
	added            []int          // what is there and was not sent
	last             map[string]int // of each key, the last element that is there; see newLine
}

// texts merges a set of texts, and reports whether it changed. What was sent is
// not added again: if it is not there any more, somebody removed it.
func (l *listMerge) texts(keeps bool) (changed bool) {
	if !keeps {
		// Without keeping, the patch's list is all that there will be, unless it is what
		// was sent.
		if slices.EqualFunc(l.was, l.patch, jsondoc.Echoes) {
			return false
		}
		l.out = l.elementsOf(l.patch)
		return true
	}
	was, have := contents(l.was), contents(l.have)
	l.out = slices.Clone(l.have)
	for _, e := range l.patch {
		c := content(e)
		if !was[c] && !have[c] {
			l.out, have[c] = append(l.out, l.element(e)), true
		}
	}
	return len(l.out) > len(l.have)
}

// content is the same text for values that are equal, so that equal elements meet in a map.
func content(e any) string { return string(jsondoc.Canonical(nil, e)) }

// contents is the set of what is in a list.
func contents(list []any) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, e := range list {
		out[content(e)] = true
	}
	return out
}

// elements merges a list of objects, and reports whether elements came or went;
// those that are merged change where they stand.
func (l *listMerge) elements(keeps bool) (changed bool) {
	l.pairNow()
	pairs := l.match()
	if !keeps {
		return l.replace(pairs)
	}
	l.out = slices.Clone(l.have)
	for i, p := range l.patch {
		switch e := pairs[i]; {
		case e.have >= 0:
			if e.merge {
				l.mergeInto(l.out[e.have], e.sent, p)
			}
		case e.sent >= 0:
			l.stayRemoved(e.sent, p)
		default:
			l.out, changed = append(l.out, l.element(p)), true
		}
	}
	return changed
}

// replace makes the patch's list the one that is there. Elements that the patch
// repeats keep what its author does not know. A list that came back as it was sent replaces
// nothing.
func (l *listMerge) replace(pairs []pair) bool {
	if l.isWhole() {
		return false
	}
	l.out = []any{}
	for i, p := range l.patch {
		switch e := pairs[i]; {
		// What somebody has removed meanwhile stays removed here, too.
		case e.have >= 0:
			l.out = append(l.out, l.replaced(e, p))
		case e.sent >= 0:
			l.stayRemoved(e.sent, p)
		default:
			l.out = append(l.out, l.newLine(p))
		}
	}
	return true
}

// isWhole reports whether the patch repeats the whole list that was sent. Then nothing is
// replaced, since its author wanted no change.
func (l *listMerge) isWhole() bool {
	if l.was == nil || len(l.patch) != len(l.was) {
		return false
	}
	for i, p := range l.patch {
		if !l.repeatsAll(l.was[i], p) {
			return false
		}
	}
	return true
}

// newLine is an element that comes beside those that are there. A line of a cart
// that was split keeps, in each of its parts, what the part does not name.
func (l *listMerge) newLine(p any) any {
	if id := l.field.Identity(p); l.lines && id != "" {
		if i, ok := l.lastOf(id); ok {
			line := jsondoc.CloneValue(l.was[i])
			l.mergeInto(line, i, p)
			unprice(l.was[i], line, p)
			return line
		}
	}
	return l.element(p)
}

// unprice takes the price of the whole line off a part of it, which has another
// quantity or price and does not name what it comes to: that is computed.
func unprice(whole, part, patch any) {
	was, _ := whole.(*jsondoc.Object)
	is, _ := part.(*jsondoc.Object)
	p, _ := patch.(*jsondoc.Object)
	parts := func(name string) bool { return differs(was, is, name) }
	if exactly(p, "extendedPrice") == nil && slices.ContainsFunc(priceFields, parts) {
		is.Delete("extendedPrice")
	}
}

// lastOf returns the position of the last element that is there with a key.
func (l *listMerge) lastOf(id string) (int, bool) {
	if l.last == nil {
		l.last = make(map[string]int, len(l.have))
		for i, e := range l.have {
			l.last[l.field.Identity(e)] = i
		}
	}
	i, ok := l.last[id]
	return i, ok
}

// replaced is the element of a list that a patch replaces. One that came back as it was sent
// stays as it is now, with what others have changed in it meanwhile.
func (l *listMerge) replaced(e pair, p any) any {
	have := l.have[e.have]
	known := have
	if e.sent >= 0 {
		known = l.was[e.sent]
	}
	if l.repeatsAll(known, p) {
		return have
	}
	if l.lines && e.merge {
		l.mergeInto(have, e.sent, p)
		return have
	}
	return l.element(p)
}

// repeatsAll reports whether an element that came back has all that the model
// knows of the one that was sent, and nothing else. What an endpoint leaves out
// its own model may not have.
func (l *listMerge) repeatsAll(sent, back any) bool {
	return !l.steers(back) && l.covers(sent, back, schema.Field{Kind: schema.ModelObject, Of: l.field.Of}) && l.repeats(sent, back, l.field.Of)
}

// steers reports whether a line of a cart may remove properties, or clear fields, though it
// says nothing else than what was sent.
func (l *listMerge) steers(line any) bool {
	o, _ := line.(*jsondoc.Object)
	return l.lines && (len(l.forced.met) > 0 || len(o.Texts("forceUpdate")) > 0 || len(o.Objects("propertiesRemovalConditions")) > 0)
}

// covers reports whether `back` has every known, non-empty field of `sent`.
func (m *merger) covers(sent, back any, f schema.Field) bool {
	// An endpoint leaves out, or writes as null, what its own model does not have.
	if m.answer && back == nil {
		return true
	}
	switch s := sent.(type) {
	case *jsondoc.Object:
		if f.Of == nil {
			break
		}
		b, _ := back.(*jsondoc.Object)
		for _, member := range s.Members() {
			if known, ok := f.Of.Field(member.Name); ok && !m.covers(member.Value, exactly(b, member.Name), known) {
				return false
			}
		}
		return true
	case []any:
		b, _ := back.([]any)
		if f.Kind != schema.ModelList || len(s) != len(b) {
			break
		}
		for i := range s {
			if !m.covers(s[i], b[i], schema.Field{Kind: schema.ModelObject, Of: f.Of}) {
				return false
			}
		}
		return true
	}
	// What says nothing may be left out.
	return isEmpty(sent) || !isEmpty(back)
}

// mergeInto merges an element of a patch into the one that is there. Elements that are no
// objects have nothing to merge.
func (l *listMerge) mergeInto(have any, sent int, p any) {
	dst, ok := have.(*jsondoc.Object)
	patch, ok2 := p.(*jsondoc.Object)
	if !ok || !ok2 {
		return
	}
	var was *jsondoc.Object
	if sent >= 0 {
		was, _ = l.was[sent].(*jsondoc.Object)
	}
	l.object(dst, was, patch, l.at, l.keep)
}

// elementsOf is a list that the patch brings.
func (l *listMerge) elementsOf(patch []any) []any {
	out := make([]any, len(patch))
	for i, p := range patch {
		out[i] = l.element(p)
	}
	return out
}

// element is an element that the patch brings. It is stored even where it has another shape
// than the list's, with a warning.
func (l *listMerge) element(p any) any {
	if !l.field.Kind.Holds(p) {
		l.otherShape(l.at.path+"[]", p, l.field.Kind.Element())
	}
	if o, ok := p.(*jsondoc.Object); ok && l.at.model != nil {
		return l.fresh(o, l.at, l.keep)
	}
	if l.answer {
		return jsondoc.Respelled(p, nil)
	}
	return p
}

// stayRemoved notes what a patch would have changed of an element that somebody
// removed meanwhile. An error that was cleared is no loss to anybody.
func (l *listMerge) stayRemoved(sent int, p any) {
	was := l.was[sent]
	// An echo wants nothing, so there is no conflict to note.
	if l.field.Appended || l.repeats(was, p, l.field.Of) || l.isEcho(was, p, schema.Field{Kind: schema.ModelObject, Of: l.field.Of}) {
		return
	}
	wanted := jsondoc.CloneValue(was)
	trial := &listMerge{merger: l.trial(), field: l.field, at: l.at, keep: l.keep, was: l.was}
	// The trial shows what the patch would have made of the element, for the history.
	trial.mergeInto(wanted, sent, p)
	label := fmt.Sprint(sent)
	if id := l.field.Identity(was); id != "" {
		label = schema.ElementName(id)
	}
	l.removed = append(l.removed, Change{Path: l.at.path + "[" + label + "]", Before: was, After: wanted, Conflict: true})
}
