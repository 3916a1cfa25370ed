package dash

import (
	"bytes"
	"encoding/json"
	"html/template"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// extent is how much of a document a page shows. The rest is in its raw form, which is a
// file to download.
type extent struct {
	lines int
	// bytes are of HTML: a browser works on that, and what stands beside each line can be
	// longer than the line.
	bytes int
	text  int // of one text or name, in bytes
}

var (
	// some is what is shown at first.
	some = extent{lines: 2_000, bytes: 1 << 20, text: 4 << 10}
	// more is what is shown to who asks for more. A browser still scrolls it.
	more = extent{lines: 50_000, bytes: 8 << 20, text: 1 << 20}
)

const (
	// openLines is how long a document may be to be shown with nothing collapsed.
	openLines = 300
	// mostPointer is how long a place in a document may be, in bytes, to have a link beside
	// it. The URL would have each member's name on the way, and browsers and proxies take
	// URLs of some kilobytes only.
	mostPointer = 2 << 10
	// deepest is how deep a document is shown in its form; what is deeper is shown as
	// one text.
	deepest = 60
)

// Document is a JSON document, or another body, as a page shows it: with its members
// in their order and its numbers in their digits.
type Document struct {
	HTML  template.HTML // of a JSON document, made by docWriter
	Text  string        // of anything else
	Bytes int64
	Cut   bool   // there is more than is shown
	Shown int64  // how many bytes from its beginning are shown, where it was cut
	All   string // the URL that shows more; "" where that is this one
	Raw   string // the URL of the raw form; "" where it has none
	Name  string // what it is called, for the copy button and for screen readers
}

// Empty reports whether there is nothing to show.
func (d Document) Empty() bool { return d.HTML == "" && d.Text == "" }

// Note is a link beside a member of a document.
type Note struct{ Text, URL, Title string }

// newDocument draws a body: as a document where it is JSON, and else as text. The text of
// a body that is no JSON may be anything; the template escapes it.
func newDocument(name string, body []byte, shown extent) Document {
	if json.Valid(body) && len(bytes.TrimSpace(body)) > 0 {
		return drawn(name, body, shown, nil)
	}
	d := Document{Name: name, Bytes: int64(len(body)), Text: strings.ToValidUTF8(string(body), "�")}
	if most := min(shown.lines*80, shown.bytes); len(d.Text) > most {
		d.Text, d.Cut = clipped(d.Text, most), true
		d.Shown = int64(len(d.Text))
	}
	return d
}

// drawn draws a JSON document. Note says what stands beside the member at a JSON Pointer;
// nil is nothing. The body must be valid JSON.
func drawn(name string, body []byte, shown extent, note func(pointer string) *Note) Document {
	d := Document{Name: name, Bytes: int64(len(body))}
	w := &docWriter{in: decoder(body), left: shown.lines, most: shown, note: note}
	w.open = len(body) < openLines<<10 && bytes.Count(body, []byte{','}) < openLines // a longer one is not counted
	w.value(0, nil)
	d.HTML, d.Cut = template.HTML(w.out.String()), w.cut // every text in it went through w.text
	d.Shown = w.in.InputOffset()
	return d
}

// clipped is the beginning of a text, with whole characters. It ends before a character
// of which it would have a part.
func clipped(text string, most int) string {
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// docWriter writes a JSON document as HTML. It is quicker than a template by far, which
// matters for documents of thousands of lines. It reads the text token by token and stops
// when enough is shown, so a document of megabytes costs no more than what is seen of it.
// It writes HTML by itself, which nothing else in the package does; so every text from
// outside goes through text, and everything else that it writes is a constant.
type docWriter struct {
	in   *jsontext.Decoder
	out  bytes.Buffer
	most extent
	left int  // lines that may still be written; negative: one more would have been
	open bool // nothing is collapsed at first
	cut  bool // something was left out
	note func(pointer string) *Note
}

// text writes a text from outside.
func (w *docWriter) text(s []byte) { template.HTMLEscape(&w.out, s) }

// value writes the next value, which may have a name. Once the lines or the bytes are
// used up it writes nothing more, and the document is marked as cut. What is too deep is
// written as one text, so that the recursion has an end.
func (w *docWriter) value(depth int, name []byte) {
	if w.out.Len() > w.most.bytes {
		w.left = 0
	}
	if w.left--; w.left < 0 {
		w.cut = true
		return
	}
	kind := w.in.PeekKind()
	if kind != '{' && kind != '[' || depth >= deepest {
		raw, _ := w.in.ReadValue() // the body was found to be valid
		w.out.WriteString(`<div class="m">`)
		w.name(name)
		w.scalar(raw)
		w.comma()
		w.out.WriteString("</div>")
		return
	}
	w.container(kind, depth, name)
}

// container writes an object or a list as <details>, which can be collapsed without a
// script. An empty one is a line of its own, with nothing to collapse.
func (w *docWriter) container(kind jsontext.Kind, depth int, name []byte) {
	_, _ = w.in.ReadToken()
	begin, end := "{", jsontext.Kind('}')
	if kind == '[' {
		begin, end = "[", ']'
	}
	if w.in.PeekKind() == end {
		_, _ = w.in.ReadToken()
		w.out.WriteString(`<div class="m">`)
		w.name(name)
		w.out.WriteString(begin + string(rune(end)))
		w.comma()
		w.out.WriteString("</div>")
		return
	}
	w.out.WriteString("<details")
	if w.open || depth < 2 {
		w.out.WriteString(" open")
	}
	w.out.WriteString("><summary>")
	w.name(name)
	w.out.WriteString(begin + `</summary><div class="in">`)
	for w.in.PeekKind() != end && w.left >= 0 {
		var member []byte
		if kind == '{' {
			member, _ = w.in.ReadValue()
			member = bytes.Clone(member) // it is good until the next read
		}
		w.value(depth+1, member)
	}
	w.out.WriteString("</div>")
	// The end of the container was not read, so the decoder stands within it. Nothing
	// reads on from there, because left stays below 0.
	if w.left < 0 {
		w.out.WriteString("</details>")
		return
	}
	_, _ = w.in.ReadToken()
	w.out.WriteString(`<div class="m">` + string(rune(end)))
	w.comma()
	w.out.WriteString("</div></details>")
}

// name writes the name of a member, and what is noted beside it.
func (w *docWriter) name(name []byte) {
	if name == nil {
		return
	}
	w.out.WriteString(`<span class="k">`)
	w.shortened(readable(name))
	w.out.WriteString("</span>: ")
}

// comma writes what stands behind a value. The note beside a value is written here, too,
// when the decoder stands behind the value and knows its pointer.
func (w *docWriter) comma() {
	if next := w.in.PeekKind(); next != '}' && next != ']' && w.in.StackDepth() > 0 {
		w.out.WriteByte(',')
	}
	if w.note == nil {
		return
	}
	pointer := string(w.in.StackPointer())
	if len(pointer) > mostPointer {
		return
	}
	if n := w.note(pointer); n != nil {
		w.out.WriteString(` <a class="note" href="`)
		w.text([]byte(n.URL))
		w.out.WriteString(`" title="`)
		w.text([]byte(n.Title))
		w.out.WriteString(`">`)
		w.text([]byte(n.Text))
		w.out.WriteString("</a>")
	}
}

// classes are the style sheet's names for kinds of values; of a container that is too
// deep there is none.
var classes = map[jsontext.Kind]string{'"': "s", '0': "n", 't': "b", 'f': "b", 'n': "z"}

// scalar writes a value that is no container, or one that is too deep.
func (w *docWriter) scalar(raw []byte) {
	class := classes[jsontext.Value(raw).Kind()]
	w.out.WriteString(`<span class="` + class + `">`)
	w.shortened(readable(raw))
	w.out.WriteString("</span>")
}

// shortened writes a text from outside, and of a long one how much longer it is.
func (w *docWriter) shortened(s []byte) {
	rest := len(s) - w.most.text
	if rest <= 0 {
		w.text(s)
		return
	}
	w.cut = true
	w.text([]byte(strings.ToValidUTF8(clipped(string(s), w.most.text), "�")))
	w.out.WriteString(`<span class="cut">… ` + strconv.Itoa(rest) + " bytes more</span>")
}

// readable is a JSON text with no escape but those that it needs. A text with half a
// surrogate pair stays as it is, since it stands for no characters. An order in another
// script may come as \u escapes alone, which no person can read.
func readable(raw []byte) []byte {
	if jsontext.Value(raw).Kind() != '"' || !bytes.ContainsRune(raw, '\\') {
		return raw
	}
	plain, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return raw
	}
	quoted, err := jsontext.AppendQuote(nil, plain)
	if err != nil {
		return raw
	}
	return quoted
}

// pretty is a body for people to copy: JSON with line breaks, its numbers as they are.
// What is no JSON stays as it is, but for bytes that are no characters.
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return strings.ToValidUTF8(string(body), "�")
	}
	return b.String()
}
