package contract

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// number is a JSON number with exactly this text: number("10.10") is not 10.1.
type number = json.Number

// A value of JSON that Go has no other word for.
type special string

const (
	null    special = "null"    // the JSON null; a member that is not there at all is nil
	nowhere special = "nowhere" // the path may end earlier, too: for tables of which other rows show how it is spelled
)

func is(t *testing.T, raw []byte, path string, want any) {
	t.Helper()
	if how := differs(t, raw, path, want); how != "" {
		t.Errorf("%s%s in %s", path, how, cut(raw))
	}
}

// differs says how the value at a path in JSON differs from the wanted one; ""
// if it does not. The types must agree, too: a Go string is a JSON text, an int
// or a number is a JSON number of that text, []string is a list of texts, and
// null is null. nil says that the last member of the path does not exist; what
// it would be a member of must exist, so that a misspelled path differs.
func differs(t *testing.T, raw []byte, path string, want any) string {
	t.Helper()
	got, rest := lookUp(t, raw, path)
	switch {
	case want == nowhere && len(rest) > 0:
	case want == nil && len(rest) == 1 && holds(got):
	case len(rest) > 0:
		return fmt.Sprintf(": there is no %s, want %s", strings.Join(rest, "."), written(want))
	case want == nil || written(got) != written(want):
		return fmt.Sprintf(" is %s, want %s", written(got), written(want))
	}
	return ""
}

// holds reports whether a value can have members.
func holds(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// written is a value as JSON, which shows its type.
func written(v any) string {
	if v == nil {
		return "nothing"
	}
	if s, ok := v.(special); ok {
		return string(s)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T: %v", v, err)
	}
	return string(out)
}

// equals fails the test unless two values are of one type and equal. A list of
// nothing is equal to none.
func equals(t *testing.T, what string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(got, want) || reflect.TypeOf(got) == reflect.TypeOf(want) && empty(got) && empty(want) {
		return
	}
	t.Errorf("%s: %#v, want %#v", what, got, want)
}

func empty(v any) bool {
	list := reflect.ValueOf(v)
	return list.Kind() == reflect.Slice && list.Len() == 0
}

// at finds a value in JSON, as number where it is one; nil where there is none.
func at(t *testing.T, raw []byte, path string) any {
	t.Helper()
	v, rest := lookUp(t, raw, path)
	if len(rest) > 0 {
		return nil
	}
	return v
}

// lookUp goes along a path in JSON as far as it leads, and returns the value there
// and the steps that are left.
func lookUp(t *testing.T, raw []byte, path string) (v any, rest []string) {
	t.Helper()
	decode(t, raw, &v)
	rest = strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	for ; len(rest) > 0; rest = rest[1:] {
		next, ok := member(v, rest[0])
		if !ok {
			break
		}
		v = next
	}
	if v == nil {
		v = null
	}
	return v, rest
}

// member returns a member of an object, or an element of a list by its number.
func member(v any, step string) (any, bool) {
	switch x := v.(type) {
	case map[string]any:
		m, ok := x[step]
		return m, ok
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(x) {
			return x[i], true
		}
	}
	return nil, false
}
