package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"unicode"
)

// replaced returns a whole value replaced: an e-mail address by one of example.com, a time by
// another, an IBAN, a card and an IP address by one that is as valid, all else word by word.
func (d *Document) replaced(text string) string {
	if moved, ok := d.time(text); ok {
		return moved
	}
	for _, p := range patterns {
		if p.form != nil && p.is.FindString(text) == text {
			if out := p.form(d.Redactor, text); out != text { // it was one, and did not just look so
				return out
			}
		}
	}
	return apart(userOrEmail, text, d.userOrAddress, func(text string) string {
		if strings.ContainsFunc(text, unicode.IsLetter) {
			return word.ReplaceAllStringFunc(text, d.word)
		}
		return d.digits(text)
	})
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
	local, domain, _ := strings.Cut(strings.ToLower(text), "@")
	sum := r.sum("address", strings.ToLower(text), 0)
	out := []byte("user-")
	for i := range max(6, min(len(local), 16)) {
		out = append(out, 'a'+sum[i]%26)
	}
	if !r.rules.KeepDomain {
		domain = "example.com"
	}
	return string(out) + "@" + domain
}

// word returns a word with another letter in the place of each letter, and another digit in
// that of each digit. Case and all other characters stay.
func (r *Redactor) word(text string) string { return r.by(plain(text), text) }

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
