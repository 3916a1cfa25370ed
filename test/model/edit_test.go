package model

import (
	"slices"
	"strings"
)

// edit is a patch of an order, of an endpoint or of the API.
type edit struct {
	status, name     string
	store, orderType string
	tags             []string
	onlyTags         bool // keepExistingListItems: false
	properties       []property
	onlyProperties   bool // keepExistingCustomProperties: false
	remove           []string
	lines            []line
	subTotal, total  *num
	forbidden        []string // fields that no step may change
	step             bool     // an endpoint of a step wrote it
}

// json is the patch as it is sent.
func (e edit) json() string { return toJSON(e.fields()) }

func (e edit) fields() fields {
	f := fields{"CustomerPhone": nil} // null is absent
	for name, v := range map[string]string{"Status": e.status, "CustomerName": e.name, "StoreId": e.store, "OrderType": e.orderType} {
		if v != "" {
			f[name] = v
		}
	}
	if e.tags != nil {
		f["Tags"] = e.tags
	}
	if e.onlyTags {
		f["KeepExistingListItems"] = false
	}
	if e.properties != nil {
		f["Properties"] = e.properties
	}
	if e.onlyProperties {
		f["KeepExistingCustomProperties"] = false
	}
	if e.remove != nil {
		f["PropertiesRemovalConditions"] = removals(e.remove)
	}
	if e.lines != nil {
		f["OrderForm"] = form{LineItems: e.lines, SubTotal: e.subTotal, Total: e.total}
	}
	for _, name := range e.forbidden {
		f[name] = "7"
	}
	return f
}

func removals(keys []string) []any {
	var out []any
	for _, k := range keys {
		out = append(out, fields{"key": k})
	}
	return out
}

// forReturn is the part of an edit that a return step may make, and whether the
// rest would change what was sent.
func (e edit) forReturn(sent order) (part edit, rest bool) {
	other := sent.clone()
	edit{lines: e.lines, subTotal: e.subTotal, total: e.total, step: true}.applyLines(&other, sent)
	rest = e.store != "" && e.store != sent.StoreID || other.view().String() != sent.view().String()
	e.store, e.lines, e.subTotal, e.total = "", nil, nil, nil
	return e, rest
}

// apply is docs/contract.md#patches, for the fields that an edit has: what is as it
// was sent is no change, whatever became of it since.
func (e edit) apply(o, sent order) order {
	was := o
	o = o.clone()
	o.OrderType = news(e.orderType, sent.OrderType, o.OrderType)
	// A status has no case.
	if !strings.EqualFold(e.status, sent.Status) && !strings.EqualFold(e.status, o.Status) {
		o.Status = or(e.status, o.Status)
	}
	o.CustomerName, o.StoreID = news(e.name, sent.CustomerName, o.CustomerName), news(e.store, sent.StoreID, o.StoreID)
	if e.onlyTags && e.tags != nil && !slices.Equal(e.tags, sent.Tags) {
		o.Tags = slices.Clone(e.tags)
	} else if !e.onlyTags {
		for _, tag := range e.tags {
			if !slices.Contains(o.Tags, tag) && !slices.Contains(sent.Tags, tag) {
				o.Tags = append(o.Tags, tag)
			}
		}
	}
	e.applyProperties(&o, sent)
	e.applyLines(&o, sent)
	o.recompute(was)
	return o
}

// news is a value that is given and is not the one that was sent, else the one
// that is there.
func news(given, sent, have string) string {
	if given == "" || given == sent {
		return have
	}
	return given
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// applyProperties merges the edit's properties. One that was sent and that
// another writer removed stays removed; one that the edit itself removes is set
// anew where the edit has it.
func (e edit) applyProperties(o *order, sent order) {
	gone := func(key string) bool { return o.find(key) < 0 && !slices.Contains(e.remove, key) }
	there := o.clone()
	removes := func(p property) bool { return slices.Contains(e.remove, p.Key) }
	o.Properties = slices.DeleteFunc(o.Properties, func(p property) bool { return removes(p) && !slices.Contains(e.properties, p) })
	// What the edit removes counts as never sent.
	sent = sent.clone()
	sent.Properties = slices.DeleteFunc(sent.Properties, removes)
	if e.onlyProperties && e.properties != nil {
		if !slices.Equal(e.properties, sent.Properties) {
			o.Properties = nil
		} else {
			return
		}
	}
	for _, p := range e.properties {
		i, s := o.find(p.Key), sent.find(p.Key)
		switch {
		case s >= 0 && sent.Properties[s].Value == p.Value && (i >= 0 || !e.onlyProperties):
		case s >= 0 && there.find(p.Key) < 0 && gone(p.Key):
		case i >= 0:
			o.Properties[i].Value = p.Value
		default:
			o.Properties = append(o.Properties, p)
		}
	}
}

func (o order) find(key string) int {
	return slices.IndexFunc(o.Properties, func(p property) bool { return p.Key == key })
}
