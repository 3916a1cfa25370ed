package outbound

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/admission"
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
// exchange. A body that is large is left to [Exchange.hideBody], which costs so much of a
// processor that it waits for its turn.
func (x *Exchange) hide(secrets []string, brokeOff bool) {
	// Most requests have none.
	if len(secrets) == 0 {
		return
	}
	var renamed map[string]string
	for name, values := range x.Header {
		for i, value := range values {
			if slices.ContainsFunc(secrets, func(s string) bool { return mayHold(value, s) }) {
				values[i] = string(hidden([]byte(value), secrets, false))
			}
		}
		if shown := hiddenName(name, secrets); shown != name {
			if renamed == nil {
				renamed = map[string]string{}
			}
			renamed[name] = shown
		}
	}
	for name, shown := range renamed {
		x.Header[shown] = append(x.Header[shown], x.Header[name]...)
		delete(x.Header, name)
	}
	x.unhidden, x.brokeOff = secrets, brokeOff
	if len(x.Body) < admission.Large {
		x.hideBody()
	}
}

// mayRepeat reports whether what came back has the length to repeat a secret in the body, or does so
// in the header. It costs next to nothing where it does not.
func (x *Exchange) mayRepeat(secrets []string) bool {
	for _, s := range secrets {
		if len(s) <= len(x.Body) {
			return true
		}
		for name, values := range x.Header {
			if len(s) <= len(name) || slices.ContainsFunc(values, func(value string) bool { return mayHold(value, s) }) {
				return true
			}
		}
	}
	return false
}

// mayHold reports whether a text has a secret in it, or may have it with escapes.
func mayHold(text, secret string) bool {
	return len(secret) <= len(text) && (strings.Contains(text, secret) || strings.ContainsAny(text, anyEscape.marks))
}

// hideBody is [Exchange.hide] for the body. It does nothing where that was done before.
func (x *Exchange) hideBody() {
	if len(x.unhidden) == 0 {
		return
	}
	if encoding := x.unreadable(); encoding != "" {
		x.Body = []byte("(not shown: the answer is encoded as " + encoding + ", which was not asked for, and may repeat a secret)")
	} else {
		x.Body = hidden(x.Body, x.unhidden, x.brokeOff || x.dropped > 0 || x.TooLarge)
	}
	x.unhidden = nil
}

// unreadable returns how a body is encoded in which no secret can be found as it is, "" where it can
// be. No request asks for such an encoding. What calls itself encoded and is text is no less
// readable for that.
func (x *Exchange) unreadable() string {
	switch encoding := x.Header.Get("Content-Encoding"); {
	case bytes.HasPrefix(x.Body, []byte("\x1f\x8b")):
		return "gzip"
	case bytes.HasPrefix(x.Body, []byte("\xff\xfe")), bytes.HasPrefix(x.Body, []byte("\xfe\xff")), halfZero(x.Body):
		return "UTF-16"
	case encoding != "" && !strings.EqualFold(encoding, "identity") && !utf8.Valid(x.Body):
		return encoding[:min(len(encoding), 20)]
	}
	return ""
}

// halfZero reports whether a text begins as ASCII does in UTF-16: with a zero in one of each two bytes.
func halfZero(text []byte) bool {
	text = text[:min(len(text), 64)]
	return len(text) >= 4 && 2*bytes.Count(text, []byte{0}) >= len(text)-1 && bytes.Count(text, []byte{0}) < len(text)
}

// hiddenName returns the name of a header with *** for each secret in it. Names have no case: what
// a program writes into one comes back in another.
func hiddenName(name string, secrets []string) string {
	for _, s := range secrets {
		if s == mask || len(s) > len(name) || len(s) < leastAnywhere && len(s) < len(name) {
			continue
		}
		for i := 0; i+len(s) <= len(name); i++ {
			if strings.EqualFold(name[i:i+len(s)], s) {
				return hiddenName(name[:i]+mask+name[i+len(s):], secrets)
			}
		}
	}
	return name
}

// leastAnywhere is the length in bytes from which a secret is looked for within
// words, too. A shorter one would be found in half of them, and is masked where it
// stands as a word of its own.
const leastAnywhere = 6

// hidden returns a text with *** in place of each secret, however JSON, a URL or HTML
// escapes it; the text itself where there is none. Of one that was cut off, a secret
// may be at the end with its beginning alone.
func hidden(text []byte, secrets []string, cut bool) []byte {
	s := search{text: text, secrets: secrets, cut: cut}
	found := s.find()
	if len(found) == 0 {
		return text
	}
	// When stretches begin at the same place, the longest comes first, and covers the
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
		// Most texts are short, and it costs to make bytes of a secret.
		if len(secret) > len(text)-at {
			return found
		}
		i := bytes.Index(text[at:], []byte(secret))
		if i < 0 {
			return found
		}
		s := stretch{at + i, at + i + len(secret)}
		// A short secret is masked only as a word: in other words it would stand by chance.
		short := len(secret) < leastAnywhere
		if short && !isWord(text, s) || isStructure(text, s, short) {
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
		number := s
		for s.from > 0 && number.from-s.from < longestNumber && strings.IndexByte("0123456789+-.eE", text[s.from-1]) >= 0 {
			s.from--
		}
		for s.to < len(text) && s.to-number.to < longestNumber && strings.IndexByte("0123456789+-.eE", text[s.to]) >= 0 {
			s.to++
		}
	case word != "true" && word != "false" && word != "null":
		return false
	}
	before, behind := bytes.TrimRight(text[:s.from], space), bytes.TrimLeft(text[s.to:], space)
	return len(before) > 0 && strings.IndexByte(":,[", before[len(before)-1]) >= 0 &&
		len(behind) > 0 && strings.IndexByte(",]}", behind[0]) >= 0
}

// longestNumber is how many characters of a number are looked at on each side of a secret.
// A text of digits alone would otherwise be read as a whole for each place in it.
const longestNumber = 64

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
