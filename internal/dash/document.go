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

// How much of a document a page shows: at first, and when all of it is asked for. The
// rest is in its raw form, which is a file to download.
const (
	someLines = 2_000
	allLines  = 50_000
	// openLines is how long a document may be to be shown with nothing collapsed.
	openLines = 300
	// longText is how much of one text in a document is shown, in bytes, as long as
	// not all is asked for.
	longText = 4 << 10
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
	All   string // the URL that shows all; "" where that is this one
	Raw   string // the URL of the raw form; "" where it has none
	Name  string // what it is called, for the copy button and for screen readers
}

// Empty reports whether there is nothing to show.
func (d Document) Empty() bool { return d.HTML == "" && d.Text == "" }

// Note is a link beside a member of a document.
type Note struct{ Text, URL, Title string }

// newDocument draws a body: as a document where it is JSON, and else as text. Lines is
// how many may be shown. Note says what stands beside the member at a JSON Pointer;
// nil is nothing.
func newDocument(name string, body []byte, lines int, note func(pointer string) *Note) Document {
	d := Document{Name: name, Bytes: int64(len(body))}
	if !json.Valid(body) || len(bytes.TrimSpace(body)) == 0 {
		d.Text = strings.ToValidUTF8(string(body), "�")
		if most := lines * 80; len(d.Text) > most {
			d.Text, d.Cut = clipped(d.Text, most), true
		}
		return d
	}
	w := &docWriter{left: lines, longText: longText, note: note, open: bytes.Count(body, []byte{','}) < openLines}
	if lines > someLines {
		w.longText = len(body)
	}
	w.in = jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	w.value(0, nil)
	d.HTML, d.Cut = template.HTML(w.out.String()), w.cut // every text in it went through w.text
	return d
}

// clipped is the beginning of a text, with whole characters.
func clipped(text string, most int) string {
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// docWriter writes a JSON document as HTML. It is quicker than a template by far, which
// matters for documents of thousands of lines.
type docWriter struct {
	in       *jsontext.Decoder
	out      bytes.Buffer
	left     int // lines that may still be written; negative: one more would have been
	longText int
	open     bool // nothing is collapsed at first
	cut      bool // something was left out
	note     func(pointer string) *Note
}

// text writes a text from outside.
func (w *docWriter) text(s []byte) { template.HTMLEscape(&w.out, s) }

// value writes the next value, which may have a name.
func (w *docWriter) value(depth int, name []byte) {
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
	if w.left < 0 { // what is left of it is not shown
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
	w.text(readable(name))
	w.out.WriteString("</span>: ")
}

// comma writes what stands behind a value.
func (w *docWriter) comma() {
	if next := w.in.PeekKind(); next != '}' && next != ']' && w.in.StackDepth() > 0 {
		w.out.WriteByte(',')
	}
	if w.note == nil {
		return
	}
	if n := w.note(string(w.in.StackPointer())); n != nil {
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
	shown := readable(raw)
	if len(shown) > w.longText {
		w.cut = true
		w.text([]byte(strings.ToValidUTF8(clipped(string(shown), w.longText), "�")))
		w.out.WriteString(`</span><span class="cut">… ` + strconv.Itoa(len(shown)-w.longText) + " bytes more</span>")
		return
	}
	w.text(shown)
	w.out.WriteString("</span>")
}

// readable is a JSON text with no escape but those that it needs. A text with half a
// surrogate pair stays as it is, since it stands for no characters.
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
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return strings.ToValidUTF8(string(body), "�")
	}
	return b.String()
}
