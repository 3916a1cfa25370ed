package receiver

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// control decides which lists of an object have to be replaced, because something in them was
// removed, and has the patch say so. An object below one whose lists are replaced says for
// itself that its own are not.
func (d *differ) control(out map[string]any, before, after reflect.Value, path string, above replaced) replaced {
	var own replaced
	p := planOf(after.Type())
	for _, f := range p.fields {
		was, is := before.Field(f.index), after.Field(f.index)
		switch kind := kindOf(f, is.Type()); {
		case kind == notMerged || extends(f, was, is):
		case kind == neverReplaced:
			d.impossible(join(path, f.name), "its elements are neither removed, nor changed where they have no key of their own")
		case kind == properties:
			if !d.removeProperties(out, was, is) {
				own.properties = true
			}
		case kind == lines:
			own.lines = true
		default:
			own.lists = true
		}
	}
	if !slices.Contains(steered, after.Type()) {
		if own != (replaced{}) || out["propertiesRemovalConditions"] != nil {
			d.impossible(path, "elements of its lists cannot be removed")
		}
		return above
	}
	for _, flag := range []struct {
		name       string
		own, above bool
	}{
		{"keepExistingCustomProperties", own.properties, above.properties},
		{"keepExistingListItems", own.lists, above.lists},
		{"keepExistingOrderLines", own.lines, above.lines},
	} {
		if flag.own && !flag.above {
			out[flag.name] = false
		}
	}
	return replaced{own.properties || above.properties, own.lists || above.lists, own.lines || above.lines}
}

// The kinds of lists, by what a patch does with them.
type listKind int

const (
	notMerged     listKind = iota // no list, or one that a patch replaces anyway
	neverReplaced                 // a patch adds to it and changes its elements, and that is all
	properties                    // keepExistingCustomProperties replaces it
	lines                         // keepExistingOrderLines
	sets                          // keepExistingListItems
)

func kindOf(f field, t reflect.Type) listKind {
	switch {
	case t.Kind() != reflect.Slice:
		return notMerged
	case t.Elem().Kind() == reflect.String, f.name == "errors", f.name == "externalIds":
		return sets
	case f.name == "properties":
		return properties
	case f.name == "lineItems":
		return lines
	case f.keys == nil:
		return notMerged
	}
	return neverReplaced
}

// replaces reports whether lists of a kind are replaced.
func (r replaced) replaces(kind listKind) bool {
	return kind == notMerged || kind == properties && r.properties || kind == lines && r.lines || kind == sets && r.lists
}

// extends reports whether a list can be made of the one before by changing elements and by
// adding some: then what others add meanwhile stands.
func extends(f field, before, after reflect.Value) bool {
	if after.Type().Elem().Kind() == reflect.String {
		was, is := before.Interface().([]string), after.Interface().([]string)
		return len(is) >= len(was) && slices.Equal(is[:len(was)], was)
	}
	return !slices.Contains(pair(f, before, after).now, -1)
}

// list is what a patch has of a list; nil where the list is as it was.
func (d *differ) list(f field, before, after reflect.Value, path string, r replaced) any {
	if sameList(before, after) {
		return nil
	}
	if r.replaces(kindOf(f, after.Type())) {
		return whole(f, before, after, path, func(path string) {
			d.impossible(path, "in a list that has to be replaced, orderhook would take it for what was there before")
		})
	}
	if is, ok := after.Interface().([]string); ok {
		return is[min(before.Len(), len(is)):]
	}
	return d.elements(f, before, after, path, r)
}

// whole is a list that takes the place of the one before. What was cleared in an element that
// was there is named, because orderhook takes what is left out for something that the author of
// the answer does not know.
func whole(f field, before, after reflect.Value, path string, impossible func(path string)) any {
	out := []any{}
	if after.Type().Elem().Kind() == reflect.String {
		for i := range after.Len() {
			out = append(out, after.Index(i).Interface())
		}
		return out
	}
	pairs, places := pair(f, before, after), lastPlaces(f, before)
	for i := range after.Len() {
		element, was := after.Index(i), pairs.was[i]
		if was < 0 && i < before.Len() && pairs.now[i] < 0 && identity(f, element) == "" { // it has no key, and changed where it stands
			was = i
		}
		if identity(f, element) == "" && confusable(element, before, pairs) {
			impossible(fmt.Sprintf("%s[%d]", path, i))
		}
		// A line that was split keeps, in each of its parts, what the part does not name. Any other
		// new element is compared with one that has nothing.
		known := reflect.New(element.Type()).Elem()
		if split, ok := places[identity(f, element)]; was >= 0 {
			known = before.Index(was)
		} else if ok {
			known = before.Index(split)
		}
		named := spelledOut(known, element, fmt.Sprintf("%s[%d]", path, i), impossible)
		if i < before.Len() { // nor is it to be taken for what stood at its place
			nameCleared(named, before.Index(i), element)
		}
		out = append(out, named)
	}
	return out
}

// lastPlaces says of each key where the last element stands that has it.
func lastPlaces(f field, list reflect.Value) map[string]int {
	places := map[string]int{}
	for i := range list.Len() {
		if id := identity(f, list.Index(i)); id != "" {
			places[id] = i
		}
	}
	return places
}

// nameCleared adds the texts that an element does not have, and another one has.
func nameCleared(named map[string]any, other, element reflect.Value) {
	for _, f := range planOf(element.Type()).fields {
		if is := element.Field(f.index); is.Kind() == reflect.String && is.IsZero() && !other.Field(f.index).IsZero() && is.Type() != reflect.TypeFor[Number]() {
			named[f.name] = ""
		}
	}
}

// confusable reports whether orderhook would take an element without a key for one that is
// there, though it is another one: it has nothing that the other has not.
func confusable(element, before reflect.Value, p pairs) bool {
	for j := range before.Len() {
		if p.now[j] < 0 && repeats(element, before.Index(j)) {
			return true
		}
	}
	return false
}

// repeats reports whether all that an element has, another one has, too.
func repeats(element, other reflect.Value) bool {
	for i := range element.NumField() {
		if f := element.Field(i); !f.IsZero() && !looksEmpty(f) && !reflect.DeepEqual(f.Interface(), other.Field(i).Interface()) {
			return false
		}
	}
	return true
}

// spelledOut is an object with the fields that were cleared, as what they are now.
func spelledOut(before, after reflect.Value, path string, impossible func(path string)) map[string]any {
	p := planOf(after.Type())
	out := map[string]any{}
	for _, f := range p.fields {
		was, is := before.Field(f.index), after.Field(f.index)
		switch {
		case is.Kind() == reflect.Slice && was.Len() > 0:
			out[f.name] = whole(f, was, is, join(path, f.name), impossible)
		case is.Kind() == reflect.Pointer && !is.IsNil() && !was.IsNil():
			out[f.name] = spelledOut(was.Elem(), is.Elem(), join(path, f.name), impossible)
		case !is.IsZero():
			out[f.name] = is.Interface()
		case was.IsZero():
		case is.Kind() == reflect.Pointer, is.Type() == reflect.TypeFor[Number]():
			impossible(join(path, f.name))
		default:
			out[f.name] = is.Interface()
		}
	}
	was, is := before.Field(p.other).Interface().(Members), after.Field(p.other).Interface().(Members)
	is = is.spelledAs(was)
	for _, name := range was.names() {
		if is[name] == nil {
			impossible(join(path, name))
		}
	}
	for _, name := range is.names() {
		out[name] = is[name]
	}
	return out
}

func sameList(before, after reflect.Value) bool {
	return before.Len() == 0 && after.Len() == 0 || reflect.DeepEqual(before.Interface(), after.Interface())
}

// elements is what a patch has of a list of objects that is merged: the elements that
// changed, by their keys, and those that are new.
func (d *differ) elements(f field, before, after reflect.Value, path string, r replaced) any {
	pairs := pair(f, before, after)
	parts := make([]any, after.Len())
	upTo := map[string]int{} // by key: the place after the last element that the patch needs
	addsWithoutKey := false
	for i := range after.Len() {
		key := identity(f, after.Index(i))
		if was := pairs.was[i]; was >= 0 {
			parts[i] = d.element(f, before.Index(was), after.Index(i), fmt.Sprintf("%s[%d]", path, i), r)
		} else {
			parts[i] = after.Index(i).Interface()
			addsWithoutKey = addsWithoutKey || key == ""
		}
		if parts[i] != nil {
			upTo[key] = i + 1
		}
	}
	var there, added []any
	for i, part := range parts {
		key := identity(f, after.Index(i))
		switch {
		case pairs.was[i] < 0:
			added = append(added, part)
		case part != nil:
			there = append(there, part)
		// The n-th element of a key in a patch is the n-th in the order, so those before one
		// that changed are named.
		case key != "" && i < upTo[key]:
			there = append(there, keysOf(f, after.Index(i)))
		// A new element without a key would be taken for one that is there and has the same
		// fields, if that one were not named itself.
		case addsWithoutKey && key != "":
			there = append(there, keysOf(f, after.Index(i)))
		case addsWithoutKey:
			there = append(there, after.Index(i).Interface())
		}
	}
	if all := append(there, added...); all != nil {
		return all
	}
	return nil
}

// element is what a patch has of an element that was there; nil where nothing changed.
func (d *differ) element(f field, before, after reflect.Value, path string, r replaced) any {
	members := d.inObject(before, after, path, r)
	if len(members) == 0 {
		return nil
	}
	if len(f.keys) > 0 && f.keys[0] != "errors" {
		for name, value := range keysOf(f, after) {
			members[name] = value
		}
		return members
	}
	return after.Interface()
}

// removeProperties has a patch remove the properties that are not there any more, and reports
// whether that is all that has to be removed.
func (d *differ) removeProperties(out map[string]any, before, after reflect.Value) bool {
	was, is := before.Interface().([]Property), after.Interface().([]Property)
	type key struct{ key, group string }
	left, seen := map[key]int{}, map[key]int{}
	for _, p := range is {
		if strings.TrimSpace(p.Key) == "" {
			return false
		}
		left[key{p.Key, p.KeyGroup}]++
	}
	for _, p := range was {
		seen[key{p.Key, p.KeyGroup}]++
	}
	var conditions []any
	for k, n := range seen {
		switch {
		case strings.TrimSpace(k.key) == "", left[k] > 0 && left[k] < n:
			return false
		case left[k] == 0:
			conditions = append(conditions, map[string]any{"key": k.key, "keyGroup": k.group})
		}
	}
	slices.SortFunc(conditions, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	out["propertiesRemovalConditions"] = conditions
	return true
}
