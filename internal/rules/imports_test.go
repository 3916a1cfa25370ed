// Package rules holds the tests of how the packages fit together.
package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/orderhook/orderhook/"

// layers are DESIGN.md's packages from the top down. A package may import what
// stands below it: not its own row, nor one above. What lies beneath a package
// (store/storetest) is of its row, and may import it.
var layers = [][]string{
	{"cmd/orderhook"},
	{"internal/demo", "internal/bench"},
	{"internal/app"},
	{"internal/config"},
	{"internal/dash"},
	{"internal/api"},
	{"internal/workflow"},
	{"internal/validate"},
	{"internal/notify"},
	{"internal/hook"},
	{"internal/upkeep", "internal/job"},
	{"internal/store/sqlite"},
	{"internal/store/core"},
	{"internal/store"},
	{"internal/workflow/decide"},
	{"internal/settings", "internal/admission", "internal/changes"},
	{"internal/oms", "internal/clock", "internal/store/bodyindex"},
	{"internal/filter", "internal/fair", "internal/secret"},
	{"receiver"},
}

// mayUseHTTP are the packages that talk HTTP, as server or as client; that only
// internal/hook makes requests of its own accord, no import can tell.
var mayUseHTTP = []string{"cmd/orderhook", "internal/demo", "internal/bench", "internal/app", "internal/api", "internal/dash", "internal/hook", "receiver"}

// pure is the packages that neither read files nor reach the network.
var pure = []string{"internal/oms", "internal/admission", "internal/filter", "internal/fair", "internal/secret", "internal/clock", "internal/store/bodyindex", "internal/workflow/decide"}

// listed is a package as `go list -json` shows it; tests and what they import
// are under no rule.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath = strings.TrimPrefix(p.ImportPath, module); len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		from, own := layerOf(p.ImportPath)
		if from < 0 {
			t.Errorf("%s has no place in the layers: give it one here and in ARCHITECTURE.md", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			path, ours := strings.CutPrefix(imported, module)
			if !ours || path == own && path != p.ImportPath {
				continue
			}
			if to, _ := layerOf(path); to <= from {
				t.Errorf("%s imports %s, which does not stand below it", p.ImportPath, path)
			}
		}
	}
}

// layerOf returns the row of a package and the package there that it is or lies
// beneath, the nearest if there are several; -1 if it has none.
func layerOf(path string) (row int, own string) {
	row = -1
	for i, layer := range layers {
		for _, p := range layer {
			if (path == p || strings.HasPrefix(path, p+"/")) && len(p) > len(own) {
				row, own = i, p
			}
		}
	}
	return row, own
}

func TestWhoUsesHTTP(t *testing.T) {
	for _, p := range packages(t) {
		if _, own := layerOf(p.ImportPath); !slices.Contains(mayUseHTTP, own) && slices.Contains(p.Imports, "net/http") {
			t.Errorf("%s imports net/http", p.ImportPath)
		}
	}
}

// TestTheDashboardIsAClientOfTheAPI: what it shows and does, it asks the API for, so that
// roles, tenants and limits are decided once. Of the settings it knows the shape, which
// its forms are made of.
func TestTheDashboardIsAClientOfTheAPI(t *testing.T) {
	may := []string{"internal/api", "internal/admission", "internal/changes", "internal/clock", "internal/oms", "internal/settings"}
	for _, p := range packages(t) {
		if p.ImportPath != "internal/dash" {
			continue
		}
		for _, imported := range p.Imports {
			if path, ours := strings.CutPrefix(imported, module); ours && !slices.Contains(may, path) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
}

func TestTheDomainIsPure(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.ImportPath) {
			continue
		}
		for _, forbidden := range []string{"os", "net", "net/http"} {
			if slices.Contains(p.Imports, forbidden) {
				t.Errorf("%s imports %s", p.ImportPath, forbidden)
			}
		}
	}
}

// openers are the methods that give out a secret's text, and who may call them.
var openers = map[string][]string{
	"Reveal":   {"internal/hook", "internal/secret", "internal/store/storetest"}, // the last is tests
	"Unsealed": {"internal/hook", "internal/secret"},
}

// TestWhoOpensSecrets: everybody else has references alone. The names are such that
// nothing else is called so.
func TestWhoOpensSecrets(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if may, opens := openers[s.Sel.Name]; opens && !slices.Contains(may, p.ImportPath) {
					t.Errorf("%s uses %s in %s", p.ImportPath, s.Sel.Name, name)
				}
				return true
			})
		}
	}
}

// What a workflow does is decided from facts alone: whatever waits, reads the
// time, or is somebody else's to end stands outside.
func TestDecisionsAreMadeOfFactsAlone(t *testing.T) {
	const decide = "internal/workflow/decide"
	for _, p := range packages(t) {
		if p.ImportPath != decide {
			continue
		}
		for _, forbidden := range []string{"context", "database/sql", "io", "math/rand", "math/rand/v2", "sync", module + "internal/clock"} {
			if slices.Contains(p.Imports, forbidden) {
				t.Errorf("%s imports %s", decide, forbidden)
			}
		}
		for _, name := range p.GoFiles {
			for _, call := range callsOf(t, filepath.Join(p.Dir, name), "time") {
				if slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, call) {
					t.Errorf("%s/%s calls time.%s", decide, name, call)
				}
			}
		}
	}
}

// callsOf returns what a file of Go uses of a package.
func callsOf(t *testing.T, path, of string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == of {
				names = append(names, s.Sel.Name)
			}
		}
		return true
	})
	return names
}
