package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// publicNames are methods of the package that is for the programs of others: their names stay.
var publicNames = []string{"receiver.Patch", "receiver.Property"}

// A method is one of a package, and where it stands.
type method struct {
	name, file string
	returns    []string // the names of the package's own types among its results
}

// shared returns the methods of files of one package that have the name of one of its types,
// and return neither it nor a type whose name ends so. A method that does is named after what it
// returns, as Gate.Figures() Figures and Work.Figures() WorkFigures. Error has its name from an
// interface.
func shared(files map[string]*ast.File) (found []method) {
	types, methods := map[string]bool{}, []method{}
	for name, file := range files {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && d.Name.Name != "Error" {
					methods = append(methods, method{d.Name.Name, name, resultsOf(d)})
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						types[s.Name.Name] = true
					}
				}
			}
		}
	}
	for _, m := range methods {
		if types[m.name] && !slices.ContainsFunc(m.returns, func(of string) bool { return strings.HasSuffix(of, m.name) }) {
			found = append(found, m)
		}
	}
	return found
}

// resultsOf returns all names within the types of a method's results.
func resultsOf(d *ast.FuncDecl) (names []string) {
	if d.Type.Results == nil {
		return nil
	}
	for _, r := range d.Type.Results.List {
		ast.Inspect(r.Type, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				names = append(names, id.Name)
			}
			return true
		})
	}
	return names
}

// TestNoTypeAndMethodHaveOneName: a reader of v.target(…) beside target{…} takes the one for the
// other.
func TestNoTypeAndMethodHaveOneName(t *testing.T) {
	all := map[string]map[string]*ast.File{}
	eachFile(t, func(p listed, name string, file *ast.File) {
		if all[p.ImportPath] == nil {
			all[p.ImportPath] = map[string]*ast.File{}
		}
		all[p.ImportPath][name] = file
	})
	for of, files := range all {
		found := shared(files)
		for _, m := range found {
			if slices.Contains(publicNames, path.Base(of)+"."+m.name) {
				continue
			}
			t.Errorf("%s: %s.%s is a method, and a type that it does not return", m.file, path.Base(of), m.name)
		}
	}
}

func TestATypeAndAMethodOfOneNameAreFound(t *testing.T) {
	for source, want := range map[string]string{
		"type a int\ntype b int\nfunc (a) b() {}":                     "b",
		"type a int\ntype b int\nfunc (a) b() b { return 0 }":         "",
		"type a int\ntype b int\nfunc (a) b() (*b, error)":            "",
		"type a int\ntype b int\nfunc (a) c() b { return 0 }":         "",
		"type Error int\nfunc (Error) Error() string { return \"\" }": "",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n\n"+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range shared(map[string]*ast.File{"p/a.go": file}) {
			got = append(got, m.name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
