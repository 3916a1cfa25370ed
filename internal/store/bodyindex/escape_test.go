package bodyindex

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestDecodesEscapes(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`none`, `none`},
		{`\u00e5\u00C5`, `åÅ`},
		{`\ud83d\uDED2!`, `🛒!`},
		{`\"\\\/\b\f\n\r\t`, "\"\\/\b\f\n\r\t"},
		{`\\u00e5`, `\u00e5`}, // the backslash is what is escaped
		{`\u005cu00e5`, `\u00e5`},
		{`\u0000`, "\x00"},
		{`\uFFFD`, "\ufffd"},
		// no escapes, or not whole
		{`\`, `\`},
		{`\x41`, `\x41`},
		{`\U00e5`, `\U00e5`},
		{`\u`, `\u`},
		{`\u00e`, `\u00e`},
		{`\u00g5`, `\u00g5`},
		{`\ud83d`, `\ud83d`},
		{`\ud83d\n`, "\\ud83d\n"},
		{`\ud83d\u0041`, `\ud83dA`},
		{`\uded2\ud83d`, `\uded2\ud83d`},
		{`\ud83d\ud83d\uded2`, `\ud83d🛒`},
		{`\ud83d\uded`, `\ud83d\uded`},
		{"\\\xff", "\\\xff"},
		{"\\\x00", "\\\x00"},
	} {
		if got := string(appendUnescaped(nil, []byte(c.body))); got != c.want {
			t.Errorf("%s became %q, not %q", c.body, got, c.want)
		}
	}
}

// TestDecodesAsJSONDoes holds the decoding of whole strings against encoding/json's.
func TestDecodesAsJSONDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendUnescaped(nil, quoted[1:len(quoted)-1])); got != text && utf8.ValidString(text) {
			t.Fatalf("%s became %q, not %q", quoted, got, text)
		}
	})
}

func TestDecodingNeverGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := anyText.Draw(t, "body")
		if got := appendUnescaped(nil, []byte(body)); len(got) > len(body) {
			t.Fatalf("%q grew to %q", body, got)
		}
	})
}
