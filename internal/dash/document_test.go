package dash

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/orderhook/orderhook/internal/access"
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
		d := newDocument("body", []byte(given), some)
		if got := textOf(d); got != want || d.Cut || d.Bytes != int64(len(given)) {
			t.Errorf("%s is shown as %s (cut: %v)", given, got, d.Cut)
		}
	}
}

func TestDocumentsThatAreNoJSON(t *testing.T) {
	for _, given := range []string{"<b>no</b>", `{"a":`, "", "  ", `{"a":1}x`} {
		if d := newDocument("body", []byte(given), some); d.HTML != "" || d.Text != given {
			t.Errorf("%q is shown as %q, %q", given, d.HTML, d.Text)
		}
	}
	if d := newDocument("body", []byte("a\xffb"), some); d.Text != "a�b" {
		t.Errorf("%q", d.Text)
	}
	if d := newDocument("body", []byte(strings.Repeat("é", 100_000)), extent{lines: 100, bytes: 1 << 20}); !d.Cut || len(d.Text) > 8000 || strings.Contains(d.Text, "�") {
		t.Errorf("%d bytes are shown, cut: %v", len(d.Text), d.Cut)
	}
}

// TestLargeDocumentsSayHowMuchIsShown: what is shown at first is bounded in bytes, too, and so
// is what is shown to who asks for more. The page says how much that is, and leads to the rest.
func TestLargeDocumentsSayHowMuchIsShown(t *testing.T) {
	fat := func(lines int) string { // few lines, many bytes
		return `[` + strings.Repeat(`"`+strings.Repeat("x", some.text-10)+`",`, lines) + `1]`
	}
	for name, shown := range map[string]extent{"at first": some, "more of it": more} {
		body := fat(2 * shown.bytes / some.text)
		d := newDocument("body", []byte(body), shown)
		if least := int64(shown.bytes) * 9 / 10; !d.Cut || d.Shown < least || d.Shown > int64(shown.bytes) || len(d.HTML) < shown.bytes || len(d.HTML) > shown.bytes+2*some.text {
			t.Errorf("%s: %d of %d bytes are shown, in %d", name, d.Shown, d.Bytes, len(d.HTML))
		}
	}
	if d := newDocument("body", []byte(fat(1000)), more); d.Cut || d.Shown != d.Bytes {
		t.Errorf("all: %d of %d bytes, cut: %v", d.Shown, d.Bytes, d.Cut)
	}
	s := newSite(t)
	asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","a":` + fat(3000) + `}`})
	for path, says := range map[string]string{
		"/orders/1":          `The first \d+ KiB of 12 MiB are shown\. <a href="/orders/1\?show=all">Show more of it</a> <a href="/orders/1/document">`,
		"/orders/1?show=all": `The first 7\.\d MiB of 12 MiB are shown\. <a href="/orders/1/document">All of it, raw</a>`,
	} {
		page := s.as(access.Reader).get(path).Body.String()
		if !regexp.MustCompile(says).MatchString(page) {
			t.Errorf("%s: %s", path, page[strings.Index(page, "cut-note"):][:400])
		}
	}
}

// TestLongNames: a name of a member is shown in part, and has no link that would repeat it
// and all names around it.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("n", 2*some.text)
	var asked []string
	d := drawn("order", []byte(strings.Repeat(`{"`+long+`":`, deepest-1)+`{"a":1,"b":2}`+strings.Repeat("}", deepest-1)), some, func(pointer string) *Note {
		asked = append(asked, pointer)
		return &Note{Text: "who?", URL: pointer, Title: pointer}
	})
	if len(d.HTML) > deepest*(some.text+500) || !d.Cut || !strings.Contains(string(d.HTML), "4098 bytes more") || len(asked) > 1 || len(asked) == 1 && asked[0] != "" {
		t.Errorf("%d bytes, cut: %v, %d links", len(d.HTML), d.Cut, len(asked))
	}
}

// TestLargeDocuments: however long or deep one is, what is shown of it is bounded, is
// well formed, and says that there is more.
func TestLargeDocuments(t *testing.T) {
	long := "[" + strings.Repeat(`{"a":1},`, 100_000) + "1]"
	for name, given := range map[string]string{"long": long, "nested to the end": strings.Repeat(`[1,{"a":`, 4000) + "2" + strings.Repeat("}]", 4000), "one text": `["` + strings.Repeat("x", 1<<20) + `"]`} {
		d := newDocument("body", []byte(given), some)
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
	d := drawn("order", []byte(`{"a/b":[1,{"c":2}]}`), some, func(pointer string) *Note {
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
