package filter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// check refuses what parses and makes no sense, or could take long, and makes
// ready what is the same for every event.
func (f *Filter) check() error {
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
	err    error // the first mistake
}

// Visit implements ast.Visitor.
func (c *checker) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		inner := &innerLoop{}
		ast.Walk(&n.Node, inner)
		if inner.found != nil {
			c.wrong(inner.found, "a loop within a loop, which could take a long time")
		}
	case *ast.BuiltinNode:
		c.function(n, n.Name)
	case *ast.IdentifierNode:
		if n.Value == "$env" {
			c.wrong(n, "there is no $env here")
		}
	case *ast.FloatNode:
		c.filter.literals[n] = c.literal(n)
	case *ast.BinaryNode:
		c.binary(n)
	}
}

func (c *checker) wrong(at ast.Node, format string, args ...any) {
	if c.err == nil {
		c.err = placed(c.filter.text, at, fmt.Sprintf(format, args...))
	}
}

type innerLoop struct{ found ast.Node }

// Visit implements ast.Visitor.
func (i *innerLoop) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		i.found = *node
	}
}

func (c *checker) function(at ast.Node, name string) {
	if _, known := loops[name]; known {
		return
	}
	if _, known := functions[name]; known {
		return
	}
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

// literalText matches a number as it is written in a filter.
var literalText = regexp.MustCompile(`^[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]+)?`)

// literal reads a number with a point from the text itself: the parser has made a
// float of it, which is another number.
func (c *checker) literal(n *ast.FloatNode) any {
	text := literalText.FindString(string([]rune(c.filter.text)[n.Location().From:]))
	v, err := parseNumber(strings.ReplaceAll(text, "_", ""))
	if err != nil {
		c.wrong(n, "%v", err)
	}
	return v
}

func (c *checker) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "..":
		from, isFrom := n.Left.(*ast.IntegerNode)
		to, isTo := n.Right.(*ast.IntegerNode)
		if isFrom && isTo && to.Value-from.Value >= mostInRange {
			c.wrong(n, "a range of more than %d numbers, which could take a long time", mostInRange)
		}
	case "matches":
		if text, ok := n.Right.(*ast.StringNode); ok {
			p, err := newPattern(text.Value)
			if err != nil {
				c.wrong(n.Right, "%v", err)
			}
			c.filter.patterns[n] = p
		}
	}
}
