// Package redact takes out of documents what is personal or secret: the same value always
// becomes the same replacement, of the same form, and nobody without the key finds out which
// value it was.
//
// What is replaced is decided by the names of members ([Rules]), by patterns such as that of
// an e-mail address, and by the words that were found so: a name that a document has under
// customerName is replaced in the texts of the same document, too. It is pure, and knows no
// order and no call. Start with [New], then [Document.Learn] and [Document.Value].
package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// Rules say what is replaced beside what always is.
type Rules struct {
	Names    []string // of members, in any case, whose values are replaced
	Keep     []string // of members whose values are left as they are, whatever else says
	Patterns []*regexp.Regexp
}

// Redactor replaces values. It is safe for concurrent use.
type Redactor struct {
	key   []byte
	names map[string]bool // folded
	keep  map[string]bool
	more  []*regexp.Regexp
}

// New returns a redactor. Whoever has the key can find out short values by trying all; so it
// is a secret.
func New(key []byte, rules Rules) *Redactor {
	r := &Redactor{key: key, names: map[string]bool{}, keep: map[string]bool{}, more: rules.Patterns}
	for _, name := range rules.Names {
		r.names[folded(name)] = true
	}
	for _, name := range rules.Keep {
		r.keep[folded(name)] = true
	}
	return r
}

// Document is what is replaced in documents that belong together, as a request and its
// answer. It is for one goroutine.
type Document struct {
	*Redactor
	words  map[string]bool // in lower case
	values map[string]bool // whole values of several words, in lower case
	phones []string        // the digits of telephone numbers
}

// Document begins documents that belong together. All of them are to be learned before the
// first is replaced.
func (r *Redactor) Document() *Document {
	return &Document{Redactor: r, words: map[string]bool{}, values: map[string]bool{}}
}

// place is where a value stands.
type place struct {
	name string // of the member, folded
	// personal says that the object around it is about a person: an address, a contact.
	personal bool
	note     bool // that it is what somebody has written
}

// Learn notes the words of a value that are personal.
func (d *Document) Learn(v any) { d.learn(v, place{}) }

func (d *Document) learn(v any, at place) {
	each(v, at, func(text string, at place) {
		if !d.sensitive(at) || at.note {
			return
		}
		d.values[strings.ToLower(strings.TrimSpace(text))] = true
		if isPhone(at.name) {
			if digits := digitsOf(text); len(digits) >= leastPhone {
				d.phones = append(d.phones, digits)
			}
			return
		}
		for _, w := range wordsOf(text) {
			if utf8.RuneCountInString(w) >= leastWord {
				d.words[strings.ToLower(w)] = true
			}
		}
	})
}

const (
	// leastWord is how many letters a word has at least that is replaced wherever it stands:
	// a shorter one is part of everything.
	leastWord = 3
	// leastPhone is how many digits a telephone number has.
	leastPhone = 6
)

// each calls do with each text of a value, and with each number as its text.
func each(v any, at place, do func(text string, at place)) {
	switch v := v.(type) {
	case string:
		do(v, at)
	case jsondoc.Number:
		do(string(v), at)
	case []any:
		for _, e := range v {
			each(e, at, do)
		}
	case *jsondoc.Object:
		for _, m := range v.Members() {
			each(m.Value, at.of(v, m.Name), do)
		}
	}
}

// of is the place of a member of an object. The value of a pair is named by its key.
func (at place) of(o *jsondoc.Object, name string) place {
	in := folded(name)
	inner := place{name: in, personal: at.personal && !strings.HasSuffix(in, "items"), note: at.note}
	if key := o.Text("key"); in == "value" && key != "" {
		inner.name = folded(key)
	}
	switch {
	case slices.ContainsFunc(personalObjects, func(suffix string) bool { return strings.HasSuffix(in, suffix) }):
		inner.personal = true
	case strings.HasSuffix(in, "notes"):
		inner.note = true
	}
	return inner
}

// sensitive reports whether what stands at a place is replaced.
func (d *Document) sensitive(at place) bool {
	switch {
	case d.keep[at.name]:
		return false
	case d.names[at.name], slices.ContainsFunc(sensitiveNames, func(suffix string) bool { return strings.HasSuffix(at.name, suffix) }):
		return true
	case at.personal:
		return !slices.ContainsFunc(plainInPersonal, func(part string) bool { return strings.Contains(at.name, part) }) && !strings.HasSuffix(at.name, "id")
	}
	return at.note && !fixed(at.name)
}

// Value returns a copy of a value in which all that is personal or secret is replaced.
func (d *Document) Value(v any) any { return d.value(v, place{}) }

func (d *Document) value(v any, at place) any {
	switch v := v.(type) {
	case string:
		return d.text(v, at)
	case jsondoc.Number:
		if d.sensitive(at) {
			return jsondoc.Number(d.number(string(v)))
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = d.value(e, at)
		}
		return out
	case *jsondoc.Object:
		out := jsondoc.NewObject()
		for _, m := range v.Members() {
			out.Put(m.Name, d.value(m.Value, at.of(v, m.Name)))
		}
		return out
	}
	return v
}

// Text returns a text that is no JSON, with all replaced in it that was learned or is of a
// pattern.
func (d *Document) Text(text string) string { return d.text(text, place{}) }

// text returns a text as it stands at a place. Times, and texts that the engine goes by, as
// ids and statuses, keep their words: only what is of a pattern is replaced in them.
func (d *Document) text(text string, at place) string {
	if d.keep[at.name] || text == "" {
		return text
	}
	whole := strings.ToLower(strings.TrimSpace(text))
	if d.sensitive(at) || d.values[whole] && !fixed(at.name) {
		return d.replaced(text)
	}
	text = email.ReplaceAllStringFunc(text, d.replaced)
	for _, p := range slices.Concat(patterns, d.more) {
		text = p.ReplaceAllStringFunc(text, d.word)
	}
	if _, _, is := timeIn(text); is || fixed(at.name) {
		return text
	}
	text = number.ReplaceAllStringFunc(text, func(found string) string {
		if d.isKnownPhone(digitsOf(found)) {
			return d.digits(found)
		}
		return found
	})
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if d.words[strings.ToLower(w)] {
			return d.word(w)
		}
		return w
	})
}

// isKnownPhone reports whether digits are those of a telephone number that was learned, with
// or without its country.
func (d *Document) isKnownPhone(digits string) bool {
	return len(digits) >= leastPhone && slices.ContainsFunc(d.phones, func(phone string) bool {
		return strings.HasSuffix(phone, digits) || strings.HasSuffix(digits, phone)
	})
}

// replaced returns a whole value replaced: an e-mail address by one of example.com, a time by
// another, all else word by word.
func (d *Document) replaced(text string) string {
	if moved, ok := d.time(text); ok {
		return moved
	}
	if email.MatchString(text) {
		return email.ReplaceAllStringFunc(text, d.address)
	}
	if strings.ContainsFunc(text, unicode.IsLetter) {
		return word.ReplaceAllStringFunc(text, d.word)
	}
	return d.digits(text)
}

// time returns a time in the place of another, written alike, up to ten years before.
func (r *Redactor) time(text string) (string, bool) {
	at, layout, ok := timeIn(text)
	if !ok {
		return "", false
	}
	sum := r.sum("time", text, 0)
	return at.AddDate(0, 0, -1-(int(sum[0])<<8|int(sum[1]))%3650).Format(layout), true
}

// address returns an e-mail address in the place of another.
func (r *Redactor) address(text string) string {
	local, _, _ := strings.Cut(strings.ToLower(text), "@")
	sum := r.sum("address", strings.ToLower(text), 0)
	out := []byte("user-")
	for i := range max(6, min(len(local), 16)) {
		out = append(out, 'a'+sum[i]%26)
	}
	return string(out) + "@example.com"
}

// word returns a word with another letter in the place of each letter, and another digit in
// that of each digit. Case and all other characters stay.
func (r *Redactor) word(text string) string { return r.by(strings.ToLower(text), text) }

// digits is word for a number, which is the same number however its digits are set apart.
func (r *Redactor) digits(text string) string { return r.by(digitsOf(text), text) }

// by returns a text whose letters and digits follow from a seed.
func (r *Redactor) by(seed, text string) string {
	for again := byte(0); ; again++ {
		sum, i := r.sum("word", seed, again), -1
		next := func(n byte) byte {
			if i++; i == len(sum) {
				sum, i = r.sum("more", string(sum), again), 0
			}
			return sum[i] % n
		}
		out := strings.Map(func(c rune) rune {
			switch {
			case unicode.IsDigit(c):
				return rune('0' + next(10))
			case unicode.IsUpper(c):
				return rune('A' + next(26))
			case unicode.IsLetter(c), unicode.IsMark(c):
				return rune('a' + next(26))
			}
			return c
		}, text)
		// By chance it may be the text itself, which one of a single letter soon is.
		if out != text || again == 255 || !strings.ContainsFunc(text, func(c rune) bool { return unicode.IsDigit(c) || unicode.IsLetter(c) }) {
			return out
		}
	}
}

// number returns a JSON number of as many digits, none of which is 0 at the beginning.
func (r *Redactor) number(text string) string {
	out := []byte(r.word(strings.ToLower(strings.Map(func(c rune) rune {
		if c == 'e' || c == 'E' || c == '+' {
			return -1
		}
		return c
	}, text))))
	for i, c := range out {
		if c >= '0' && c <= '9' {
			if c == '0' && i+1 < len(out) {
				out[i] = '1'
			}
			break
		}
	}
	return string(out)
}

func (r *Redactor) sum(kind, text string, again byte) []byte {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(kind + "\x00" + text))
	mac.Write([]byte{again})
	return mac.Sum(nil)
}

// wordsOf returns the words of a text: what stands between white space and punctuation.
func wordsOf(text string) []string { return word.FindAllString(text, -1) }

// folded is a name without its case, and without what people put between words.
func folded(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, name)
}

// digitsOf returns the digits of a telephone number, without what dials abroad.
func digitsOf(text string) string {
	digits := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, text)
	return strings.TrimPrefix(digits, "00")
}
