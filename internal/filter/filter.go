// Package filter reads and evaluates the filters of endpoints: expressions of
// github.com/expr-lang/expr over an event. That module parses a filter and checks
// its types; it is evaluated here, for three reasons. Numbers are exact decimals, for
// they may be prices. What an evaluation may cost is counted while it runs. And only
// those parts of the event's data are read that the filter names.
//
// It knows no order and no endpoint: an event is a few texts, a time and some JSON. Begin
// to read with [Parse] and [Filter.Admits].
//
// A value of a filter is nil, a bool, a string, an int64 or a decimal, a time, a duration,
// a []any or a map[string]any. What the data holds is none of these at first: it is JSON
// that nobody has read, and is read, one level at a time, where a filter looks at it.
//
// Whatever takes longer the longer its data is takes steps for that before it begins. So a
// filter ends in time however large an event is, and at the same point on any machine. What
// cannot be evaluated is thrown, and caught where the evaluation began; the endpoint gets
// such an event (docs/contract.md#filters).
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

// MaxLength bounds a filter's text, in bytes. What it takes to parse one, and to store its
// tree, grows with that.
const MaxLength = 4096

// Filter is an expression that is true of the events that are wanted. It is not
// changed once made, and safe for concurrent use. All tenants that have the same text share
// one.
type Filter struct {
	text string
	tree ast.Node
	// literals are the numbers with a point, which the tree has as floats, exactly as they
	// are written.
	literals map[*ast.FloatNode]any
	// patterns are those of `matches` that do not depend on an event.
	patterns map[*ast.BinaryNode]*pattern
}

// names is what a filter can name, with the types that its checks go by. It is only looked
// at for these types; values come from [Event].
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
// and where it can, in which line and column. No lock is held while it parses.
func Parse(text string) (*Filter, error) {
	if f := parsed.get(text); f != nil {
		return f, nil
	}
	// The cache is asked first: what is in it has passed this.
	if len(text) > MaxLength {
		return nil, fmt.Errorf("must be at most %d bytes long", MaxLength)
	}
	// The optimizer of that module would compute constants as floats, and move the parts
	// that messages point to.
	program, err := expr.Compile(text, expr.Env(&names{}), expr.AsBool(), expr.Optimize(false))
	if err != nil {
		return nil, parseError(text, err)
	}
	f := &Filter{text: text, tree: program.Node(), literals: map[*ast.FloatNode]any{}, patterns: map[*ast.BinaryNode]*pattern{}}
	if err := f.check(); err != nil {
		return nil, err
	}
	// Only what passed all checks may be taken from the cache.
	parsed.put(f)
	return f, nil
}

// parseError says what is wrong with a filter, and where. An error without a place
// is about all of it, as that its result is a number. What the parsing module says is for
// people, and is repeated as it is.
func parseError(text string, err error) error {
	if at, ok := errors.AsType[*file.Error](err); ok {
		return fmt.Errorf("line %d, column %d: %s", at.Line, at.Column+1, at.Message)
	}
	// The tree has the place of the whole filter, and the parser has it without the types.
	tree, unread := parser.Parse(text)
	if unread != nil {
		return err
	}
	return placed(text, tree.Node, err.Error())
}

// placed says where in a filter something is wrong. Lines and columns count from 1.
// Messages so lead to the very character.
func placed(text string, node ast.Node, what string) error {
	at := (&file.Error{Location: node.Location(), Message: what}).Bind(file.NewSource(text))
	return fmt.Errorf("line %d, column %d: %s", at.Line, at.Column+1, at.Message)
}

// cache keeps filters that were read: an endpoint that changes has those of all
// the others asked for again, where events are stored. Filters never change, so whoever
// gets one may keep it.
type cache struct {
	mu      sync.Mutex
	filters map[string]*Filter
}

// mostCached bounds the parsed filters that are in memory. When there are more, all of them
// go: those that are in use come back one by one.
const mostCached = 20_000

// parsed is the cache of the whole process.
var parsed = cache{filters: map[string]*Filter{}}

// get returns the filter of a text, or nil.
func (c *cache) get(text string) *Filter {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.filters[text]
}

// put keeps a filter. Two goroutines may have read the same text; it does not matter whose
// stays.
func (c *cache) put(f *Filter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.filters) >= mostCached {
		clear(c.filters)
	}
	c.filters[f.text] = f
}
