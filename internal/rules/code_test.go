package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// eachFile calls visit with every file of the product's.
func eachFile(t *testing.T, visit func(p listed, name string, file *ast.File)) {
	t.Helper()
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			visit(p, p.ImportPath+"/"+name, file)
		}
	}
}

var version = regexp.MustCompile(`^v[0-9]+$`)

// importedAs returns the paths of what a file imports, by the names that it has there.
func importedAs(file *ast.File) map[string]string {
	names := map[string]string{}
	for _, i := range file.Imports {
		imported := strings.Trim(i.Path.Value, `"`)
		name := path.Base(imported)
		if version.MatchString(name) {
			name = path.Base(path.Dir(imported))
		}
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = imported
	}
	return names
}

// used returns what an expression is of a package that the file imports, as
// time and Now of time.Now; "" if it is nothing of that kind.
func used(names map[string]string, n ast.Node) (of, what string) {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok || x.Obj != nil { // a variable of that name
		return "", ""
	}
	return names[x.Name], s.Sel.Name
}

// eachUse calls visit with everything of other packages that the product uses.
func eachUse(t *testing.T, visit func(p listed, file, of, what string)) {
	t.Helper()
	eachFile(t, func(p listed, name string, file *ast.File) {
		names := importedAs(file)
		ast.Inspect(file, func(n ast.Node) bool {
			if of, what := used(names, n); of != "" {
				visit(p, name, of, what)
			}
			return true
		})
	})
}

// senders may send requests: the server does by internal/outbound alone, which knows the
// guard, the limits and the secrets; the others stand beside a server, and call it.
// proxytest is a proxy of tests, and receiver is for the programs of others.
var senders = []string{"internal/outbound", "internal/outbound/proxytest", "internal/demo", "internal/bench", "receiver"}

// askers ask a server from a process of their own: how it is, and what the API lets them.
var askers = []string{"cmd/orderhook/healthcheck.go", "cmd/orderhook/remote.go", "cmd/orderhook/listen.go"}

// exporter sends spans to the collector that the operator names, in variables that no tenant
// can set: the guard, the slots and the secrets of internal/outbound are for what tenants
// name, and a collector that hangs is not to take a slot of theirs.
const exporter = "internal/telemetry/tracing/export.go"

// sending is what one sends with, or looks up whom to send to. NewRequest is not of
// it: the dashboard hands requests to the API's handler.
var sending = map[string][]string{
	"net/http":   {"Client", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm", "Transport"},
	"net":        {"DefaultResolver", "Dial", "DialIP", "DialTCP", "DialTimeout", "DialUDP", "DialUnix", "Dialer", "LookupAddr", "LookupCNAME", "LookupHost", "LookupIP", "LookupMX", "LookupNS", "LookupSRV", "LookupTXT", "Resolver"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
}

func TestWhoMakesRequests(t *testing.T) {
	eachUse(t, func(p listed, file, of, what string) {
		if slices.Contains(sending[of], what) && !slices.Contains(senders, p.ImportPath) && !slices.Contains(askers, file) && file != exporter {
			t.Errorf("%s uses %s.%s: requests go out through internal/outbound", file, of, what)
		}
	})
}

// exporters are the modules that send by themselves what this server knows. OpenTelemetry's
// own exporters are among them: what goes out is to be seen in one file.
var exporters = []string{"go.opentelemetry.io/otel/exporters/", "go.opentelemetry.io/contrib/", "google.golang.org/grpc"}

func TestWhoExports(t *testing.T) {
	eachFile(t, func(p listed, name string, file *ast.File) {
		for _, imported := range importedAs(file) {
			if imported != "go.opentelemetry.io/otel/exporters/otlp/otlptrace" && slices.ContainsFunc(exporters, func(e string) bool { return strings.HasPrefix(imported, e) }) {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	})
	for _, path := range strings.Fields(string(goOutput(t, root, "list", "-deps", "./cmd/..."))) {
		if strings.HasPrefix(path, "google.golang.org/grpc") {
			t.Errorf("the product is made of %s, too: OTLP goes over HTTP, and needs nothing of it", path)
			break
		}
	}
}

// onePath is what internal/outbound alone puts together: a request, of what the place
// says that it goes to, and the record of an attempt, of how its exchange went. So what
// a credential or a header is to be used for is decided in one place.
var onePath = map[string]string{module + "internal/outbound": "Request", module + "internal/attempt": "Attempt"}

func TestWhoPutsRequestsTogether(t *testing.T) {
	eachFile(t, func(p listed, name string, file *ast.File) {
		if p.ImportPath == "internal/outbound" || p.ImportPath == "internal/store/storetest" {
			return
		}
		names := importedAs(file)
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok || len(literal.Elts) == 0 {
				return true
			}
			if of, what := used(names, literal.Type); of != "" && onePath[of] == what {
				t.Errorf("%s puts a %s.%s together: begin with what internal/outbound returns", name, path.Base(of), what)
			}
			return true
		})
	})
}

// begun are the files that may begin a context that is nobody's: that of the process,
// of a part of it that ends with Stop, or of statements that nobody may interrupt.
// Everybody else passes on the caller's, or one derived from it by
// context.WithoutCancel.
var begun = map[string]bool{
	"cmd/orderhook/main.go": true, "examples/erp-export/main.go": true, "examples/stock-reservation/main.go": true, "internal/jobrunner/runner.go": true, "internal/delivery/dispatcher.go": true,
	"internal/store/sqlite/session.go": true, "internal/store/postgres/writer.go": true, "internal/store/postgres/outcome.go": true,
	"internal/store/postgres/nodes.go": true, "internal/nodes/node.go": true, "internal/nodes/holding.go": true, "internal/store/pgtest/cluster.go": true, "internal/store/pgtest/pgtest.go": true,
	"internal/maintenance/maintenance.go": true, "internal/workflow/lifetimes.go": true,
}

func TestWhoBeginsContexts(t *testing.T) {
	eachUse(t, func(p listed, file, of, what string) {
		if of == "context" && (what == "Background" || what == "TODO") && !begun[file] && p.ImportPath != "internal/store/storetest" {
			t.Errorf("%s uses context.%s: pass on the caller's", file, what)
		}
	})
}

// TestNothingOfOthersIsReplaced: what is set in a library's variable, all who use the
// library in this process get, in whatever order the packages begin.
func TestNothingOfOthersIsReplaced(t *testing.T) {
	eachFile(t, func(_ listed, name string, file *ast.File) {
		names := importedAs(file)
		ast.Inspect(file, func(n ast.Node) bool {
			set, ok := n.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for _, to := range set.Lhs {
				if of, what := used(names, to); of != "" {
					t.Errorf("%s sets %s.%s", name, of, what)
				}
			}
			return true
		})
	})
}
