package dash

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
)

// placesOf are the places in which two orders differ.
func placesOf(t rapid.TB, a, b json.RawMessage) (out []string) {
	t.Helper()
	was, err := schema.ParseStored(a)
	if err != nil {
		t.Fatalf("%v: %.200s", err, a)
	}
	is, err := schema.ParseStored(b)
	if err != nil {
		t.Fatalf("%v: %.200s", err, b)
	}
	for _, c := range order.Differences(was, is) {
		out = append(out, c.Path)
	}
	return out
}

// TestWithoutEqual: what two long orders differ in is found in what is left of them, however
// their lines were changed, added, removed or moved; and little is left.
func TestWithoutEqual(t *testing.T) {
	filler := strings.Repeat("x", 1000)
	draw := func(lines []string) json.RawMessage {
		return json.RawMessage(`{"id":"1","status":"New","orderForm":{"total":10.50,"x":{"y":{"z":1,"w":2}},"lineItems":[` + strings.Join(lines, ",") + `]},"tags":["a","b"]}`)
	}
	var all []string
	for i := range longList/1000 + 5 {
		all = append(all, fmt.Sprintf(`{"lineItemId":"L%d","quantity":1,"displayName":"%s"}`, i, filler))
	}
	rapid.Check(t, func(t *rapid.T) {
		lines := slices.Clone(all)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			at := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			switch rapid.SampledFrom([]string{"change", "add", "remove", "move"}).Draw(t, "how") {
			case "change":
				lines[at] = strings.Replace(lines[at], `"quantity":1`, `"quantity":2`, 1)
			case "add":
				lines = slices.Insert(lines, at, fmt.Sprintf(`{"lineItemId":"N%d","quantity":1}`, rapid.IntRange(0, 1000).Draw(t, "id")))
			case "remove":
				lines = slices.Delete(lines, at, at+1)
			case "move":
				line := lines[at]
				lines = append(slices.Delete(lines, at, at+1), line)
			}
		}
		a, b := draw(all), draw(lines)
		for _, change := range [][2]string{{`"total":10.50`, `"total":11`}, {`"z":1`, `"z":"1"`}, {`,"tags":["a","b"]`, `,"tags":["b"]`}, {`"status":"New",`, ``}, {`"w":2`, `"W":3`}} {
			if rapid.Bool().Draw(t, change[0]) {
				b = json.RawMessage(strings.Replace(string(b), change[0], change[1], 1))
			}
		}
		left, right := withoutEqual(a, b)
		if want, got := placesOf(t, a, b), placesOf(t, left, right); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
	// The first line has moved behind those between, which are where they were.
	between := all[1 : len(all)-1]
	moved := slices.Concat([]string{`{"lineItemId":"new"}`}, between, all[:1])
	a, b := draw(all), draw(moved)
	left, right := withoutEqual(a, b)
	if want, got := []string{"orderForm.lineItems"}, placesOf(t, left, right); !slices.Equal(got, want) || !slices.Equal(placesOf(t, a, b), want) || len(left) > 5000 {
		t.Errorf("a line that has moved behind others: %v in %d bytes", got, len(left))
	}
	for name, lines := range map[string][]string{
		"a line that was changed": append([]string{strings.Replace(all[0], `"quantity":1`, `"quantity":3`, 1)}, all[1:]...),
		"a new line":              slices.Insert(slices.Clone(all), 1, `{"lineItemId":"new"}`),
	} {
		if a, b := withoutEqual(draw(all), draw(lines)); len(a)+len(b) > 3000 {
			t.Errorf("%s: %d bytes are left", name, len(a)+len(b))
		}
	}
}

// TestWithoutEqualOfOtherTexts: what is no JSON, and short lists, stay as they are.
func TestWithoutEqualOfOtherTexts(t *testing.T) {
	for _, c := range [][4]string{
		{`{"a":[1,2]}`, `{"a":[1,3]}`, `{"a":[1,2]}`, `{"a":[1,3]}`},
		{`{"a":1`, `{"a":2`, `{"a":1`, `{"a":2`},
		{`{"a":1}`, `[1]`, `{"a":1}`, `[1]`},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, `{}`, `{}`},
		{`{"a":1}`, `{"a":1.0,"c":3}`, `{"a":1}`, `{"a":1.0,"c":3}`},
	} {
		if a, b := withoutEqual(json.RawMessage(c[0]), json.RawMessage(c[1])); string(a) != c[2] || string(b) != c[3] {
			t.Errorf("%s and %s: %s and %s", c[0], c[1], a, b)
		}
	}
}
