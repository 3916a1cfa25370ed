package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile(`^Test[A-Z]\w*`)
	// lowerName is a name that is not exported. Sentences begin with a capital, so nothing
	// else at the beginning of a comment looks so.
	lowerName = regexp.MustCompile(`^[a-z]\w*\b`)
)

// misplacedDocs says which comments of a file tell of another thing than they stand on: they
// were left behind when it moved, or when it got another name.
func misplacedDocs(source string) (wrong []string) {
	places := token.NewFileSet()
	file, err := parser.ParseFile(places, "", source, parser.ParseComments)
	if err != nil {
		return nil // the compiler says what is wrong with it
	}
	named := map[*ast.CommentGroup]string{} // what each comment stands on
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			named[d.Doc] = d.Name.Name
		case *ast.GenDecl:
			if len(d.Specs) != 1 {
				continue
			}
			if of, ok := d.Specs[0].(*ast.TypeSpec); ok {
				named[d.Doc] = of.Name.Name
			}
		}
	}
	for _, c := range file.Comments {
		text, on := c.Text(), named[c]
		line := places.Position(c.Pos()).Line
		if name := testName.FindString(text); name != "" && name != on && !inside(file, c) {
			wrong = append(wrong, fmt.Sprintf("line %d: what is said of %s does not stand on it", line, name))
		}
		if name := lowerName.FindString(text); on != "" && name != "" && name != on && !strings.HasPrefix(on, "Test") {
			wrong = append(wrong, fmt.Sprintf("line %d: the comment on %s begins with %s", line, on, name))
		}
		if len(c.List) == 1 && strings.TrimSpace(c.List[0].Text) == "//" {
			wrong = append(wrong, fmt.Sprintf("line %d: an empty comment", line))
		}
	}
	return wrong
}

// inside reports whether a comment stands within a declaration.
func inside(file *ast.File, c *ast.CommentGroup) bool {
	for _, d := range file.Decls {
		if d.Pos() < c.Pos() && c.End() < d.End() {
			return true
		}
	}
	return false
}

// eachGoFile reads all Go files of the project, tests included.
func eachGoFile(t *testing.T, do func(name, text string)) {
	t.Helper()
	project := os.DirFS(root)
	names, err := fileNames(project)
	if err != nil {
		t.Fatal(err)
	}
	for name := range names {
		if path.Ext(name) != ".go" {
			continue
		}
		text, err := fs.ReadFile(project, name)
		if err != nil {
			t.Fatal(err)
		}
		do(name, string(text))
	}
}

func TestCommentsTellOfWhatTheyStandOn(t *testing.T) {
	eachGoFile(t, func(name, text string) {
		for _, what := range misplacedDocs(text) {
			t.Errorf("%s: %s", name, what)
		}
	})
}

func TestMisplacedCommentsAreFound(t *testing.T) {
	for source, want := range map[string]string{
		"// TestA is here.\nfunc TestA() {}":      "",
		"// TestA was here.\n\nfunc TestB() {}":   "line 3: what is said of TestA does not stand on it",
		"// TestA is about B.\nfunc TestB() {}":   "line 3: what is said of TestA does not stand on it",
		"func TestB() {\n\t// TestA has more.\n}": "",
		"// adds adds.\nfunc add() {}":            "line 3: the comment on add begins with adds",
		"// add adds.\nfunc add() {}":             "",
		"// Each is added.\nfunc add() {}":        "",
		"// number is a number.\ntype digit int":  "line 3: the comment on digit begins with number",
		"//go:embed x\nvar x string":              "",
		"const (\n\t//\n\tx = 1\n)":               "line 4: an empty comment",
	} {
		if got := strings.Join(misplacedDocs("package p\n\n"+source), "; "); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
