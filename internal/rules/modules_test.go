package rules

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// beside is what only the tests beside the code import. What only those in test/
// need is in that module, of which nobody who builds orderhook hears.
var beside = []string{"github.com/google/go-cmp", "github.com/jba/templatecheck", "go.uber.org/goleak", "pgregory.net/rapid"}

// required is a dependency as `go mod edit -json` shows it.
type required struct {
	Path, Version string
	Indirect      bool
}

type tool struct{ Path string }

func productModule(t *testing.T) ([]required, []tool) {
	t.Helper()
	var file struct {
		Require []required
		Tool    []tool
	}
	if err := json.Unmarshal(goOutput(t, root, "mod", "edit", "-json"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Require, file.Tool
}

// root is the product's module, as seen from here.
const root = "../.."

func goOutput(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", append([]string{"-C", dir}, args...)...)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", cmd, err, &problem)
	}
	return out
}

func TestTheProductRequiresWhatItIsMadeOf(t *testing.T) {
	modules := strings.Fields(string(goOutput(t, root, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/...")))
	requires, tools := productModule(t)
	if len(tools) > 0 {
		t.Errorf("go.mod has the tools %v: they belong into test/go.mod", tools)
	}
	for _, r := range requires {
		if !r.Indirect && !slices.Contains(modules, r.Path) && !slices.Contains(beside, r.Path) {
			t.Errorf("go.mod requires %s, which the product does not import: what only tests need belongs into test/go.mod", r.Path)
		}
	}
}

// TestTheTestsRunWhatIsShipped: a dependency of the tests' must not lead to another
// version of one of the product's than the product is built with.
func TestTheTestsRunWhatIsShipped(t *testing.T) {
	tested := map[string]string{}
	for line := range strings.Lines(string(goOutput(t, root+"/test", "list", "-m", "all"))) {
		if path, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			tested[path] = version
		}
	}
	requires, _ := productModule(t)
	for _, r := range requires {
		if version, ok := tested[r.Path]; ok && version != r.Version {
			t.Errorf("%s is tested as %s, and shipped as %s: bring go.mod and test/go.mod to the same", r.Path, version, r.Version)
		}
	}
}
