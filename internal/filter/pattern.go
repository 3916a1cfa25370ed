package filter

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/expr-lang/expr/ast"
)

// pattern is a regular expression, and how much of it there is. The size decides what a
// match costs.
type pattern struct {
	*regexp.Regexp
	size int
}

// mostPattern bounds the size of a pattern, once its repetitions are written out:
// the time of a match is the product of that and the length of the text.
const mostPattern = 1000

// newPattern reads a pattern. The syntax is RE2's, whose time grows with the length of the text
// and not with its content: no pattern hangs on a text that somebody made for it.
func newPattern(text string) (*pattern, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the pattern is wrong: %w", err)
	}
	// The size is found out first, since compiling takes time and memory by it.
	size := sizeOf(tree)
	if size > mostPattern {
		return nil, errors.New("the pattern is too large, and could take a long time")
	}
	compiled, err := regexp.Compile(text)
	return &pattern{compiled, size}, err
}

// sizeOf is how large a pattern is, once its repetitions are written out, as the compiler does
// it: x{1000} is a thousand of x. More than is allowed is not counted. An expression counts
// one, and each of its characters one more.
func sizeOf(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		size += sizeOf(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return min(size, mostPattern+1)
}

// patternCost is the steps that it takes to read a pattern. It is more than nearly all
// evaluations take in all.
const patternCost = 500

// matches reports whether a pattern is found anywhere in a text. A pattern that the event's data
// gives is compiled for each event, and takes the steps for that. It is a search: a pattern
// that must fit the whole text says so with ^ and $.
func (x *evaluation) matches(n *ast.BinaryNode, a, b any) bool {
	text, isText := a.(string)
	expression, isText2 := b.(string)
	if !isText || !isText2 {
		x.fail("matches compares a text with a pattern, not %s with %s", kind(a), kind(b))
	}
	p := x.filter.patterns[n]
	// The pattern was not a constant of the filter.
	if p == nil {
		x.step(patternCost + 10*len(expression))
		var err error
		if p, err = newPattern(expression); err != nil {
			x.fail("the pattern is wrong or too large")
		}
	}
	// What a match takes grows with both lengths.
	x.step(len(text) * p.size / 8)
	return p.MatchString(text)
}
