package outbound

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
)

// secretsOf returns the secrets that a request carries, in each form in which an
// answer may repeat them: as it was sent, without its scheme, without what
// stands before it in Basic credentials, in base64, in hexadecimal digits, and as a URL has it.
// Those of the URL are not among them: the destination has them.
// Whatever this function returns is masked in the record of the answer. A form that it
// misses would be stored and shown in the clear.
func secretsOf(m *message) secretForms {
	f := make(secretForms, 0, usualHeaders+len(m.signing)+len(m.to.secrets))
	for _, name := range m.header.secret {
		for _, value := range append(m.header.Header[name], m.header.Header[strings.ToLower(name)]...) { // see putHidden
			if secret.IsSignature(name) {
				f.signatures(value)
			} else if secret.IsSecret(name, value) {
				f.addCredentials(name, value)
			}
		}
	}
	return append(f, m.signing...)
}

// unknownTo leaves out what a document says.
func (f secretForms) unknownTo(doc []byte) []string {
	return slices.DeleteFunc(f, func(form string) bool { return bytes.Contains(doc, []byte(form)) })
}

// secretForms collects what is looked for. A form may be in it twice.
type secretForms []string

// add adds a form, unless it is empty.
func (f *secretForms) add(form string) {
	if form != "" {
		*f = append(*f, form)
	}
}

// signatures adds those of a header: they are separated by spaces, each behind
// its kind.
// A signature is masked without its kind, since an endpoint may repeat it alone.
func (f *secretForms) signatures(value string) {
	for _, one := range strings.Fields(value) {
		if _, bare, ok := strings.Cut(one, ","); ok {
			one = bare
		}
		f.add(one)
	}
}

// addCredentials adds what a header holds: its value, what follows a scheme in it, the values
// of a cookie, and the password of Basic authentication, or the user name without one: many keys are sent so.
func (f *secretForms) addCredentials(name, value string) {
	f.everyForm(value)
	if name == "Cookie" {
		for one := range strings.SplitSeq(value, ";") {
			name, bare, _ := strings.Cut(one, "=")
			if len(bare) >= leastAnywhere || secret.IsSecret(strings.TrimSpace(name), bare) { // not a language, say
				f.everyForm(bare)
			}
		}
	}
	// What follows the scheme is the secret by itself.
	scheme, bare, ok := strings.Cut(value, " ")
	if !ok {
		return
	}
	f.everyForm(bare)
	if plain, err := base64.StdEncoding.DecodeString(bare); err == nil && strings.EqualFold(scheme, "Basic") {
		f.everyForm(string(plain))
		user, password, _ := strings.Cut(string(plain), ":")
		f.everyForm(cmp.Or(password, user))
	}
}

// everyForm adds a secret and its encodings. Answers repeat a secret as their program
// happened to have it.
func (f *secretForms) everyForm(value string) {
	// An empty form would be found everywhere.
	if value == "" {
		return
	}
	f.add(value)
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		f.encoded(value, encoding)
	}
	// The digits of a very short one stand in other texts by chance.
	if digits := hex.EncodeToString([]byte(value)); len(digits) >= leastAnywhere {
		f.add(digits)
		f.add(strings.ToUpper(digits))
	}
	for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value)} {
		if escaped != value {
			f.add(escaped)
		}
	}
}

// encoded adds the base64 of a secret, without the padding, which may be left out;
// and as it is in the midst of other things that were encoded with it, in each of
// the three ways in which it may fall into groups of three bytes. What it shares with
// the bytes beside it is left out then, and so a short secret has no such form.
func (f *secretForms) encoded(value string, encoding *base64.Encoding) {
	whole := encoding.EncodeToString([]byte(value))
	if encoding != base64.RawURLEncoding || strings.ContainsAny(whole, "-_") {
		f.add(whole)
	}
	for before := range 3 {
		text := encoding.EncodeToString(append(make([]byte, before), value...))
		from, to := (before*8+5)/6, (before+len(value))*8/6
		if to-from >= leastWithin && (encoding != base64.RawURLEncoding || strings.ContainsAny(text[from:to], "-_")) {
			f.add(text[from:to])
		}
	}
}

// leastWithin is how many characters of base64 are told from others by chance.
const leastWithin = 10

// querySecrets returns the secrets in a URL's query. Which names mean a secret, package secret says.
// Each is there as it was written, too: as the endpoint logs its requests. Some endpoints read a semicolon as they do an ampersand.
func querySecrets(u *url.URL) []string {
	var f secretForms
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if strings.Contains(pair, ";") {
			f.pair(pair)
		}
		for part := range strings.SplitSeq(pair, ";") {
			f.pair(part)
		}
	}
	return f
}

// pair adds the secret of one parameter of a query.
func (f *secretForms) pair(raw string) {
	name, value, named := strings.Cut(raw, "=")
	if !named {
		if secret.LooksRandom(raw) {
			f.everyForm(raw)
		}
		return
	}
	// What cannot be decoded is looked for as it was written.
	plain, err := url.QueryUnescape(value)
	if err != nil {
		plain = value
	}
	if !secret.IsSecret(http.CanonicalHeaderKey(name), plain) {
		return
	}
	f.everyForm(plain)
	// A plus is a space to some programs, and a plus to others.
	if strings.Contains(value, "+") {
		if plain, err := url.PathUnescape(value); err == nil {
			f.everyForm(plain)
		}
	}
	if value != plain {
		f.add(value)
	}
}

// signingForms are those of what signs requests, with its prefix and without.
func signingForms(key string) []string {
	var f secretForms
	f.everyForm(key)
	for _, prefix := range []string{secretPrefix, privatePrefix} {
		if bare, ok := strings.CutPrefix(key, prefix); ok {
			f.everyForm(bare)
		}
	}
	return f
}
