package order

import (
	"slices"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// merger puts a patch into a document, field by field, beside what the patch's
// author was sent. There are three sides (docs/design.md#an-order-is-a-json-document):
// sent, what the author of the patch had; dst, what is there now and becomes the result;
// and patch. A value that equals sent is no change, whatever dst says by now.
//
// One merger serves one patch. It changes dst alone, which is a copy that its caller made.
type merger struct {
	answer bool // [PatchRules.answer]
	// same says that what was sent is what is there, so that nobody changed it meanwhile.
	same    bool
	cart    bool // lists replace, and lines keep what the new ones lack: see [ApplyCart]
	forced  *forced
	removed []Change
	// shapes names what of the patch has no effect, and what it sets and nothing will read, as
	// it has another shape than the model's.
	shapes []apierr.Warning
	// compared counts the fields that were compared in vain to find elements without
	// a key, which are bounded; see [mostCompared].
	compared *int
	err      error
}

// trial returns a merger that tries what a patch would change of what was sent. It counts
// comparisons in the same place, so that trials are bounded, too.
func (m *merger) trial() *merger {
	return &merger{answer: m.answer, same: true, cart: m.cart, forced: m.forced, compared: m.compared}
}

// place is where in a document a merge is: what is known of the object there,
// and its path, lists without their indexes. Where nothing is known names that
// differ in case are different ones.
type place struct {
	model *schema.Model
	path  string
}

// of is the place of a member: fields that the model does not know have no model below them.
func (p place) of(name string) place {
	f, _ := p.model.Field(name)
	return place{f.Of, jsondoc.JoinPath(p.path, name)}
}

// keep says whether a list of a patch is merged into what is there (true) or
// replaces it.
type keep struct{ properties, lists, lines bool }

var keepAll = keep{true, true, true}

// list reports whether a list keeps its elements. The lists of lines, shipments,
// payments and returns are not those that keepExistingListItems is about.
func (k keep) list(name string, f schema.Field) bool {
	switch {
	case name == "properties":
		return k.properties
	case name == "lineItems":
		return k.lines
	case f.Replaceable:
		return k.lists
	}
	return len(f.Keys) > 0 || f.Appended
}

// object merges a patch into dst; sent is that object as it was sent, or nil. It fills in
// dst as it goes. On an error it leaves dst half done, and the caller drops it.
func (m *merger) object(dst, sent, patch *jsondoc.Object, at place, k keep) {
	var own *forced
	if at.model != nil {
		// An object of the patch may say for itself which lists it keeps, as the lines of an order
		// do. Only an object of the model may: the same name below a user's field is data.
		keeps := func(name string, k bool) bool {
			if v := exactly(patch, name); v != nil {
				return v != false // anything but false keeps
			}
			return k
		}
		k = keep{keeps("keepExistingCustomProperties", k.properties), keeps("keepExistingListItems", k.lists), keeps("keepExistingOrderLines", k.lines)}
		// Removals come before all else, so that a property can be removed and set anew by
		// one patch.
		sent = m.removeProperties(dst, sent, patch, at)
		// forceUpdate of an object below the top names fields of that object by their own names.
		if at.path != "" && len(patch.Texts("forceUpdate")) > 0 {
			own = newForced(patch, nil)
		}
	}
	for _, f := range patch.Members() {
		known, isKnown := at.model.Field(f.Name)
		if m.cart && known.Control && f.Value == true {
			m.warn(jsondoc.JoinPath(at.path, f.Name), "has no effect: a list of a value replaces that of the cart")
		}
		if known.Control || m.err != nil {
			continue
		}
		name := f.Name
		if !isKnown {
			// Names below a user's own field are data, as EUR and eur may be. One that came
			// back in another case is an echo and not a second field.
			if at.model == nil && m.repeatsInOtherCase(dst, patch, f) {
				continue
			}
			name = m.spelling(dst, sent, patch, f, at.model == nil)
		}
		m.field(&mergedField{dst: dst, sent: sent, name: name, have: exactly(dst, name), was: exactly(sent, name), field: known, known: isKnown, at: at, own: own}, f.Value, k)
	}
	m.shapes = append(m.shapes, own.warnings()...)
}

// spelling returns the name under which an object has, or will have, a field of
// the patch that no model knows.
func (m *merger) spelling(dst, sent, patch *jsondoc.Object, f jsondoc.Member, raw bool) string {
	name := f.Name
	// An exact name is that field. Then one in another case is, for endpoints whose
	// language changes names.
	for _, o := range []*jsondoc.Object{dst, sent} {
		if o.FindExact(name) >= 0 {
			return name
		}
	}
	for _, o := range []*jsondoc.Object{dst, sent} {
		i := o.Counterpart(name, patch)
		// Below what the model knows a request may have names that differ in case alone,
		// but for the spelling of the steps' wire.
		if i >= 0 && (!raw || m.answer || jsondoc.Raised(o.Members()[i].Name) == name) {
			return o.Members()[i].Name
		}
	}
	if m.answer {
		return jsondoc.Lowered(name)
	}
	return name
}

// repeatsInOtherCase reports whether a field of a request, below what the model
// knows, only repeats what is there under a name that differs in case alone.
func (m *merger) repeatsInOtherCase(dst, patch *jsondoc.Object, f jsondoc.Member) bool {
	if m.answer || dst.FindExact(f.Name) >= 0 {
		return false
	}
	i := dst.Counterpart(f.Name, patch)
	return i >= 0 && jsondoc.Holds(dst.Members()[i].Value, f.Value)
}

// mergedField is one field that a patch may change. It bundles what each function of the merge
// needs to know of the field.
type mergedField struct {
	dst, sent *jsondoc.Object
	name      string
	have, was any // what is there and what was sent; nil: nothing
	field     schema.Field
	known     bool
	at        place
	own       *forced // what the object of the patch that has the field names itself; may be nil
}

// isName reports whether the field is the name of a status, which has no case. Those of payments
// and errors have none either, though no workflow knows them.
func (f *mergedField) isName() bool { return f.field.StatusName || f.known && f.name == "status" }

// isNoStatus reports whether a value is the empty text in place of a status, which typed clients
// write for none: it is no change. An order's own status alone is not passed over, since
// [PatchRules.ApplySince] refuses what would leave an order without one.
func (f *mergedField) isNoStatus(v any, cart bool) bool {
	return f.field.StatusName && v == "" && (cart || f.at.path != "" || f.have == nil)
}

// sameName reports whether two values are one name.
func sameName(a, b any) bool {
	one, isText := a.(string)
	other, both := b.(string)
	return isText && both && spelling.SameName(one, other)
}

// exactly returns a member by its exact spelling, nil for none. Another spelling is another
// member: which one a patch means was decided before.
func exactly(o *jsondoc.Object, name string) any {
	if i := o.FindExact(name); i >= 0 {
		return o.Members()[i].Value
	}
	return nil
}

// field merges one member of a patch: null only if forceUpdate names it, an object into the
// object that is there, a list by its kind, and anything else as a value.
func (m *merger) field(f *mergedField, v any, k keep) {
	// has is asked for every field that stands there, null or not, so that warnings can
	// name what the patch does not have.
	forced := len(m.forced.met) > 0 && m.forced.has(jsondoc.JoinPath(f.at.path, f.name), f.name)
	if f.own != nil && f.own.has(f.name, f.name) {
		forced = true
	}
	if v == nil {
		switch {
		case !forced || f.have == nil:
		// A fixed field never changes by a patch. Fixed fields stand at the top alone, and deeper
		// fields of the same names are others.
		case f.at.path == "" && slices.Contains(fixedFields, f.name):
			m.warn(f.name, "never changes by a patch, and was left as it is")
		default:
			f.dst.Put(f.name, nil)
		}
		return
	}
	// A typed program writes all fields that it knows: with nothing in it, where an object
	// without it was sent. What somebody has written there meanwhile stays.
	if m.answer && f.known && !forced && f.sent != nil && f.was == nil && isEmpty(v) {
		return
	}
	switch v := v.(type) {
	// Two objects merge. An object in place of something else is a value.
	case *jsondoc.Object:
		if have, ok := f.have.(*jsondoc.Object); ok {
			was, _ := f.was.(*jsondoc.Object)
			m.object(have, was, v, f.at.of(f.name), k)
			return
		}
	// Lists that the model does not know are values: nobody knows what their elements are.
	case []any:
		if f.known && (f.field.Kind == schema.ModelList || f.field.Kind == schema.TextList || f.field.Kind == schema.AnyList) {
			m.list(f, v, k)
			return
		}
	}
	m.value(f, v, k)
}

// value sets a field that cannot be merged into what is there. The checks go from what
// changes nothing to what does.
func (m *merger) value(f *mergedField, v any, k keep) {
	// A value that comes back as it was sent is no change, even if somebody else has changed the field
	// since. The name of a status has no case.
	if f.isNoStatus(v, m.cart) || m.isEcho(f.was, v, f.field) || f.isName() && (sameName(f.was, v) || sameName(f.have, v)) {
		return
	}
	if jsondoc.Equal(f.have, v) || f.field.Kind == schema.Number && jsondoc.SameAmount(f.have, v) { // 10.10 that stays 10.1 is no change
		return
	}
	if o, ok := v.(*jsondoc.Object); ok {
		// If somebody has cleared an object since it was sent, only what the patch changes of
		// it comes in. The rest of it would revert the other's edit.
		was, _ := f.was.(*jsondoc.Object)
		made := &jsondoc.Object{}
		m.object(made, was, o, f.at.of(f.name), k)
		if made.Len() == 0 && o.Len() > 0 { // nothing but nulls, or but what was sent, is nothing
			return
		}
		v = made
	} else if m.answer {
		v = jsondoc.Respelled(v, f.have)
	}
	// The value is stored nevertheless: nobody who moves orders in from elsewhere must lose
	// anything (docs/contract.md#documents).
	if f.known && !f.field.Takes(v) {
		m.otherShape(jsondoc.JoinPath(f.at.path, f.name), v, f.field.Kind.String())
	}
	f.dst.Put(f.name, v)
}

// otherShape warns of a value that is stored as it came, though the model says otherwise.
func (m *merger) otherShape(path string, v any, want string) {
	m.warn(path, schema.UnreadMessage(v, want))
}

// warn notes what of the patch has no effect, or is not read. Of very many warnings the first
// are enough.
func (m *merger) warn(path, message string) {
	if len(m.shapes) < schema.MostFieldErrors {
		m.shapes = append(m.shapes, apierr.Warning{Path: jsondoc.ShortPath(path), Message: message})
	}
}

// isEcho reports whether a value that came back changes nothing of what was
// sent: it may lack what its author does not know. It tries the merge on a copy and looks
// whether anything changed.
func (m *merger) isEcho(sent, back any, f schema.Field) bool {
	switch b := back.(type) {
	case *jsondoc.Object:
		s, ok := sent.(*jsondoc.Object)
		if !ok {
			return false
		}
		out := s.Clone()
		m.trial().object(out, s, b, place{model: f.Of}, keepAll)
		return jsondoc.Equal(out, s)
	case []any:
		s, ok := sent.([]any)
		if ok && f.Kind != schema.Text { // a list that a model knows
			return len(s) == len(b) && m.allRepeat(s, b, f)
		}
	}
	return jsondoc.Echoes(sent, back) || f.Kind == schema.Number && jsondoc.SameAmount(sent, back)
}

// allRepeat reports whether each element repeats the one at its position.
func (m *merger) allRepeat(sent, back []any, f schema.Field) bool {
	for i := range back {
		if !m.repeats(sent[i], back[i], f.Of) {
			return false
		}
	}
	return true
}

// fresh is an object that the patch brings: itself without nulls and control fields.
func (m *merger) fresh(patch *jsondoc.Object, at place, k keep) *jsondoc.Object {
	o := &jsondoc.Object{}
	m.object(o, nil, patch, at, k)
	return o
}

// removeProperties removes the properties that a condition names by key, and by
// value and keyGroup where it gives them. It returns sent without those properties. A caller
// may remove a property and send it again with the same value: that must set it, and not
// count as an echo.
func (m *merger) removeProperties(dst, sent, patch *jsondoc.Object, at place) *jsondoc.Object {
	have := dst.List("properties")
	named := removals{}
	for _, c := range patch.Objects("propertiesRemovalConditions") {
		if condition := removalOf(c, c.Has("value"), c.Has("keyGroup")); condition.key != "" {
			named[condition] = true
		} else { // it would pick every property, and picks none
			m.warn(jsondoc.JoinPath(at.path, "propertiesRemovalConditions"), "a condition has no key, and removes nothing")
		}
	}
	if len(named) == 0 {
		return sent
	}
	// What is there loses the properties that a condition picks. One that the patch sets as it
	// is stays in its place: it would be removed and come again at the end.
	properties, again := patch.Objects("properties"), map[string]bool{}
	for _, p := range properties {
		again[content(m.trial().fresh(p, place{schema.Property, jsondoc.JoinPath(at.path, "properties")}, keepAll))] = true
	}
	if have != nil {
		dst.Set("properties", slices.DeleteFunc(slices.Clone(have), func(e any) bool { return named.has(e) && !again[content(e)] }))
	}
	if sent != nil && len(properties) > 0 {
		sent = sent.Without("properties").With("properties", slices.DeleteFunc(slices.Clone(sent.List("properties")), named.has))
	}
	return sent
}

// objectsByKey groups objects by their key, which need not be unique. Those without that
// key share the empty one.
func objectsByKey(list []*jsondoc.Object, key string) map[string][]*jsondoc.Object {
	out := map[string][]*jsondoc.Object{}
	for _, o := range list {
		out[schema.KeyText(o, key)] = append(out[schema.KeyText(o, key)], o)
	}
	return out
}

// removals is what conditions name, so that many conditions and many properties
// meet in a map.
type removals map[removal]bool

// removal is one condition: which of value and group it gives is part of it, since a condition
// with an empty value picks less than one without.
type removal struct {
	key, value, group string
	byValue, byGroup  bool
}

// has reports whether a condition picks a property: one that gives value and group, one of them,
// or neither.
func (r removals) has(property any) bool {
	p, ok := property.(*jsondoc.Object)
	return ok && (r[removalOf(p, false, false)] || r[removalOf(p, true, false)] ||
		r[removalOf(p, false, true)] || r[removalOf(p, true, true)])
}

// removalOf is the condition that picks a property by these of its members.
func removalOf(property *jsondoc.Object, byValue, byGroup bool) removal {
	r := removal{key: asCondition(property, "key"), byValue: byValue, byGroup: byGroup}
	if byValue {
		r.value = asCondition(property, "value")
	}
	if byGroup {
		r.group = asCondition(property, "keyGroup")
	}
	return r
}

// mostZeros is how many zeros a number may have to be compared by its digits. One with a larger
// exponent is never written out in full, and is compared as it is written.
const mostZeros = 200

// asCondition is a member as conditions compare it: absent, null and the empty text are alike, a
// number is the text of its digits, and anything else that is no text is what it holds.
func asCondition(property *jsondoc.Object, name string) string {
	switch v, _ := property.Get(name); v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case jsondoc.Number:
		if d, ok := v.Decimal(); ok && -mostZeros <= d.Exponent() && d.Exponent() <= mostZeros {
			return d.String()
		}
		return string(v)
	default:
		return "\x00" + content(v) // as no text begins that anybody would write
	}
}
