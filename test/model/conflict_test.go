package model

import "slices"

// conflict notes that the answer's patch set what another writer had set
// during the call: the patch stands, and the history has both values.
func (m *oracle) conflict(res *stepResult, before, theirs order, reply reply) {
	if reply.patch == nil {
		return
	}
	p := *reply.patch
	if res.step.key == returnWebhook {
		p, _ = p.forReturn(before)
	}
	conflict := contested(before.CustomerName, theirs.CustomerName, p.name) || contested(before.StoreID, theirs.StoreID, p.store) ||
		contested(before.OrderType, theirs.OrderType, p.orderType)
	for _, property := range p.properties {
		conflict = conflict || contested(before.property(property.Key), theirs.property(property.Key), property.Value)
	}
	if conflict {
		m.log("Conflict", res.step.key, res.call, false, "", "")
	}
}

// contested reports whether two writers set a field that was something else before.
func contested(before, theirs, ours string) bool {
	return theirs != before && ours != "" && ours != theirs && ours != before
}

func (o order) property(key string) string {
	if i := slices.IndexFunc(o.Properties, func(p property) bool { return p.Key == key }); i >= 0 {
		return o.Properties[i].Value
	}
	return ""
}
