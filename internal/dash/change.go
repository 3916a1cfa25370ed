package dash

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Change is a field that differs, as the API's history and results have it. A value that
// was absent has no bytes, and one that was null has the text null.
type Change struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Theirs json.RawMessage `json:"theirs,omitempty"` // what somebody else had set meanwhile
}

// mostValue is how many characters of a value a table of differences shows. The whole
// value is in the document, or at its version.
const mostValue = 2_000

// Old is the value before, for people; "" where there was none.
func (c Change) Old() string { return shownValue(c.Before) }

// New is the value after, for people; "" where it is gone.
func (c Change) New() string { return shownValue(c.After) }

// Other is what somebody else had set meanwhile.
func (c Change) Other() string { return shownValue(c.Theirs) }

// shownValue is a value of a field for people, cut where it is long: a text with its quotes, so
// that "1" is not taken for 1. A null and what is not there look alike.
func shownValue(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	if raw[0] == '{' || raw[0] == '[' {
		return short(mostValue, pretty(raw))
	}
	return short(mostValue, string(readable(raw)))
}

// compared returns where two JSON documents differ, place by place; at most so many
// places, and whether there were more. A number differs where its digits do. It reads the
// texts and makes no tree, because documents may be of megabytes.
func compared(a, b json.RawMessage, most int) (changes []Change, more bool) {
	c := comparison{most: most}
	c.values("", a, b, 0)
	return c.changes, c.more
}

// comparison is one comparison under way. It ends when it has found as many places as a page
// lists: two documents of megabytes may differ everywhere.
type comparison struct {
	changes []Change
	most    int
	more    bool
	named   bool // elements of lists are told apart by their names, see byname.go
}

// values compares two values at a path. Equal texts are not looked into, which makes most of two
// versions cheap; a value that is in one of them only, or is of another kind, differs as
// a whole. What lies deeper than pages draw differs as a whole, too.
func (c *comparison) values(path string, a, b json.RawMessage, depth int) {
	a, b = bytes.TrimSpace(a), bytes.TrimSpace(b)
	if c.more || bytes.Equal(a, b) {
		return
	}
	if len(a) > 0 && len(b) > 0 && depth < deepest {
		if a[0] == '{' && b[0] == '{' {
			c.objects(path, a, b, depth)
			return
		}
		if a[0] == '[' && b[0] == '[' {
			c.lists(path, a, b, depth)
			return
		}
	}
	c.add(Change{Path: path, Before: a, After: b})
}

// add notes a difference, or that there is one more than the page lists.
func (c *comparison) add(change Change) {
	if len(c.changes) == c.most {
		c.more = true
		return
	}
	c.changes = append(c.changes, change)
}

// objects compares by name, sorted: two documents that have the same members in another order do
// not differ.
func (c *comparison) objects(path string, a, b json.RawMessage, depth int) {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(a, &before) != nil || json.Unmarshal(b, &after) != nil {
		return // both were read before
	}
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.values(strings.TrimPrefix(path+"."+name, "."), before[name], after[name], depth+1)
	}
}

// lists compares element by element, by the index, unless elements are told apart by
// name. So an element that was put in between makes all behind it differ, which is right
// for lists of values.
func (c *comparison) lists(path string, a, b json.RawMessage, depth int) {
	var before, after []json.RawMessage
	if json.Unmarshal(a, &before) != nil || json.Unmarshal(b, &after) != nil {
		return
	}
	if c.named && c.namedLists(path, before, after, depth) {
		return
	}
	for i := range max(len(before), len(after)) {
		c.values(path+"["+strconv.Itoa(i)+"]", at(before, i), at(after, i), depth+1)
	}
}

// at is an element, nil behind the end, so that a longer list differs by its own elements only.
func at(list []json.RawMessage, i int) json.RawMessage {
	if i < len(list) {
		return list[i]
	}
	return nil
}
