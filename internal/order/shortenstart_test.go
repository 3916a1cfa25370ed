package order

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// A change that shows a part of a long value shows the beginning of its JSON, to the letter.
func TestTheStartOfALongValue(t *testing.T) {
	for _, v := range []any{
		[]any{strings.Repeat("ä", mostValue), "b"},
		[]any{jsondoc.NewObject(jsondoc.Pair("a\"", strings.Repeat("\n", mostValue))), nil, true},
		jsondoc.NewObject(jsondoc.Pair("x", []any{jsondoc.Number("1"), jsondoc.NewObject()}), jsondoc.Pair("y", strings.Repeat("z", mostValue-30)), jsondoc.Pair("w", strings.Repeat("z", mostValue))),
	} {
		whole := string(jsondoc.AppendValue(nil, v, false))
		start := string(appendStart(nil, v))
		if start[:mostValue] != whole[:mostValue] {
			t.Errorf("it begins %.80s, not %.80s", start, whole)
		}
		if len(start) > 2*mostValue+100 && len(whole) > 3*mostValue {
			t.Errorf("%d bytes of %d are made", len(start), len(whole))
		}
	}
	list := make([]any, 100_000)
	if got := len(appendStart(nil, list)); got > 2*mostValue {
		t.Errorf("%d bytes are made of a list that is cut at %d", got, mostValue)
	}
}
