package settings

import (
	"fmt"

	"github.com/orderhook/orderhook/internal/spelling"
)

// mostResolved bounds the markets and stores that all groups together are
// resolved into: many connectors of many large groups would otherwise fill the
// memory.
const mostResolved = 1_000_000

// grouping is the groups of markets, or those of stores, by which a connector
// or a step can be limited. A group counts as what is in it (docs/contract.md#connectors).
// There is one for markets and one for stores.
type grouping struct {
	what    string // "market"
	plural  string // "Markets", as in enabledForMarkets and enabledForMarketGroups
	members string // the field of a group that lists what is in it
	kind    kind   // of a group

	known    names               // what settings define; nil where they define none
	groups   map[string][]string // by folded id
	resolved *int                // names that groups were resolved into so far
}

// read reads the list of groups, and returns all that is in them. A group that stands there
// twice is an error.
func (g *grouping) read(root node, field string) names {
	g.groups = map[string][]string{}
	taken, grouped := names{}, names{}
	for _, n := range root.nodes(field) {
		n.warnUnread(g.kind)
		id := n.required("groupId")
		taken.claim(n, "groupId", id)
		ids := n.texts(g.members)
		g.warnUnknown(n, g.members, ids)
		g.groups[spelling.FoldName(id)] = ids
		for _, id := range ids {
			grouped.add(id, "")
		}
	}
	return grouped
}

// nameLists are the lists of a connector or a step, groups resolved.
type nameLists struct {
	enabled, disabled []string
	none              bool // enabled groups are given and hold nothing
}

// lists reads the lists of a connector or a step. Groups that are enabled and hold nothing
// admit nothing: they must not be taken for no limit at all.
func (g *grouping) lists(n node) nameLists {
	groups := g.groupField("enabledFor")
	l := nameLists{enabled: g.resolve(n, "enabledFor"), disabled: g.resolve(n, "disabledFor")}
	// A list of groups that comes to nothing was meant as a limit.
	l.none = len(l.enabled) == 0 && len(n.obj.List(groups)) > 0
	return l
}

// groupField is the field that lists groups, as enabledForMarketGroups beside
// enabledForMarkets.
func (g *grouping) groupField(prefix string) string {
	return prefix + g.plural[:len(g.plural)-1] + "Groups"
}

// resolve reads a list of names and one of groups. A group that nobody has defined adds
// nothing, and is a warning.
func (g *grouping) resolve(n node, prefix string) []string {
	ids := n.texts(prefix + g.plural)
	g.warnUnknown(n, prefix+g.plural, ids)
	field := g.groupField(prefix)
	for i, id := range n.texts(field) {
		members, ok := g.groups[spelling.FoldName(id)]
		if !ok {
			n.warn(fmt.Sprintf("%s[%d]", n.path(field), i), "no %s group %q is defined", g.what, clip(id))
			continue
		}
		if *g.resolved += len(members); *g.resolved > mostResolved {
			n.wrong(n.path(field), "the settings' groups come to more than %d markets and stores", mostResolved)
			return nil
		}
		ids = append(ids, members...)
	}
	return ids
}

// warnUnknown notes names that are not among those that settings define. Where settings
// define none, each name is as good as another.
func (g *grouping) warnUnknown(n node, field string, ids []string) {
	if g.known == nil {
		return
	}
	for i, id := range ids {
		if !g.known.has(id) {
			n.warn(fmt.Sprintf("%s[%d]", n.path(field), i), "no %s %q is defined%s", g.what, clip(id), n.hint(g.known, id))
		}
	}
}
