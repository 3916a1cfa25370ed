package filter

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

// mostInRange bounds the numbers of a range, as 1..10 has ten. A range is built as a whole,
// so it must be short.
const mostInRange = 1000

// unary returns the value of an operator with one operand. `not` needs true or false, and a
// sign a number.
func (x *evaluation) unary(n *ast.UnaryNode) any {
	switch n.Operator {
	case "!", "not":
		return !x.truth(n.Node)
	}
	v := x.eval(n.Node)
	x.at = n
	if !isNumber(v) {
		x.fail("%s cannot be applied to %s", n.Operator, kind(v))
	}
	if n.Operator == "-" {
		return x.calculate("-", int64(0), v)
	}
	return v
}

// binary returns the value of an operator with two operands. The right one of `and`, `or` and
// `??` is evaluated only where it is needed, so that a filter can ask whether something is there
// before it looks at it.
func (x *evaluation) binary(n *ast.BinaryNode) any {
	switch n.Operator {
	case "&&", "and":
		return x.truth(n.Left) && x.truth(n.Right)
	case "||", "or":
		return x.truth(n.Left) || x.truth(n.Right)
	case "??":
		if v := x.eval(n.Left); v != nil {
			return v
		}
		return x.eval(n.Right)
	}
	// The others need both operands.
	a, b := x.eval(n.Left), x.eval(n.Right)
	x.at = n
	switch n.Operator {
	// These give true or false.
	case "==":
		return x.equal(a, b)
	case "!=":
		return !x.equal(a, b)
	case "<":
		return x.compare(a, b) < 0
	case "<=":
		return x.compare(a, b) <= 0
	case ">":
		return x.compare(a, b) > 0
	case ">=":
		return x.compare(a, b) >= 0
	case "in":
		return x.in(a, b)
	case "..":
		return x.span(a, b)
	case "matches":
		return x.matches(n, a, b)
	case "contains", "startsWith", "endsWith":
		return x.holds(n.Operator, a, b)
	}
	return x.arithmetic(n.Operator, a, b)
}

// equal compares two values: numbers by value, arrays and maps part by part.
// Values of two kinds are not equal. The comparison of two large parts of the data is
// bounded by the steps that it takes.
func (x *evaluation) equal(a, b any) bool {
	x.step(1)
	a, b = load(a), load(b)
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		x.step(min(len(a), len(b)) / textStep)
		return ok && a == b
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, x.equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, x.equal)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	}
	if isNumber(a) && isNumber(b) {
		return x.compareNumbers(a, b) == 0
	}
	// Two values of different types differ, so neither of these is an array or a map.
	return a == b
}

// compare is below, at or above 0, as a is before b, equal, or behind it. Values of
// different kinds have no order, nor have arrays and maps.
func (x *evaluation) compare(a, b any) int {
	switch first := a.(type) {
	case string:
		if second, ok := b.(string); ok {
			x.step(min(len(first), len(second)) / textStep)
			return strings.Compare(first, second)
		}
	case time.Time:
		if second, ok := b.(time.Time); ok {
			return first.Compare(second)
		}
	case time.Duration:
		if second, ok := b.(time.Duration); ok {
			return cmp.Compare(first, second)
		}
	}
	// nil has no order, either: a filter says with ?? what it is to be taken for.
	if !isNumber(a) || !isNumber(b) {
		x.fail("cannot compare %s with %s", kind(a), kind(b))
	}
	return x.compareNumbers(a, b)
}

// in reports whether an array has an element, a map a name, or a text a part. Nothing is in
// nil, so a filter may ask this of what is not there. Elements are compared as == does it.
func (x *evaluation) in(a, b any) bool {
	switch b := b.(type) {
	case nil:
		return false
	case []any:
		return slices.ContainsFunc(b, func(e any) bool { return x.equal(a, e) })
	case map[string]any:
		// All names are texts. Any other value is in no map, which is no error.
		name, isText := a.(string)
		_, has := b[name]
		return isText && has
	case string:
		if part, isText := a.(string); isText {
			x.step((len(b) + len(part)) / textStep)
			return strings.Contains(b, part)
		}
	}
	panic(faultf("%s cannot be in %s", kind(a), kind(b)))
}

// span returns the whole numbers from one to another. Both are part of it.
func (x *evaluation) span(a, b any) any {
	from, isInt := a.(int64)
	to, isInt2 := b.(int64)
	if !isInt || !isInt2 {
		x.fail("a range goes from one whole number to another")
	}
	// Such a range has no numbers, and is no error.
	if to < from {
		return []any{}
	}
	if uint64(to-from) >= mostInRange { // of more than there are int64s, too
		x.fail("a range of more than %d numbers", mostInRange)
	}
	list := make([]any, to-from+1)
	x.step(len(list))
	for i := range list {
		list[i] = from + int64(i)
	}
	return list
}

// holds is one of the comparisons of a text with a part of it. Both must be texts. They
// look for the very bytes, in their case.
func (x *evaluation) holds(op string, a, b any) bool {
	text, isText := a.(string)
	part, isText2 := b.(string)
	if !isText || !isText2 {
		x.fail("%s compares texts, not %s with %s", op, kind(a), kind(b))
	}
	x.step((len(text) + len(part)) / textStep)
	switch op {
	case "contains":
		return strings.Contains(text, part)
	case "startsWith":
		return strings.HasPrefix(text, part)
	}
	return strings.HasSuffix(text, part)
}

// arithmetic returns a op b of numbers, texts, times and durations. Any other pair is an
// error, as it is most likely a slip. Times can be moved by durations, and two times are
// apart by one.
func (x *evaluation) arithmetic(op string, a, b any) any {
	if isNumber(a) && isNumber(b) {
		return x.calculate(op, a, b)
	}
	switch first := a.(type) {
	case string:
		if second, isText := b.(string); isText && op == "+" {
			x.step((len(first) + len(second)) / textStep)
			return first + second
		}
	case time.Time:
		switch second := b.(type) {
		case time.Duration:
			if op == "+" {
				return first.Add(second)
			} else if op == "-" {
				return first.Add(-second)
			}
		case time.Time:
			if op == "-" {
				return first.Sub(second)
			}
		}
	case time.Duration:
		if second, ok := b.(time.Duration); ok && (op == "+" || op == "-") {
			return x.lasting(x.calculate(op, int64(first), int64(second)))
		}
		if second, ok := b.(time.Time); ok && op == "+" {
			return second.Add(first)
		}
	}
	// A text and a number, say, are not put together: that is a slip more often than not.
	panic(faultf("%s cannot be applied to %s and %s", op, kind(a), kind(b)))
}

// lasting returns a duration of so many nanoseconds. One that Go's durations have no room for
// would have another sign.
func (x *evaluation) lasting(nanoseconds any) time.Duration {
	n, fits := nanoseconds.(int64)
	if !fits {
		x.fail("the duration is longer than 292 years")
	}
	return time.Duration(n)
}
