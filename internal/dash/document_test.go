package dash

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

var tags = regexp.MustCompile(`<[^>]*>`)

// textOf is what one reads of a document.
func textOf(d Document) string { return html.UnescapeString(tags.ReplaceAllString(string(d.HTML), "")) }

func TestDocumentsKeepTheirOrderAndDigits(t *testing.T) {
	for given, want := range map[string]string{
		`{"b":1.50,"a":[2.0,-0,1E400,12345678901234567890.10],"c":{},"d":[],"e":null,"f":true}`: `{"b": 1.50,"a": [2.0,-0,1E400,12345678901234567890.10],"c": {},"d": [],"e": null,"f": true}`,
		`"\u00e9\ud83d\ude00\n\"\\"`: `"é😀\n\"\\"`,
		`"half \ud83d"`:              `"half \ud83d"`,
		`[[[]]]`:                     `[[[]]]`,
		`7`:                          `7`,
		`{"a":1,"a":2}`:              `{"a": 1,"a": 2}`,
		` {"a" : 1 } `:               `{"a": 1}`,
	} {
		d := newDocument("body", []byte(given), someLines, nil)
		if got := textOf(d); got != want || d.Cut || d.Bytes != int64(len(given)) {
			t.Errorf("%s is shown as %s (cut: %v)", given, got, d.Cut)
		}
	}
}

func TestDocumentsThatAreNoJSON(t *testing.T) {
	for _, given := range []string{"<b>no</b>", `{"a":`, "", "  ", `{"a":1}x`} {
		if d := newDocument("body", []byte(given), someLines, nil); d.HTML != "" || d.Text != given {
			t.Errorf("%q is shown as %q, %q", given, d.HTML, d.Text)
		}
	}
	if d := newDocument("body", []byte("a\xffb"), someLines, nil); d.Text != "a�b" {
		t.Errorf("%q", d.Text)
	}
	if d := newDocument("body", []byte(strings.Repeat("é", 100_000)), 100, nil); !d.Cut || len(d.Text) > 8000 || strings.Contains(d.Text, "�") {
		t.Errorf("%d bytes are shown, cut: %v", len(d.Text), d.Cut)
	}
}

// TestLargeDocuments: however long or deep one is, what is shown of it is bounded, is
// well formed, and says that there is more.
func TestLargeDocuments(t *testing.T) {
	long := "[" + strings.Repeat(`{"a":1},`, 100_000) + "1]"
	for name, given := range map[string]string{"long": long, "nested to the end": strings.Repeat(`[1,{"a":`, 4000) + "2" + strings.Repeat("}]", 4000), "one text": `["` + strings.Repeat("x", 1<<20) + `"]`} {
		d := newDocument("body", []byte(given), someLines, nil)
		if opened, closed := strings.Count(string(d.HTML), "<details"), strings.Count(string(d.HTML), "</details>"); opened != closed {
			t.Errorf("%s: %d are opened and %d closed", name, opened, closed)
		}
		if opened, closed := strings.Count(string(d.HTML), "<div"), strings.Count(string(d.HTML), "</div>"); opened != closed {
			t.Errorf("%s: %d are opened and %d closed", name, opened, closed)
		}
		if len(d.HTML) > 1<<20/2 || !d.Cut {
			t.Errorf("%s: %d bytes of HTML, cut: %v", name, len(d.HTML), d.Cut)
		}
	}
}

func TestNotesBesideMembers(t *testing.T) {
	d := newDocument("order", []byte(`{"a/b":[1,{"c":2}]}`), someLines, func(pointer string) *Note {
		return &Note{Text: pointer, URL: "/x?p=" + hostile, Title: hostile}
	})
	harmless(t, string(d.HTML))
	for _, pointer := range []string{"/a~1b/0", "/a~1b/1/c", "/a~1b/1", "/a~1b"} {
		if !strings.Contains(string(d.HTML), ">"+pointer+"</a>") {
			t.Errorf("nothing is noted at %s: %s", pointer, d.HTML)
		}
	}
}

func TestCompared(t *testing.T) {
	got, more := compared(json.RawMessage(`{"a":1,"b":{"c":[1,2.0]},"e":"x"}`), json.RawMessage(`{"a":1,"b":{"c":[1,2,3]},"d":null}`), 10)
	var lines []string
	for _, c := range got {
		lines = append(lines, c.Path+": "+string(c.Before)+" -> "+string(c.After))
	}
	const want = "b.c[1]: 2.0 -> 2\nb.c[2]:  -> 3\nd:  -> null\ne: \"x\" -> "
	if text := strings.Join(lines, "\n"); text != want || more {
		t.Errorf("%s\nmore: %v", text, more)
	}
	if got, more := compared(json.RawMessage(`[1,2,3]`), json.RawMessage(`[4,5,6]`), 2); len(got) != 2 || !more {
		t.Errorf("%v, more: %v", got, more)
	}
}
