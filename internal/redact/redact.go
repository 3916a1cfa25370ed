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
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// Rules say what is replaced beside what always is.
type Rules struct {
	Names    []string // of members, in any case, whose values are replaced
	Keep     []string // of members whose values are left as they are, whatever else says
	Patterns []*regexp.Regexp
	// KeepDomain leaves the domains of e-mail addresses as they are.
	KeepDomain bool
}

// Redactor replaces values. It is safe for concurrent use.
type Redactor struct {
	key   []byte
	rules Rules
	names map[string]*atomic.Bool // folded; whether one was found
	keep  map[string]*atomic.Bool
}

// New returns a redactor. Whoever has the key can find out short values by trying all; so it
// is a secret.
func New(key []byte, rules Rules) *Redactor {
	r := &Redactor{key: key, rules: rules, names: map[string]*atomic.Bool{}, keep: map[string]*atomic.Bool{}}
	for _, name := range rules.Names {
		r.names[folded(name)] = &atomic.Bool{}
	}
	for _, name := range rules.Keep {
		r.keep[folded(name)] = &atomic.Bool{}
	}
	return r
}

// Unused returns the names of the rules that no member had, whose value is a text or a number.
func (r *Redactor) Unused() (names, keep []string) {
	unused := func(of []string, found map[string]*atomic.Bool) (out []string) {
		for _, name := range of {
			if !found[folded(name)].Load() {
				out = append(out, name)
			}
		}
		return out
	}
	return unused(r.rules.Names, r.names), unused(r.rules.Keep, r.keep)
}

// isAmong reports whether a name is one of a rule, and notes that it was found.
func isAmong(rule map[string]*atomic.Bool, name string) bool {
	found, is := rule[name]
	if is {
		found.Store(true)
	}
	return is
}

// Document is what is replaced in documents that belong together, as a request and its
// answer. It is for one goroutine.
type Document struct {
	*Redactor
	words  map[string]bool // plain
	people map[string]bool // words of people's names, plain
	values map[string]bool // whole values of several words, plain
	phones []string        // the digits of telephone numbers
}

// Document begins documents that belong together. All of them are to be learned before the
// first is replaced.
func (r *Redactor) Document() *Document {
	return &Document{Redactor: r, words: map[string]bool{}, people: map[string]bool{}, values: map[string]bool{}}
}

// place is where a value stands.
type place struct {
	name string // of the member, folded
	// personal says that the object around it is about a person: an address, a contact.
	personal bool
	note     bool // that it is what somebody has written
}

// apart returns a text with what a pattern finds replaced in one way, and what stands between
// that in another.
func apart(is *regexp.Regexp, text string, found, between func(string) string) string {
	var out strings.Builder
	at := 0
	for _, m := range is.FindAllStringIndex(text, -1) {
		out.WriteString(between(text[at:m[0]]))
		out.WriteString(found(text[m[0]:m[1]]))
		at = m[1]
	}
	out.WriteString(between(text[at:]))
	return out.String()
}

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
	case isAmong(d.keep, at.name):
		return false
	case isAmong(d.names, at.name), slices.ContainsFunc(sensitiveNames, func(suffix string) bool { return strings.HasSuffix(at.name, suffix) }):
		return true
	case at.personal:
		return !slices.ContainsFunc(plainInPersonal, func(part string) bool { return strings.Contains(at.name, part) }) && !strings.HasSuffix(at.name, "id")
	}
	return at.note && !fixed(at.name) && !identifying(at.name)
}

// replaces is sensitive, and knows from the text itself what is a telephone number: the field
// may as well say whether there is one.
func (d *Document) replaces(text string, at place) bool {
	return d.sensitive(at) || d.keep[at.name] == nil && isPhone(at.name) && len(digitsOf(text)) >= leastPhoneField
}

// Value returns a copy of a value in which all that is personal or secret is replaced.
func (d *Document) Value(v any) any { return d.value(v, place{}) }

func (d *Document) value(v any, at place) any {
	switch v := v.(type) {
	case string:
		return d.text(v, at)
	case jsondoc.Number:
		if d.replaces(string(v), at) {
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
// statuses, keep their words, and ids all but people's names.
func (d *Document) text(text string, at place) string {
	if isAmong(d.keep, at.name) || text == "" {
		return text
	}
	isFixed := fixed(at.name)
	if d.replaces(text, at) || d.values[plain(strings.TrimSpace(text))] && !isFixed && !identifying(at.name) {
		return d.replaced(text)
	}
	text = parameter.ReplaceAllStringFunc(text, d.parameter)
	for _, p := range d.rules.Patterns {
		text = p.ReplaceAllStringFunc(text, d.word)
	}
	_, _, isTime := timeIn(text)
	return apart(userOrEmail, text, d.userOrAddress, func(text string) string {
		for _, p := range patterns {
			text = p.is.ReplaceAllStringFunc(text, func(found string) string { return d.in(p, found) })
		}
		switch {
		case isTime || isFixed:
			return text
		case identifying(at.name):
			return d.withoutWords(text, d.people)
		}
		text = number.ReplaceAllStringFunc(text, func(found string) string {
			if d.isKnownPhone(digitsOf(found)) {
				return d.digits(found)
			}
			return found
		})
		return d.withoutWords(text, d.words)
	})
}

// withoutWords returns a text with the words replaced that are among those given, and parts of
// words, as of RagnhildDahl or dahl1963.
func (d *Document) withoutWords(text string, words map[string]bool) string {
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if words[plain(w)] {
			return d.word(w)
		}
		return part.ReplaceAllStringFunc(w, func(p string) string {
			if words[plain(p)] {
				return d.word(p)
			}
			return p
		})
	})
}

// parameter returns a parameter of a URL, with another value where its name says that it is
// secret.
func (r *Redactor) parameter(text string) string {
	m := parameter.FindStringSubmatch(text)
	name, err := url.QueryUnescape(m[2])
	if err != nil {
		name = m[2]
	}
	if !containsAny(folded(name), secretParameters) {
		return text
	}
	value, err := url.QueryUnescape(m[3])
	if err != nil { // it is no query, but may be secret all the same
		return m[1] + m[2] + "=" + r.word(m[3])
	}
	return m[1] + m[2] + "=" + url.QueryEscape(r.word(value))
}

// userOrAddress returns the user and the password of a URL, or an e-mail address, replaced.
func (r *Redactor) userOrAddress(text string) string {
	if strings.HasPrefix(text, "://") {
		return word.ReplaceAllStringFunc(text, r.word)
	}
	return r.address(text)
}

// in returns what a pattern has found, replaced.
func (r *Redactor) in(p pattern, found string) string {
	if p.form == nil {
		return r.word(found)
	}
	return p.form(r, found)
}

// isKnownPhone reports whether digits are those of a telephone number that was learned, with
// or without its country.
func (d *Document) isKnownPhone(digits string) bool {
	return len(digits) >= leastPhone && slices.ContainsFunc(d.phones, func(phone string) bool {
		return strings.HasSuffix(phone, digits) || strings.HasSuffix(digits, phone)
	})
}

// wordsOf returns the words of a text: what stands between white space and punctuation.
func wordsOf(text string) []string { return word.FindAllString(text, -1) }

// folded is a name without its case and accents, and without what people put between words.
func folded(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, plain(name))
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
