package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// otherBinary builds an orderhook that differs from the one of the tests in some files, by
// their paths in the product's module. Nothing of what only tests need is in the product for
// that.
func otherBinary(t *testing.T, version string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range files {
		path = filepath.Join(module, path)
		instead := filepath.Join(dir, strings.ReplaceAll(path, string(filepath.Separator), "_"))
		if err := os.WriteFile(instead, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[path] = instead
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "orderhook")
	build := exec.Command("go", "build", "-overlay", file, "-ldflags", "-X main.release="+version, "-o", out, "./cmd/orderhook")
	build.Dir = module
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// edited returns a file with one of its texts replaced, which must be in it once.
func edited(t *testing.T, path, old, new string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%s has %q %d times", path, old, strings.Count(string(text), old))
	}
	return strings.Replace(string(text), old, new, 1)
}
