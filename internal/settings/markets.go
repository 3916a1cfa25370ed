package settings

import "fmt"

// mostResolved bounds the markets that all groups together are resolved into:
// many connectors of many large groups would otherwise fill the memory.
const mostResolved = 1_000_000

// markets reads `markets` and `marketGroups`. Where settings name no markets
// but do group some, those in groups are the known ones; where they do
// neither, every market is as good as known.
func (p *parser) markets() {
	taken := names{}
	for _, n := range p.root.nodes("markets") {
		taken.claim(n, "marketId", n.required("marketId"))
	}
	p.know(taken)
	p.groups = map[string][]string{}
	takenGroups, grouped := names{}, []string{}
	for _, n := range p.root.nodes("marketGroups") {
		id := n.required("groupId")
		takenGroups.claim(n, "groupId", id)
		ids := n.texts("marketIds")
		p.warnMarkets(n, "marketIds", ids)
		p.groups[fold(id)] = ids
		grouped = append(grouped, ids...)
	}
	if p.known == nil {
		for _, id := range grouped {
			taken[fold(id)] = ""
		}
		p.know(taken)
	}
}

func (p *parser) know(taken names) {
	if len(taken) == 0 {
		return
	}
	p.known = make(map[string]bool, len(taken))
	for id := range taken {
		p.known[id] = true
	}
}

// marketLists are the market lists of a connector or a step, groups resolved.
type marketLists struct {
	enabled, disabled []string
	none              bool // enabled groups are given and hold no market
}

func (p *parser) marketLists(n node) marketLists {
	l := marketLists{
		enabled:  p.resolve(n, "enabledForMarkets", "enabledForMarketGroups"),
		disabled: p.resolve(n, "disabledForMarkets", "disabledForMarketGroups"),
	}
	l.none = len(l.enabled) == 0 && len(n.obj.List("enabledForMarketGroups")) > 0
	return l
}

// resolve reads a list of markets and one of groups, which count as their
// markets (CONTRACT.md, "Connector choice").
func (p *parser) resolve(n node, marketField, groupField string) []string {
	ids := n.texts(marketField)
	p.warnMarkets(n, marketField, ids)
	for i, g := range n.texts(groupField) {
		members, ok := p.groups[fold(g)]
		if !ok {
			n.warn(fmt.Sprintf("%s[%d]", n.path(groupField), i), "no market group %q is defined", clip(g))
			continue
		}
		if p.resolved += len(members); p.resolved > mostResolved {
			n.wrong(n.path(groupField), "the settings' market groups come to more than %d markets", mostResolved)
			return nil
		}
		ids = append(ids, members...)
	}
	return ids
}

func (p *parser) warnMarkets(n node, field string, ids []string) {
	if p.known == nil {
		return
	}
	for i, id := range ids {
		if !p.known[fold(id)] {
			n.warn(fmt.Sprintf("%s[%d]", n.path(field), i), "no market %q is defined", clip(id))
		}
	}
}
