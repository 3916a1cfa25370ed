package rerun

import (
	"cmp"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
)

// Difference is one field in which two decisions differ.
type Difference struct {
	// Path is a field of the decision, as result or reason, or one of what became of the
	// order or the cart, as order.properties[Score].value.
	Path string `json:"path"`
	// Recorded and Now are its values; nil where there is none.
	Recorded any `json:"recorded"`
	Now      any `json:"now"`
}

// Options say what of two decisions is compared, and how exactly.
type Options struct {
	// Ignore are patterns of paths that do not count, with * for any part of a name. A
	// pattern counts for what lies beneath its path, too, and in any letter case.
	Ignore []string
	// Tolerance is by how much two numbers may differ, texts that are numbers included.
	Tolerance decimal.Decimal
	// Slower is how many times as long as before a call may take without being slower; 0:
	// any. What is below SlowerFrom is never slower.
	Slower     float64
	SlowerFrom time.Duration
}

// Result is what a comparison came to.
type Result string

// The results, the worst last.
const (
	Same      Result = "same"
	Slower    Result = "slower"    // the same, and it took too long
	Different Result = "different" // another decision
	Broken    Result = "failed"    // no answer that could be taken, where there was one; or no connection
)

// Comparison is two decisions beside each other.
type Comparison struct {
	Result      Result       `json:"result"`
	Differences []Difference `json:"differences,omitempty"`
}

// CompareCalls compares what came of a call with what comes of it now. It adds to [Compare]
// how long both took.
func CompareCalls(recorded, now *Decision, was, is *Answer, o Options) Comparison {
	c := Comparison{Differences: Compare(recorded, now, o)}
	took := time.Duration(is.DurationMs * float64(time.Millisecond))
	switch {
	case recorded.Outcome == Answered && now.Outcome != Answered,
		is.Unreached: // which says nothing of what the endpoint would do, whatever the record has
		c.Result = Broken
	case len(c.Differences) > 0:
		c.Result = Different
	case o.Slower > 0 && took >= o.SlowerFrom && is.DurationMs > o.Slower*was.DurationMs:
		c.Result = Slower
	default:
		c.Result = Same
	}
	return c
}

// Compare returns the fields in which two decisions differ. Numbers are compared by value,
// times by instant, names without regard to case. The order of members does not count, nor
// that of lists whose elements have keys, nor of sets. Texts that are not known in one of
// the two, as the events of some recorded decisions, are not compared.
func Compare(recorded, now *Decision, o Options) []Difference {
	c := comparer{Options: o}
	c.field("outcome", string(recorded.Outcome), string(now.Outcome))
	c.field("result", string(recorded.Result), string(now.Result))
	c.field("reason", recorded.Reason, now.Reason)
	c.field("cancels", recorded.Cancels, now.Cancels)
	c.field("stops", recorded.Stops, now.Stops)
	c.field("superseded", recorded.Superseded, now.Superseded)
	c.field("status", recorded.Status, now.Status)
	c.field("triggers", recorded.Triggers, now.Triggers)
	c.field("translateKey", recorded.TranslateKey, now.TranslateKey)
	c.field("passed", recorded.Passed, now.Passed)
	c.field("message", recorded.Message, now.Message)
	c.field("turnsOff", recorded.TurnsOff, now.TurnsOff)
	c.field("errors", listOf(recorded.Errors), listOf(now.Errors))
	c.field("cleared", sorted(listOf(recorded.Cleared)), sorted(listOf(now.Cleared)))
	c.field("validationErrors", listOf(recorded.ValidationErrors), listOf(now.ValidationErrors))
	c.field("validationWarnings", listOf(recorded.ValidationWarnings), listOf(now.ValidationWarnings))
	c.field("warnings", sorted(listOf(recorded.Warnings)), sorted(listOf(now.Warnings)))
	if recorded.Events != nil && now.Events != nil {
		c.field("events", sorted(listOf(recorded.Events)), sorted(listOf(now.Events)))
	}
	c.documents(recorded, now)
	return c.found
}

// comparer collects differences.
type comparer struct {
	Options
	found []Difference
}

// field compares one field. What is empty counts as not there.
func (c *comparer) field(at string, a, b any) {
	a, b = orNil(a), orNil(b)
	if !c.ignored(at) && !c.same(a, b) {
		c.found = append(c.found, Difference{at, a, b})
	}
}

// documents compares what became of the order or the cart.
func (c *comparer) documents(a, b *Decision) {
	if a.after != nil && b.after != nil {
		for _, d := range order.Differences(inOrder(a.after), inOrder(b.after)) {
			if !apart(d.Path) {
				c.field("order."+d.Path, d.Before, d.After)
			}
		}
		return
	}
	// Only the changes are known of one of the two: each that the other does not have left
	// its field as it was.
	was, is := byPath(a.Changes), byPath(b.Changes)
	for _, change := range slices.Concat(a.Changes, b.Changes) {
		x, y := change.Before, change.Before
		if found, ok := was[change.Path]; ok {
			x = found.After
		}
		if found, ok := is[change.Path]; ok {
			y = found.After
		}
		if at := "order." + change.Path; !slices.ContainsFunc(c.found, func(d Difference) bool { return d.Path == at }) {
			c.field(at, x, y)
		}
	}
}

func byPath(changes []order.Change) map[string]order.Change {
	m := map[string]order.Change{}
	for _, c := range changes {
		m[c.Path] = c
	}
	return m
}

// ignored reports whether a path is not compared.
func (c *comparer) ignored(at string) bool {
	return slices.ContainsFunc(c.Ignore, func(pattern string) bool { return matches(pattern, at) })
}

// matches reports whether a pattern is that of a path, or of one that it lies beneath. One
// without order. before it means a field of the order, too, unless it is one of the
// decision.
func matches(pattern, at string) bool {
	pattern, at = plain.Replace(strings.ToLower(strings.TrimSpace(pattern))), plain.Replace(strings.ToLower(at))
	for _, p := range []string{pattern, "order/" + pattern} {
		steps := strings.Count(p, "/") + 1
		head := strings.Join(strings.SplitN(at, "/", steps+1)[:min(steps, strings.Count(at, "/")+1)], "/")
		if ok, err := path.Match(p, head); ok && err == nil {
			return true
		}
	}
	return false
}

// plain makes of a path one whose steps path.Match tells apart: brackets would be classes of
// characters there.
var plain = strings.NewReplacer(".", "/", "[", "/", "]", "", `\`, "/")

// same reports whether two values are alike, within the tolerance.
func (c *comparer) same(a, b any) bool {
	if jsondoc.Equal(a, b) {
		return true
	}
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, c.same)
	case *jsondoc.Object:
		b, ok := b.(*jsondoc.Object)
		return ok && !slices.ContainsFunc(order.MemberNames(a, b), func(name string) bool { return !c.same(a.MemberOf(name, b), b.MemberOf(name, a)) })
	}
	x, ok := jsondoc.DecimalOf(a)
	y, also := jsondoc.DecimalOf(b)
	return ok && also && c.Tolerance.IsPositive() && x.Sub(y).Abs().Cmp(c.Tolerance) <= 0
}

// orNil is nil for what is empty: a field that says nothing is as one that is not there.
func orNil(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
	}
	return v
}

// listOf returns a list of texts or of structs as documents have lists.
func listOf[T any](list []T) []any {
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // texts and structs of texts always have a JSON form
	}
	v, err := jsondoc.ParseValue(text, nil)
	if err != nil {
		panic(err) // the JSON was just made
	}
	out, _ := v.([]any)
	return out
}

// sorted returns a list in an order of its own, for lists whose order says nothing.
func sorted(list []any) []any {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b any) int {
		return cmp.Compare(string(jsondoc.Canonical(nil, a)), string(jsondoc.Canonical(nil, b)))
	})
	return out
}
