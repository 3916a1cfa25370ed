package filter

import (
	"fmt"
	"time"

	"github.com/expr-lang/expr/ast"
)

// evaluation is one evaluation under way, of one filter over one event. It belongs to one
// goroutine and is used once.
type evaluation struct {
	filter *Filter
	event  *Event
	// left is how many steps it may still take.
	left int
	// at is the part of the filter that an error is about.
	at ast.Node
	// loop is where the innermost loop is; nil outside of any.
	loop *iteration
	// vars are the variables that are declared here, the innermost last.
	vars []variable
}

// iteration is where a loop is: what #, #index and #acc stand for. A loop within a loop was
// refused by check, so an evaluation has one at most.
type iteration struct {
	element, acc any
	index        int
}

// variable is what `let NAME = VALUE;` gives a name.
type variable struct {
	name  string
	value any
}

// Admits reports whether a filter is true of an event; nil admits every one. An
// error says why the filter cannot evaluate it: an operation that makes no sense for
// its data, a result that is neither true nor false, or too much to do. It changes neither
// the filter nor the event's data.
func (f *Filter) Admits(e *Event, effort *Effort) (admitted bool, err error) {
	if f == nil {
		return true, nil
	}
	allowance := effort.allowance()
	x := &evaluation{filter: f, event: e, left: allowance, at: f.tree}
	defer func() {
		effort.spent(allowance - x.left)
		if p := recover(); p != nil {
			admitted, err = false, x.failure(p)
		}
	}()
	// Whatever is thrown from here on is caught by the function above.
	result, isBool := x.eval(f.tree).(bool)
	// The parser could not know this of a filter whose result comes from data.
	if !isBool {
		x.at = f.tree
		x.fail("the result is neither true nor false")
	}
	return result, nil
}

// failure makes an error of what was thrown. Anything but a fault is an error in
// this package, which must not keep an event from being stored. Nothing of the event's data
// is in it, since it is stored and shown with the endpoint's health.
func (x *evaluation) failure(thrown any) error {
	why, ok := thrown.(fault)
	if !ok {
		why = faultf("something went wrong inside (%T)", thrown)
	}
	return placed(x.filter.text, x.at, string(why))
}

// fail ends the evaluation. A panic keeps each of the many small functions of values without an
// error result; Admits and find catch it, and nothing else lies between.
func (x *evaluation) fail(format string, args ...any) { panic(faultf(format, args...)) }

// step takes so many steps. It is called before the work that they are for.
func (x *evaluation) step(n int) {
	if x.left -= n; x.left < 0 {
		// Nothing is left, so Admits counts all that was allowed as spent.
		x.left = 0
		panic(tooLong)
	}
}

// eval returns the value of a part of the expression. The value is of one of the kinds that
// the function kind names. What is in an array or a map may not have been read yet.
func (x *evaluation) eval(node ast.Node) any {
	x.step(1)
	x.at = node
	switch n := node.(type) {
	// Constants are what they say.
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
	// A name stands for a variable or a part of the event, which is read now if nobody has
	// read it.
	case *ast.IdentifierNode:
		return load(x.name(n.Value))
	case *ast.PointerNode:
		return load(x.pointer(n.Name))
	case *ast.UnaryNode:
		return x.unary(n)
	case *ast.BinaryNode:
		return x.binary(n)
	// Only the branch that is taken is evaluated, so the other one may be of no sense for
	// this event.
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
	// A chain that ends early, at a ?., is nil.
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
		// The name stands for its value in the rest of the expression, and nowhere else.
		x.vars = append(x.vars, variable{n.Name, x.eval(n.Value)})
		defer func() { x.vars = x.vars[:len(x.vars)-1] }()
		return x.eval(n.Expr)
	// The last of several expressions is the value of all.
	case *ast.SequenceNode:
		var last any
		for _, one := range n.Nodes {
			last = x.eval(one)
		}
		return last
	// What a filter itself builds can be no longer than the filter.
	case *ast.ArrayNode:
		list := make([]any, len(n.Nodes))
		for i, one := range n.Nodes {
			list[i] = x.eval(one)
		}
		return list
	case *ast.MapNode:
		return x.object(n)
	}
	// A later version of the parser may have nodes that nobody has thought about here.
	panic(faultf("%T is not known here", node))
}

// object makes the map that a filter writes as {name: value}. Two equal names are an error,
// since either could be meant.
func (x *evaluation) object(n *ast.MapNode) any {
	object := map[string]any{}
	for _, one := range n.Pairs {
		pair := one.(*ast.PairNode)
		name, isText := x.eval(pair.Key).(string)
		if !isText {
			x.fail("a name must be text")
		}
		if _, has := object[name]; has {
			x.at = pair.Key
			x.fail("two members of the map have the same name")
		}
		object[name] = x.eval(pair.Value)
	}
	return object
}

// name returns what a name stands for: the variable that was declared last, so that one within
// hides one around it; else a part of the event.
func (x *evaluation) name(name string) any {
	for i := len(x.vars) - 1; i >= 0; i-- {
		if x.vars[i].name == name {
			return x.vars[i].value
		}
	}
	return x.event.named(name)
}

// pointer returns what #, #index or #acc stand for in the loop. The parser refuses them
// outside of a loop.
func (x *evaluation) pointer(name string) any {
	switch name {
	case "index":
		return int64(x.loop.index)
	case "acc":
		return x.loop.acc
	}
	return x.loop.element
}

// truth returns the value of a condition. Neither 0 nor an empty text is false.
func (x *evaluation) truth(node ast.Node) bool {
	v, isBool := x.eval(node).(bool)
	if !isBool {
		x.at = node
		x.fail("must be true or false here")
	}
	return v
}

// kind names the kind of a value, for messages. They are the words of the filter language.
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
	// An int64 has its case above, so this is a decimal, which filters call a float.
	if isNumber(v) {
		return "float"
	}
	return fmt.Sprintf("%T", v)
}
