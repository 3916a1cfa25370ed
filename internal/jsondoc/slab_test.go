package jsondoc

import (
	"fmt"
	"strings"
	"testing"
)

// Objects of one document stand side by side in memory: what is added to one, or taken
// from it, must not reach the next.
func TestObjectsOfADocumentDoNotTouchEachOther(t *testing.T) {
	text := `{"list":[` + strings.TrimSuffix(strings.Repeat(`{"a":"x","b":[1,2]},`, 200), ",") + `]}`
	parsed, err := Read([]byte(text), Reading{Levels: MaxDepth})
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]*Object{"parsed": parsed, "clone": parsed.Clone(), "respelled": Respelled(parsed, nil).(*Object)} {
		before := string(doc.JSON())
		if before != text {
			t.Fatalf("%s: it is %s", name, before)
		}
		objects := doc.Objects("list")
		for i, o := range objects {
			switch i % 4 {
			case 0:
				o.Set("c", Number("7"))
			case 1:
				o.Delete("a")
			case 2:
				o.Set("b", append(o.List("b"), "more"))
			}
		}
		for i, o := range objects {
			want := []string{`{"a":"x","b":[1,2],"c":7}`, `{"b":[1,2]}`, `{"a":"x","b":[1,2,"more"]}`, `{"a":"x","b":[1,2]}`}[i%4]
			if got := string(o.JSON()); got != want {
				t.Fatalf("%s: object %d is %s, not %s", name, i, got, want)
			}
		}
	}
}

// Texts of all lengths stand behind one another in a slab, until it is full.
func TestTextsOfASlab(t *testing.T) {
	var s slabs
	var want, got []string
	for n := range 3000 {
		text := strings.Repeat(fmt.Sprint(n%10), n%1500)
		want, got = append(want, text), append(got, s.string([]byte(text)))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("text %d is %q", i, got[i])
		}
	}
}
