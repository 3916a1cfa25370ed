package secret

import (
	"slices"
	"strings"
	"unicode"
)

// secretWords make a secret of what has one of them anywhere in its name, and
// secretParts of what has one of them as a part of it.
var (
	secretWords = []string{"authorization", "cookie", "token", "key", "secret", "signature", "password", "passwd", "credential", "session", "bearer", "jwt", "hmac"}
	secretParts = []string{"auth", "pass", "pwd", "sig"}
)

// secretName reports whether the name of a header, or of a parameter in a URL,
// says that its value is a secret.
func secretName(name string) bool {
	name = strings.ToLower(name)
	if slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) }) {
		return true
	}
	parts := strings.FieldsFunc(name, func(c rune) bool { return !unicode.IsLetter(c) })
	return slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(secretParts, part) })
}

// IsSignature reports whether the header of that name is a signature. It is
// asked about each header of each attempt, and so makes no copy of the name.
func IsSignature(name string) bool {
	const part = "signature"
	for i := range len(name) - len(part) + 1 {
		if strings.EqualFold(name[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// plainHeaders hold no secret, whatever their values look like.
var plainHeaders = []string{"User-Agent", "Accept", "Cache-Control", "Pragma", "From", "Referer", "Origin", "Via", "Range", "Priority", "Prefer"}

// IsSecret reports whether a value that somebody gave a name is a secret: one
// that would harm if an answer that repeats it were shown. A header that a user
// sets may as well be a tenant's name, or a media type. The name is a header's,
// in its canonical form, or a parameter's of a URL.
func IsSecret(name, value string) bool {
	if value == "" || mediaType(value) {
		return false
	}
	if slices.Contains(plainHeaders, name) || strings.HasPrefix(name, "Accept-") {
		return false
	}
	return secretName(name) || LooksRandom(value)
}

// mediaType reports whether a value is a media type, as application/json.
func mediaType(value string) bool {
	kind, sub, ok := strings.Cut(strings.ToLower(value), "/")
	return ok && sub != "" && slices.Contains([]string{"application", "audio", "image", "message", "multipart", "text", "video"}, kind)
}

// leastRandom is the length in bytes from which a value can be told for random.
const leastRandom = 20

// LooksRandom reports whether a value looks as if nobody had thought of it: a long
// word in which letters of both cases and digits change all the time; or
// credentials, by their scheme.
func LooksRandom(value string) bool {
	scheme, rest, ok := strings.Cut(value, " ")
	if ok {
		return rest != "" && slices.Contains([]string{"basic", "bearer", "digest", "token", "hmac"}, strings.ToLower(scheme))
	}
	if len(value) < leastRandom {
		return false
	}
	seen, changes := map[int]bool{}, 0
	for i := range len(value) {
		class := classOf(value[i])
		if seen[class] = true; i > 0 && class != classOf(value[i-1]) {
			changes++
		}
	}
	return seen['A'] && seen['a'] && seen['0'] && changes >= len(value)/3
}

func classOf(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return 'A'
	case 'a' <= c && c <= 'z':
		return 'a'
	case '0' <= c && c <= '9':
		return '0'
	}
	return '-'
}
