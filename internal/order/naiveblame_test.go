package order

import (
	"strconv"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// NaiveBlame replays the versions of an order from the first on and keeps, of each value
// by its JSON Pointer, the version that set it and what was there before: what [Blame]
// finds in the other direction.
func NaiveBlame(versions []*jsondoc.Object) map[string]NaiveField {
	var state naiveNode
	for i, doc := range versions {
		if i == 0 {
			state = freshNode(doc, 1)
		} else {
			state = state.next(versions[i-1], doc, schema.Field{}, schema.Order, int64(i+1))
		}
	}
	out := map[string]NaiveField{}
	for name, n := range state.members {
		if !isUncounted(name) {
			n.list(out, "/"+pointerToken(name))
		}
	}
	return out
}

// NaiveField is which version set a value, and what it was before.
type NaiveField struct {
	Version int64
	Added   bool
	Before  any
}

type naiveNode struct {
	NaiveField
	members  map[string]naiveNode
	elements []naiveNode
}

// freshNode is a value that a version brought.
func freshNode(v any, version int64) naiveNode {
	n := naiveNode{NaiveField: NaiveField{Version: version, Added: true}}
	switch v := v.(type) {
	case *jsondoc.Object:
		n.members = map[string]naiveNode{}
		for _, m := range v.Members() {
			n.members[m.Name] = freshNode(m.Value, version)
		}
	case []any:
		for _, e := range v {
			n.elements = append(n.elements, freshNode(e, version))
		}
	}
	return n
}

func isLeaf(v any) bool {
	switch v := v.(type) {
	case *jsondoc.Object:
		return v.Len() == 0
	case []any:
		return len(v) == 0
	}
	return true
}

// next is what becomes of a value by a version.
func (n naiveNode) next(was, is any, f schema.Field, m *schema.Model, version int64) naiveNode {
	if isLeaf(is) {
		if jsondoc.Equal(is, was) {
			return naiveNode{NaiveField: n.NaiveField}
		}
		return naiveNode{NaiveField: NaiveField{Version: version, Before: was}}
	}
	switch is := is.(type) {
	case *jsondoc.Object:
		was, ok := was.(*jsondoc.Object)
		if !ok {
			break
		}
		out := naiveNode{members: map[string]naiveNode{}}
		for _, member := range is.Members() {
			at := was.Counterpart(member.Name, is)
			if at < 0 {
				out.members[member.Name] = freshNode(member.Value, version)
				continue
			}
			of, _ := m.Field(member.Name)
			out.members[member.Name] = n.members[was.Members()[at].Name].next(was.Members()[at].Value, member.Value, of, of.Of, version)
		}
		return out
	case []any:
		was, ok := was.([]any)
		if !ok {
			break
		}
		l := &listMerge{merger: &merger{}, field: f, was: was, have: is}
		l.pairNow()
		out := naiveNode{elements: make([]naiveNode, len(is))}
		for i := range is {
			out.elements[i] = freshNode(is[i], version)
		}
		for i, now := range l.now {
			if now >= 0 {
				out.elements[now] = n.elements[i].next(was[i], is[now], schema.Field{}, f.Of, version)
			}
		}
		return out
	}
	return freshNode(is, version)
}

// list lists the values at or below a node.
func (n naiveNode) list(out map[string]NaiveField, pointer string) {
	if len(n.members)+len(n.elements) == 0 {
		out[pointer] = n.NaiveField
	}
	for name, m := range n.members {
		m.list(out, pointer+"/"+pointerToken(name))
	}
	for i, e := range n.elements {
		e.list(out, pointer+"/"+strconv.Itoa(i))
	}
}
