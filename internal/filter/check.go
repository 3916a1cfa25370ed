package filter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// check refuses what parses and makes no sense, or could take long, and makes
// ready what is the same for every event. It is called once for a filter, and evaluation
// relies on it. It makes no decision that depends on an event.
func (f *Filter) check() error {
	// What is computed from data is of a kind that the parser does not know, so it lets
	// such a filter pass. The result can never be true or false.
	if b, ok := f.tree.(*ast.BinaryNode); ok && strings.Contains("+-*/%^**", b.Operator) {
		return placed(f.text, b, "must be true or false, not the result of "+b.Operator)
	}
	c := &checker{filter: f}
	ast.Walk(&f.tree, c)
	return c.err
}

// checker implements ast.Visitor: Visit is called for a node's parts first.
type checker struct {
	filter *Filter
	err    error // the first error
}

// Visit implements ast.Visitor. What is in a part is found before what is wrong with the
// whole.
func (c *checker) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	// A predicate is what a loop evaluates for each element.
	case *ast.PredicateNode:
		inner := &innerLoop{}
		ast.Walk(&n.Node, inner)
		if inner.found != nil {
			c.wrong(inner.found, "a loop within a loop, which could take a long time")
		}
	case *ast.BuiltinNode:
		c.function(n, n.Name)
		// The zones that a machine knows are its own, and a filter is to say the same on all.
		if n.Name == "date" && len(n.Arguments) > 2 {
			c.wrong(n.Arguments[2], "date takes no time zone here: the text says its offset, as +01:00")
		}
	case *ast.IdentifierNode:
		// It would stand for everything at once, also for what the filter does not name.
		if n.Value == "$env" {
			c.wrong(n, "there is no $env here")
		}
	// Numbers with a point are read here, once for all events.
	case *ast.FloatNode:
		c.filter.literals[n] = c.literal(n)
	case *ast.BinaryNode:
		c.binary(n)
	// Nothing in an event is a value of bytes, so there is nothing to compare one with.
	case *ast.BytesNode:
		c.wrong(n, "filters have no bytes; a text is written without the b before it")
	}
}

// wrong notes an error at a part of the filter. Only the first one is told: later ones often
// follow from it.
func (c *checker) wrong(at ast.Node, format string, args ...any) {
	if c.err == nil {
		c.err = placed(c.filter.text, at, fmt.Sprintf(format, args...))
	}
}

// innerLoop looks for a loop. Two loops, one within the other, take the product of their
// lengths, which data of 10 MB makes too much for any bound on steps that is worth having.
// A loop without a predicate is none: it takes one step for each element.
type innerLoop struct{ found ast.Node }

// Visit implements ast.Visitor.
func (i *innerLoop) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		i.found = *node
	}
}

// function refuses functions that the parser knows and that are not evaluated here. The parser
// has more of them with each version; those that nobody has thought about stay out.
func (c *checker) function(at ast.Node, name string) {
	if _, known := loops[name]; known {
		return
	}
	if _, known := functions[name]; known {
		return
	}
	// The message lists what there is, so that nobody has to look for it.
	var all []string
	for name := range loops {
		all = append(all, name)
	}
	for name := range functions {
		all = append(all, name)
	}
	slices.Sort(all)
	c.wrong(at, "filters have no %s; there are %s", name, strings.Join(all, ", "))
}

// literalText matches a number as it is written in a filter. The parser has found that
// there is one, so it need not be strict.
var literalText = regexp.MustCompile(`^[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]+)?`)

// literal reads a number with a point from the text itself: the parser has made a
// float of it, which is another number.
func (c *checker) literal(n *ast.FloatNode) any {
	// The place counts characters, and not bytes.
	text := literalText.FindString(string([]rune(c.filter.text)[n.Location().From:]))
	v, err := parseNumber(strings.ReplaceAll(text, "_", ""))
	if err != nil {
		c.wrong(n, "%v", err)
	}
	return v
}

// binary refuses what would be refused for every event, and compiles patterns that are the same
// for every event.
func (c *checker) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "..":
		from, isFrom := n.Left.(*ast.IntegerNode)
		to, isTo := n.Right.(*ast.IntegerNode)
		// A range whose ends come from data is bounded when it is evaluated.
		if isFrom && isTo && to.Value-from.Value >= mostInRange {
			c.wrong(n, "a range of more than %d numbers, which could take a long time", mostInRange)
		}
	case "matches":
		// A pattern that comes from data is compiled for each event: see matches.
		if text, ok := n.Right.(*ast.StringNode); ok {
			p, err := newPattern(text.Value)
			if err != nil {
				c.wrong(n.Right, "%v", err)
			}
			c.filter.patterns[n] = p
		}
	}
}
