package contract

import "testing"

// The comparison that the other tests rely on must see each of these differences.
func TestTheComparisonTellsTypesApart(t *testing.T) {
	const doc = `{"number":2,"exact":10.10,"text":"2","yes":true,"none":null,"empty":"","list":["a b"],"numbers":[2],"object":{"a":[{"b":1.0}]},"nothing":{},"word":"null"}`
	for _, row := range []struct {
		path  string
		same  any
		other []any
	}{
		{"number", 2, []any{"2", number("2.0"), true, null, nil, []int{2}, nowhere}},
		{"exact", number("10.10"), []any{number("10.1"), "10.10", 10.1, 10}},
		{"text", "2", []any{2, number("2"), " 2", []string{"2"}, nil, null}},
		{"yes", true, []any{"true", 1, false}},
		{"none", null, []any{nil, "null", "", false, 0, []string{}, nowhere}},
		{"word", "null", []any{null, nil}},
		{"empty", "", []any{nil, null, []string{}}},
		{"list", []string{"a b"}, []any{[]string{"a", "b"}, "[a b]", []string{}, nil}},
		{"numbers", []int{2}, []any{[]string{"2"}, 2}},
		{"object.a[0].b", number("1.0"), []any{1, "1.0", nil}},
		{"object.a", []any{map[string]number{"b": "1.0"}}, []any{[]any{map[string]int{"b": 1}}, []any{}}},
		{"nothing", map[string]any{}, []any{[]any{}, null, nil}},
		{"absent", nil, []any{null, "", 0, false}},
		{"object.absent", nil, []any{null}},
		{"list[1]", nil, []any{null}},
		{"absent.below", nowhere, []any{nil, null}},
		{"text.below", nowhere, []any{nil}},
		{"none.below", nowhere, []any{nil}},
		{"list[1].below", nowhere, []any{nil}},
	} {
		if how := differs(t, []byte(doc), row.path, row.same); how != "" {
			t.Errorf("%s%s", row.path, how)
		}
		for _, other := range row.other {
			if differs(t, []byte(doc), row.path, other) == "" {
				t.Errorf("%s passes for %T %v", row.path, other, other)
			}
		}
	}
}
