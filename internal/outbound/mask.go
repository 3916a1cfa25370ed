package outbound

import (
	"bytes"
	"cmp"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/secret"
)

// mask stands where a secret was.
const mask = "***"

// masked returns h as it may be recorded: names canonical, the values of the secret ones,
// and signatures, as ***. It is h itself where nothing differs, and else shares the values that
// do not, so nobody may change either from then on.
func masked(h http.Header, v []string) http.Header {
	same := h != nil
	for name := range h {
		if same = http.CanonicalHeaderKey(name) == name && !hides(name, v); !same {
			break
		}
	}
	if same {
		return h
	}
	shown := make(http.Header, len(h))
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		if hides(name, v) {
			values = []string{mask}
		}
		shown[name] = values
	}
	return shown
}

// hides reports whether the values of a header, whose name is canonical, are not shown.
func hides(name string, v []string) bool { return slices.Contains(v, name) || secret.IsSignature(name) }

// hide puts *** in place of the secrets in what came back, so that nobody who
// reads it has to think of them: it becomes part of errors, history, orders and
// carts, beside the record. It changes the header in place, before anybody else has the
// exchange.
func (x *Exchange) hide(secrets []string) {
	for _, values := range x.Header {
		for i, value := range values {
			values[i] = string(hidden([]byte(value), secrets, false))
		}
	}
	x.Body = hidden(x.Body, secrets, x.dropped > 0 || x.TooLarge)
}

// leastAnywhere is the length in bytes from which a secret is looked for within
// words, too. A shorter one would be found in half of them, and is masked where it
// stands as a word of its own.
const leastAnywhere = 6

// hidden returns a text with *** in place of each secret, however JSON or a URL
// escapes it; the text itself where there is none. If the text was cut off,
// the beginning of a secret may be all of it that is there, at the end.
func hidden(text []byte, secrets []string, cut bool) []byte {
	var found []stretch
	for _, s := range secrets {
		found = findPlain(found, text, s)
		if cut {
			found = findCut(found, text, s)
		}
	}
	for _, e := range escapes {
		found = findEscaped(found, text, secrets, e)
	}
	if len(found) == 0 {
		return text
	}
	// Of stretches that begin at the same place the longest comes first, and covers the
	// others.
	slices.SortFunc(found, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	out, at := make([]byte, 0, len(text)), 0
	for _, f := range found {
		if f.from >= at {
			out = append(append(out, text[at:f.from]...), mask...)
		}
		at = max(at, f.to)
	}
	return append(out, text[at:]...)
}

// stretch is a part of a text, from its first byte to behind its last.
type stretch struct{ from, to int }

// findPlain adds where a secret stands as it is.
func findPlain(found []stretch, text []byte, secret string) []stretch {
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(secret))
		if i < 0 {
			return found
		}
		s := stretch{at + i, at + i + len(secret)}
		// A short secret is masked only as a word: in other words it would stand by chance.
		short := len(secret) < leastAnywhere
		if isStructure(text, s, short) || short && !isWord(text, s) {
			at = s.from + 1
			continue
		}
		found = append(found, s)
		at = s.to
	}
}

// isWord reports whether a stretch is a word of its own.
// The start and the end of the text are borders, too.
func isWord(text []byte, s stretch) bool {
	return (s.from == 0 || !inWord(text[s.from-1])) && (s.to == len(text) || !inWord(text[s.to]))
}

// inWord reports whether a byte may be part of a word.
// A byte of a letter beyond ASCII counts as a part of a word, whatever letter it is.
func inWord(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c >= utf8.RuneSelf
}

// isStructure reports whether a stretch is what a JSON document is made of, and not
// one of its texts: a number or a part of one, true, false or null; or the name of a
// member, where the secret is a short one. *** would break the document, or take a
// field away. It errs on the side of masking where the text is no JSON.
func isStructure(text []byte, s stretch, short bool) bool {
	// A text that does not begin like a JSON document has no structure to break.
	if !bytes.ContainsAny(text[:min(len(text), 64)], "{[") {
		return false
	}
	if behind, quoted := bytes.CutPrefix(text[s.to:], []byte(`"`)); short && quoted && bytes.HasPrefix(bytes.TrimLeft(behind, space), []byte(":")) {
		return true
	}
	switch word := string(text[s.from:s.to]); {
	case strings.Trim(word, "0123456789") == "":
		for s.from > 0 && strings.IndexByte("0123456789+-.eE", text[s.from-1]) >= 0 {
			s.from--
		}
		for s.to < len(text) && strings.IndexByte("0123456789+-.eE", text[s.to]) >= 0 {
			s.to++
		}
	case word != "true" && word != "false" && word != "null":
		return false
	}
	before, behind := bytes.TrimRight(text[:s.from], space), bytes.TrimLeft(text[s.to:], space)
	return len(before) > 0 && strings.IndexByte(":,[", before[len(before)-1]) >= 0 &&
		len(behind) > 0 && strings.IndexByte(",]}", behind[0]) >= 0
}

// space is what may stand between the parts of a JSON document.
const space = " \t\r\n"

// findCut adds the beginning of a secret at the end of a text. Still shorter beginnings are
// too often something else.
func findCut(found []stretch, text []byte, secret string) []stretch {
	for n := min(len(secret)-1, len(text)); n >= leastAnywhere; n-- {
		if bytes.HasSuffix(text, []byte(secret[:n])) {
			return append(found, stretch{len(text) - n, len(text)})
		}
	}
	return found
}

// Escapes are read in windows, so that an answer of megabytes needs no room for
// itself a second time. Each begins so far before the end of the one before that
// no secret lies across, unless it is of kilobytes.
// The sizes are in bytes.
const (
	window  = 64 << 10
	overlap = 8 << 10
)

// escape is a way to write a character as others: what it begins with, and a
// function that appends what the escape at the beginning of a text stands for, and
// returns how long the escape is.
type escape struct {
	mark byte
	read func(plain, text []byte) ([]byte, int)
}

// escapes are those of JSON, of URLs and of HTML: which characters a program escapes,
// and how, differs from one to the next.
var escapes = []escape{{'\\', unescapeJSON}, {'%', unescapeURL}, {'&', unescapeHTML}}

// findEscaped adds where a secret stands with some of it escaped.
func findEscaped(found []stretch, text []byte, secrets []string, e escape) []stretch {
	for at := 0; ; {
		i := bytes.IndexByte(text[at:], e.mark)
		if i < 0 {
			return found
		}
		// The secret may begin some way before the first character of it that is escaped.
		from := max(0, at+i-overlap)
		to := min(len(text), from+window)
		for _, f := range e.find(text[from:to], secrets) {
			found = append(found, stretch{from + f.from, from + f.to})
		}
		// This window has reached the end of the text, so there is no next one.
		if to == len(text) {
			return found
		}
		at = to - overlap
	}
}

// mostNested bounds how often something is taken to be escaped: a text may hold
// JSON that holds JSON.
const mostNested = 3

// find returns where secrets stand in a text whose escapes are read. Places are those in
// the text as it came.
func (e escape) find(text []byte, secrets []string) (found []stretch) {
	plain, places := e.unescape(text)
	for range mostNested {
		for _, s := range secrets {
			for _, f := range findPlain(nil, plain, s) {
				found = append(found, stretch{places[f.from], places[f.to]})
			}
		}
		// Nothing is escaped any more, so one more turn would find the same.
		if bytes.IndexByte(plain, e.mark) < 0 {
			break
		}
		// The text may be escaped once more, as JSON within JSON is.
		again, at := e.unescape(plain)
		for i := range at {
			at[i] = places[at[i]]
		}
		plain, places = again, at
	}
	return found
}

// unescape returns a text without the escapes, and of each of its bytes, and of
// its end, where that stood.
// The place of the end is needed for a secret that ends where the text ends.
func (e escape) unescape(text []byte) (plain []byte, places []int) {
	for i := 0; i < len(text); {
		was, n := len(plain), 1
		// A mark as the last byte begins no escape, and is taken as it is.
		if text[i] == e.mark && i+1 < len(text) {
			plain, n = e.read(plain, text[i:])
		} else {
			plain = append(plain, text[i])
		}
		for range len(plain) - was {
			places = append(places, i)
		}
		i += n
	}
	return plain, append(places, len(text))
}

// unescapeURL reads %XX; a percent sign that begins no escape is one.
// A plus sign stays one: in a path it is no space.
func unescapeURL(plain, text []byte) ([]byte, int) {
	if len(text) < 3 {
		return append(plain, text[0]), 1
	}
	n, err := strconv.ParseUint(string(text[1:3]), 16, 8)
	if err != nil {
		return append(plain, text[0]), 1
	}
	return append(plain, byte(n)), 3
}

// longestEntity is how many bytes the character references have that stand for what
// may be in a secret, as &#x2F; and &quot;.
const longestEntity = 10

// unescapeHTML reads a character reference. An ampersand that begins none stands for
// itself.
func unescapeHTML(plain, text []byte) ([]byte, int) {
	// The search is bounded, since a text of ampersands alone would otherwise be read
	// again for each of them.
	end := bytes.IndexByte(text[:min(len(text), longestEntity)], ';')
	if end < 0 {
		return append(plain, text[0]), 1
	}
	entity := string(text[:end+1])
	if is := html.UnescapeString(entity); is != entity {
		return append(plain, is...), end + 1
	}
	return append(plain, text[0]), 1
}

// unescapeJSON reads a backslash and what belongs to it. Two escapes may be one character.
func unescapeJSON(plain, text []byte) ([]byte, int) {
	switch c := text[1]; c {
	case 'b', 'f', 'n', 'r', 't':
		return append(plain, "\b\f\n\r\t"[strings.IndexByte("bfnrt", c)]), 2
	case 'u':
		r, ok := hexRune(text)
		// A malformed escape is taken as the letter, because what matters is only to find
		// secrets.
		if !ok {
			return append(plain, c), 2
		}
		// JSON writes a character beyond 16 bits as two escapes, which are one character
		// only together.
		if low, ok := hexRune(text[6:]); ok && utf16.IsSurrogate(r) {
			return utf8.AppendRune(plain, utf16.DecodeRune(r, low)), 12
		}
		return utf8.AppendRune(plain, r), 6
	default:
		return append(plain, c), 2
	}
}

// hexRune reads \u and four digits.
func hexRune(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}
