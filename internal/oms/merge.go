package oms

import "slices"

// merger puts a patch into a document, field by field, beside what the patch's
// author was sent.
type merger struct {
	answer bool // [PatchRules.answer]
	// same says that what was sent is what is there, so that nobody changed it meanwhile.
	same    bool
	cart    bool // lists replace, and lines keep what the new ones lack: see [ApplyCart]
	forced  *forced
	removed []Change
	// shapes names what the patch sets and nothing will read, as it has another
	// shape than the model's.
	shapes []Warning
	// compared counts the fields that were compared in vain to find elements without
	// a key, which are bounded; see [mostCompared].
	compared *int
	err      error
}

// trial returns a merger that tries what a patch would change of what was sent.
func (m *merger) trial() *merger {
	return &merger{answer: m.answer, same: true, cart: m.cart, forced: m.forced, compared: m.compared}
}

// place is where in a document a merge is: what is known of the object there,
// and its path, lists without their indexes. Where nothing is known names that
// differ in case are different ones.
type place struct {
	model *model
	path  string
}

func (p place) of(name string) place {
	f, _ := p.model.field(name)
	return place{f.of, joinPath(p.path, name)}
}

// keep says whether a list of a patch is merged into what is there (true) or
// replaces it.
type keep struct{ properties, lists, lines bool }

var keepAll = keep{true, true, true}

// within returns what holds in an object of the patch that may say otherwise
// for itself, as the lines of an order do.
func (k keep) within(patch *Object) keep {
	is := func(name string, k bool) bool {
		if v := exactly(patch, name); v != nil {
			return v != false
		}
		return k
	}
	return keep{is("keepExistingCustomProperties", k.properties), is("keepExistingListItems", k.lists), is("keepExistingOrderLines", k.lines)}
}

// list reports whether a list keeps its elements. The lists of lines, shipments,
// payments and returns are not those that keepExistingListItems is about.
func (k keep) list(name string, f field) bool {
	switch {
	case name == "properties":
		return k.properties
	case name == "lineItems":
		return k.lines
	case f.replaceable:
		return k.lists
	}
	return len(f.keys) > 0 || f.appended
}

// object merges a patch into dst; sent is that object as it was sent, or nil.
func (m *merger) object(dst, sent, patch *Object, at place, k keep) {
	if at.model != nil {
		k = k.within(patch)
		sent = m.removeProperties(dst, sent, patch, at)
	}
	for _, f := range patch.Members() {
		known, isKnown := at.model.field(f.Name)
		if known.control || m.err != nil {
			continue
		}
		name := f.Name
		if !isKnown {
			if at.model == nil && m.repeatsInOtherCase(dst, patch, f) {
				continue
			}
			name = m.spelling(dst, sent, patch, f, at.model == nil)
		}
		m.field(&target{dst: dst, sent: sent, name: name, field: known, known: isKnown, at: at}, f.Value, k)
	}
}

// spelling returns the name under which an object has, or will have, a field of
// the patch that no model knows.
func (m *merger) spelling(dst, sent, patch *Object, f Member, raw bool) string {
	name := f.Name
	for _, o := range []*Object{dst, sent} {
		if o.findExact(name) >= 0 {
			return name
		}
	}
	for _, o := range []*Object{dst, sent} {
		i := o.counterpart(name, patch)
		// Below what the model knows a request may have names that differ in case alone,
		// but for the spelling of the steps' wire.
		if i >= 0 && (!raw || m.answer || raised(o.members[i].Name) == name) {
			return o.members[i].Name
		}
	}
	if m.answer {
		return lowered(name)
	}
	return name
}

// repeatsInOtherCase reports whether a field of a request, below what the model
// knows, only repeats what is there under a name that differs in case alone.
func (m *merger) repeatsInOtherCase(dst, patch *Object, f Member) bool {
	if m.answer || dst.findExact(f.Name) >= 0 {
		return false
	}
	i := dst.counterpart(f.Name, patch)
	return i >= 0 && holds(dst.members[i].Value, f.Value)
}

// target is one field that a patch may change.
type target struct {
	dst, sent *Object
	name      string
	field     field
	known     bool
	at        place
}

// have and was return what is there and what was sent, nil for nothing.
func (t *target) have() any { return exactly(t.dst, t.name) }
func (t *target) was() any  { return exactly(t.sent, t.name) }

func (t *target) below() place { return t.at.of(t.name) }

func exactly(o *Object, name string) any {
	if i := o.findExact(name); i >= 0 {
		return o.members[i].Value
	}
	return nil
}

func (m *merger) field(t *target, v any, k keep) {
	forced := len(m.forced.met) > 0 && m.forced.has(joinPath(t.at.path, t.name), t.name)
	if v == nil {
		if forced && !fixed(t) && t.have() != nil {
			t.dst.put(t.name, nil)
		}
		return
	}
	if m.fillsIn(t, v, forced) {
		return
	}
	switch v := v.(type) {
	case *Object:
		if have, ok := t.have().(*Object); ok {
			was, _ := t.was().(*Object)
			m.object(have, was, v, t.below(), k)
			return
		}
	case []any:
		if t.known && (t.field.kind == modelList || t.field.kind == textList || t.field.kind == anyList) {
			m.list(t, v, k)
			return
		}
	}
	m.value(t, v, k)
}

func fixed(t *target) bool { return t.at.path == "" && slices.Contains(fixedFields, t.name) }

// value sets a field that cannot be merged into what is there.
func (m *merger) value(t *target, v any, k keep) {
	was, have := t.was(), t.have()
	if m.isEcho(was, v, t.field) {
		return
	}
	if equal(have, v) || t.field.kind == number && sameAmount(have, v) { // 10.10 that stays 10.1 is no change
		return
	}
	if o, ok := v.(*Object); ok {
		fresh := m.fresh(o, t.below(), k)
		if fresh.Len() == 0 && o.Len() > 0 { // nothing but nulls is nothing
			return
		}
		v = fresh
	} else if m.answer {
		v = respelled(v, have)
	}
	if t.known && !t.field.takes(v) {
		m.otherShape(joinPath(t.at.path, t.name), v, t.field.kind.String())
	}
	t.dst.put(t.name, v)
}

func (m *merger) otherShape(path string, v any, want string) {
	if len(m.shapes) < mostFieldErrors {
		m.shapes = append(m.shapes, Warning{Path: shorten(path), Message: keptMessage(v, want)})
	}
}

// fillsIn reports whether an answer has a field only because a typed program
// writes all fields that it knows: with nothing in it, where an object without it
// was sent. What somebody has written there meanwhile stays.
func (m *merger) fillsIn(t *target, v any, forced bool) bool {
	return m.answer && t.known && !forced && t.sent != nil && t.was() == nil && isEmpty(v)
}

// isEcho reports whether a value that came back changes nothing of what was
// sent: it may lack what its author does not know.
func (m *merger) isEcho(sent, back any, f field) bool {
	switch b := back.(type) {
	case *Object:
		s, ok := sent.(*Object)
		if !ok {
			return false
		}
		out := s.Clone()
		m.trial().object(out, s, b, place{model: f.of}, keepAll)
		return equal(out, s)
	case []any:
		s, ok := sent.([]any)
		if ok && f.kind != text { // a list that a model knows
			return len(s) == len(b) && m.allRepeat(s, b, f)
		}
	}
	return echoes(sent, back) || f.kind == number && sameAmount(sent, back)
}

func (m *merger) allRepeat(sent, back []any, f field) bool {
	for i := range back {
		if !m.repeats(sent[i], back[i], f.of) {
			return false
		}
	}
	return true
}

// fresh is an object that the patch brings: itself without nulls and control fields.
func (m *merger) fresh(patch *Object, at place, k keep) *Object {
	o := &Object{}
	m.object(o, nil, patch, at, k)
	return o
}

// removeProperties removes the properties that a condition names by key, and by
// value and keyGroup where it gives them. It returns what counts as sent then:
// who removes a property and sends it with another value wants that one.
func (m *merger) removeProperties(dst, sent, patch *Object, at place) *Object {
	have := dst.List("properties")
	named := removalsOf(patch.Objects("propertiesRemovalConditions"))
	if len(named) == 0 || have == nil {
		return sent
	}
	dst.Set("properties", slices.DeleteFunc(slices.Clone(have), named.has))
	if again := objectsByKey(patch.Objects("properties"), "key"); sent != nil && len(again) > 0 {
		path := joinPath(at.path, "properties")
		sent = sent.without("properties").with("properties", slices.DeleteFunc(slices.Clone(sent.List("properties")), func(e any) bool {
			return named.has(e) && !m.isOneOf(e, again[keyText(e.(*Object), "key")], path)
		}))
	}
	return sent
}

// isOneOf reports whether one of the properties of a patch repeats one that was sent.
func (m *merger) isOneOf(sent any, properties []*Object, path string) bool {
	for _, p := range properties {
		if m.err != nil {
			break
		}
		if m.isOne(sent, p, propertyModel, path) {
			return true
		}
	}
	return false
}

func objectsByKey(list []*Object, key string) map[string][]*Object {
	out := map[string][]*Object{}
	for _, o := range list {
		out[keyText(o, key)] = append(out[keyText(o, key)], o)
	}
	return out
}

// removals is what conditions name, so that many conditions and many properties
// meet in a map.
type removals map[removal]bool

type removal struct {
	key, value, group string
	byValue, byGroup  bool
}

func removalsOf(conditions []*Object) removals {
	named := removals{}
	for _, c := range conditions {
		if c.Text("key") != "" {
			named[removalOf(c, c.Has("value"), c.Has("keyGroup"))] = true
		}
	}
	return named
}

func (r removals) has(property any) bool {
	p, ok := property.(*Object)
	return ok && (r[removalOf(p, false, false)] || r[removalOf(p, true, false)] ||
		r[removalOf(p, false, true)] || r[removalOf(p, true, true)])
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
