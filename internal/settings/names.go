package settings

import (
	"fmt"
	"maps"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
)

// names remembers which names are taken, by their folded spelling.
type names map[string]taken

// taken is a name as it was written, and where.
type taken struct{ name, at string }

// add notes a name, unless it is there already: then it returns that one.
func (t names) add(name, at string) (first taken, there bool) {
	if first, there = t[fold(name)]; !there {
		t[fold(name)] = taken{name, at}
	}
	return first, there
}

// claim notes a mistake if the name is another's already.
func (t names) claim(n node, field, name string) {
	if name == "" {
		return
	}
	if first, there := t.add(name, n.at); there {
		n.wrong(n.path(field), "is that of %s too; case makes no difference", first.at)
	}
}

func (t names) has(name string) bool {
	_, ok := t[fold(name)]
	return ok
}

// mostCompared bounds the names that one is compared with: a hostile document
// has a great many of them.
const mostCompared = 1000

// hint asks for the one of the names that is like another name, as
// "; is NOR meant?"; it is "" where none is.
func (n node) hint(t names, name string) string {
	if len(t) > mostCompared || len(n.warnings) == mostFindings {
		return ""
	}
	spelled := make([]string, 0, len(t))
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

func meant(name string, known []string) string {
	if len(name) > maxCompared {
		return ""
	}
	if like := oms.Nearest(name, known); like != "" {
		return fmt.Sprintf("; is %s meant?", clip(like))
	}
	return ""
}

// maxCompared bounds the length of a name that is compared with others, in bytes.
const maxCompared = 200

// fold and same compare names as all of orderhook does.
func fold(name string) string { return oms.FoldName(name) }

func same(a, b string) bool { return oms.SameName(a, b) }
