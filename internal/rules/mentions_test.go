package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

var (
	// goFile is a file of Go in a document, and behind it, in brackets, what is said to be in it.
	goFile = regexp.MustCompile("`([\\w./-]+\\.go)`(?: \\((`\\w+`(?:, `\\w+`)*)\\))?")
	quoted = regexp.MustCompile("`([A-Za-z]\\w*(?:\\.\\w+)*)`")
)

// mentions says which files that a document names are not there, and which names are not
// declared in the file that they stand behind. A file without a folder is in that of the file
// before it, in the same line.
func mentions(project fs.FS, names map[string]bool, text string) (wrong []string) {
	for line := range strings.Lines(text) {
		folder := ""
		for _, m := range goFile.FindAllStringSubmatch(line, -1) {
			cited := m[1]
			if !strings.Contains(cited, "/") {
				cited = path.Join(folder, cited)
			}
			folder = path.Dir(cited)
			file := fileCalled(names, cited)
			if file == "" && (m[2] != "" || strings.Contains(m[1], "/")) {
				wrong = append(wrong, cited+" is no file")
			}
			for _, q := range quoted.FindAllStringSubmatch(m[2], -1) {
				if file != "" && !declares(project, file, q[1]) {
					wrong = append(wrong, cited+" has no "+q[1])
				}
			}
		}
	}
	return wrong
}

// fileCalled returns the file of a project of which a document names the end.
func fileCalled(names map[string]bool, cited string) string {
	for _, at := range []string{cited, "internal/" + cited, "internal/workflow/" + cited, "internal/store/" + cited} {
		if names[at] {
			return at
		}
	}
	return ""
}

// declares reports whether a file declares a name, outside of functions.
func declares(project fs.FS, name, what string) (found bool) {
	text, err := fs.ReadFile(project, name)
	if err != nil {
		return false
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			found = found || n.Name.Name == what
			return false
		case *ast.TypeSpec:
			found = found || n.Name.Name == what
		case *ast.Field:
			for _, field := range n.Names {
				found = found || field.Name == what
			}
		case *ast.ValueSpec:
			for _, value := range n.Names {
				found = found || value.Name == what
			}
		}
		return !found
	})
	return found
}

// unknownNames returns the names in a document that no file of Go has.
func unknownNames(project fs.FS, names map[string]bool, text string) (unknown []string, err error) {
	known := map[string]bool{}
	for name := range names {
		if path.Ext(name) != ".go" {
			continue
		}
		source, err := fs.ReadFile(project, name)
		if err != nil {
			return nil, err
		}
		for _, word := range regexp.MustCompile(`\w+`).FindAllString(string(source), -1) {
			known[word] = true
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		for part := range strings.SplitSeq(m[1], ".") {
			if !known[part] && path.Ext(m[1]) != ".go" {
				unknown = append(unknown, m[1])
			}
		}
	}
	return unknown, nil
}

// TestDocumentsKnowWhereThingsAre: whoever looks for something where a document has it finds it.
func TestDocumentsKnowWhereThingsAre(t *testing.T) {
	project := os.DirFS(root)
	names, err := fileNames(project)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ARCHITECTURE.md", "CONTRIBUTING.md"} {
		text, err := fs.ReadFile(project, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range mentions(project, names, string(text)) {
			t.Errorf("%s: %s", name, what)
		}
	}
	text, err := fs.ReadFile(project, "ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := unknownNames(project, names, string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range unknown {
		t.Errorf("ARCHITECTURE.md: %s is nowhere in the code", name)
	}
}

func TestWrongMentionsAreFound(t *testing.T) {
	project := fstest.MapFS{
		"internal/a/x.go": {Data: []byte("package a\nfunc F() { inner := 1 }\nvar V int\ntype T struct { field int }\n")},
		"internal/a/y.go": {Data: []byte("package a\nfunc G() {}\n")},
	}
	names, err := fileNames(project)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"`a/x.go` (`F`, `V`), `y.go` (`G`)": "",
		"`a/x.go` (`T`, `field`)":           "",
		"`a/x.go` (`G`)":                    "a/x.go has no G",
		"`a/x.go` (`F`), `y.go` (`F`)":      "a/y.go has no F",
		"`a/x.go` (`inner`)":                "a/x.go has no inner",
		"`a/z.go` (`F`)":                    "a/z.go is no file",
	} {
		if got := strings.Join(mentions(project, names, text), "; "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if unknown, err := unknownNames(project, names, "`F`, `a.G`, `a.H`"); err != nil || strings.Join(unknown, " ") != "a.H" {
		t.Errorf("%q, %v", unknown, err)
	}
}
