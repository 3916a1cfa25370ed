package rules

import (
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// ofFirst is the beginning of a sentence that says first what it is about, and leaves the reader
// to wait for its subject: "Of two with one name the last one counts."
var ofFirst = regexp.MustCompile(`(?:^|[.:;?!] )(Of (?:a|an|the|two) \S+)`)

// backward returns the beginnings of such sentences in the comments of a file.
func backward(source string) (found []string) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil // the compiler says what is wrong with it
	}
	for _, c := range file.Comments {
		for paragraph := range strings.SplitSeq(c.Text(), "\n\n") {
			text := strings.Join(strings.Fields(paragraph), " ")
			for _, m := range ofFirst.FindAllStringSubmatch(text, -1) {
				found = append(found, m[1])
			}
		}
	}
	return found
}

// TestSentencesBeginWithTheirSubject looks for one kind of sentence alone, which a colleague has
// to read twice.
func TestSentencesBeginWithTheirSubject(t *testing.T) {
	eachGoFile(t, func(name, text string) {
		if name == "internal/rules/sentences_test.go" {
			return
		}
		for _, what := range backward(text) {
			t.Errorf("%s: a comment has a sentence that begins %q: put its subject first", name, what)
		}
	})
}

func TestBackwardSentencesAreFound(t *testing.T) {
	for source, want := range map[string]string{
		"// Of a step it reads nothing.":                        "Of a step",
		"// It reads. Of two lists\n// it takes the last one.":  "Of two lists",
		"// It reads: Of the two it takes one.":                 "Of the two",
		"// It reads the first of the two. It ends.":            "",
		"// Office hours are over.":                             "",
		"func f() {\n\tx := 1 // Of an order it has the id.\n}": "Of an order",
	} {
		if got := strings.Join(backward("package p\n\n"+source+"\n"), "; "); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
