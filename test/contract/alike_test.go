package contract

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// put sets the value at a path in a document; nil removes it.
func put(t *testing.T, doc map[string]any, path string, v any) {
	t.Helper()
	parent, last := any(doc), path
	if i := strings.LastIndex(path, "."); i >= 0 {
		parent, last = walk(t, doc, path[:i]), path[i+1:]
	}
	into, ok := parent.(map[string]any)
	if !ok {
		t.Fatalf("%s is in no object", path)
	}
	if v == nil {
		delete(into, last)
		return
	}
	into[last] = v
}

// walk returns the value at a path within a document.
func walk(t *testing.T, v any, path string) any {
	t.Helper()
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		next, ok := member(v, step)
		if !ok {
			t.Fatalf("there is no %s in %s", step, path)
		}
		v = next
	}
	return v
}

// unlike reports every difference of two documents, with its path.
func unlike(t *testing.T, what string, got, want any, path string) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for name := range w {
			if _, there := g[name]; !there {
				t.Errorf("%s: %s.%s is lost", what, path, name)
				continue
			}
			unlike(t, what, g[name], w[name], path+"."+name)
		}
		for name := range g {
			if _, there := w[name]; !there {
				t.Errorf("%s: %s.%s came from nowhere: %s", what, path, name, written(g[name]))
			}
		}
		return
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			unlike(t, what, g[i], w[i], fmt.Sprintf("%s[%d]", path, i))
		}
		return
	}
	if written(got) != written(want) {
		t.Errorf("%s: %s is %s, want %s", what, path, written(got), written(want))
	}
}

// alike fails the test unless two JSON texts say the same, to the digit.
func alike(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if string(got) != string(want) {
		unlike(t, what, tree(t, got), tree(t, want), "")
	}
}

// tree is a JSON text as maps and lists.
func tree(t *testing.T, raw []byte) (v any) {
	t.Helper()
	decode(t, raw, &v)
	return v
}

// raised is a document as it goes to a step: the first letter of each name is
// raised, unless the object has such a name already.
func raised(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for n, e := range v {
			r, size := utf8.DecodeRuneInString(n)
			up := n
			if size > 0 {
				up = string(unicode.ToUpper(r)) + n[size:]
			}
			if _, taken := v[up]; taken {
				up = n
			}
			out[up] = raised(e)
		}
		return out
	case []any:
		return each(v, raised)
	}
	return v
}
