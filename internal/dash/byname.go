package dash

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// comparedByName is compared for settings: the elements of a list are told apart by their
// names, so that one that was put in between is one difference and not many. Where elements
// that are on both sides stand in another order, that is a difference of its own.
func comparedByName(a, b json.RawMessage, most int) (changes []Change, more bool) {
	c := comparison{most: most, named: true}
	c.values("", a, b, 0)
	return c.changes, c.more
}

// identity is what the settings call one of their objects by. One type has all names that
// any object of the settings may have; those of other objects stay empty.
type identity struct {
	Name, ConnectorID, Connector, DisplayName, MarketID, GroupID, Key, KeyGroup string
}

// identityOf is the name of an element; "" where it has none. A step's display name tells
// apart those that call the same connector. An element that is no object, or has none of
// these fields, has no name.
func identityOf(element json.RawMessage) string {
	var o identity
	if json.Unmarshal(element, &o) != nil {
		return ""
	}
	name := o.Name
	switch {
	case o.Key != "":
		name = strings.TrimSpace(o.KeyGroup + " " + o.Key)
	case o.Connector != "" && o.DisplayName != "":
		name = o.DisplayName
	case o.Connector != "":
		name = strings.TrimSpace(o.Name + " " + o.ConnectorID)
	case o.ConnectorID != "":
		name = o.ConnectorID
	case o.MarketID != "":
		name = o.MarketID
	case o.GroupID != "":
		name = o.GroupID
	}
	return name
}

// named are the elements of a list by their names, in their order; false where one has
// none. Elements of one name are numbered, so that each has a name of its own within the
// list.
type named struct {
	order []string
	by    map[string]json.RawMessage
}

// newNamed tells the elements of a list apart. If one of them has no name, the list is
// compared by position instead.
func newNamed(list []json.RawMessage) (n named, ok bool) {
	n.by = map[string]json.RawMessage{}
	seen := map[string]int{}
	for _, e := range list {
		name := identityOf(e)
		if name == "" {
			return n, false
		}
		if seen[name]++; seen[name] > 1 {
			name += " #" + strconv.Itoa(seen[name])
		}
		n.order, n.by[name] = append(n.order, name), e
	}
	return n, true
}

// namedLists compares two lists by the names of their elements; false where those have
// none. An element that was renamed counts as one that was removed and another that was
// added.
func (c *comparison) namedLists(path string, before, after []json.RawMessage, depth int) bool {
	a, ok := newNamed(before)
	b, ok2 := newNamed(after)
	if !ok || !ok2 {
		return false
	}
	for _, name := range a.order {
		c.values(path+"["+name+"]", a.by[name], b.by[name], depth+1)
	}
	for _, name := range b.order {
		if a.by[name] == nil {
			c.values(path+"["+name+"]", nil, b.by[name], depth+1)
		}
	}
	// stayed returns the names of those elements that are on both sides, in their order
	// on one.
	stayed := func(order []string, in named) (out []string) {
		for _, name := range order {
			if in.by[name] != nil {
				out = append(out, name)
			}
		}
		return out
	}
	if was, is := stayed(a.order, b), stayed(b.order, a); !slices.Equal(was, is) {
		c.add(Change{Path: path + " (order)", Before: texts(was), After: texts(is)})
	}
	return true
}

// texts is a list of texts as JSON.
func texts(list []string) json.RawMessage {
	text, err := json.Marshal(list)
	if err != nil {
		return nil // texts can be written
	}
	return text
}
