package oms

import (
	"fmt"
	"slices"
)

// list merges a list of a patch into the one that is there, beside the one that
// was sent.
func (m *merger) list(t *target, patch []any, k keep) {
	l := &listMerge{merger: m, field: t.field, at: t.below(), keep: k, patch: patch, lines: m.cart && t.name == "lineItems"}
	if t.have() == nil && t.was() == nil {
		t.dst.put(t.name, l.elementsOf(patch))
		return
	}
	l.have, _ = t.have().([]any)
	l.was, _ = t.was().([]any)
	merge := l.elements
	if t.field.kind == textList {
		merge = l.texts
	}
	if merge(k.list(t.name, t.field) && !m.cart) {
		t.dst.put(t.name, l.out)
	}
}

// listMerge is the merge of one list.
type listMerge struct {
	*merger
	field field
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
		if slices.EqualFunc(l.was, l.patch, echoes) {
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

func content(e any) string { return string(canonical(nil, e)) }

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
// repeats keep what its author does not know.
func (l *listMerge) replace(pairs []pair) bool {
	if l.isWhole() {
		return false
	}
	l.out = []any{}
	for i, p := range l.patch {
		switch e := pairs[i]; {
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

// isWhole reports whether the patch repeats the whole list that was sent.
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
	if id := l.field.identity(p); l.lines && id != "" {
		if i, ok := l.lastOf(id); ok {
			line := cloneValue(l.was[i])
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
	was, _ := whole.(*Object)
	is, _ := part.(*Object)
	p, _ := patch.(*Object)
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
			l.last[l.field.identity(e)] = i
		}
	}
	i, ok := l.last[id]
	return i, ok
}

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
	return l.covers(sent, back, field{kind: modelObject, of: l.field.of}) && l.repeats(sent, back, l.field.of)
}

// covers reports whether a value that came back has each field of the one that
// was sent that the model knows and that says something.
func (m *merger) covers(sent, back any, f field) bool {
	if m.answer && back == nil {
		return true
	}
	switch s := sent.(type) {
	case *Object:
		if f.of == nil {
			break
		}
		b, _ := back.(*Object)
		for _, member := range s.Members() {
			if known, ok := f.of.field(member.Name); ok && !m.covers(member.Value, exactly(b, member.Name), known) {
				return false
			}
		}
		return true
	case []any:
		b, _ := back.([]any)
		if f.kind != modelList || len(s) != len(b) {
			break
		}
		for i := range s {
			if !m.covers(s[i], b[i], field{kind: modelObject, of: f.of}) {
				return false
			}
		}
		return true
	}
	return isEmpty(sent) || !isEmpty(back)
}

func (l *listMerge) mergeInto(have any, sent int, p any) {
	dst, ok := have.(*Object)
	patch, ok2 := p.(*Object)
	if !ok || !ok2 {
		return
	}
	var was *Object
	if sent >= 0 {
		was, _ = l.was[sent].(*Object)
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

// element is an element that the patch brings.
func (l *listMerge) element(p any) any {
	if !l.field.kind.holds(p) {
		l.otherShape(l.at.path+"[]", p, l.field.kind.element())
	}
	if o, ok := p.(*Object); ok && l.at.model != nil {
		return l.fresh(o, l.at, l.keep)
	}
	if l.answer {
		return respelled(p, nil)
	}
	return p
}

// stayRemoved notes what a patch would have changed of an element that somebody
// removed meanwhile. An error that was cleared is no loss to anybody.
func (l *listMerge) stayRemoved(sent int, p any) {
	was := l.was[sent]
	if l.field.appended || l.repeats(was, p, l.field.of) || l.isEcho(was, p, field{kind: modelObject, of: l.field.of}) {
		return
	}
	wanted := cloneValue(was)
	trial := &listMerge{merger: l.trial(), field: l.field, at: l.at, keep: l.keep, was: l.was}
	trial.mergeInto(wanted, sent, p)
	label := fmt.Sprint(sent)
	if id := l.field.identity(was); id != "" {
		label = elementName(id)
	}
	l.removed = append(l.removed, Change{Path: l.at.path + "[" + label + "]", Before: was, After: wanted, Conflict: true})
}
