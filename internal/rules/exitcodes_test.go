package rules

import (
	"go/ast"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// finders are the files of the command line whose commands end with a foundError, and what
// docs/operating.md calls these commands in the row of exit code 1.
var finders = map[string][]string{
	"apply.go": {"`apply --dry-run`"}, "check.go": {"`check`"}, "checkendpoint.go": {"`check URL`"}, "doctor.go": {"`doctor`"},
	"listen.go": {"`listen`"}, "rerun.go": {"`rerun`", "`ci run`"}, "simulate.go": {"`simulate`"}, "trigger.go": {"`trigger --to`"},
}

// exitRow returns the row of an exit code in docs/operating.md.
func exitRow(t *testing.T, code string) string {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, there := strings.Cut(string(text), "\n| "+code+" | ")
	if !there {
		t.Fatalf("docs/operating.md has no row of the exit code %s", code)
	}
	row, _, _ := strings.Cut(rest, "\n")
	return row
}

// TestTheExitCodeOfWhatWasFound: scripts go by the row, so it has each command that ends so.
func TestTheExitCodeOfWhatWasFound(t *testing.T) {
	row, seen := exitRow(t, "1"), map[string]bool{}
	eachFile(t, func(p listed, name string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || p.ImportPath != "cmd/orderhook" {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "foundError" {
				seen[path.Base(name)] = true
			}
			return true
		})
	})
	for name := range seen {
		if finders[name] == nil {
			t.Errorf("%s ends with a foundError: give it a row here and in docs/operating.md", name)
		}
	}
	for name, commands := range finders {
		if !seen[name] {
			t.Errorf("%s ends with no foundError", name)
		}
		for _, command := range commands {
			if !strings.Contains(row, command) {
				t.Errorf("the row of exit code 1 in docs/operating.md lacks %s", command)
			}
		}
	}
}

// TestTheExitCodeOfASignal: the first signal ends these commands well, and all others before
// they are done.
func TestTheExitCodeOfASignal(t *testing.T) {
	source, err := os.ReadFile(root + "/cmd/orderhook/main.go")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`var endless = \[\]string\{"serve", (.*), "bench-attack"(.*)\}`).FindSubmatch(source)
	if list == nil {
		t.Fatal("the commands that a signal is meant to end are listed otherwise by now")
	}
	row := exitRow(t, "130, 143")
	for _, m := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(string(list[1])+string(list[2]), -1) {
		if _, others, _ := strings.Cut(row, "The other commands but "); !strings.Contains(others, "`"+m[1]+"`") {
			t.Errorf("the row of exit code 130 in docs/operating.md lacks %s", m[1])
		}
	}
}
