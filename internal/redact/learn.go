package redact

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Learn notes the words of a value that are personal.
func (d *Document) Learn(v any) { d.learn(v, place{}) }

func (d *Document) learn(v any, at place) {
	each(v, at, func(text string, at place) {
		if !d.replaces(text, at) || at.note {
			return
		}
		d.values[plain(strings.TrimSpace(text))] = true
		if isPhone(at.name) {
			if digits := digitsOf(text); len(digits) >= leastPhone {
				d.phones = append(d.phones, digits)
			}
			return
		}
		apart(email, text, d.learnAddress, func(rest string) string {
			d.learnWords(rest, ofPerson(at.name))
			return rest
		})
	})
}

// learnWords notes the words of a text.
func (d *Document) learnWords(text string, ofPerson bool) {
	for _, w := range wordsOf(text) {
		if n := utf8.RuneCountInString(w); n < leastWord && !(n > 1 && isDense(w)) {
			continue
		}
		d.words[plain(w)] = true
		if ofPerson {
			d.people[plain(w)] = true
		}
	}
}

// learnAddress notes the words of an e-mail address. The last one of its domain is nobody's.
func (d *Document) learnAddress(text string) string {
	local, domain, _ := strings.Cut(text, "@")
	for _, w := range wordsOf(local) {
		for _, p := range append(part.FindAllString(w, -1), w) {
			d.learnWords(p, strings.ContainsFunc(p, unicode.IsLetter) && !slices.Contains(mailboxes, plain(p)))
		}
	}
	if !d.rules.KeepDomain {
		d.learnWords(domain[:strings.LastIndex(domain, ".")], false)
	}
	return text
}

const (
	// leastWord is how many letters a word has at least that is replaced wherever it stands:
	// a shorter one is part of everything.
	leastWord = 3
	// leastPhone is how many digits a telephone number has.
	leastPhone = 6
	// leastPhoneField is how many it has where the name of the field says that it is one.
	leastPhoneField = 5
)

// isDense reports whether a word is of a script that says much in few characters: two of
// them are a name.
func isDense(word string) bool {
	return strings.ContainsFunc(word, func(c rune) bool {
		return unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	})
}
