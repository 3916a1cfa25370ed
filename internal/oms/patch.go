package oms

import (
	"slices"
	"strings"
)

// PatchRules say what a patch of one origin may touch. The merge itself is the
// same for all (CONTRACT.md, "Patch").
type PatchRules struct {
	// allowed holds the top-level fields that may change; nil allows all but
	// the fixed ones. What a step's patch holds beyond them is left unapplied.
	allowed map[string]bool
	// alias gives fields that this patch spells otherwise their own name.
	alias map[string]string
}

// The rules of the three origins of a patch (order-workflow-step.txt and
// return-workflow-step.txt, "OrderPatch fields"; CONTRACT.md, "Patch").
var (
	APIPatch       = &PatchRules{}
	OrderStepPatch = &PatchRules{allowed: names(`
		status orderType tags properties storeId customerEmail customerPhone customerName billingAddress orderForm
		followUpDate assets externalIds orderNotes publicOrderNotes errors orderOrigin relatedOrders salesPersonId
		salesPersonName isReadOnly isNotificationsDisabled`)}
	ReturnStepPatch = &PatchRules{
		allowed: names(`status orderType tags properties followUpDate assets orderOrigin errors customerName`),
		alias:   map[string]string{"origin": "orderOrigin", "name": "customerName"},
	}
)

// fixedFields never change by a patch (API.md, "Versions").
var fixedFields = []string{"id", "version", "created"}

// controlFields steer a patch and are never stored.
var controlFields = names(`forceUpdate keepExistingCustomProperties keepExistingListItems propertiesRemovalConditions`)

// listKeys is, for each list whose elements have an identity, the fields that
// make it (CONTRACT.md, "Patch"). An element without the first of them is
// always a new one. A list that is not here is a set.
var listKeys = map[string][]string{
	"properties":       {"key", "keyGroup"},
	"lineItems":        {"lineItemId"},
	"shipments":        {"shipmentId"},
	"returnOrderForms": {"returnId"},
	"payments":         {"id"},
	"orderNotes":       {"id"},
	"publicOrderNotes": {"id"},
	"assets":           {"assetId"},
	"externalIds":      {"providerName", "id"},
	"errors":           {"key", "referenceId"},
}

func names(list string) map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		m[name] = true
	}
	return m
}

// Patched is what a patch made of a document.
type Patched struct {
	Doc     *Object  // a new document; the patched one is as it was
	Changes []Change // all differences, recomputed totals included
	// Set is the differences that the patch itself made, totals left out: what
	// can conflict with another writer's.
	Set []Change
	// NotApplied names the fields that the rules do not let this patch touch.
	NotApplied []string
}

// Apply returns doc with the patch applied, after which line prices and totals
// are recomputed where they must be. doc itself does not change. The error is
// [Invalid] and names the field.
func (r *PatchRules) Apply(doc, patch *Object) (Patched, error) {
	forced := r.forced(patch)
	patch, notApplied := r.admit(patch, forced)
	if err := checkFixed(doc, patch); err != nil {
		return Patched{}, err
	}
	out := doc.Clone()
	m := &merger{forced: forced}
	m.object(out, patch, "", keep{properties: true, lists: true})
	if doc.Text("status") != "" && strings.TrimSpace(out.Text("status")) == "" {
		return Patched{}, Wrong("status", "must not be empty")
	}
	set := Diff(doc, out)
	changes := set
	recomputed, err := recompute(doc, out, patch)
	if err != nil {
		return Patched{}, err
	}
	if recomputed {
		changes = Diff(doc, out)
	}
	return Patched{Doc: out, Changes: changes, Set: set, NotApplied: notApplied}, nil
}

// admit returns the part of a patch that the rules allow, under the fields' own
// names, and the names of the rest.
func (r *PatchRules) admit(patch *Object, forced map[string]bool) (*Object, []string) {
	if r.allowed == nil {
		return patch, nil
	}
	admitted, rest := &Object{}, []string(nil)
	for _, m := range patch.Members() {
		name := m.Name
		if own, ok := r.alias[name]; ok {
			name = own
		}
		switch {
		case r.allowed[name] || controlFields[name]:
			if m.Value != nil || !admitted.Has(name) {
				admitted.Set(name, m.Value)
			}
		case m.Value != nil || forced[fold(name)]:
			rest = append(rest, m.Name)
		}
	}
	return admitted, rest
}

func checkFixed(doc, patch *Object) error {
	for _, name := range fixedFields {
		want, _ := doc.Get(name)
		got, ok := patch.Get(name)
		if ok && got != nil && !equal(got, want) {
			return Wrong(name, "never changes by a patch")
		}
	}
	return nil
}

// forced reads the fields that forceUpdate names, which null clears: each by its
// path from the top, lists without their indexes, as billingAddress.line2.
func (r *PatchRules) forced(patch *Object) map[string]bool {
	forced := map[string]bool{}
	for _, path := range patch.Texts("forceUpdate") {
		path = fold(path)
		if own, ok := r.alias[path]; ok {
			path = fold(own)
		}
		forced[path] = true
	}
	return forced
}

// keep says whether a list of a patch is merged into what is there (true) or
// replaces it.
type keep struct{ properties, lists bool }

// within returns what holds in an object of the patch that may say otherwise
// for itself, as the lines of an order do.
func (k keep) within(patch *Object) keep {
	if v, ok := patch.Get("keepExistingCustomProperties"); ok && v != nil {
		k.properties = v != false
	}
	if v, ok := patch.Get("keepExistingListItems"); ok && v != nil {
		k.lists = v != false
	}
	return k
}

func (k keep) list(name string) bool {
	if name == "properties" {
		return k.properties
	}
	return k.lists
}

type merger struct{ forced map[string]bool }

// object merges a patch into dst, field by field.
func (m *merger) object(dst, patch *Object, path string, k keep) {
	k = k.within(patch)
	removeProperties(dst, patch.Objects("propertiesRemovalConditions"))
	for _, f := range patch.Members() {
		if !controlFields[f.Name] {
			m.field(dst, f, joinPath(path, f.Name), k)
		}
	}
}

func (m *merger) field(dst *Object, f Member, path string, k keep) {
	switch v := f.Value.(type) {
	case nil:
		if m.forced[fold(path)] && !slices.Contains(fixedFields, path) {
			dst.Set(f.Name, nil)
		}
	case *Object:
		m.objectField(dst, f.Name, v, path, k)
	case []any:
		have := dst.List(f.Name)
		if !k.list(f.Name) {
			have = nil
		}
		dst.Set(f.Name, m.list(have, v, f.Name, path, k))
	default:
		if have, ok := dst.Get(f.Name); !ok || !equal(have, v) { // 10.10 that stays 10.1 is no change
			dst.Set(f.Name, v)
		}
	}
}

func (m *merger) objectField(dst *Object, name string, patch *Object, path string, k keep) {
	if have := dst.Object(name); have != nil {
		m.object(have, patch, path, k)
		return
	}
	fresh := m.fresh(patch, path, k)
	if fresh.Len() > 0 || patch.Len() == 0 { // nothing but nulls is nothing
		dst.Set(name, fresh)
	}
}

// fresh is an object that the patch brings: itself without nulls and control fields.
func (m *merger) fresh(patch *Object, path string, k keep) *Object {
	o := &Object{}
	m.object(o, patch, path, k)
	return o
}

// list merges the elements of a patch's list into those that are there, by
// their keys or as a set, in the order they have and come.
func (m *merger) list(have, patch []any, name, path string, k keep) []any {
	keys := listKeys[name]
	out := slices.Clone(have)
	if out == nil {
		out = []any{}
	}
	at := make(map[string]int, len(out))
	for i, e := range out {
		if id := identity(e, keys); id != "" {
			if _, double := at[id]; !double {
				at[id] = i
			}
		}
	}
	for _, e := range patch {
		obj, isObject := e.(*Object)
		if isObject && len(keys) == 0 {
			e = m.fresh(obj, path, k) // a set compares what it would hold
		}
		id := identity(e, keys)
		i, found := at[id]
		switch {
		case id != "" && found && len(keys) > 0:
			m.object(out[i].(*Object), obj, path, k)
			continue
		case id != "" && found:
			continue
		case isObject && len(keys) > 0:
			e = m.fresh(obj, path, k)
		}
		if id != "" {
			at[id] = len(out)
		}
		out = append(out, e)
	}
	return out
}

// identity is what two elements have in common that are the same one: the
// values of the keys, or in a set all of it. "" is no identity.
func identity(e any, keys []string) string {
	if len(keys) == 0 {
		return string(canonical(nil, e))
	}
	o, ok := e.(*Object)
	if !ok {
		return ""
	}
	id := keyText(o, keys[0])
	if id == "" {
		return ""
	}
	for _, k := range keys[1:] {
		id += "\x00" + keyText(o, k)
	}
	return id
}

// keyText is the value of one key field; absent, null and "" are alike.
func keyText(o *Object, key string) string {
	v, _ := o.Get(key)
	switch v := v.(type) {
	case string:
		return v
	case Number:
		return string(v)
	}
	return ""
}

// removeProperties removes the properties that a condition names by key, and by
// value and keyGroup where it gives them.
func removeProperties(dst *Object, conditions []*Object) {
	have := dst.List("properties")
	if len(conditions) == 0 || have == nil {
		return
	}
	named := map[removal]bool{}
	for _, c := range conditions {
		if c.Text("key") != "" {
			named[removalOf(c, c.Has("value"), c.Has("keyGroup"))] = true
		}
	}
	dst.Set("properties", slices.DeleteFunc(slices.Clone(have), func(e any) bool {
		p, ok := e.(*Object)
		return ok && (named[removalOf(p, false, false)] || named[removalOf(p, true, false)] ||
			named[removalOf(p, false, true)] || named[removalOf(p, true, true)])
	}))
}

// removal is what a condition names, so that many conditions and many
// properties meet in a map.
type removal struct {
	key, value, group string
	byValue, byGroup  bool
}

func removalOf(property *Object, byValue, byGroup bool) removal {
	r := removal{key: property.Text("key"), byValue: byValue, byGroup: byGroup}
	if byValue {
		r.value = property.Text("value")
	}
	if byGroup {
		r.group = property.Text("keyGroup")
	}
	return r
}
