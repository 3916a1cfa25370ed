package rerun

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// Bounds of what is kept of a comparison.
const (
	mostDifferences = 50
	mostValueBytes  = 1 << 10 // of one value of a difference, as JSON
)

// A shadow is slower if it took twice as long as its live step, and a second at least: what is
// quicker than that holds up nobody.
const (
	shadowSlower     = 2
	shadowSlowerFrom = time.Second
)

// CompareShadow compares what a shadow's answer would have done with what the answer of its
// live step did. It also compares how long the two attempts took.
func CompareShadow(live, shadow *Decision, was, is *attempt.Attempt) *attempt.Comparison {
	c := CompareCalls(live, shadow, &Answer{DurationMs: was.DurationMs}, &Answer{DurationMs: is.DurationMs},
		Options{Slower: shadowSlower, SlowerFrom: shadowSlowerFrom})
	out := &attempt.Comparison{With: was.ID, Result: attempt.Result(c.Result), More: max(0, len(c.Differences)-mostDifferences)}
	for _, d := range c.Differences[:min(mostDifferences, len(c.Differences))] {
		out.Differences = append(out.Differences, attempt.Difference{Path: d.Path, Live: valueText(d.Recorded), Shadow: valueText(d.Now)})
	}
	return out
}

// valueText returns a value as JSON, or the text "…" for one that is too large to be kept.
func valueText(v any) jsontext.Value {
	text := jsondoc.AppendValue(nil, v, false)
	if len(text) > mostValueBytes {
		return jsontext.Value(`"…"`)
	}
	return text
}
