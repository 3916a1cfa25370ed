package model

import "slices"

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

// forReturn is the part of an edit that a return step may make.
func (e edit) forReturn() (part edit, rest bool) {
	rest = e.store != "" || e.lines != nil
	e.store, e.lines, e.subTotal, e.total = "", nil, nil, nil
	return e, rest
}

// apply is CONTRACT.md, "Patch", for the fields that an edit has.
func (e edit) apply(o order) order {
	was := o
	o = o.clone()
	o.Status, o.OrderType = or(e.status, o.Status), or(e.orderType, o.OrderType)
	o.CustomerName, o.StoreID = or(e.name, o.CustomerName), or(e.store, o.StoreID)
	if e.onlyTags && e.tags != nil {
		o.Tags = nil
	}
	for _, tag := range e.tags {
		if !slices.Contains(o.Tags, tag) {
			o.Tags = append(o.Tags, tag)
		}
	}
	e.applyProperties(&o)
	e.applyLines(&o)
	if e.lines != nil && pricesChanged(was, o) {
		e.recompute(was, &o)
	}
	return o
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (e edit) applyProperties(o *order) {
	o.Properties = slices.DeleteFunc(o.Properties, func(p property) bool { return slices.Contains(e.remove, p.Key) })
	if e.onlyProperties && e.properties != nil {
		o.Properties = nil
	}
	for _, p := range e.properties {
		if i := slices.IndexFunc(o.Properties, func(have property) bool { return have.Key == p.Key }); i >= 0 {
			o.Properties[i].Value = p.Value
		} else {
			o.Properties = append(o.Properties, p)
		}
	}
}
