package bodyindex

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func fold(text string) string { return string(appendFolded(nil, []byte(text))) }

// foldSlowly is what appendFolded does, written another way.
func foldSlowly(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError {
			out.WriteString(text[:size])
		} else {
			out.WriteRune(representative(r))
		}
		text = text[size:]
	}
	return out.String()
}

func TestFoldsCase(t *testing.T) {
	for _, same := range [][]string{
		{"AZ", "az", "Az"},
		{"[@`{", "[@`{"}, // the neighbours of the letters
		{"Å", "å", "\u212b"},
		{"s", "S", "ſ"},
		{"k", "K", "\u212a"},
		{"ß", "ẞ"},
		{"σ", "ς", "Σ"},
		{"ǆ", "ǅ", "Ǆ"},
		{"µ", "μ", "Μ"},
		{"\u0345", "ι", "Ι", "\u1fbe"},
		{"Ⱥ", "ⱥ"}, // of two and of three bytes
		{"в", "В", "\u1c80"},
		{"Ꭰ", "ꭰ"}, // Cherokee
		{"\U00010400", "\U00010428"},
		{"ORDRE FRA ÅLESUND TIL ØRSTA", "ordre fra ålesund til ørsta"},
	} {
		for _, variant := range same[1:] {
			if fold(variant) != fold(same[0]) {
				t.Errorf("%q folds to %q, %q to %q", variant, fold(variant), same[0], fold(same[0]))
			}
		}
	}
}

func TestDoesNotFoldWhatIsNotTheSame(t *testing.T) {
	for _, text := range []string{
		"ß|ss", "i|ı", "I|İ", "æ|ae", "å|a", "\xe5|å", "\xff|\ufffd", "0|O", "@|`", "[|{",
	} {
		if a, b, _ := strings.Cut(text, "|"); fold(a) == fold(b) {
			t.Errorf("%q and %q are the same", a, b)
		}
	}
}

func TestLeavesWhatIsNotUTF8(t *testing.T) {
	for _, text := range []string{"\xff\xfe\xfd", "a\xc3", "\xe2\x84", "\xed\xa0\x80", "\xc0\x80", "\ufffd", "12345678\x80", "\xf8"} {
		if got := fold(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// TestFoldTable holds the table against the orbits of all runes.
func TestFoldTable(t *testing.T) {
	table := folds()
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		got := table.fold(r)
		if want := representative(r); got != want {
			t.Errorf("%U folds to %U, not to %U", r, got, want)
		}
		if next := unicode.SimpleFold(r); next >= 0x80 && table.fold(next) != got {
			t.Errorf("%U and %U fold to %U and %U", r, next, got, table.fold(next))
		}
		if utf8.ValidRune(r) && utf8.RuneLen(got) > utf8.RuneLen(r) {
			t.Errorf("%U grows to %U", r, got)
		}
	}
}

func TestFoldsWhereverItStands(t *testing.T) {
	for _, letter := range []string{"A", "Å", "ſ", "\u212a", "\U00010400", "\xff", "\xe2\x84"} {
		for before := range 20 {
			for after := range 20 {
				text := strings.Repeat("Z", before) + letter + strings.Repeat("Y", after)
				if want := strings.Repeat("z", before) + foldSlowly(letter) + strings.Repeat("y", after); fold(text) != want {
					t.Errorf("%q folds to %q", text, fold(text))
				}
			}
		}
	}
}

func TestFoldAppends(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyText.Draw(t, "text")
		before := rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "before")
		got := appendFolded(bytes.Clone(before), []byte(text))
		if string(got) != string(before)+foldSlowly(text) {
			t.Fatalf("%q behind %q became %q", text, before, got)
		}
		if len(got) > len(before)+len(text) {
			t.Fatalf("%q grew to %q", text, got)
		}
	})
}

// anyText is text of all sorts: words, escapes, odd letters, broken UTF-8.
var anyText = rapid.Custom(func(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{
			"a", "Z", "ſ", "\u212a", "Å", "å", "\u212b", "ß", "ẞ", "İ", "ς", "Ⱥ", "🛒", "\U00010400", "\xff", "\xc3", "\xe2\x84", "\x00",
			`\`, `\\`, `\"`, `\/`, `\n`, `\u00e5`, `\u00C5`, `\u212A`, `\ud83d`, `\uDED2`, `\ud83d\uded2`, `\u005c`, `\u00`, `"`, "u00e5",
		}),
		rapid.StringMatching(`[A-Za-z0-9:,{}" ]{1,12}`),
		rapid.String(),
	), 0, 30).Draw(t, "parts"), "")
})
