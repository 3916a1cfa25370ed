package settings

import (
	"fmt"
	"maps"
	"slices"

	"github.com/orderhook/orderhook/internal/spelling"
)

// names remembers which names are taken, by their folded spelling. A name that is taken
// keeps its first place.
type names map[string]taken

// taken is a name as it was written, and where.
type taken struct{ name, at string }

// add notes a name, unless it is there already: then it returns that one.
func (t names) add(name, at string) (first taken, there bool) {
	if first, there = t[spelling.FoldName(name)]; !there {
		t[spelling.FoldName(name)] = taken{name, at}
	}
	return first, there
}

// claim notes an error if the name is another's already. An empty name claims nothing:
// where one is needed, that is said elsewhere.
func (t names) claim(n node, field, name string) {
	if name == "" {
		return
	}
	if first, there := t.add(name, n.at); there {
		n.wrong(n.path(field), "is that of %s too; case makes no difference", first.at)
	}
}

// has reports whether a name is taken, in any case.
func (t names) has(name string) bool {
	_, ok := t[spelling.FoldName(name)]
	return ok
}

// mostCompared bounds the names that one is compared with: a hostile document
// has a great many of them. With more, no hint is given.
const mostCompared = 1000

// hint asks for the one of the names that is like another name, as
// "; is NOR meant?"; it is "" where none is.
func (n node) hint(t names, name string) string {
	if len(t) > mostCompared || len(n.warnings) == mostFindings {
		return ""
	}
	spelled := make([]string, 0, len(t))
	// The order is always the same, so the same document gets the same hint.
	for _, key := range slices.Sorted(maps.Keys(t)) {
		spelled = append(spelled, t[key].name)
	}
	return n.meant(name, spelled)
}

// meant is node.hint for a list. Where as many warnings have been noted as there
// may be, nobody would read it.
func (n node) meant(name string, known []string) string {
	if len(n.warnings) == mostFindings {
		return ""
	}
	return meant(name, known)
}

// meant ends a message by asking for the name that is most alike; it is "" if none is like
// it.
func meant(name string, known []string) string {
	if len(name) > maxCompared {
		return ""
	}
	if like := spelling.Nearest(name, known); like != "" {
		return fmt.Sprintf("; is %s meant?", clip(like))
	}
	return ""
}

// maxCompared bounds the length of a name that is compared with others, in bytes.
const maxCompared = 200
