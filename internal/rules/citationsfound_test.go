package rules

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// What TestCitationsLeadSomewhere finds, and what it leaves alone. In the samples, @
// stands for the ending of a document, so that they are no citations themselves.
func TestWhichCitationsLeadNowhere(t *testing.T) {
	const contract = "# The contract\n\n## Patches\n\n```\n## In a block\n```\n\n### How `value` is applied\n\n## Twice\n\n## Twice\n"
	for name, c := range map[string]struct {
		file, text string
		want       []string // a part of each finding
	}{
		"a section":                   {"a.go", "package a // docs/contract@#patches", nil},
		"a section with code":         {"a.go", "package a // docs/contract@#how-value-is-applied", nil},
		"the second of a name":        {"a.go", "package a // docs/contract@#twice-1", nil},
		"the third of two":            {"a.go", "package a // docs/contract@#twice-2", []string{"no section #twice-2"}},
		"no such section":             {"a.go", "package a // docs/contract@#patch", []string{"no section #patch"}},
		"a heading in a block":        {"a.go", "package a // docs/contract@#in-a-block", []string{"no section #in-a-block"}},
		"no such document":            {"a.go", "package a // (CONTRACT@)", []string{"CONTRACT@ is no document"}},
		"a document from elsewhere":   {"a.go", "package a // shared/contract@", []string{"shared/contract@ is no document"}},
		"without its folder":          {"a.go", "package a // contract@#patches", []string{"contract@ is no document"}},
		"a document in a message":     {"a.go", "package a; var _ = `see GONE@`", []string{"GONE@ is no document"}},
		"by title":                    {"a.go", "package a // docs/contract@, \"Patches\"", []string{"by its anchor"}},
		"by title over two lines":     {"a.go", "package a\n\n// As docs/contract@,\n// \"Patches\", says.", []string{"by its anchor"}},
		"by title in brackets":        {"a.go", "package a // docs/contract@'s table (\"Patches\")", nil},
		"a file of text":              {"a.go", "package a // testdata/known.txt", nil},
		"a file of text elsewhere":    {"a.go", "package a // order-step.txt, \"Behavior\"", []string{"order-step.txt is no file"}},
		"a file of text in code":      {"a.go", "package a; var _ = `any.txt`", nil},
		"a number":                    {"a.go", "package a // TestX (case G2): so it is", []string{"case G2 is a number"}},
		"a case that has no number":   {"a.go", "package a // in that case Go is right, and in case A as well", nil},
		"another site":                {"a.go", "package a // https://example.com/SPEC@#x", nil},
		"a file that is being made":   {"Makefile", "bench >docs/contract@.new", nil},
		"a script":                    {"scripts/x", "# see GONE@", []string{"GONE@ is no document"}},
		"a link":                      {"docs/b@", "[x](contract@#patches) [y](../a.go) [z](#here) [w](../docs)\n\n# Here", nil},
		"a link to no file":           {"docs/b@", "[x](gone@)", []string{"the link gone@ leads to no file"}},
		"a link to no section":        {"docs/b@", "[x](contract@#gone)", []string{"leads to no section of docs/contract@"}},
		"a link to no section of its": {"docs/b@", "[x](#gone)", []string{"the link #gone leads to no section"}},
		"a link to another site":      {"docs/b@", "[x](https://example.com/a@#b)", nil},
		"a picture that is not there": {"docs/b@", "![x](images/gone.png)", []string{"the link images/gone.png leads to no file"}},
		"a neighbour's name":          {"docs/b@", "as contract@ says, and docs/contract@", nil},
		"a name that is not there":    {"docs/b@", "as DESIGN@ says", []string{"DESIGN@ is no document"}},
		"a link in a block":           {"docs/b@", "```\n[x](gone@)\n```", nil},
	} {
		t.Run(name, func(t *testing.T) {
			at := func(s string) string { return strings.ReplaceAll(s, "@", ".md") }
			project := fstest.MapFS{
				"docs/contract.md":     {Data: []byte(contract)},
				"a.go":                 {Data: []byte("package a")},
				"a/testdata/known.txt": {},
			}
			project[at(c.file)] = &fstest.MapFile{Data: []byte(at(c.text))}
			found, err := citations(project)
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != len(c.want) {
				t.Fatalf("found %v, want %q", found, c.want)
			}
			for i, f := range found {
				if f.file != at(c.file) || !strings.Contains(f.what, at(c.want[i])) {
					t.Errorf("found %v, want %q in %s", f, at(c.want[i]), at(c.file))
				}
			}
		})
	}
}

// TestTheContractNamesItsTests: each section of the contract names the files of
// test/contract that hold orderhook to it, so they must be there.
func TestTheContractNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("../../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, paragraph := range strings.Split(string(text), "\n\n") {
		if list, is := strings.CutPrefix(paragraph, "Tests: "); is {
			for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(list, -1) {
				named = append(named, m[1])
			}
		}
	}
	if len(named) < 100 {
		t.Fatalf("the contract names %d tests: are they written otherwise by now?", len(named))
	}
	slices.Sort(named)
	for _, name := range slices.Compact(named) {
		if _, err := os.Stat("../../test/contract/" + name + "_test.go"); err != nil {
			t.Errorf("docs/contract.md names the tests %s, which are not there: %v", name, err)
		}
	}
}
