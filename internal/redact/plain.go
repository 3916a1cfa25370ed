package redact

import (
	"strings"
	"unicode"
)

// withAccents are the letters that each plain one is written for: people write their names
// with or without them.
var withAccents = map[string]string{
	"a": "àáâãäåāăąǎạảấầẩẫậắằẳẵặ", "ae": "æǽ", "c": "çćĉċč", "d": "ďđð", "e": "èéêëēĕėęěẹẻẽếềểễệ", "g": "ĝğġģ", "h": "ĥħ", "i": "ìíîïĩīĭįıǐỉị", "j": "ĵ",
	"k": "ķ", "l": "ĺļľŀł", "n": "ñńņňŋ", "o": "òóôõöøōŏőǒơọỏốồổỗộớờởỡợ", "oe": "œ", "r": "ŕŗř", "s": "śŝşšș", "ss": "ß", "t": "ţťŧț", "th": "þ",
	"u": "ùúûüũūŭůűųǔưụủứừửữự", "w": "ŵẁẃẅ", "y": "ýÿŷỳỵỷỹ", "z": "źżž",
}

var plainOf = func() map[rune]string {
	out := map[rune]string{}
	for plain, letters := range withAccents {
		for _, c := range letters {
			out[c] = plain
		}
	}
	return out
}()

// plain is a text in lower case and without accents: two that differ in them alone are the same
// name.
func plain(text string) string {
	var out strings.Builder
	for _, c := range strings.ToLower(text) {
		switch letters, is := plainOf[c]; {
		case is:
			out.WriteString(letters)
		case !unicode.Is(unicode.Mn, c):
			out.WriteRune(c)
		}
	}
	return out.String()
}
