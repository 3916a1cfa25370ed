package filter

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/spelling"
)

// Condition is a part of a filter that is true or false by itself: what its `and`, `or`
// and `not` put together. It is shown to people who want to know why an event did not come.
type Condition struct {
	// Text is the condition as it is understood, which may be written a little differently.
	Text  string
	Holds bool
	// Error says why it cannot be evaluated; "" where it can.
	Error string
	// Found are the values of the event that it looks at, each once.
	Found []Found
}

// Found is a value of the event that a condition looks at. Only what a filter names is
// shown, never the rest of the data. Names from loops and variables are not among them.
type Found struct {
	// Name is what the filter calls it, as data.orderForm.total.
	Name string
	// Value is its JSON, or the beginning of that where it is long; "" if there is none.
	Value string
	// Error says why there is no value.
	Error string
}

// mostShown bounds the bytes that are shown of a value. People look at the beginning of a
// value to see what it is.
const mostShown = 200

// Explain evaluates each condition of a filter by itself, in their order, also those that
// an evaluation does not come to; nil of a nil filter, which has none. It never reports
// less because an earlier condition decided already.
func (f *Filter) Explain(e *Event, effort *Effort) []Condition {
	if f == nil {
		return nil
	}
	var all []Condition
	for _, node := range conditions(f.tree, nil) {
		c := Condition{Text: node.String()}
		// The numbers and patterns that were prepared for the whole filter serve its parts.
		part := &Filter{text: f.text, tree: node, literals: f.literals, patterns: f.patterns}
		holds, err := part.Admits(e, effort)
		if c.Holds = holds; err != nil {
			c.Error = err.Error()
		}
		for _, name := range lookedAt(node, nil) {
			c.Found = append(c.Found, part.find(name, e, effort))
		}
		all = append(all, c)
	}
	return all
}

// conditions adds the conditions that a node puts together. A `not` is left out: Holds says
// whether the condition without it is true.
func conditions(node ast.Node, all []ast.Node) []ast.Node {
	switch n := node.(type) {
	case *ast.BinaryNode:
		if slices.Contains([]string{"&&", "and", "||", "or"}, n.Operator) {
			return conditions(n.Right, conditions(n.Left, all))
		}
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return conditions(n.Node, all)
		}
	}
	return append(all, node)
}

// lookedAt adds what a condition looks at of the event, once each: not what stands within
// a loop or behind a variable, which has no value by itself. They come in the order in
// which they stand.
func lookedAt(node ast.Node, all []ast.Node) []ast.Node {
	// What leads to a member is not listed by itself.
	switch n := node.(type) {
	case *ast.MemberNode, *ast.ChainNode, *ast.IdentifierNode:
		if !slices.ContainsFunc(all, func(other ast.Node) bool { return other.String() == n.String() }) {
			all = append(all, node)
		}
	case *ast.UnaryNode:
		return lookedAt(n.Node, all)
	case *ast.BinaryNode:
		return lookedAt(n.Right, lookedAt(n.Left, all))
	case *ast.ConditionalNode:
		return lookedAt(n.Exp2, lookedAt(n.Exp1, lookedAt(n.Cond, all)))
	case *ast.SliceNode:
		return lookedAt(n.Node, all)
	case *ast.ArrayNode:
		for _, one := range n.Nodes {
			all = lookedAt(one, all)
		}
	// The arguments of a loop are its array and its predicate, in which nothing is looked for.
	case *ast.BuiltinNode:
		for _, one := range n.Arguments {
			all = lookedAt(one, all)
		}
	case *ast.CallNode:
		for _, one := range n.Arguments {
			all = lookedAt(one, all)
		}
		if m, ok := n.Callee.(*ast.MemberNode); ok { // a method of what is looked at
			return lookedAt(m.Node, all)
		}
	}
	return all
}

// find returns the value of what a condition looks at. It is bounded as an evaluation is.
func (f *Filter) find(node ast.Node, e *Event, effort *Effort) (found Found) {
	found.Name = node.String()
	allowance := effort.allowance()
	x := &evaluation{filter: f, event: e, left: allowance, at: node}
	defer func() {
		effort.spent(allowance - x.left)
		if p := recover(); p != nil {
			found.Value, found.Error = "", x.failure(p).Error()
		}
	}()
	found.Value = spelling.Clip(string(x.show(nil, x.unread(node))), mostShown)
	return found
}

// unread is eval that leaves what is found as it stands in the data. So a number is shown
// with the digits that it was sent with.
func (x *evaluation) unread(node ast.Node) any {
	switch n := node.(type) {
	case *ast.ChainNode:
		return x.unread(n.Node)
	case *ast.MemberNode:
		base, ended := x.chain(n.Node)
		if ended || base == nil && n.Optional {
			return nil
		}
		key := x.eval(n.Property)
		x.at = n
		return x.member(base, key)
	}
	return x.eval(node)
}

// show adds a value as JSON, of what is long no more than is shown. It takes steps, so a
// value of any size ends it in time.
func (x *evaluation) show(dst []byte, v any) []byte {
	x.step(1)
	if len(dst) > mostShown {
		return dst
	}
	read := load(v)
	if l, ok := v.(*lazy); ok && isNumber(read) {
		return append(dst, bytes.TrimSpace(l.raw)...)
	}
	switch v := read.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		if len(v) > mostShown {
			v = v[:mostShown]
		}
		dst, _ = jsontext.AppendQuote(dst, strings.ToValidUTF8(v, ""))
		return dst
	case int64:
		return strconv.AppendInt(dst, v, 10)
	// This number was computed, so it has no spelling that somebody sent.
	case decimal.Decimal:
		return append(dst, v.String()...)
	// JSON has neither times nor durations, so they are shown as texts.
	case time.Time:
		return append(append(append(dst, '"'), v.UTC().Format(time.RFC3339Nano)...), '"')
	case time.Duration:
		return append(append(append(dst, '"'), v.String()...), '"')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if len(dst) > mostShown {
				break
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = x.show(dst, e)
		}
		return append(dst, ']')
	case map[string]any:
		return x.showObject(dst, v)
	}
	panic(faultf("%T cannot be shown", v))
}

// showObject is show of an object. Its members are sorted by name: a Go map has no order, and
// what is shown must not differ from one look to the next.
func (x *evaluation) showObject(dst []byte, v map[string]any) []byte {
	x.step(len(v))
	members := make([]string, 0, len(v))
	for name := range v {
		members = append(members, name)
	}
	slices.Sort(members)
	dst = append(dst, '{')
	for i, name := range members {
		if len(dst) > mostShown {
			break
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = jsontext.AppendQuote(dst, name)
		dst = x.show(append(dst, ':'), v[name])
	}
	return append(dst, '}')
}
