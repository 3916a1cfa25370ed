package outbound

import (
	"bytes"
	"html"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// Escapes are read in windows, so that an answer of megabytes needs no room for
// itself a second time. Each begins so far before the end of the one before that
// no secret lies across, unless it is of kilobytes.
// The sizes are in bytes.
const (
	window  = 64 << 10
	overlap = 8 << 10
)

// mostNested bounds how often something is taken to be escaped: a text may hold
// JSON that holds JSON.
const mostNested = 3

// escape is a way to write a character as others: what it may begin with, and a
// function that appends what the escape at the beginning of a text stands for, and
// returns how long the escape is: 1 where none begins there.
type escape struct {
	marks string
	read  func(plain, text []byte) ([]byte, int)
}

// escapes are those of JSON, of URLs and of HTML: which characters a program escapes,
// and how, differs from one to the next.
var escapes = []escape{{`\`, unescapeJSON}, {"%", unescapeURL}, {"&", unescapeHTML}}

// anyEscape reads all of them at once: HTML may stand in JSON, whose escapes hide those of HTML.
// It does not take the place of each alone, since a secret may hold what looks like an escape
// of another kind.
var anyEscape = escape{`\%&`, func(plain, text []byte) ([]byte, int) {
	switch text[0] {
	case '\\':
		return unescapeJSON(plain, text)
	case '%':
		return unescapeURL(plain, text)
	}
	return unescapeHTML(plain, text)
}}

// next returns where the first mark stands in a text, or the text's length.
func (e *escape) next(text []byte) int {
	at := 0
	if len(e.marks) == 1 {
		at = bytes.IndexByte(text, e.marks[0])
	} else {
		at = bytes.IndexAny(text, e.marks)
	}
	if at < 0 {
		return len(text)
	}
	return at
}

// search looks for secrets in a text. It is used once.
type search struct {
	text    []byte
	secrets []string
	cut     bool // the text's end is missing

	found  []stretch
	mixed  bool // escapes of more than one kind may be there
	rounds int  // how often a window was read, for the tests
	buffer [2]reading
}

// reading is a text whose escapes were read, and of each of its bytes, and of its
// end, the place where that stood in its window.
// The place of the end is needed for a secret that ends where the text ends.
type reading struct {
	plain  []byte
	places []int32
}

// find returns where secrets stand, in no order, and more than once where they are found in
// more than one way.
func (s *search) find() []stretch {
	for _, secret := range s.secrets {
		s.found = findPlain(s.found, s.text, secret)
		if s.cut {
			s.found = findCut(s.found, s.text, secret)
		}
	}
	for i := range escapes {
		s.escaped(&escapes[i])
	}
	if s.mixed {
		s.escaped(&anyEscape)
	}
	return s.found
}

// escaped adds where a secret stands with some of it escaped.
func (s *search) escaped(e *escape) {
	for at := 0; ; {
		i := e.next(s.text[at:])
		if at+i == len(s.text) {
			return
		}
		// The secret may begin some way before the first character of it that is escaped.
		from := max(0, at+i-overlap)
		to := min(len(s.text), from+window)
		s.window(e, from, to)
		// This window has reached the end of the text, so there is no next one.
		if to == len(s.text) {
			return
		}
		at = to - overlap
	}
}

// window adds where secrets stand in a window of the text whose escapes are read, for as long as
// there are any: the text may be escaped more than once, as JSON within JSON is.
func (s *search) window(e *escape, from, to int) {
	now := reading{s.text[from:to], unmoved()[:to-from+1]}
	for round := range mostNested {
		s.mixed = s.mixed || hasOther(now.plain, e)
		next := &s.buffer[round%2]
		s.rounds++
		// Where nothing was escaped, the text is the one that was searched before.
		if !e.unescape(next, now) {
			return
		}
		now = *next
		for _, secret := range s.secrets {
			was := len(s.found)
			s.found = findPlain(s.found, now.plain, secret)
			if s.cut && to == len(s.text) {
				s.found = findCut(s.found, now.plain, secret)
			}
			for i := was; i < len(s.found); i++ {
				f := &s.found[i]
				f.from, f.to = from+int(now.places[f.from]), from+int(now.places[f.to])
			}
		}
	}
	s.mixed = s.mixed || hasOther(now.plain, e)
}

// hasOther reports whether an escape of another kind may begin in a text.
func hasOther(text []byte, than *escape) bool {
	for i := range len(anyEscape.marks) {
		if mark := anyEscape.marks[i]; strings.IndexByte(than.marks, mark) < 0 && bytes.IndexByte(text, mark) >= 0 {
			return true
		}
	}
	return false
}

// unmoved has the places of a window whose escapes were not read yet. Nobody changes it.
var unmoved = sync.OnceValue(func() []int32 {
	places := make([]int32, window+1)
	for i := range places {
		places[i] = int32(i)
	}
	return places
})

// unescape reads the escapes of a text once, and reports whether there was any.
func (e *escape) unescape(to *reading, of reading) (changed bool) {
	text := of.plain
	if to.plain == nil {
		to.plain, to.places = make([]byte, 0, len(text)), make([]int32, 0, len(text)+1)
	}
	plain, places := to.plain[:0], to.places[:0]
	for i := 0; i < len(text); {
		if strings.IndexByte(e.marks, text[i]) < 0 {
			n := e.next(text[i:])
			plain, places = append(plain, text[i:i+n]...), append(places, of.places[i:i+n]...)
			i += n
			continue
		}
		was, n := len(plain), 0
		plain, n = e.read(plain, text[i:])
		for range len(plain) - was {
			places = append(places, of.places[i])
		}
		changed = changed || n > 1
		i += n
	}
	to.plain, to.places = plain, append(places, of.places[len(text)])
	return changed
}

// unescapeURL reads %XX; a percent sign that begins no escape is one.
// A plus sign stays one: in a path it is no space.
func unescapeURL(plain, text []byte) ([]byte, int) {
	if len(text) < 3 {
		return append(plain, text[0]), 1
	}
	n, ok := hexDigits(text[1:3])
	if !ok {
		return append(plain, text[0]), 1
	}
	return append(plain, byte(n)), 3
}

// hexDigits reads digits. A text of percent signs has as many wrong ones as it has bytes, and so
// an error, as of package strconv, would cost more than all the rest.
func hexDigits(digits []byte) (n rune, ok bool) {
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			n = n<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// longestEntity is how many bytes the character references have that stand for what
// may be in a secret, as &#x2F; and &quot;.
const longestEntity = 10

// entities are those that programs write by themselves. The others are looked up in a slower way.
var entities = map[string]byte{"&amp;": '&', "&lt;": '<', "&gt;": '>', "&quot;": '"', "&apos;": '\'', "&#34;": '"', "&#39;": '\'', "&#x27;": '\'', "&#x2F;": '/', "&#43;": '+'}

// unescapeHTML reads a character reference. An ampersand that begins none stands for
// itself.
func unescapeHTML(plain, text []byte) ([]byte, int) {
	// The search is bounded, since a text of ampersands alone would otherwise be read
	// again for each of them.
	end := bytes.IndexByte(text[:min(len(text), longestEntity)], ';')
	if end < 0 {
		return append(plain, text[0]), 1
	}
	if is, ok := entities[string(text[:end+1])]; ok {
		return append(plain, is), end + 1
	}
	entity := string(text[:end+1])
	if is := html.UnescapeString(entity); is != entity {
		return append(plain, is...), end + 1
	}
	return append(plain, text[0]), 1
}

// unescapeJSON reads a backslash and what belongs to it. Two escapes may be one character.
func unescapeJSON(plain, text []byte) ([]byte, int) {
	// A mark as the last byte begins no escape, and is taken as it is.
	if len(text) < 2 {
		return append(plain, text[0]), 1
	}
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
	return hexDigits(text[2:6])
}
