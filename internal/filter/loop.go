package filter

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// loops are the functions that look at each element of an array, most of them
// with a predicate. They are no functions of values, as those of functions are.
var loops map[string]func(x *evaluation, n *ast.BuiltinNode) any

func init() { // they evaluate, which finds them by this map
	loops = map[string]func(*evaluation, *ast.BuiltinNode) any{
		"any":  func(x *evaluation, n *ast.BuiltinNode) any { return x.first(n, true) >= 0 },
		"none": func(x *evaluation, n *ast.BuiltinNode) any { return x.first(n, true) < 0 },
		"all":  func(x *evaluation, n *ast.BuiltinNode) any { return x.first(n, false) < 0 },
		"one":  func(x *evaluation, n *ast.BuiltinNode) any { return len(x.chosen(n)) == 1 },
		"count": func(x *evaluation, n *ast.BuiltinNode) any {
			return int64(len(x.chosen(n)))
		},
		"filter": func(x *evaluation, n *ast.BuiltinNode) any { return x.chosen(n) },
		"map":    func(x *evaluation, n *ast.BuiltinNode) any { return x.mapped(n) },
		"sum": func(x *evaluation, n *ast.BuiltinNode) any {
			return x.total(x.mapped(n))
		},
		"find":          func(x *evaluation, n *ast.BuiltinNode) any { return x.element(n, x.first(n, true)) },
		"findIndex":     func(x *evaluation, n *ast.BuiltinNode) any { return int64(x.first(n, true)) },
		"findLast":      func(x *evaluation, n *ast.BuiltinNode) any { return x.element(n, x.last(n)) },
		"findLastIndex": func(x *evaluation, n *ast.BuiltinNode) any { return int64(x.last(n)) },
		"reduce":        (*evaluation).reduce,
	}
}

func (x *evaluation) builtin(n *ast.BuiltinNode) any {
	if loop := loops[n.Name]; loop != nil {
		return loop(x, n)
	}
	args := make([]any, len(n.Arguments))
	for i, a := range n.Arguments {
		args[i] = x.eval(a)
	}
	x.at = n
	return functions[n.Name](x, args)
}

// each calls visit with the predicate's value for each element, in their order,
// until it returns false. Without a predicate that is the element itself.
func (x *evaluation) each(n *ast.BuiltinNode, visit func(i int, v any) bool) {
	list := x.list(n)
	outer := x.loop
	x.loop = &iteration{}
	defer func() { x.loop = outer }()
	for i := range list {
		x.step(1)
		x.loop.element, x.loop.index = load(list[i]), i
		v := x.loop.element
		if len(n.Arguments) > 1 {
			v = x.eval(n.Arguments[1].(*ast.PredicateNode).Node)
		}
		if !visit(i, v) {
			return
		}
	}
}

// list is the array that a loop goes through.
func (x *evaluation) list(n *ast.BuiltinNode) []any {
	list, isList := x.eval(n.Arguments[0]).([]any)
	if !isList {
		x.at = n
		x.fail("%s goes through an array", n.Name)
	}
	return list
}

func (x *evaluation) chosenOne(n *ast.BuiltinNode, v any) bool {
	is, isBool := v.(bool)
	if !isBool {
		x.at = n
		x.fail("the predicate of %s must be true or false", n.Name)
	}
	return is
}

// first returns the index of the first element whose predicate is as wanted, -1
// if there is none.
func (x *evaluation) first(n *ast.BuiltinNode, wanted bool) int {
	found := -1
	x.each(n, func(i int, v any) bool {
		if x.chosenOne(n, v) == wanted {
			found = i
		}
		return found < 0
	})
	return found
}

func (x *evaluation) last(n *ast.BuiltinNode) int {
	found := -1
	x.each(n, func(i int, v any) bool {
		if x.chosenOne(n, v) {
			found = i
		}
		return true
	})
	return found
}

// element returns an element of the array that a loop went through, nil for -1.
func (x *evaluation) element(n *ast.BuiltinNode, i int) any {
	if i < 0 {
		return nil
	}
	return load(x.list(n)[i])
}

func (x *evaluation) chosen(n *ast.BuiltinNode) []any {
	out := []any{}
	x.each(n, func(_ int, v any) bool {
		if x.chosenOne(n, v) {
			out = append(out, x.loop.element)
		}
		return true
	})
	return out
}

func (x *evaluation) mapped(n *ast.BuiltinNode) []any {
	out := []any{}
	x.each(n, func(_ int, v any) bool {
		out = append(out, v)
		return true
	})
	return out
}

func (x *evaluation) total(list []any) any {
	var sum any = int64(0)
	for _, v := range list {
		if !isNumber(v) {
			x.fail("%s cannot be added up", kind(v))
		}
		sum = x.calculate("+", sum, v)
	}
	return sum
}

// reduce folds an array into one value. Without a third argument it begins with
// the first element.
func (x *evaluation) reduce(n *ast.BuiltinNode) any {
	list := slices.Clone(x.list(n))
	var acc any
	switch {
	case len(n.Arguments) > 2:
		acc = x.eval(n.Arguments[2])
	case len(list) == 0:
		x.fail("there is nothing to reduce")
	default:
		acc, list = load(list[0]), list[1:]
	}
	outer := x.loop
	x.loop = &iteration{}
	defer func() { x.loop = outer }()
	for i := range list {
		x.step(1)
		*x.loop = iteration{element: load(list[i]), acc: acc, index: i}
		acc = x.eval(n.Arguments[1].(*ast.PredicateNode).Node)
	}
	return acc
}
