// Package rules holds the tests of how the packages fit together.
package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/orderhook/orderhook/"

// layers are the packages of ARCHITECTURE.md#packages from the top down. A package may
// import what stands below it: not its own row, nor one above. What lies beneath a package
// (store/storetest) is of its row, and may import it.
var layers = [][]string{
	{"cmd/orderhook", "examples/erp-export", "examples/fraud-check", "examples/stock-reservation", "examples/tax-validator"},
	{"internal/demo", "internal/bench", "internal/listen"},
	{"internal/app"},
	{"internal/config"},
	{"internal/dash"},
	{"internal/checkup", "internal/checkup/checkuptest"},
	{"internal/api"},
	{"internal/workflow"},
	{"internal/validate"},
	{"internal/delivery"},
	{"internal/simulate"},
	{"internal/intercept"},
	{"internal/rerun"},
	{"internal/answer"},
	{"internal/outbound"},
	{"internal/telemetry"},
	{"internal/maintenance", "internal/jobrunner"},
	{"internal/transfer"},
	{"internal/store/sqlite", "internal/store/postgres"},
	{"internal/store/queue"},
	{"internal/store/core"},
	{"internal/store"},
	{"internal/nodes"},
	{"internal/workflow/decide"},
	{"internal/settings", "internal/admission", "internal/changes"},
	{"internal/export", "internal/job"},
	{"internal/access", "internal/attempt"},
	{"internal/event"},
	{"internal/cart", "internal/stock", "internal/run"},
	{"internal/order"},
	{"internal/schema"},
	{"internal/redact"},
	{"internal/jsondoc", "internal/weburl", "internal/clock", "internal/store/bodyindex"},
	{"receiver"},
	{"internal/trace", "internal/filter", "internal/fair", "internal/secret", "internal/apierr", "internal/ids", "internal/timetext", "internal/breaker"},
	{"internal/spelling"},
}

// mayUseHTTP are the packages that talk HTTP, as server or as client; who of them
// makes requests of its own accord, TestWhoMakesRequests says.
var mayUseHTTP = []string{"cmd/orderhook", "internal/demo", "internal/bench", "internal/listen", "internal/app", "internal/api", "internal/intercept", "internal/dash", "internal/outbound", "internal/telemetry", "internal/checkup/checkuptest", "receiver",
	"examples/erp-export", "examples/fraud-check", "examples/stock-reservation", "examples/tax-validator"}

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

// TestRulesNamePackagesThatExist: a row of a package that is gone, or not there yet,
// rules nothing, and says what is not true.
func TestRulesNamePackagesThatExist(t *testing.T) {
	there := map[string]bool{}
	for _, p := range packages(t) {
		there[p.ImportPath] = true
	}
	rows := slices.Concat(slices.Concat(layers...), mayUseHTTP, pure, dashMayImport)
	for _, may := range openers {
		rows = append(rows, may...)
	}
	for _, row := range rows {
		if !there[row] {
			t.Errorf("the rules have a row for %s, which is no package", row)
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

// dashMayImport are the packages that the dashboard knows. It imports the settings for their
// shape, which its forms are made of.
var dashMayImport = []string{"internal/api", "internal/admission", "internal/changes", "internal/clock", "internal/access", "internal/apierr", "internal/attempt", "internal/cart", "internal/event", "internal/export", "internal/ids", "internal/job",
	"internal/jsondoc", "internal/order", "internal/run", "internal/schema", "internal/spelling", "internal/stock", "internal/timetext", "internal/weburl", "internal/settings"}

// TestTheDashboardIsAClientOfTheAPI: what it shows and does, it asks the API for, so that
// roles, tenants and limits are decided once.
func TestTheDashboardIsAClientOfTheAPI(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != "internal/dash" {
			continue
		}
		for _, imported := range p.Imports {
			if path, ours := strings.CutPrefix(imported, module); ours && !slices.Contains(dashMayImport, path) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
}

// TestTheReceiverStandsAlone: people build endpoints with it who have nothing else of
// orderhook, and want nothing of what orderhook is made of. The examples are such people.
func TestTheReceiverStandsAlone(t *testing.T) {
	for _, p := range packages(t) {
		example := strings.HasPrefix(p.ImportPath, "examples/")
		if p.ImportPath != "receiver" && !example {
			continue
		}
		for _, imported := range p.Imports {
			may := example && (imported == module+"receiver" || imported == "modernc.org/sqlite")
			if host, _, _ := strings.Cut(imported, "/"); strings.Contains(host, ".") && !may {
				t.Errorf("%s imports %s: it is to need the standard library alone", p.ImportPath, imported)
			}
		}
	}
}

// openers are the methods that give out a secret's text, and who may call them.
var openers = map[string][]string{
	"Reveal":   {"internal/outbound", "internal/secret", "internal/store/storetest"}, // the last is tests
	"Unsealed": {"internal/outbound", "internal/secret"},
}

// TestWhoOpensSecrets: everybody else has references alone. The names are such that
// nothing else is called so.
func TestWhoOpensSecrets(t *testing.T) {
	eachFile(t, func(p listed, name string, file *ast.File) {
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
	})
}
