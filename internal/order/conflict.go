package order

import (
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// Conflicts returns the fields that both another writer changed (theirs, from
// the version that a step was called with) and the step's patch set (ours, on
// top of theirs), both as in [Differences], with all three values. Where both added to a list, both
// additions stand and there is no conflict. It is for the history only: what stands and
// what does not has been decided by the merge before.
func Conflicts(theirs, ours []Change) []Change {
	t := touchedBy(theirs)
	var out []Change
	for _, o := range ours {
		// Ours were compared with the document as the other writer left it. So our Before
		// is their value, and what was there before both is known from theirs.
		if before, ok := t.touch(o); ok && !bothStand(o) {
			out = append(out, Change{Path: o.Path, Before: before, After: o.After, Conflict: true, Theirs: o.Before}.cut())
		}
	}
	return out
}

// touched is what another writer changed: the values that were there, by path,
// and every path that leads to one. With paths as keys, each change of ours is looked up
// instead of compared with all of theirs.
type touched struct {
	before  map[string]any
	leading map[string]bool
}

// touchedBy collects what the changes of another writer touch.
func touchedBy(changes []Change) touched {
	t := touched{before: map[string]any{}, leading: map[string]bool{}}
	for _, c := range changes {
		t.before[c.Path] = c.Before
		for _, path := range leading(c.Path) {
			t.leading[path] = true
		}
	}
	return t
}

// touch reports whether the other writer changed the field that ours names, or
// part of it, and what was there before if that is known. Below something that
// they set as a whole, only what it holds is a field that they set.
func (t touched) touch(ours Change) (before any, ok bool) {
	if before, ok := t.before[ours.Path]; ok {
		return before, true
	}
	// If the field was absent before our change, they may have set the whole object without
	// it: then they did not touch it.
	if ours.Before != nil {
		for _, path := range leading(ours.Path) {
			if _, ok := t.before[path]; ok {
				return nil, true
			}
		}
	}
	return nil, t.leading[ours.Path]
}

// leading returns the paths that lead to a path, as orderForm and
// orderForm.lineItems to orderForm.lineItems[L1].
func leading(path string) []string {
	var out []string
	for i, c := range path {
		if i > 0 && (c == '.' || c == '[') {
			out = append(out, path[:i])
		}
	}
	return out
}

// bothStand reports whether a list that ours changed still holds all that it
// held when theirs was written. It compares contents, since elements may have moved.
func bothStand(ours Change) bool {
	before, okB := ours.Before.([]any)
	after, okA := ours.After.([]any)
	if !okB || !okA {
		return false
	}
	left := make(map[string]bool, len(after))
	for _, e := range after {
		left[string(jsondoc.Canonical(nil, e))] = true
	}
	return !slices.ContainsFunc(before, func(e any) bool { return !left[string(jsondoc.Canonical(nil, e))] })
}
