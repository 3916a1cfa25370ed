package oms

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
	"github.com/go-json-experiment/json"
)

// Filter says which events of its types an endpoint gets: an expression of
// github.com/expr-lang/expr over `id`, `type`, `timestamp`, `orderId`, `subject`
// and `data`, as `data.orderForm.total > 1000 && "vip" in data.tags`.
type Filter struct{ program *vm.Program }

// maxFilter bounds a filter's length, in bytes.
const maxFilter = 4096

// ParseFilter compiles a filter, nil for none. A mistake is [Invalid], names
// "filter" and says where in it.
func ParseFilter(text string) (*Filter, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxFilter {
		return nil, Wrong("filter", "must be at most %d bytes long", maxFilter)
	}
	program, err := expr.Compile(text, expr.Env(&filterEnv{}), expr.AsBool())
	if err != nil {
		return nil, Wrong("filter", "%s", filterMistake(text, err))
	}
	tree := program.Node()
	if b, ok := tree.(*ast.BinaryNode); ok && strings.Contains("+-*/%^**", b.Operator) {
		return nil, Wrong("filter", "%s", placed(text, b, "must be true or false, not the result of "+b.Operator))
	}
	loops := &loops{}
	ast.Walk(&tree, loops)
	if at := loops.nested; at != nil {
		return nil, Wrong("filter", "%s", placed(text, at, "a loop within a loop, which could take a long time"))
	}
	return &Filter{program}, nil
}

// loops finds a predicate within a predicate, as any(a, any(b, #)): filters run
// where events are stored, and others wait for them.
type loops struct{ nested ast.Node }

// Visit implements ast.Visitor. It is called for a predicate's own nodes first.
func (l *loops) Visit(node *ast.Node) {
	if predicate, ok := (*node).(*ast.PredicateNode); ok {
		inner := &innerLoop{}
		ast.Walk(&predicate.Node, inner)
		if inner.found != nil {
			l.nested = inner.found
		}
	}
}

type innerLoop struct{ found ast.Node }

func (i *innerLoop) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		i.found = *node
	}
}

// filterMistake says what is wrong with a filter, and where. An error without a
// place is about all of it, as that its result is a number.
func filterMistake(text string, err error) string {
	if at, ok := errors.AsType[*file.Error](err); ok {
		return fmt.Sprintf("line %d, column %d: %s", at.Line, at.Column+1, at.Message)
	}
	tree, unread := parser.Parse(text)
	if unread != nil {
		return err.Error()
	}
	return placed(text, tree.Node, err.Error())
}

// placed says where in a filter a mistake is.
func placed(text string, node ast.Node, mistake string) string {
	at := (&file.Error{Location: node.Location(), Message: mistake}).Bind(file.NewSource(text))
	return fmt.Sprintf("line %d, column %d: %s", at.Line, at.Column+1, at.Message)
}

// payload is an event as filters see it, read once for all of them.
type payload struct {
	event *Event
	env   *filterEnv
}

// filterEnv is what a filter can name.
type filterEnv struct {
	ID        string    `expr:"id"`
	Type      string    `expr:"type"`
	Timestamp time.Time `expr:"timestamp"`
	OrderID   string    `expr:"orderId"`
	Subject   Subject   `expr:"subject"`
	Data      any       `expr:"data"`
}

// Admits reports whether an event passes. One that the expression makes no
// sense for, as when it compares a field that is not there, does not.
func (f *Filter) Admits(p *payload) bool {
	if f == nil {
		return true
	}
	if p.env == nil {
		e := p.event
		p.env = &filterEnv{ID: e.ID, Type: e.Type, Timestamp: e.Timestamp, OrderID: e.OrderID, Subject: e.Subject}
		if json.Unmarshal(e.Data, &p.env.Data) != nil {
			return false
		}
	}
	result, err := expr.Run(f.program, p.env)
	admitted, _ := result.(bool)
	return err == nil && admitted
}
