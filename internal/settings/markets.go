package settings

// readMarkets reads `markets` and `marketGroups`. Where settings name no markets
// but do group some, those in groups are the known ones; where they do
// neither, every market is as good as known. That decides only about warnings.
func (p *parser) readMarkets() {
	taken := names{}
	for _, n := range p.root.nodes("markets") {
		n.warnUnread(marketKind)
		taken.claim(n, "marketId", n.required("marketId"))
	}
	p.markets = grouping{what: "market", plural: "Markets", members: "marketIds", kind: marketGroupKind, resolved: &p.resolved, known: known(taken)}
	grouped := p.markets.read(p.root, "marketGroups")
	if p.markets.known == nil {
		p.markets.known = known(grouped)
	}
}

// readStores reads `storeGroups`. Settings have no list of the stores there are.
func (p *parser) readStores() {
	p.stores = grouping{what: "store", plural: "Stores", members: "storeIds", kind: storeGroupKind, resolved: &p.resolved}
	p.stores.read(p.root, "storeGroups")
}

// known is the names themselves, nil where there are none: then all are known.
func known(list names) names {
	if len(list) == 0 {
		return nil
	}
	return list
}
