package bodyindex

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// escaped is what the letter behind a backslash stands for in a JSON string
// (RFC 8259, section 7), 0 for the letters that mean nothing there.
var escaped = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// hasEscapes reports whether the body may read differently once its escapes
// are decoded.
func hasEscapes(body []byte) bool { return bytes.IndexByte(body, '\\') >= 0 }

// appendUnescaped appends the body with its JSON escapes decoded, wherever they
// stand: nothing says that the body is JSON, nor that it is whole. What is no
// escape, and half of a surrogate pair, stays as it is written. The result is
// no longer than the body.
func appendUnescaped(dst, body []byte) []byte {
	for {
		i := bytes.IndexByte(body, '\\')
		if i < 0 {
			return append(dst, body...)
		}
		dst, body = append(dst, body[:i]...), body[i:]
		r, size := escape(body)
		if size == 0 { // the backslash stands for itself
			dst, body = append(dst, '\\'), body[1:]
			continue
		}
		dst, body = utf8.AppendRune(dst, r), body[size:]
	}
}

// escape decodes the escape that the text begins with; the size is 0 if it
// begins with none.
func escape(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	if c := escaped[text[1]]; c != 0 {
		return rune(c), 2
	}
	r, ok := unicodeEscape(text)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if low, ok := unicodeEscape(text[6:]); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return 0, 0
}

// unicodeEscape decodes the \uXXXX that the text begins with.
func unicodeEscape(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[2:6] {
		digit := bytes.IndexByte([]byte("0123456789abcdef"), byte(lower(uint64(c))))
		if digit < 0 {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}
