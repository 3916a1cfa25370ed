package rules

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	declaredTest = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	namedTest    = regexp.MustCompile("`(Test\\w+)`")
)

// testsOf returns the names of all tests of a project.
func testsOf(t *testing.T, project fs.FS) map[string]bool {
	t.Helper()
	names, err := fileNames(project)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for name := range names {
		if !strings.HasSuffix(path.Base(name), "_test.go") {
			continue
		}
		text, err := fs.ReadFile(project, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declaredTest.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
	}
	return tests
}

// unproven returns the promises of a page that name no test, and the tests that it names and
// that are not there. A promise is a row of a table, and its last cell has the tests.
func unproven(page string, tests map[string]bool) (wrong []string, promises int) {
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if row := strings.HasPrefix(line, "|"); row && !strings.HasPrefix(line, "|---") && !strings.HasPrefix(line, "| promise |") {
			promises++
			if !namedTest.MatchString(cells[len(cells)-1]) {
				wrong = append(wrong, "no test: "+cells[0])
			}
		}
		for _, m := range namedTest.FindAllStringSubmatch(line, -1) {
			if !tests[m[1]] {
				wrong = append(wrong, m[1]+" is no test")
			}
		}
	}
	return wrong, promises
}

// TestEachPromiseOfSecurityNamesItsTests: what SECURITY.md says that somebody cannot do, a
// test has tried.
func TestEachPromiseOfSecurityNamesItsTests(t *testing.T) {
	text, err := os.ReadFile(root + "/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	wrong, promises := unproven(string(text), testsOf(t, os.DirFS(root)))
	for _, what := range wrong {
		t.Errorf("SECURITY.md: %s", what)
	}
	if promises < 40 {
		t.Errorf("SECURITY.md has %d promises: are they written otherwise by now?", promises)
	}
}

func TestPromisesWithoutATestAreFound(t *testing.T) {
	const page = "| promise | tests |\n|---|---|\n| a | `TestA` |\n| b | `TestGone`, `TestA` |\n| c | |\n\nIn a sentence: `TestLost`.\n"
	wrong, promises := unproven(page, map[string]bool{"TestA": true})
	if got := strings.Join(wrong, "; "); promises != 3 || got != "TestGone is no test; no test:  c ; TestLost is no test" {
		t.Errorf("of %d promises: %s", promises, got)
	}
}
