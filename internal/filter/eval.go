package filter

import (
	"fmt"
	"time"

	"github.com/expr-lang/expr/ast"
)

// evaluation is one judgement under way.
type evaluation struct {
	filter *Filter
	event  *Event
	left   int // steps
	at     ast.Node
	loop   *iteration // the innermost, of which there is but one
	vars   []variable
}

// iteration is where a loop is: what #, #index and #acc stand for.
type iteration struct {
	element, acc any
	index        int
}

type variable struct {
	name  string
	value any
}

// Admits reports whether a filter is true of an event; nil admits every one. An
// error says why the filter cannot judge it: an operation that makes no sense for
// its data, a result that is neither true nor false, or too much to do.
func (f *Filter) Admits(e *Event, effort *Effort) (admitted bool, err error) {
	if f == nil {
		return true, nil
	}
	allowance := effort.allowance()
	x := &evaluation{filter: f, event: e, left: allowance, at: f.tree}
	defer func() {
		effort.spent(allowance - x.left)
		if p := recover(); p != nil {
			admitted, err = false, x.unjudged(p)
		}
	}()
	result, isBool := x.eval(f.tree).(bool)
	if !isBool {
		x.at = f.tree
		x.fail("the result is neither true nor false")
	}
	return result, nil
}

// unjudged makes an error of what was thrown. Anything but a fault is a mistake in
// this package, which must not keep an event from being stored.
func (x *evaluation) unjudged(thrown any) error {
	why, ok := thrown.(fault)
	if !ok {
		why = faultf("something went wrong inside (%T)", thrown)
	}
	return placed(x.filter.text, x.at, string(why))
}

func (x *evaluation) fail(format string, args ...any) { panic(faultf(format, args...)) }

// step takes so many steps.
func (x *evaluation) step(n int) {
	if x.left -= n; x.left < 0 {
		x.left = 0
		panic(tooLong)
	}
}

// eval returns the value of a part of the expression.
func (x *evaluation) eval(node ast.Node) any {
	x.step(1)
	x.at = node
	switch n := node.(type) {
	case *ast.NilNode:
		return nil
	case *ast.BoolNode:
		return n.Value
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode:
		return int64(n.Value)
	case *ast.FloatNode:
		return x.filter.literals[n]
	case *ast.IdentifierNode:
		return load(x.name(n.Value))
	case *ast.PointerNode:
		return load(x.pointer(n.Name))
	case *ast.UnaryNode:
		return x.unary(n)
	case *ast.BinaryNode:
		return x.binary(n)
	case *ast.ConditionalNode:
		if x.truth(n.Cond) {
			return x.eval(n.Exp1)
		}
		return x.eval(n.Exp2)
	case *ast.BuiltinNode:
		return x.builtin(n)
	}
	return x.compound(node)
}

// compound is eval for what is put together, or taken out of something.
func (x *evaluation) compound(node ast.Node) any {
	switch n := node.(type) {
	case *ast.ChainNode:
		v, _ := x.chain(n.Node)
		return v
	case *ast.MemberNode:
		v, _ := x.chain(n)
		return v
	case *ast.SliceNode:
		return x.slice(n)
	case *ast.CallNode:
		return x.method(n)
	case *ast.VariableDeclaratorNode:
		x.vars = append(x.vars, variable{n.Name, x.eval(n.Value)})
		defer func() { x.vars = x.vars[:len(x.vars)-1] }()
		return x.eval(n.Expr)
	case *ast.SequenceNode:
		var last any
		for _, one := range n.Nodes {
			last = x.eval(one)
		}
		return last
	case *ast.ArrayNode:
		list := make([]any, len(n.Nodes))
		for i, one := range n.Nodes {
			list[i] = x.eval(one)
		}
		return list
	case *ast.MapNode:
		return x.object(n)
	}
	panic(faultf("%T is not known here", node))
}

func (x *evaluation) object(n *ast.MapNode) any {
	object := map[string]any{}
	for _, one := range n.Pairs {
		pair := one.(*ast.PairNode)
		name, isText := x.eval(pair.Key).(string)
		if !isText {
			x.fail("a name must be text")
		}
		object[name] = x.eval(pair.Value)
	}
	return object
}

func (x *evaluation) name(name string) any {
	for i := len(x.vars) - 1; i >= 0; i-- {
		if x.vars[i].name == name {
			return x.vars[i].value
		}
	}
	return x.event.named(name)
}

func (x *evaluation) pointer(name string) any {
	switch name {
	case "index":
		return int64(x.loop.index)
	case "acc":
		return x.loop.acc
	}
	return x.loop.element
}

// truth returns the value of a condition.
func (x *evaluation) truth(node ast.Node) bool {
	v, isBool := x.eval(node).(bool)
	if !isBool {
		x.at = node
		x.fail("must be true or false here")
	}
	return v
}

// kind names the kind of a value, for messages.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "bool"
	case string:
		return "string"
	case int64:
		return "int"
	case []any:
		return "array"
	case map[string]any:
		return "map"
	case time.Time:
		return "time"
	case time.Duration:
		return "duration"
	}
	if isNumber(v) {
		return "float"
	}
	return fmt.Sprintf("%T", v)
}
