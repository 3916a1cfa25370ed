package dash

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Change is a field that differs, as the API's history and results have it.
type Change struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Theirs json.RawMessage `json:"theirs,omitempty"` // what somebody else had set meanwhile
}

// mostValue is how many characters of a value a table of differences shows.
const mostValue = 2_000

// Old is the value before, for people; "" where there was none.
func (c Change) Old() string { return shownValue(c.Before) }

// New is the value after, for people; "" where it is gone.
func (c Change) New() string { return shownValue(c.After) }

// Other is what somebody else had set meanwhile.
func (c Change) Other() string { return shownValue(c.Theirs) }

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
// places, and whether there were more. A number differs where its digits do.
func compared(a, b json.RawMessage, most int) (changes []Change, more bool) {
	c := comparison{most: most}
	c.values("", a, b, 0)
	return c.changes, c.more
}

type comparison struct {
	changes []Change
	most    int
	more    bool
	named   bool // elements of lists are told apart by their names, see byname.go
}

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

func (c *comparison) add(change Change) {
	if len(c.changes) == c.most {
		c.more = true
		return
	}
	c.changes = append(c.changes, change)
}

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

func at(list []json.RawMessage, i int) json.RawMessage {
	if i < len(list) {
		return list[i]
	}
	return nil
}
