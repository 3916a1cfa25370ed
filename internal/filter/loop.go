package filter

import "github.com/expr-lang/expr/ast"

// loops are the functions that look at each element of an array, most of them
// with a predicate. They are no functions of values, as those of functions are.
var loops map[string]func(x *evaluation, n *ast.BuiltinNode) any

// init fills loops. As the initial value of the variable they would refer to themselves: a
// loop evaluates, and evaluating looks for loops.
func init() { // they evaluate, which finds them by this map
	loops = map[string]func(*evaluation, *ast.BuiltinNode) any{
		// These stop at the first element that decides.
		"any":  func(x *evaluation, n *ast.BuiltinNode) any { return x.first(n, true) >= 0 },
		"none": func(x *evaluation, n *ast.BuiltinNode) any { return x.first(n, true) < 0 },
		"all":  func(x *evaluation, n *ast.BuiltinNode) any { return x.first(n, false) < 0 },
		// These look at all elements.
		"one": func(x *evaluation, n *ast.BuiltinNode) any { return len(x.chosen(n)) == 1 },
		"count": func(x *evaluation, n *ast.BuiltinNode) any {
			return int64(len(x.chosen(n)))
		},
		"filter": func(x *evaluation, n *ast.BuiltinNode) any { return x.chosen(n) },
		"map":    func(x *evaluation, n *ast.BuiltinNode) any { return x.mapped(n) },
		"sum": func(x *evaluation, n *ast.BuiltinNode) any {
			return x.total(x.mapped(n))
		},
		// These return an element or its index, nil if none is found.
		"find":          func(x *evaluation, n *ast.BuiltinNode) any { return x.element(n, x.first(n, true)) },
		"findIndex":     func(x *evaluation, n *ast.BuiltinNode) any { return found(x.first(n, true)) },
		"findLast":      func(x *evaluation, n *ast.BuiltinNode) any { return x.element(n, x.last(n)) },
		"findLastIndex": func(x *evaluation, n *ast.BuiltinNode) any { return found(x.last(n)) },
		"reduce":        (*evaluation).reduce,
	}
}

// builtin calls a function. check has seen to it that there is one of this name. The
// arguments of a function are evaluated first; a loop evaluates its own.
func (x *evaluation) builtin(n *ast.BuiltinNode) any {
	if loop := loops[n.Name]; loop != nil {
		return loop(x, n)
	}
	args := make([]any, len(n.Arguments))
	for i, a := range n.Arguments {
		args[i] = x.eval(a)
	}
	// The arguments had places of their own. What goes wrong from here on is about the
	// call.
	x.at = n
	return functions[n.Name](x, args)
}

// each calls visit with the predicate's value for each element, in their order,
// until it returns false. Without a predicate that is the element itself. The loop that #
// and its like refer to is this one, until each returns.
func (x *evaluation) each(n *ast.BuiltinNode, visit func(i int, v any) bool) {
	list := x.list(n)
	// A loop without a predicate, as sum(#.list), may stand within another one, which goes
	// on afterwards.
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

// list is the array that a loop goes through. nil is none: a filter that may meet it says
// `?? []`.
func (x *evaluation) list(n *ast.BuiltinNode) []any {
	list, isList := x.eval(n.Arguments[0]).([]any)
	if !isList {
		x.at = n
		x.fail("%s goes through an array", n.Name)
	}
	return list
}

// chosenOne returns what a predicate says of an element. Anything but true and false is an
// error, as it is most likely a slip.
func (x *evaluation) chosenOne(n *ast.BuiltinNode, v any) bool {
	is, isBool := v.(bool)
	if !isBool {
		x.at = n
		x.fail("the predicate of %s must be true or false", n.Name)
	}
	return is
}

// first returns the index of the first element whose predicate is as wanted, -1
// if there is none. It looks no further than that.
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

// last returns the index of the last element whose predicate is true, -1 if there is none. It
// goes through all of them from the front, so that an element for which the predicate cannot be
// evaluated is an error, as in the other loops. A search from the back would be quicker,
// and would hide that.
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

// found returns an index as a value of filters, nil for -1: an element that is not there has
// no index, and -1 is that of the last element.
func found(i int) any {
	if i < 0 {
		return nil
	}
	return int64(i)
}

// element returns an element of the array that a loop went through, nil for -1. The array
// is evaluated once more for it, at its usual cost.
func (x *evaluation) element(n *ast.BuiltinNode, i int) any {
	if i < 0 {
		return nil
	}
	return load(x.list(n)[i])
}

// chosen returns the elements whose predicate is true. They are the elements themselves,
// and not what the predicate says of them.
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

// mapped returns the predicate's value for each element. Without a predicate they are the
// elements.
func (x *evaluation) mapped(n *ast.BuiltinNode) []any {
	out := []any{}
	x.each(n, func(_ int, v any) bool {
		out = append(out, v)
		return true
	})
	return out
}

// total adds numbers up, exactly. The sum of nothing is 0.
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
// the first element, and the predicate is first evaluated for the second, whose #index is 1.
// In the predicate, #acc is what came of the elements before.
func (x *evaluation) reduce(n *ast.BuiltinNode) any {
	list, from := x.list(n), 0
	var acc any
	switch {
	case len(n.Arguments) > 2:
		acc = x.eval(n.Arguments[2])
	case len(list) == 0:
		x.fail("there is nothing to reduce")
	default:
		acc, from = load(list[0]), 1
	}
	outer := x.loop
	x.loop = &iteration{}
	defer func() { x.loop = outer }()
	// One iteration serves for all elements: nothing keeps it once its predicate has its
	// value.
	for i := from; i < len(list); i++ {
		x.step(1)
		*x.loop = iteration{element: load(list[i]), acc: acc, index: i}
		acc = x.eval(n.Arguments[1].(*ast.PredicateNode).Node)
	}
	return acc
}
