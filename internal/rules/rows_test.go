package rules

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// callRow is a row of a table that says what a call of the API does, up to its second cell.
var callRow = regexp.MustCompile("^\\| (`[A-Z]+`?[ ,].*?) \\|")

// repeatedCalls returns the rows of a document that are about calls of another row.
func repeatedCalls(text string) (repeated []string) {
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		if m := callRow.FindStringSubmatch(line); m != nil {
			if seen[m[1]] {
				repeated = append(repeated, m[1])
			}
			seen[m[1]] = true
		}
	}
	return repeated
}

// TestEachCallHasOneRow: of two rows about a call only one is changed with the call, and the
// other stays as it was.
func TestEachCallHasOneRow(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range repeatedCalls(string(text)) {
		t.Errorf("docs/api.md has two rows about %s", call)
	}
}
