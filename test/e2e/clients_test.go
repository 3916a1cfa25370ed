package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The OpenAPI document is given to programs of others: one that lints it, and
// two that make clients of it, which then drive the server that it is from.
// `make needs` installs what clients/ needs.

// generated is a running server, and a directory with a copy of a part of
// clients/ and the server's OpenAPI document.
type generated struct {
	t       *testing.T
	s       *server
	dir     string
	answers string // URL of an endpoint that answers
	hangs   string // URL of one that does not
}

func generate(t *testing.T, files string) *generated {
	t.Helper()
	g := &generated{t: t, dir: t.TempDir()}
	unblock := make(chan struct{})
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			<-unblock
		}
	}))
	t.Cleanup(endpoint.Close)
	t.Cleanup(func() { close(unblock) })
	g.answers, g.hangs = endpoint.URL+"/answers", endpoint.URL+"/hangs"
	g.s = newWhere(t).serve(t)
	if err := os.CopyFS(g.dir, os.DirFS(files)); err != nil {
		t.Fatal(err)
	}
	document := g.s.expect(t, 200, "GET", "/api/openapi.json", "", "").text
	if err := os.WriteFile(filepath.Join(g.dir, "openapi.json"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	return g
}

// run runs a command in the directory and returns what it says.
func (g *generated) run(name string, args ...string) string {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 20*patience) // compilers wait for all that runs beside them
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "NO_COLOR=1", "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("%s %s: %v\n%.4000s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// drives fails the test unless a client says that it did all that it should.
func (g *generated) drives(said string) {
	g.t.Helper()
	if !strings.Contains(said, "all went well") {
		g.t.Errorf("the client says %q", said)
	}
}

// packages makes the programs that npm installed available in the directory.
func (g *generated) packages() {
	g.t.Helper()
	installed, err := filepath.Abs("clients/node_modules")
	if err == nil {
		_ = os.RemoveAll(filepath.Join(g.dir, "node_modules"))
		err = os.Symlink(installed, filepath.Join(g.dir, "node_modules"))
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

func TestALinterFindsNothingWrongWithTheOpenAPIDocument(t *testing.T) {
	t.Parallel()
	g := generate(t, "clients/lint")
	g.packages()
	said := g.run("node_modules/.bin/redocly", "lint", "openapi.json")
	if !strings.Contains(said, "is valid") {
		t.Errorf("redocly says %s", said)
	}
}

func TestAGoClientIsGeneratedAndDrivesTheAPI(t *testing.T) {
	t.Parallel()
	g := generate(t, "clients/go")
	if err := os.Mkdir(filepath.Join(g.dir, "orderhook"), 0o700); err != nil {
		t.Fatal(err)
	}
	g.run("go", "tool", "oapi-codegen", "-config", "oapi-codegen.yaml", "-o", "orderhook/orderhook.gen.go", "openapi.json")
	g.drives(g.run("go", "run", ".", g.s.url, g.s.newKey, g.answers, g.hangs))
}

func TestATypeScriptClientIsGeneratedAndDrivesTheAPI(t *testing.T) {
	t.Parallel()
	g := generate(t, "clients/ts")
	g.packages()
	g.run("node_modules/.bin/openapi-typescript", "openapi.json", "-o", "schema.d.ts")
	g.run("node_modules/.bin/tsc", "-p", ".")
	g.drives(g.run("node", "drive.js", g.s.url, g.s.newKey, g.answers, g.hangs))
}
