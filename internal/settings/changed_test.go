package settings

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/secret"
)

func TestChangedSections(t *testing.T) {
	const base = `{"connectors":[{"name":"ERP","host":"https://erp.example.com","bearerToken":"t"}],"retention":{"attempts":"P1D"},"ours":1}`
	parse := func(doc string) *Settings {
		t.Helper()
		s, _, err := Incoming{Doc: document(t, doc)}.Check()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	stored := func(s *Settings) *Settings { // as they are read again
		n := 0
		sealed, _ := s.Sealed(func(place string, _ []string, v secret.Value) secret.Sealed {
			n++
			return secret.Sealed{ID: fmt.Sprint("sec_", n), Place: place}
		})
		doc := document(t, string(sealed.JSON()))
		return ParseStored(doc)
	}
	for doc, want := range map[string][]string{
		base:                                     {"connectors"}, // the token was given again
		strings.Replace(base, `"t"`, `"***"`, 1): nil,
		`{"retention":{"attempts":"P1D"},"ours":1}`: {"connectors"},
		strings.Replace(base, `"t"`, `"***"`, 1)[:1] + `"markets":[{"marketId":"NOR"}],` + strings.Replace(base, `"t"`, `"***"`, 1)[1:]: {"markets"},
		strings.NewReplacer(`"t"`, `"***"`, "P1D", "P2D", `"ours":1`, `"ours":{"a":"b"}`).Replace(base):                                 {"retention", "ours"},
	} {
		before := stored(parse(base))
		next, _, err := Incoming{Doc: document(t, doc), Stored: before}.Check()
		if err != nil {
			t.Fatal(err)
		}
		got := next.ChangedSections(before)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", doc, got, want)
		}
	}
	many := "{"
	for i := range 100 {
		many += fmt.Sprintf(`"%d%s":1,`, i, strings.Repeat("é", 100))
	}
	got := parse(many + `"last":1}`).ChangedSections(Empty())
	if len(got) != mostSections || len(got[0]) > longestSection+len("…") {
		t.Errorf("%d names, the first of %d bytes", len(got), len(got[0]))
	}
}
