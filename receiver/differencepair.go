package receiver

import (
	"reflect"
	"strings"
)

// pairs says which element of a list is which of the list before.
type pairs struct {
	was []int // of each element, where it was; -1: it is new
	now []int // of each element before, where it is; -1: it was removed, or cannot be known again
}

// pair finds elements as orderhook does: by their keys, those of one key in their order, and
// without a key by all that they hold. An error is known by all but its status and comment.
func pair(f field, before, after reflect.Value) pairs {
	p := pairs{unpaired(after.Len()), unpaired(before.Len())}
	places := map[string][]int{}
	for i := range before.Len() {
		if id := identity(f, before.Index(i)); id != "" {
			places[id] = append(places[id], i)
		}
	}
	for i := range after.Len() {
		if id := identity(f, after.Index(i)); len(places[id]) > 0 {
			p.set(i, places[id][0])
			places[id] = places[id][1:]
		}
	}
	p.without(f, before, after, func(a, b any) bool { return reflect.DeepEqual(a, b) })
	p.without(f, before, after, func(a, b any) bool {
		was, isError := a.(OrderError)
		is, _ := b.(OrderError)
		was.Status, was.Comment, is.Status, is.Comment = "", "", "", ""
		return isError && reflect.DeepEqual(was, is)
	})
	return p
}

func unpaired(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = -1
	}
	return places
}

func (p pairs) set(now, was int) { p.was[now], p.now[was] = was, now }

// without pairs what is left and has no key, in order.
func (p pairs) without(f field, before, after reflect.Value, same func(a, b any) bool) {
	for i := range after.Len() {
		if p.was[i] >= 0 || identity(f, after.Index(i)) != "" {
			continue
		}
		for j := range before.Len() {
			if p.now[j] < 0 && identity(f, before.Index(j)) == "" && same(before.Index(j).Interface(), after.Index(i).Interface()) {
				p.set(i, j)
				break
			}
		}
	}
}

// identity is the key of an element, "" for none. The first of several fields must be there,
// and 0 is no id of a payment.
func identity(f field, element reflect.Value) string {
	if len(f.keys) == 0 || f.keys[0] == "errors" {
		return ""
	}
	var id strings.Builder
	for i, name := range f.keys {
		text := keyField(element, name)
		if i == 0 && (strings.TrimSpace(text) == "" || f.name == "payments" && text == "0") {
			return ""
		}
		id.WriteString(text + "\x00")
	}
	return id.String()
}

// keysOf are the fields that name an element in a patch.
func keysOf(f field, element reflect.Value) map[string]any {
	keys := map[string]any{}
	for _, name := range f.keys {
		if text := keyField(element, name); text != "" {
			keys[name] = text
		}
	}
	return keys
}

func keyField(element reflect.Value, name string) string {
	p := planOf(element.Type())
	return element.Field(p.fields[p.byName[strings.ToLower(name)]].index).String()
}
