// Package filter reads and judges the filters of endpoints: expressions of
// github.com/expr-lang/expr over an event. That module parses a filter and checks
// its types; it is judged here, for three reasons. Numbers are exact decimals, for
// they may be prices. What a judgement may cost is counted while it runs. And only
// those parts of the event's data are read that the filter names.
package filter

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// MaxLength bounds a filter's text, in bytes.
const MaxLength = 4096

// Filter is an expression that is true of the events that are wanted. It is not
// changed once made, and safe for concurrent use.
type Filter struct {
	text     string
	tree     ast.Node
	literals map[*ast.FloatNode]any       // numbers with a point, exact
	patterns map[*ast.BinaryNode]*pattern // of `matches`, where they are constant
}

// names is what a filter can name, with the types that its checks go by.
type names struct {
	ID        string    `expr:"id"`
	Type      string    `expr:"type"`
	Timestamp time.Time `expr:"timestamp"`
	OrderID   string    `expr:"orderId"`
	Subject   struct {
		Kind string `expr:"kind"`
		ID   string `expr:"id"`
	} `expr:"subject"`
	Data any `expr:"data"`
}

// Parse reads a filter. The error is for whoever wrote it: it says what is wrong,
// and where it can, in which line and column.
func Parse(text string) (*Filter, error) {
	if f := parsed.get(text); f != nil {
		return f, nil
	}
	if len(text) > MaxLength {
		return nil, fmt.Errorf("must be at most %d bytes long", MaxLength)
	}
	program, err := expr.Compile(text, expr.Env(&names{}), expr.AsBool(), expr.Optimize(false))
	if err != nil {
		return nil, mistake(text, err)
	}
	f := &Filter{text: text, tree: program.Node(), literals: map[*ast.FloatNode]any{}, patterns: map[*ast.BinaryNode]*pattern{}}
	if err := f.check(); err != nil {
		return nil, err
	}
	parsed.put(f)
	return f, nil
}

// mistake says what is wrong with a filter, and where. An error without a place
// is about all of it, as that its result is a number.
func mistake(text string, err error) error {
	if at, ok := errors.AsType[*file.Error](err); ok {
		return fmt.Errorf("line %d, column %d: %s", at.Line, at.Column+1, at.Message)
	}
	tree, unread := parser.Parse(text)
	if unread != nil {
		return err
	}
	return placed(text, tree.Node, err.Error())
}

// placed says where in a filter something is wrong.
func placed(text string, node ast.Node, what string) error {
	at := (&file.Error{Location: node.Location(), Message: what}).Bind(file.NewSource(text))
	return fmt.Errorf("line %d, column %d: %s", at.Line, at.Column+1, at.Message)
}

// cache keeps filters that were read: an endpoint that changes has those of all
// the others asked for again, where events are stored.
type cache struct {
	mu      sync.Mutex
	filters map[string]*Filter
}

// mostCached bounds the filters that are kept.
const mostCached = 20_000

var parsed = cache{filters: map[string]*Filter{}}

func (c *cache) get(text string) *Filter {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.filters[text]
}

func (c *cache) put(f *Filter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.filters) >= mostCached {
		clear(c.filters)
	}
	c.filters[f.text] = f
}
