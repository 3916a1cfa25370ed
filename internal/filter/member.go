package filter

import (
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/shopspring/decimal"
)

// chain returns what a chain of members, as data.a?.b, leads to. ended reports
// that it led to nil before its end, behind a `?.`. Without the `?.`, a member of nil is an
// error.
func (x *evaluation) chain(node ast.Node) (v any, ended bool) {
	n, isMember := node.(*ast.MemberNode)
	if !isMember {
		return x.eval(node), false
	}
	base, ended := x.chain(n.Node)
	if ended {
		return nil, true
	}
	// The rest of the chain is not looked at, either.
	if base == nil && n.Optional {
		return nil, true
	}
	// What finds the member is evaluated only now, since a chain that has ended needs it no
	// more.
	key := x.eval(n.Property)
	x.at = n
	return load(x.member(base, key)), false
}

// member returns the member of a map, nil where it has none, or the element of an array. An
// array without that element is an error, as is a value that has no members: a filter that goes
// on without them would be silently false.
func (x *evaluation) member(base, key any) any {
	x.step(1)
	switch base := base.(type) {
	case map[string]any:
		name, isText := key.(string)
		if !isText {
			x.fail("a member of a map is found by text, not by %s", kind(key))
		}
		return base[name]
	case []any:
		i, isInt := key.(int64)
		// An index below 0 counts from the end.
		if isInt && i < 0 {
			i += int64(len(base))
		}
		switch {
		case !isInt:
			x.fail("an element of an array is found by a whole number, not by %s", kind(key))
		case i < 0 || i >= int64(len(base)):
			x.fail("the array has no such element")
		}
		return base[i]
	}
	if name, isText := key.(string); isText {
		x.fail("%s has no member %s", kind(base), clip(name))
	}
	panic(faultf("%s has no elements", kind(base)))
}

// clip keeps a name in a message short. It is the filter's author who sees it.
func clip(name string) string {
	const most = 60
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}

// slice returns a part of an array or of a text. Ends beyond the first or the last element
// are those.
func (x *evaluation) slice(n *ast.SliceNode) any {
	v := x.eval(n.Node)
	length := 0
	switch v := v.(type) {
	case string:
		length = len(v)
	case []any:
		length = len(v)
	default:
		x.fail("%s has no parts", kind(v))
	}
	from, to := x.bound(n.From, 0, length), x.bound(n.To, length, length)
	// A part that would end before it begins is empty.
	from = min(from, to)
	// Positions in a text count bytes, as everywhere in the filter language.
	if text, isText := v.(string); isText {
		return text[from:to]
	}
	return v.([]any)[from:to]
}

// bound returns an end of a part; one below 0 counts from the end.
func (x *evaluation) bound(node ast.Node, otherwise, length int) int {
	if node == nil {
		return otherwise
	}
	i, isInt := x.eval(node).(int64)
	if !isInt {
		x.fail("a part begins and ends with whole numbers")
	}
	if i < 0 {
		i += int64(length)
	}
	return int(max(0, min(i, int64(length))))
}

// method calls a method of a time or a duration, as timestamp.Year(). It costs as much as
// some twenty parts of an expression.
func (x *evaluation) method(n *ast.CallNode) any {
	callee, isMember := n.Callee.(*ast.MemberNode)
	if !isMember {
		x.fail("cannot be called")
	}
	base, ended := x.chain(callee.Node)
	name, _ := x.eval(callee.Property).(string)
	args := make([]reflect.Value, len(n.Arguments))
	for i, a := range n.Arguments {
		v := x.eval(a)
		if text, isText := v.(string); isText {
			x.step(len(text) / digitsStep)
		}
		args[i] = reflect.ValueOf(v)
	}
	x.at = n
	x.step(20)
	// Decimals have methods of Go's, too, which filters must not reach.
	switch base.(type) {
	case time.Time, time.Duration:
	default:
		x.fail("%s has no methods", kind(base))
	}
	// Whatever Go has under the name, only those of the list below may be called.
	m := reflect.ValueOf(base).MethodByName(name)
	if ended || !m.IsValid() || !methods[name] {
		x.fail("%s has no method %s", kind(base), clip(name))
	}
	if !fits(m.Type(), args) {
		x.fail("%s takes other arguments", name)
	}
	return native(m.Call(args)[0])
}

// methods are those that filters may call; all return one value. None of them takes long or
// changes anything.
var methods = map[string]bool{
	"Year": true, "Month": true, "Day": true, "Hour": true, "Minute": true, "Second": true, "Weekday": true, "YearDay": true, "Unix": true, "UnixMilli": true,
	"UTC": true, "Before": true, "After": true, "Equal": true, "Add": true, "Sub": true, "Format": true, "IsZero": true,
	"Hours": true, "Minutes": true, "Seconds": true, "Milliseconds": true, "String": true,
}

// fits reports whether a method takes these arguments. reflect panics otherwise, with a message
// that is of no use to whoever wrote the filter. What a filter passes must be of the very
// type: nothing is converted.
func fits(method reflect.Type, args []reflect.Value) bool {
	if method.NumIn() != len(args) {
		return false
	}
	for i, a := range args {
		if !a.IsValid() || a.Type() != method.In(i) {
			return false
		}
	}
	return true
}

// native makes a value of a filter of one of Go's. A filter never sees a value of another
// type.
func native(v reflect.Value) any {
	switch out := v.Interface().(type) {
	case time.Time, time.Duration, bool, string:
		return out
	case float64: // of a duration: a float in Go's time already
		return normal(decimal.NewFromFloat(out))
	}
	return v.Int() // a Month, a Weekday, an int
}
