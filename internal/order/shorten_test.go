package order_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// longList is a list of n texts that is too long to be told whole.
func longList(n int) []any {
	var out []any
	for i := range n {
		out = append(out, fmt.Sprintf("element number %d of a list that is long", i))
	}
	return out
}

func manyNumbers(n, from int) (out []any) {
	for i := range n {
		out = append(out, jsondoc.Number(strconv.Itoa(from+i)))
	}
	return out
}

func TestLongValuesAreToldByWhatDiffers(t *testing.T) {
	list, text := longList(50), strings.Repeat("Ünïcode ", 300)
	with := func(l []any, at int, v ...any) []any { return slices.Insert(slices.Clone(l), at, v...) }
	put := func(l []any, at int, v any) []any { l = slices.Clone(l); l[at] = v; return l }
	object := func(n int) *jsondoc.Object {
		return jsondoc.NewObject(jsondoc.Member{Name: "fixed", Value: strings.Repeat("x", 1000)}, jsondoc.Member{Name: "n", Value: jsondoc.Number(strconv.Itoa(n))})
	}
	for name, tc := range map[string]struct {
		before, after any
		want          []order.Change
	}{
		"appended":             {list, with(list, 50, "new"), []order.Change{{Path: "x[#50..]", Before: []any{}, After: []any{"new"}}}},
		"put before":           {list, with(list, 0, "new"), []order.Change{{Path: "x[#0..]", Before: []any{}, After: []any{"new"}}}},
		"inserted":             {list, with(list, 7, "a", "b"), []order.Change{{Path: "x[#7..]", Before: []any{}, After: []any{"a", "b"}}}},
		"removed":              {list, list[1:], []order.Change{{Path: "x[#0..]", Before: list[:1], After: []any{}}}},
		"one changed":          {list, put(list, 7, "new"), []order.Change{{Path: "x[#7]", Before: list[7], After: "new"}}},
		"two changed":          {list, put(put(list, 7, "a"), 40, "b"), []order.Change{{Path: "x[#7]", Before: list[7], After: "a"}, {Path: "x[#40]", Before: list[40], After: "b"}}},
		"one changed and more": {list[:40], put(list[:41], 39, "new"), []order.Change{{Path: "x[#39..]", Before: list[39:40], After: []any{"new", list[40]}}}},
		"a field of an element": {[]any{object(1), object(2), object(3)}, []any{object(1), object(7), object(3)},
			[]order.Change{{Path: "x[#1].n", Before: jsondoc.Number("2"), After: jsondoc.Number("7")}}},
		"a list in a list":                    {[]any{list, "a"}, []any{with(list, 50, "new"), "a"}, []order.Change{{Path: "x[#0][#50..]", Before: []any{}, After: []any{"new"}}}},
		"a text that grew":                    {text, text + "more", []order.Change{{Path: "x[#2400..]", Before: "", After: "more"}}},
		"a character":                         {text + "é" + text, text + "è" + text, []order.Change{{Path: "x[#2400..]", Before: "é", After: "è"}}},
		"the same byte in another character":  {text + "Ü" + text, text + "Ž" + text, []order.Change{{Path: "x[#2400..]", Before: "Ü", After: "Ž"}}},
		"the same byte at the end of another": {text + "Ü" + text, text + "Ŝ" + text, []order.Change{{Path: "x[#2400..]", Before: "Ü", After: "Ŝ"}}},
		"all of many elements":                {manyNumbers(150, 1000), manyNumbers(150, 2000), []order.Change{{Path: "x[#0..]", Before: manyNumbers(150, 1000), After: manyNumbers(150, 2000)}}},
		"a list that becomes a text":          {list[:30], "none", []order.Change{{Path: "x", Before: list[:30], After: "none"}}},
		"short ones stay whole":               {[]any{"a"}, []any{"a", "b"}, []order.Change{{Path: "x", Before: []any{"a"}, After: []any{"a", "b"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := order.Diff(jsondoc.NewObject(jsondoc.Member{Name: "x", Value: tc.before}), jsondoc.NewObject(jsondoc.Member{Name: "x", Value: tc.after}))
			if diff := cmp.Diff(tc.want, got, cmp.Comparer(func(a, b *jsondoc.Object) bool { return jsondoc.Equal(a, b) })); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestValuesThatAreTooLongAreCutAndSaySo(t *testing.T) {
	before, after := strings.Repeat("å", 20_000), strings.Repeat("ø", 20_000)
	got := order.Diff(jsondoc.NewObject(jsondoc.Member{Name: "x", Value: before}), jsondoc.NewObject(jsondoc.Member{Name: "x", Value: after}))
	if len(got) != 1 || !got[0].Cut || got[0].Path != "x[#0..]" {
		t.Fatalf("%v", paths(got))
	}
	for _, v := range []any{got[0].Before, got[0].After} {
		s := v.(string)
		if len(s) > 9<<10 || !strings.HasSuffix(s, "…") || !utf8.ValidString(s) || !strings.HasPrefix(before+after, s[:2]) && !strings.HasPrefix(after, s[:2]) {
			t.Errorf("%d bytes: %.20s", len(s), s)
		}
	}
	got = order.Diff(jsondoc.NewObject(), jsondoc.NewObject(jsondoc.Member{Name: "x", Value: longList(1000)}))
	if len(got) != 1 || !got[0].Cut || got[0].Before != nil || !strings.HasPrefix(got[0].After.(string), `["element number 0 of`) {
		t.Errorf("%+.200v", got)
	}
	data, err := json.Marshal(got)
	if err != nil || !strings.Contains(string(data), `"cut":true`) {
		t.Errorf("%v in %.100s", err, data)
	}
	var back []order.Change
	if err := json.Unmarshal(data, &back); err != nil || !back[0].Cut {
		t.Errorf("%v, %v", back[0].Cut, err)
	}
	both := order.Conflicts([]order.Change{{Path: "x", Before: before}}, []order.Change{{Path: "x", Before: after, After: "ours"}})
	if len(both) != 1 || !both[0].Cut || both[0].After != "ours" || len(both[0].Theirs.(string)) > 9<<10 {
		t.Errorf("a conflict: %+.200v", both)
	}
}

// An order that grows by a little, again and again, has a history that grows by
// a little, too.
func TestTheHistoryOfAListThatGrowsGrowsAsTheListDoes(t *testing.T) {
	for name, grow := range map[string]func(i int) any{
		"a list": func(i int) any { return longList(i) },
		"a text": func(i int) any { return strings.Repeat("word ", 20*i) },
		"a list of objects": func(i int) any {
			var l []any
			for j := range i {
				l = append(l, jsondoc.NewObject(jsondoc.Member{Name: "n", Value: jsondoc.Number(strconv.Itoa(j))}, jsondoc.Member{Name: "text", Value: strings.Repeat("x", 100)}))
			}
			return l
		},
	} {
		o, size := ordertest.Doc(t, `{"id":"o","status":"New"}`), map[int]int{}
		for i := 1; i <= 400; i++ {
			p, err := order.APIPatch.Apply(o, jsondoc.NewObject(jsondoc.Member{Name: "grows", Value: grow(i)}))
			if err != nil || len(p.Changes) != 1 {
				t.Fatalf("%s: %v, %d changes", name, err, len(p.Changes))
			}
			data, _ := json.Marshal(p.Changes)
			o, size[(i-1)/100] = p.Doc, size[(i-1)/100]+len(data)
		}
		if size[3] > 100*1500 || size[3] > size[0] {
			t.Errorf("%s: each 100 changes take %v bytes", name, size)
		}
	}
}

// What is told of two values says exactly how one becomes the other.
func TestWhatDiffersIsToldExactly(t *testing.T) {
	element := rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]string{"a", "b", "cä", strings.Repeat("long and long ", 30)}), func(s string) any { return s }),
		rapid.Map(rapid.IntRange(0, 3), func(n int) any { return jsondoc.Number(strconv.Itoa(n)) }),
		rapid.Custom(func(t *rapid.T) any {
			return jsondoc.NewObject(jsondoc.Member{Name: "text", Value: strings.Repeat("y", rapid.IntRange(0, 600).Draw(t, "n"))},
				jsondoc.Member{Name: "kind", Value: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "kind")})
		}))
	lists := rapid.SliceOfN(element, 0, 8)
	rapid.Check(t, func(t *rapid.T) {
		common := lists.Draw(t, "begin")
		before := slices.Concat(common, lists.Draw(t, "before"), common)
		after := slices.Concat(common, lists.Draw(t, "after"), common)
		texts := rapid.SliceOfN(rapid.SampledFrom([]string{"ä", "ö", "w ", strings.Repeat("Ünicode ", 100)}), 0, 6)
		make := func(l []any, s string) *jsondoc.Object {
			return jsondoc.NewObject(jsondoc.Member{Name: "list", Value: l}, jsondoc.Member{Name: "text", Value: strings.Join(texts.Draw(t, s), "")})
		}
		a, b := make(before, "was"), make(after, "is")
		changes := order.Diff(a, b)
		got := any(a)
		for _, c := range slices.Backward(changes) { // from behind, so that positions stay true
			if c.Cut {
				return
			}
			got = withChange(t, got, c.Path, c)
		}
		if !jsondoc.Equal(got, b) {
			t.Fatalf("before %s\nafter  %s\ntold   %v\nmakes  %v", a.JSON(), b.JSON(), paths(changes), got)
		}
	})
}

var pathStep = regexp.MustCompile(`^\.?(?:([a-z]+)|\[#(\d+)(\.\.)?\])`)

// withChange returns a value with a change made at a path.
func withChange(t *rapid.T, v any, path string, c order.Change) any {
	if path == "" {
		if !jsondoc.Equal(v, c.Before) {
			t.Fatalf("%s was %v, and is told to have been %v", c.Path, v, c.Before)
		}
		return c.After
	}
	m := pathStep.FindStringSubmatch(path)
	if m == nil {
		t.Fatalf("the path %q", path)
	}
	rest, n := path[len(m[0]):], 0
	if m[2] != "" {
		n, _ = strconv.Atoi(m[2])
	}
	switch v := v.(type) {
	case *jsondoc.Object:
		o := v.Clone()
		was, _ := o.Get(m[1])
		o.Set(m[1], withChange(t, was, rest, c))
		return o
	case []any:
		if m[3] == "" {
			l := slices.Clone(v)
			l[n] = withChange(t, v[n], rest, c)
			return l
		}
		was := c.Before.([]any)
		if !jsondoc.Equal(was, v[n:n+len(was)]) {
			t.Fatalf("%s: not what was there", c.Path)
		}
		return slices.Concat(v[:n], c.After.([]any), v[n+len(was):])
	case string:
		runes, was := []rune(v), []rune(c.Before.(string))
		if string(runes[n:n+len(was)]) != string(was) {
			t.Fatalf("%s: not what was there", c.Path)
		}
		return string(runes[:n]) + c.After.(string) + string(runes[n+len(was):])
	}
	t.Fatalf("%s: nothing is there", c.Path)
	return nil
}
